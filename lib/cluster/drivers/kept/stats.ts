/** What a run uses: its cgroups tell it exactly, its processes as far as they are there. @module */
import { kernelPathExists, readKernelFile } from "../../../../ffi/files/mod.ts";
import { treeUsage } from "../../../procfs/mod.ts";
import { cgroupsOf } from "../../../supervisor/mod.ts";
import type { DriverStats } from "../driver.ts";

const US_PER_S = 1e6;

/** Of the run in `folder` whose first process is `pid`. */
export function runStats(folder: string, pid: number): DriverStats {
  const cgroups = cgroupsOf(folder);
  const tree = treeUsage(pid);
  const usage = /^usage_usec (\d+)$/m.exec(firstOf(cgroups, ["cpu.stat"]) ?? "")?.[1];
  const memory = firstOf(cgroups, ["memory.current", "memory.usage_in_bytes"]);
  return {
    cpuSeconds: usage === undefined ? tree.cpuSeconds : Number(usage) / US_PER_S,
    memoryBytes: memory === undefined ? tree.memoryBytes : Number(memory),
  };
}

function firstOf(cgroups: readonly string[], names: readonly string[]): string | undefined {
  const path = cgroups.flatMap((cgroup) => names.map((name) => `${cgroup}/${name}`)).find(kernelPathExists);
  return path === undefined ? undefined : new TextDecoder().decode(readKernelFile(path));
}
