/** The text of `get_status`, line by line as upstream has it: its TUI reads it by prefix. Pure. @module */
import type { Mode } from "../services/mod.ts";

/** One start or end of a process. */
export interface ProcessEvent {
  readonly timeMs: number;
  readonly kind: "started" | "crashed" | "stopped";
  /** Of an end; undefined when nobody knows it. */
  readonly code?: number;
}

export interface ProcessStatus {
  readonly name: string;
  readonly state: "running" | "idle" | "crashed";
  /** Since when it runs. */
  readonly startedMs?: number;
  /** Newest first. */
  readonly events: readonly ProcessEvent[];
  readonly crashes: number;
}

const EVENTS_SHOWN = 5;
const MINUTE_MS = 60_000;

/** @param devLeftMs Until the release mode comes by itself; only in dev mode. */
export function statusText(
  mode: Mode,
  devLeftMs: number,
  processes: readonly ProcessStatus[],
  nowMs: number,
): string {
  const until = mode === "dev"
    ? `Time until release mode: ${hoursAndMinutes(devLeftMs)}`
    : "Currently in release mode";
  const lines = [`Mode: ${mode === "dev" ? "Dev" : "Release"}`, until, "", "Processes:"];
  for (const { name, state, startedMs, events, crashes } of processes) {
    lines.push(`  ${name}: ${state}`);
    if (startedMs !== undefined) lines.push(`    Uptime: ${hoursAndMinutes(nowMs - startedMs)}`);
    if (events.length > 0) lines.push("    Recent events:");
    for (const event of events.slice(0, EVENTS_SHOWN)) lines.push(`      - ${eventText(event)}`);
    if (crashes > 0) lines.push(`    Crash count: ${crashes}`);
  }
  return lines.join("\n");
}

function eventText({ kind, timeMs, code }: ProcessEvent): string {
  const at = `${new Date(timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  if (kind === "started") return `Started at ${at}`;
  if (kind === "stopped") return `Stopped at ${at}`;
  return `Crashed at ${at} (exit code: ${code === undefined ? "None" : `Some(${code})`})`;
}

function hoursAndMinutes(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / MINUTE_MS));
  return `${Math.floor(minutes / 60)} hours ${minutes % 60} minutes`;
}
