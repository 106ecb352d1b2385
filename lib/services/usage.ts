/** How what processes use changes, and where it is counted. @module */
import { Procfs, type TreeUsage } from "../procfs/mod.ts";

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
    new Procfs().text(`${proc}/${pid}/cgroup`) ?? "",
  )?.[1];
}
