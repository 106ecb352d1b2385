/** Which commands are estimated anew, and when. Pure: times are arguments. @module */
import { type Changes, type Command, type DurationsOf, estimate, type Graph, type Job } from "../nix/mod.ts";
import type { EstimateRow } from "./world.ts";

/** How often a command is estimated anew while nothing of it changes, and how often at most. */
const EVERY_MS = 1_000;

/** Longer, in multiples of what the last one took: whoever has very many builds leaves the others their time. */
const COST_FACTOR = 10;
/** Builds of one command; the end of more is anybody's guess. */
const BUILDS_MAX = 50_000;

/** One a monitor. */
export class Estimates {
  readonly #durationsOf: DurationsOf;
  readonly #steadyMs: () => number;
  /** By command. */
  readonly #last = new Map<number, { readonly atMs: number; readonly pauseMs: number }>();

  /** @param durationsOf What history knows. @param steadyMs A clock that tells what an estimate costs. */
  constructor(durationsOf: DurationsOf, steadyMs: () => number) {
    this.#durationsOf = durationsOf;
    this.#steadyMs = steadyMs;
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
      const { atMs, pauseMs } = this.#last.get(id) ?? { atMs: -Infinity, pauseMs: EVERY_MS };
      // A clock that was set back is no reason to wait until it is there again.
      if (state === "running" ? Math.abs(nowMs - atMs) < pauseMs : !touched.has(id)) continue;
      const begunMs = this.#steadyMs();
      const builds = [...jobs.values()].filter((job) => job.command === id && job.kind === "build");
      const found = builds.length > BUILDS_MAX
        ? undefined
        : estimate(builds, { graph, durationsOf: this.#durationsOf, nowMs, slots: peak(builds) });
      rows.push({ command: id, atMs: nowMs, estimate: found });
      const tookMs = this.#steadyMs() - begunMs;
      this.#last.set(id, { atMs: nowMs, pauseMs: Math.max(EVERY_MS, COST_FACTOR * tookMs) });
    }
    for (const id of changes.removedCommands) this.#last.delete(id);
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
