/** What builds use between two looks. The looks are remembered here; reading is left to others. Pure. @module */
import type { AssembledBuild } from "./assemble.ts";
import type { CgroupUsage } from "./cgroup_files.ts";
import { type Counted, gainOf } from "./gain.ts";
import type { BuildUsage } from "./snapshot.ts";
import { processKey } from "./stat.ts";

/** Bytes from and to storage, with those of children that were waited for (`/proc/PID/io`). */
export interface ProcessIo {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Reads the text of `/proc/PID/io`. */
export function parseIo(text: string): ProcessIo | undefined {
  const [, read] = /^read_bytes: (\d+)$/m.exec(text) ?? [];
  const [, written] = /^write_bytes: (\d+)$/m.exec(text) ?? [];
  return read === undefined || written === undefined
    ? undefined
    : { readBytes: Number(read), writtenBytes: Number(written) };
}

/** A build as it is now. */
export interface Measured {
  readonly build: AssembledBuild;
  readonly cgroup: CgroupUsage | undefined;
  /** By pid; of those that may be read. */
  readonly io: ReadonlyMap<number, ProcessIo>;
}

/** What was counted by a look. */
interface Look {
  readonly atMs: number;
  readonly cpu: readonly Counted[];
  readonly read: readonly Counted[];
  readonly written: readonly Counted[];
  readonly cgroup: CgroupUsage | undefined;
  readonly cpuSeconds: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Remembers one look at each build. */
export class Sampling {
  #looks = new Map<string, Look>();
  /** Own CPU of each process, in seconds. */
  #own = new Map<string, number>();
  #ownAtMs = 0;

  /** What each uses, in the same order. `atMs` is of any steady clock. */
  next(all: readonly Measured[], atMs: number): BuildUsage[] {
    const looks = new Map<string, Look>();
    const usages = all.map((each) => {
      const before = this.#looks.get(each.build.id);
      const [look, usage] = used(before, each, atMs);
      looks.set(each.build.id, look);
      return usage;
    });
    this.#looks = looks;
    return usages;
  }

  /** Of one CPU since the look before, by `processKey`; processes that are new are not in it. */
  processRatios(builds: readonly AssembledBuild[], atMs: number): ReadonlyMap<string, number> {
    const elapsedSeconds = (atMs - this.#ownAtMs) / 1_000;
    this.#ownAtMs = atMs;
    const own = new Map<string, number>();
    const ratios = new Map<string, number>();
    for (const { stat } of builds.flatMap(({ members }) => members)) {
      const key = processKey(stat);
      own.set(key, stat.ownSeconds);
      const before = this.#own.get(key);
      if (before !== undefined && elapsedSeconds > 0) {
        ratios.set(key, Math.max(0, stat.ownSeconds - before) / elapsedSeconds);
      }
    }
    this.#own = own;
    return ratios;
  }
}

function used(before: Look | undefined, { build, cgroup, io }: Measured, atMs: number): [Look, BuildUsage] {
  const stats = build.members.map(({ stat }) => stat);
  const cpu = stats.map((stat) => counted(stat, stat.ownSeconds, stat.endedSeconds));
  // The kernel adds what a child has read to the one that waits for it: nothing of it is `own` for sure.
  const known = stats.filter(({ pid }) => io.has(pid));
  const read = known.map((stat) => counted(stat, 0, io.get(stat.pid)!.readBytes));
  const written = known.map((stat) => counted(stat, 0, io.get(stat.pid)!.writtenBytes));
  const gainedCpu = gainOf(before?.cpu ?? [], cpu);
  const look: Look = {
    atMs,
    cpu,
    read,
    written,
    cgroup,
    cpuSeconds: (before?.cpuSeconds ?? 0) + gainedCpu,
    readBytes: (before?.readBytes ?? 0) + gainOf(before?.read ?? [], read),
    writtenBytes: (before?.writtenBytes ?? 0) + gainOf(before?.written ?? [], written),
  };
  const hasIo = known.length > 0;
  const since = (of: (look: Look) => number | undefined): number | undefined => {
    const [then, now] = [before && of(before), of(look)];
    if (then === undefined || now === undefined || before === undefined || atMs <= before.atMs) {
      return undefined;
    }
    return Math.max(0, now - then) / ((atMs - before.atMs) / 1_000);
  };
  const ended = stats.reduce((sum, { endedSeconds }) => sum + endedSeconds, 0);
  const endedBefore = before?.cpu.reduce((sum, each) => sum + each.ended, 0) ?? 0;
  const residentBytes = stats.reduce((sum, stat) => sum + stat.residentBytes, 0);
  return [look, {
    source: cgroup?.cpuSeconds === undefined ? "processes" : "cgroup",
    cpuSeconds: cgroup?.cpuSeconds ?? look.cpuSeconds,
    cpuRatio: since((each) => each.cgroup?.cpuSeconds) ?? since((each) => each.cpuSeconds),
    waitRatio: undefined,
    residentBytes,
    memoryBytes: cgroup?.memoryBytes ?? residentBytes,
    readBytes: cgroup?.readBytes ?? (hasIo ? look.readBytes : undefined),
    writtenBytes: cgroup?.writtenBytes ?? (hasIo ? look.writtenBytes : undefined),
    readBytesPerSecond: since((each) => each.cgroup?.readBytes) ??
      (hasIo ? since((each) => each.readBytes) : undefined),
    writtenBytesPerSecond: since((each) => each.cgroup?.writtenBytes) ??
      (hasIo ? since((each) => each.writtenBytes) : undefined),
    hasEnded: ended !== endedBefore,
  }];
}

function counted(
  { pid, ppid, startTicks }: { readonly pid: number; readonly ppid: number; readonly startTicks: number },
  own: number,
  ended: number,
): Counted {
  return { pid, ppid, startTicks, own, ended };
}
