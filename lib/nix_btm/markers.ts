/** What of all that Nix does is worth a mark on charts. Pure: time is an argument. @module */
import type { HostEvent } from "../events/mod.ts";
import { type Command, cutText, type Job } from "../nix/mod.ts";
import { durationWord, plainText } from "../tui/mod.ts";
import { failedText } from "./failure_text.ts";
import { commandText } from "./summary.ts";
import type { JobRow, Update, World } from "./world.ts";

/** An event without its source, which is this tool. */
export type Mark = Omit<HostEvent, "source">;

/** Phases of a build are marked when it has run for so long. */
const LONG_BUILD_MS = 5_000;
/** Builds that succeeded, marked one by one within a second; the others are told together. */
const SUCCESSES_A_SECOND = 10;
const SECOND_MS = 1_000;
/** Characters of a command line. */
const COMMAND_CHARS = 70;

/** Hears of each change once; returns the marks that it is worth. */
export class Markers {
  readonly #begun = new Set<number>();
  readonly #ended = new Set<number>();
  readonly #phases = new Map<number, number>();
  #second = { fromMs: 0, successes: 0 };

  /** What an update, which is in the world already, has to be marked. */
  take({ commands = [], jobs = [], removedCommands = [], removedJobs = [] }: Update, world: World): Mark[] {
    for (const id of removedJobs) this.#phases.delete(id);
    const marks = [
      ...jobs.flatMap((job) => this.#begin(world.commands.get(job.command), job)),
      ...jobs.flatMap((job) => this.#newPhases(job)),
      ...commands.flatMap((command) => this.#end(command)),
    ];
    for (const id of removedCommands) {
      this.#begun.delete(id);
      this.#ended.delete(id);
    }
    return marks;
  }

  /** A build that is over, each once. */
  buildEnded(job: Job, nowMs: number): Mark[] {
    const { name, state, host, startedMs, endedMs = nowMs } = job;
    if (startedMs === undefined || state.kind === "skipped") return [];
    const durationMs = endedMs - startedMs;
    const where = host === "" ? "" : ` on ${host}`;
    const took = durationWord(durationMs);
    const mark = { timeMs: endedMs, name: "build", durationMs };
    if (state.kind === "failed") {
      return [{ ...mark, severity: "error", text: `${name} ${failedText(job)}` }];
    }
    if (state.kind === "lost" || state.kind === "cancelled") {
      return [{ ...mark, severity: "warning", text: `${name} ${state.kind}${where} after ${took}` }];
    }
    const before = this.tick(nowMs);
    if (++this.#second.successes > SUCCESSES_A_SECOND) return before;
    return [...before, { ...mark, severity: "info", text: `${name} built${where} in ${took}` }];
  }

  /** Tells of the builds that were too many for a mark of their own, when their second is over. */
  tick(nowMs: number): Mark[] {
    const { fromMs, successes } = this.#second;
    if (nowMs - fromMs < SECOND_MS) return [];
    this.#second = { fromMs: nowMs, successes: 0 };
    const more = successes - SUCCESSES_A_SECOND;
    if (more <= 0) return [];
    const text = `${more} more ${more === 1 ? "build" : "builds"} within a second`;
    return [{ timeMs: Math.min(nowMs, fromMs + SECOND_MS), name: "build", severity: "info", text }];
  }

  /** Commands are marked from their first piece of work on: those that only look something up are many. */
  #begin(command: Command | undefined, { kind, state, startedMs }: JobRow): Mark[] {
    if (command === undefined || this.#begun.has(command.id)) return [];
    if (kind !== "build" && kind !== "copy" || state.kind === "planned" || startedMs === undefined) return [];
    this.#begun.add(command.id);
    const text = `${lineOf(command)} begins`;
    return [{ timeMs: command.startedMs, name: "command", severity: "info", text }];
  }

  #end(command: Command): Mark[] {
    const { id, state, startedMs, endedMs, builds, problems } = command;
    if (state === "running" || this.#ended.has(id)) return [];
    this.#ended.add(id);
    if (!this.#begun.has(id) && state !== "failed") return [];
    const timeMs = endedMs ?? startedMs;
    const durationMs = timeMs - startedMs;
    const problem = problems.find(({ severity }) => severity === "error")?.text;
    const built = builds.done > 0 ? `, ${builds.done} built` : "";
    // Of a build that failed its own mark tells.
    const why = state === "failed" && problem !== undefined && builds.failed === 0
      ? `: ${plainText(problem).split("\n")[0]!.trim()}`
      : "";
    const text = `${lineOf(command)} ${state} after ${durationWord(durationMs)}${built}${why}`;
    const severity = state === "succeeded" ? "info" : state === "failed" ? "error" : "warning";
    return [{ timeMs, durationMs, name: "command", severity, text }];
  }

  #newPhases({ id, kind, name, state, startedMs, phases }: JobRow): Mark[] {
    if (kind !== "build" || state.kind !== "running" || startedMs === undefined) return [];
    const told = this.#phases.get(id) ?? 0;
    if (phases.length === told) return [];
    this.#phases.set(id, phases.length);
    return phases.slice(told).filter(({ atMs }) => atMs - startedMs >= LONG_BUILD_MS).map((phase) => ({
      timeMs: phase.atMs,
      name: "phase",
      severity: "info",
      text: `${name}: ${phase.name}`,
    }));
  }
}

function lineOf(command: Command): string {
  const { user } = command.requester;
  const line = cutText(commandText(command) || "nix", COMMAND_CHARS);
  return user === undefined ? line : `${user}: ${line}`;
}
