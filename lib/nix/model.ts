/** What is known of Nix on a machine, as plain rows: commands, and what they do. Pure. @module */
import type { Failure } from "./message.ts";

/** Builds and substitutions as Nix counts them: of the goals that it has, of which some may have nothing to do. */
export interface Progress {
  readonly done: number;
  readonly expected: number;
  readonly running: number;
  readonly failed: number;
}

/** Of what has not begun. */
export const NO_PROGRESS: Progress = { done: 0, expected: 0, running: 0, failed: 0 };

/** Who asked. */
export interface Requester {
  /** How its log comes in. */
  readonly source: "socket" | "wrapped" | "pipe" | "replay";
  readonly pid?: number | undefined;
  readonly uid?: number | undefined;
  readonly user?: string | undefined;
  readonly command?: readonly string[] | undefined;
}

/** How a command stands; it is `lost` when its log broke off. */
export type CommandState = "running" | "succeeded" | "failed" | "interrupted" | "lost";

/** Errors and warnings, each text once. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly text: string;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** One invocation of Nix; the client's log and its daemon's are the same one. */
export interface Command {
  readonly id: number;
  readonly requester: Requester;
  /** Unix milliseconds, as all times here. */
  startedMs: number;
  endedMs: number | undefined;
  state: CommandState;
  /** Flake references and derivations that it was asked for, as far as it tells. */
  readonly targets: string[];
  /** The file or derivation that is evaluated now. */
  evaluating: string | undefined;
  /** Files so far; only talkative logs tell. */
  evaluatedFiles: number;
  builds: Progress;
  substitutions: Progress;
  /** What Nix said it would do, in builds, paths and bytes; 0 where it did not. */
  plannedBuilds: number;
  plannedFetches: number;
  downloadBytes: number;
  unpackedBytes: number;
  /** At most `PROBLEMS_MAX`. */
  readonly problems: Problem[];
}

/** What a job does; `other` is what no version says more of. */
export type JobKind =
  | "build"
  /** A store path that goes from one store to another. */
  | "copy"
  | "download"
  | "query"
  | "evaluation"
  | "fetch"
  | "hook"
  | "maintenance"
  | "other";

/**
 * How a job stands. Nix says of no build that it succeeded: `ended` are those of which nothing else has shown it yet,
 * `skipped` those that were planned and never began, `lost` those whose log broke off.
 */
export type JobState =
  | { readonly kind: "planned" | "running" | "succeeded" | "ended" | "skipped" | "cancelled" | "lost" }
  | { readonly kind: "waiting"; readonly why: string; readonly sinceMs: number }
  | { readonly kind: "failed"; readonly failure: Failure };

/** A step of a build, as its builder names it: `unpackPhase`. It lasts until the next one, or the build's end. */
export interface Phase {
  readonly name: string;
  /** Its begin, Unix milliseconds. */
  readonly atMs: number;
}

/** Something that a command does. */
export interface Job {
  /** Unlike that of any other job and any command. */
  readonly id: number;
  /** Number of its command. */
  command: number;
  readonly kind: JobKind;
  /** Store path of the derivation or of what is copied, else a URL or a text. */
  readonly subject: string;
  /** Its subject for people: a store path without store, hash and `.drv`. */
  readonly name: string;
  /** Of a build the machine, empty for this one; of a copy and a query the store it comes from. */
  host: string;
  /** Of a copy: the store it goes to. */
  to: string;
  state: JobState;
  /** Its begin, Unix milliseconds; undefined as long as it is only planned. */
  startedMs: number | undefined;
  endedMs: number | undefined;
  /** Bytes of copies and downloads; expected ones may grow, and are 0 while nobody knows. */
  doneBytes: number;
  expectedBytes: number;
  readonly phases: Phase[];
  /** All lines that it has printed. */
  lineCount: number;
  /** The last `TAIL_LINES` of them, of one that is over and has not failed the last `OVER_TAIL_LINES`. */
  readonly tail: string[];
}

/** Lines of a build that are kept here; a whole log is its listener's matter. */
export const TAIL_LINES = 100;
/** Of one that is over and has not failed: thousands of them are kept. */
export const OVER_TAIL_LINES = 10;
/** Errors and warnings of a command; those that come after are not kept. */
export const PROBLEMS_MAX = 200;

/** A job that begins now, or is planned where there is no time. */
export function newJob(
  { id, command, kind, subject, name }: Pick<Job, "id" | "command" | "kind" | "subject" | "name">,
  nowMs: number | undefined,
): Job {
  return {
    id,
    command,
    kind,
    subject,
    name,
    host: "",
    to: "",
    state: { kind: nowMs === undefined ? "planned" : "running" },
    startedMs: nowMs,
    endedMs: undefined,
    doneBytes: 0,
    expectedBytes: 0,
    phases: [],
    lineCount: 0,
    tail: [],
  };
}

/** Whether nothing happens to a job any more. */
export function isOver({ state: { kind } }: Pick<Job, "state">): boolean {
  return kind !== "planned" && kind !== "waiting" && kind !== "running";
}
