/** What processes and their descendants use, from `/proc`. @module */
import { SystemError } from "../../ffi/errno.ts";
import { listKernelFolder, readKernelFile } from "../../ffi/files/mod.ts";
import { systemConfig } from "../../ffi/sys/mod.ts";

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
    const stat = readIfThere(`${folder}/stat`);
    const statm = readIfThere(`${folder}/statm`);
    if (stat === undefined || statm === undefined) continue;
    // The name may hold anything; utime, stime, cutime and cstime are the 12th to 15th fields behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    pids.push(found[at]!);
    const ended = Number(fields[13]) + Number(fields[14]);
    cpuTicks += Number(fields[11]) + Number(fields[12]) + ended;
    endedTicks += ended;
    pages += Number(statm.split(" ")[1]);
    for (const child of childrenOf(folder)) found.push(child);
  }
  return {
    processes: pids.length,
    pids,
    cpuSeconds: cpuTicks / ticks,
    endedSeconds: endedTicks / ticks,
    memoryBytes: pages * pageBytes,
  };
}

/** What a tree used by some time. */
interface Look {
  readonly pid: number;
  readonly cpuSeconds: number;
  readonly endedSeconds: number;
  readonly atMs: number;
}

/** CPU of processes since they were looked at last. */
export class UsageRates {
  readonly #before = new Map<string, Look>();

  /**
   * The share of one core since the look before, null at a process's first; `isWhole` when nothing of it has ended between.
   */
  ratio(
    name: string,
    pid: number,
    used: TreeUsage,
  ): { readonly ratio: number | null; readonly isWhole: boolean } {
    const now = {
      pid,
      cpuSeconds: used.cpuSeconds,
      endedSeconds: used.endedSeconds,
      atMs: performance.now(),
    };
    const last = this.#before.get(name);
    this.#before.set(name, now);
    return { ratio: ratioSince(last, now), isWhole: last?.endedSeconds === now.endedSeconds };
  }

  /** The process is no more. */
  forget(name: string): void {
    this.#before.delete(name);
  }
}

function ratioSince(before: Look | undefined, now: Look): number | null {
  if (before?.pid !== now.pid || now.atMs === before.atMs) return null;
  return Math.max(0, 1_000 * (now.cpuSeconds - before.cpuSeconds) / (now.atMs - before.atMs));
}

/**
 * Path of the cgroup that was made for the instance of a process, of version 2 or for the CPU; undefined where it has none
 * of its own.
 * Source: `/proc/PID/cgroup` (cgroups(7)).
 */
export function ownCgroup(pid: number, proc = "/proc"): string | undefined {
  return /^\d+:(?:(?:[^:\n]*,)?cpu(?:,[^:\n]*)?)?:(\/.*\bhostkit\/[^/\n]+\/[^/\n]+)$/m.exec(
    readIfThere(`${proc}/${pid}/cgroup`) ?? "",
  )?.[1];
}

function childrenOf(folder: string): number[] {
  const threads = gone(() => listKernelFolder(`${folder}/task`)) ?? [];
  return threads.flatMap((name) => (readIfThere(`${folder}/task/${name}/children`) ?? "").split(" "))
    .filter((pid) => pid !== "").map(Number);
}

function readIfThere(path: string): string | undefined {
  return gone(() => new TextDecoder().decode(readKernelFile(path)));
}

/** Processes end while they are looked at. */
function gone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SystemError && ["ENOENT", "ESRCH"].includes(error.code)) return undefined;
    throw error;
  }
}
