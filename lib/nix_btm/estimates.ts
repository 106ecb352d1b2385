/** Which commands are estimated anew, and when. Pure: time is an argument. @module */
import { type Changes, type Command, type DurationsOf, estimate, type Graph, type Job } from "../nix/mod.ts";
import type { EstimateRow } from "./world.ts";

/** How often a command is estimated anew while nothing of it changes, and how often at most. */
const EVERY_MS = 1_000;

/** One a monitor. */
export class Estimates {
  readonly #durationsOf: DurationsOf;
  /** By command. */
  readonly #lastMs = new Map<number, number>();

  /** @param durationsOf What history knows. */
  constructor(durationsOf: DurationsOf) {
    this.#durationsOf = durationsOf;
  }

  /** Rows of those commands whose time has come; one without an estimate has nothing left. */
  rows(
    changes: Pick<Changes, "commands" | "jobs" | "removedCommands">,
    { commands, jobs, graph, nowMs }: {
      readonly commands: ReadonlyMap<number, Command>;
      readonly jobs: ReadonlyMap<number, Job>;
      readonly graph: Graph;
      readonly nowMs: number;
    },
  ): EstimateRow[] {
    const touched = new Set([
      ...changes.commands.map(({ id }) => id),
      ...changes.jobs.map(({ command }) => command),
    ]);
    const rows: EstimateRow[] = [];
    for (const [id, { state }] of commands) {
      const lastMs = this.#lastMs.get(id) ?? -Infinity;
      if (state === "running" ? nowMs - lastMs < EVERY_MS : !touched.has(id)) continue;
      this.#lastMs.set(id, nowMs);
      const builds = [...jobs.values()].filter((job) => job.command === id && job.kind === "build");
      const found = estimate(builds, { graph, durationsOf: this.#durationsOf, nowMs, slots: peak(builds) });
      rows.push({ command: id, atMs: nowMs, estimate: found });
    }
    for (const id of changes.removedCommands) this.#lastMs.delete(id);
    return rows;
  }
}

/** How many of these builds ran at the same time at most. */
function peak(builds: readonly Job[]): number {
  const turns: (readonly [atMs: number, by: 1 | -1])[] = [];
  for (const { startedMs, endedMs } of builds) {
    if (startedMs === undefined) continue;
    turns.push([startedMs, 1]);
    if (endedMs !== undefined) turns.push([endedMs, -1]);
  }
  turns.sort(([one, by], [other, too]) => one - other || by - too);
  let now = 0;
  let most = 0;
  for (const [, by] of turns) most = Math.max(most, now += by);
  return most;
}
