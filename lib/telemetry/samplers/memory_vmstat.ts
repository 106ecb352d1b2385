/** Where pages came from on NUMA hosts; source `/proc/vmstat`. @module */
import { counter } from "../../metrics/mod.ts";
import { procSampler } from "../proc_sampler.ts";

const KEYS = [
  ["memory_numa_hit", "numa_hit", "Pages allocated on the node that was asked for"],
  ["memory_numa_miss", "numa_miss", "Pages allocated here although another node was asked for"],
  ["memory_numa_foreign", "numa_foreign", "Pages asked for here and allocated on another node"],
  ["memory_numa_interleave", "numa_interleave", "Pages interleaved onto the node as intended"],
  ["memory_numa_local", "numa_local", "Pages allocated on the node of the task"],
  ["memory_numa_other", "numa_other", "Pages allocated on another node than the task's"],
] as const;

export const memoryVmstat = procSampler({
  name: "memory_vmstat",
  summary: "Where pages came from on NUMA hosts, from /proc/vmstat.",
  path: "/proc/vmstat",
  metrics: KEYS.map(([name, , help]) => counter(name, { unit: "pages", help })),
  parse: (text) => KEYS.map(([, key]) => parseVmstat(text, key)),
});

/** A key of `/proc/vmstat`; `undefined` where the kernel has no such key. */
export function parseVmstat(text: string, key: string): bigint | undefined {
  const value = new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1];
  return value === undefined ? undefined : BigInt(value);
}
