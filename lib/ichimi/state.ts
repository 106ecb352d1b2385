/** What became of a process, in upstream's four words and in the JSON that its clients know. Pure. @module */
import type { ProcessRecord } from "./record.ts";

/** How a process ended last. */
export const OUTCOMES = ["clean", "failed", "killed", "spawn_error", "unknown"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What became of it. Times are Unix milliseconds. */
export type ProcessState =
  | { readonly kind: "not_started" }
  | { readonly kind: "running"; readonly pid: number; readonly startedMs: number }
  /** `exitCode` is null after a signal. */
  | { readonly kind: "stopped"; readonly exitCode: number | null; readonly stoppedMs: number }
  /** Nobody knows how it ended. */
  | { readonly kind: "failed"; readonly error: string; readonly failedMs: number };

/** A state, with what upstream does not tell of it. */
export interface Standing {
  readonly state: ProcessState;
  /** Of its last end; null when it runs, or never did. */
  readonly outcome: Outcome | null;
  /** What the outcome was in words: a signal, or why it could not be started. */
  readonly detail: string | null;
}

export const NEVER_STARTED: Standing = { state: { kind: "not_started" }, outcome: null, detail: null };

/** The state as upstream's serializer writes an enum. */
function stateJson(state: ProcessState): unknown {
  switch (state.kind) {
    case "not_started":
      return "NotStarted";
    case "running":
      return { Running: { pid: state.pid, started_at: timeText(state.startedMs) } };
    case "stopped":
      return { Stopped: { exit_code: state.exitCode, stopped_at: timeText(state.stoppedMs) } };
    case "failed":
      return { Failed: { error: state.error, failed_at: timeText(state.failedMs) } };
    default:
      return state satisfies never;
  }
}

/** RFC 3339 in UTC, to the millisecond. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** A process as `list_processes` shows it: upstream's keys in upstream's order, and ours behind them. */
export function infoJson(record: ProcessRecord, { state, outcome, detail }: Standing) {
  return {
    id: record.id,
    command: record.command,
    args: record.args,
    env: record.env,
    cwd: record.cwd,
    state: stateJson(state),
    auto_start_on_restore: record.autoStartOnRestore,
    outcome,
    ...(detail === null ? {} : { detail }),
    lifetime: record.lifetime,
    ...(record.restart === "never" ? {} : { restart: record.restart }),
    ...(record.input === "none" ? {} : { input: record.input }),
    ...(record.project === null ? {} : { project: record.project }),
    ...(record.tags.length === 0 ? {} : { tags: record.tags }),
  };
}
