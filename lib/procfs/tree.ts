/** What processes and their descendants use, from `/proc`. @module */
import { systemConfig } from "../../ffi/sys/mod.ts";
import { Procfs } from "./procfs.ts";

/** Of a process and all that it has started. */
export interface TreeUsage {
  readonly processes: number;
  readonly pids: readonly number[];
  /** User and system time, of those that are there now and of those that they have waited for. */
  readonly cpuSeconds: number;
  /** What of it those used that are not there any more. */
  readonly endedSeconds: number;
  /** Resident, shared pages counted by each. */
  readonly memoryBytes: number;
}

/** No tree has more; a fork bomb must not make its observer wait. */
const PROCESSES_MAX = 10_000;

/** Adds up a tree; those that end meanwhile are left out. `proc` is where procfs is mounted. */
export function treeUsage(root: number, proc = "/proc"): TreeUsage {
  const ticks = systemConfig("clockTicksPerSecond");
  const pageBytes = systemConfig("pageBytes");
  const found = [root];
  const pids: number[] = [];
  let [cpuTicks, endedTicks, pages] = [0, 0, 0];
  for (let at = 0; at < found.length && at < PROCESSES_MAX; at++) {
    const folder = `${proc}/${found[at]}`;
    const stat = FILES.text(`${folder}/stat`);
    const statm = FILES.text(`${folder}/statm`);
    if (stat === undefined || statm === undefined) continue;
    // The name may hold anything; utime, stime, cutime and cstime are the 12th to 15th fields behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    pids.push(found[at]!);
    const ended = Number(fields[13]) + Number(fields[14]);
    cpuTicks += Number(fields[11]) + Number(fields[12]) + ended;
    endedTicks += ended;
    pages += Number(statm.split(" ")[1]);
    for (const child of childrenOf(found[at]!, proc)) found.push(child);
  }
  return {
    processes: pids.length,
    pids,
    cpuSeconds: cpuTicks / ticks,
    endedSeconds: endedTicks / ticks,
    memoryBytes: pages * pageBytes,
  };
}

const FILES = new Procfs();

/** What a process has started or been given, and is there; the oldest first. */
export function childrenOf(pid: number, proc = "/proc"): number[] {
  const folder = `${proc}/${pid}`;
  return FILES.names(`${folder}/task`).flatMap((thread) =>
    (FILES.text(`${folder}/task/${thread}/children`) ?? "").split(" ")
  ).filter((pid) => pid !== "").map(Number);
}
