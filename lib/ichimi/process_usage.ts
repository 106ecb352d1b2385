/** What a process uses right now, with all that it has started. @module */
import { treeUsage, type UsageRates } from "../services/mod.ts";
import type { ProcessState } from "./state.ts";

/** As `get_process_status` tells it; null of one that does not run. */
export interface ProcessUsage {
  /** Percent of one core, since it was looked at last. */
  readonly cpu_usage: number | null;
  /** Bytes. */
  readonly memory_usage: number | null;
  readonly uptime_seconds: number | null;
}

/** @param rates What each used when it was looked at last. */
export function usageOf(id: string, state: ProcessState, rates: UsageRates): ProcessUsage {
  if (state.kind !== "running") return { cpu_usage: null, memory_usage: null, uptime_seconds: null };
  const uptimeMs = Math.max(0, Date.now() - state.startedMs);
  const used = treeUsage(state.pid);
  const { ratio } = rates.ratio(id, state.pid, used);
  const cpu = ratio ?? (uptimeMs === 0 ? 0 : 1_000 * used.cpuSeconds / uptimeMs);
  return {
    cpu_usage: Math.round(1_000 * cpu) / 10,
    memory_usage: used.memoryBytes,
    uptime_seconds: Math.floor(uptimeMs / 1_000),
  };
}
