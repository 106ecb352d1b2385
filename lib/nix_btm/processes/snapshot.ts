/** The builds of this host at one look, as plain data: a tree of users, builds and processes. @module */
import type { AssembledBuild, Sign } from "./assemble.ts";
import type { BuildCgroup } from "./evidence.ts";

/** One process of a build. What may not be read is undefined. */
export interface BuilderProcess {
  readonly pid: number;
  readonly ppid: number;
  /** Since boot: with the pid it names the process for good. */
  readonly startTicks: number;
  readonly startedMs: number;
  readonly uid: number;
  /** Name of the user, or its number. */
  readonly user: string;
  /** At most 15 bytes of what it runs. */
  readonly name: string;
  /** Words of its command, of at most 4,096 characters together; empty when it has ended. */
  readonly command: readonly string[];
  /** `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I` (proc(5)). */
  readonly state: string;
  readonly threads: number;
  readonly cpuSeconds: number;
  /** Of one CPU since the look before; undefined at the first. */
  readonly cpuRatio: number | undefined;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** From and to storage, with what it has waited for. */
  readonly readBytes: number | undefined;
  readonly writtenBytes: number | undefined;
  /** How far below the first process of its build. */
  readonly depth: number;
}

/** What a build uses, with all that it has started. */
export interface BuildUsage {
  /** Who told of CPU. */
  readonly source: "cgroup" | "processes" | "agent";
  /** Since it was first seen, and by then by what was there; a cgroup has counted from its beginning. */
  readonly cpuSeconds: number;
  /** Of one CPU since the look before; undefined at the first. */
  readonly cpuRatio: number | undefined;
  /** Time in which it could have run and had no CPU; told by the agent of a cgroup. */
  readonly waitRatio: number | undefined;
  /** Shared pages are counted by each process. */
  readonly residentBytes: number;
  /** Of its cgroup, with files that the kernel keeps for it; what is resident where it has none. */
  readonly memoryBytes: number;
  /** Undefined when it is another user's. */
  readonly readBytes: number | undefined;
  readonly writtenBytes: number | undefined;
  /** Since the look before. */
  readonly readBytesPerSecond: number | undefined;
  readonly writtenBytesPerSecond: number | undefined;
  /** Whether CPU of processes that have ended since the look before is in `cpuRatio`. */
  readonly hasEnded: boolean;
}

/** One build. */
export interface BuilderBuild {
  /** Names it as long as its first process lives. */
  readonly id: string;
  /** Without hash and `.drv`. */
  readonly name: string | undefined;
  /** Where Nix tells. */
  readonly drvPath: string | undefined;
  /** Paths by names; `out` and others. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly foundBy: readonly Sign[];
  readonly uid: number;
  readonly user: string;
  readonly requesterUid: number | undefined;
  /** The process of Nix that has started it: its pid is in the ids of that Nix' activities. */
  readonly nixPid: number | undefined;
  readonly folder: string | undefined;
  readonly cgroup: BuildCgroup | undefined;
  readonly startedMs: number;
  /** Nothing of it runs until it is resumed. */
  readonly isPaused: boolean;
  readonly usage: BuildUsage;
  /** The first is what Nix has started; parents come before children. */
  readonly processes: readonly BuilderProcess[];
}

/** A user that builds, and what it builds now. */
export interface BuilderUser {
  readonly uid: number;
  readonly user: string;
  /** Empty when it waits for work. */
  readonly builds: readonly BuilderBuild[];
}

/** All builds at one look. */
export interface BuilderSnapshot {
  /** Unix. */
  readonly atMs: number;
  /** Oldest first. */
  readonly builds: readonly BuilderBuild[];
  /** Nix' users and whoever else builds, by their ids. */
  readonly users: readonly BuilderUser[];
}

/** Users with their builds; those of Nix also without. */
export function usersOf(
  builds: readonly BuilderBuild[],
  { names, builders }: { readonly names: ReadonlyMap<number, string>; readonly builders: Iterable<number> },
): BuilderUser[] {
  const byUid = new Map<number, BuilderBuild[]>([...builders].map((uid) => [uid, []]));
  for (const build of builds) {
    const own = byUid.get(build.uid);
    if (own === undefined) byUid.set(build.uid, [build]);
    else own.push(build);
  }
  return [...byUid].sort(([a], [b]) => a - b).map(([uid, own]) => ({
    uid,
    user: userName(uid, names),
    builds: own,
  }));
}

/** Name of a user, or its number. */
export function userName(uid: number, names: ReadonlyMap<number, string>): string {
  return names.get(uid) ?? `${uid}`;
}

/** How far each process is below the first ones of its build. */
export function depthsOf({ members }: AssembledBuild): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  for (const { stat: { pid, ppid } } of members) {
    const above = depths.get(ppid);
    depths.set(pid, above === undefined ? 0 : above + 1);
  }
  return depths;
}
