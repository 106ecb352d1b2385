/** Memory of the host; source `/proc/meminfo`. @module */
import { gauge } from "../../metrics/mod.ts";
import { procSampler } from "../proc_sampler.ts";

const KEYS = [
  ["memory_total", "MemTotal", "Usable memory"],
  ["memory_free", "MemFree", "Memory that nothing uses"],
  ["memory_available", "MemAvailable", "Memory that programs can get without swapping"],
  ["memory_buffers", "Buffers", "Memory of block device buffers"],
  ["memory_cached", "Cached", "Memory of the page cache"],
] as const;

export const memoryMeminfo = procSampler({
  name: "memory_meminfo",
  summary: "Memory of the host, from /proc/meminfo.",
  path: "/proc/meminfo",
  metrics: KEYS.map(([name, , help]) => gauge(name, { unit: "bytes", help })),
  parse: (text) => KEYS.map(([, key]) => parseMeminfo(text, key)),
});

/** Bytes of a key of `/proc/meminfo`, which tells kibibytes; `undefined` where the kernel has no such key. */
export function parseMeminfo(text: string, key: string): bigint | undefined {
  const value = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
  return value === undefined ? undefined : BigInt(value) * 1024n;
}
