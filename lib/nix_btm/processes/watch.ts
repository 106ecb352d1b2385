/**
 * Looks for builds on this machine. Each process' state is read at each look, what it runs and in what environment once for
 * each program that it becomes.
 * @module
 */
import { systemConfig } from "../../../ffi/sys/mod.ts";
import { Procfs } from "../../procfs/mod.ts";
import { type ActiveBuild, parseActiveBuild } from "./active_builds.ts";
import {
  assembleBuilders,
  type AssembledBuild,
  isNixProgram,
  type NixRules,
  type SeenProcess,
} from "./assemble.ts";
import { builderUsers, USER_RULES, type Users } from "./builder_users.ts";
import { CgroupFiles } from "./cgroup_files.ts";
import { type Evidence, evidenceOf, FOLDER_RULES } from "./evidence.ts";
import { parseIo, type ProcessIo, Sampling } from "./sampling.ts";
import {
  type BuilderBuild,
  type BuilderProcess,
  type BuilderSnapshot,
  type BuildUsage,
  depthsOf,
  userName,
  usersOf,
} from "./snapshot.ts";
import {
  isKernelThread,
  parseEnvironment,
  parseStat,
  processKey,
  type ProcessStat,
  type Running,
  runningOf,
  type Units,
} from "./stat.ts";

/** Where to look, and for what. */
export interface WatchOptions extends NixRules {
  /** Stands before every path that is read; empty for the machine's own files. */
  readonly root: string;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
}

/** Files of running builds that are read; a folder with more of them is not Nix'. */
const ACTIVE_MAX = 4_096;
/** How long after its process Nix notes a build; what has started later has got the pid of one that ended. */
const NOTED_SECONDS = 5;

/** Looks at which a process was of no build until it is looked at less often, and how often then: one time in so many. */
const QUIET_LOOKS = 3;
const QUIET_EVERY = 4;

/** What was read of a process, and of which program that it was. */
interface Known extends SeenProcess {
  readonly key: string;
  /** How often in a row it was of no build. */
  readonly quietLooks: number;
}

/** Watches one machine. */
export class BuilderWatch {
  readonly cgroups: CgroupFiles;
  readonly #procfs: Procfs;
  readonly #rules: WatchOptions;
  readonly #units: Units;
  readonly #bootMs: number;
  readonly #sampling = new Sampling();
  #known = new Map<number, Known>();
  #members: ReadonlySet<number> = new Set();
  #looks = 0;
  #users: { readonly text: string; readonly users: Users } | undefined;

  /** What is not given is as Nix has it on this machine. */
  constructor(options: Partial<WatchOptions> = {}) {
    this.#rules = {
      ...USER_RULES,
      ...FOLDER_RULES,
      storeFolder: "/nix/store",
      root: "",
      now: () => performance.now(),
      ...options,
    };
    this.#procfs = new Procfs(this.#rules.root);
    this.cgroups = new CgroupFiles(this.#procfs);
    this.#units = {
      ticksPerSecond: systemConfig("clockTicksPerSecond"),
      pageBytes: systemConfig("pageBytes"),
    };
    this.#bootMs = 1_000 * Number(/^btime (\d+)$/m.exec(this.#procfs.text("/proc/stat") ?? "")?.[1] ?? 0);
  }

  /** The builds that there are now, and what they have used since the look before. Does not wait. */
  scan(): BuilderSnapshot {
    const [builds, users] = this.#assemble("often");
    const atMs = this.#rules.now();
    const io = new Map(
      builds.flatMap(({ members }) => members).flatMap(({ stat: { pid } }) => {
        const found = parseIo(this.#procfs.text(`/proc/${pid}/io`) ?? "");
        return found === undefined ? [] : [[pid, found]];
      }),
    );
    const measured = builds.map((build) => ({
      build,
      cgroup: build.cgroup === undefined ? undefined : this.cgroups.usage(build.cgroup),
      io,
    }));
    const usages = this.#sampling.next(measured, atMs);
    const ratios = this.#sampling.processRatios(builds, atMs);
    const found = measured.map(({ build, cgroup }, at) =>
      this.#told(build, {
        usage: usages[at]!,
        isFrozen: cgroup?.isFrozen === true,
        io,
        ratios,
        names: users.names,
      })
    );
    return { atMs: Date.now(), builds: found, users: usersOf(found, users) };
  }

  /**
   * The builds that there are now, without what they use: what is asked for between two looks does not shorten them. Every
   * process is looked at.
   */
  assemble(): AssembledBuild[] {
    return this.#assemble("now")[0];
  }

  /** Variables of a process; undefined when it has ended or may not be looked at. */
  environment(
    process: { readonly pid: number; readonly startTicks: number },
  ): ReadonlyMap<string, string> | undefined {
    const text = this.#procfs.text(`/proc/${process.pid}/environ`);
    const stat = this.stat(process.pid);
    return text === undefined || stat?.startTicks !== process.startTicks ? undefined : parseEnvironment(text);
  }

  /** A process now. */
  stat(pid: number): ProcessStat | undefined {
    return parseStat(this.#procfs.text(`/proc/${pid}/stat`) ?? "", this.#units);
  }

  #assemble(how: "often" | "now"): [AssembledBuild[], Users] {
    const users = this.#readUsers();
    const processes = this.#readProcesses(how);
    const builds = assembleBuilders({ processes, users, active: this.#readActive(processes) }, this.#rules);
    this.#members = new Set(builds.flatMap(({ members }) => members.map(({ stat }) => stat.pid)));
    return [builds, users];
  }

  /** A look at 2,000 processes takes 6 ms of CPU; 20 ms if each were read each time. */
  #readProcesses(how: "often" | "now"): SeenProcess[] {
    const known = new Map<number, Known>();
    this.#looks++;
    const found = this.#procfs.names("/proc").flatMap((name) => {
      const first = name.charCodeAt(0);
      if (first < 0x31 || first > 0x39) return [];
      const pid = Number(name);
      const last = this.#known.get(pid);
      const isQuiet = last !== undefined && last.quietLooks >= QUIET_LOOKS;
      // Builders are new processes; only one that has got the pid of a quiet one is found some looks later.
      const next = isQuiet && how === "often" && (pid + this.#looks) % QUIET_EVERY !== 0
        ? last
        : this.#look(pid, last);
      if (next === undefined) return [];
      known.set(pid, next);
      return isKernelThread(next.stat) ? [] : [next];
    });
    this.#known = known;
    return found;
  }

  /** Undefined when it has ended. */
  #look(pid: number, last: Known | undefined): Known | undefined {
    const stat = this.stat(pid);
    if (stat === undefined) return undefined;
    const key = `${processKey(stat)} ${stat.image}`;
    const isSame = last?.key === key;
    if (isKernelThread(stat)) return { key, stat, evidence: undefined, quietLooks: QUIET_LOOKS };
    // Copies of Nix become builders without becoming another program: they are looked at anew.
    if (!isSame || isNixProgram(stat)) return { key, stat, evidence: this.#evidence(pid), quietLooks: 0 };
    return { ...last, stat, quietLooks: this.#members.has(pid) ? 0 : last.quietLooks + 1 };
  }

  #evidence(pid: number): Evidence | undefined {
    const text = (file: string) => this.#procfs.text(`/proc/${pid}/${file}`);
    const uid = /^Uid:\s+(\d+)/m.exec(text("status") ?? "")?.[1];
    if (uid === undefined) return undefined;
    const texts = {
      uid: Number(uid),
      cgroup: text("cgroup"),
      folder: this.#procfs.link(`/proc/${pid}/cwd`),
      environment: text("environ"),
      commandLine: text("cmdline"),
    };
    return evidenceOf(texts, this.#rules);
  }

  #readUsers(): Users {
    const [passwd, group] = [this.#procfs.text("/etc/passwd") ?? "", this.#procfs.text("/etc/group") ?? ""];
    const text = `${passwd}\0${group}`;
    if (this.#users?.text !== text) this.#users = { text, users: builderUsers(passwd, group, this.#rules) };
    return this.#users.users;
  }

  /** Files that stay behind after a crash tell of pids that others may have now. */
  #readActive(processes: readonly SeenProcess[]): ActiveBuild[] {
    const folder = `${this.#rules.stateFolder}/active-builds`;
    const names = this.#procfs.names(folder).slice(0, ACTIVE_MAX);
    if (names.length === 0) return [];
    const starts = new Map(processes.map(({ stat }) => [stat.pid, this.#startedMs(stat)]));
    return names.flatMap((name) => {
      const build = parseActiveBuild(this.#procfs.text(`${folder}/${name}`) ?? "");
      const startedMs = build && starts.get(build.mainPid);
      if (build === undefined || startedMs === undefined) return [];
      const { startSeconds = Infinity } = build;
      return startedMs <= 1_000 * (startSeconds + NOTED_SECONDS) ? [build] : [];
    });
  }

  #startedMs({ startTicks }: ProcessStat): number {
    return this.#bootMs + 1_000 * startTicks / this.#units.ticksPerSecond;
  }

  #told(build: AssembledBuild, { usage, isFrozen, io, ratios, names }: {
    readonly usage: BuildUsage;
    readonly isFrozen: boolean;
    readonly io: ReadonlyMap<number, ProcessIo>;
    readonly ratios: ReadonlyMap<string, number>;
    readonly names: ReadonlyMap<number, string>;
  }): BuilderBuild {
    const depths = depthsOf(build);
    const processes = build.members.map(({ stat, evidence }): BuilderProcess => {
      const { pid, ppid, startTicks, name, state, threads, residentBytes, virtualBytes } = stat;
      const uid = evidence?.uid ?? build.uid;
      return {
        pid,
        ppid,
        startTicks,
        startedMs: this.#startedMs(stat),
        uid,
        user: userName(uid, names),
        name,
        command: evidence?.args ?? [],
        state,
        threads,
        cpuSeconds: stat.ownSeconds + stat.endedSeconds,
        cpuRatio: ratios.get(processKey(stat)),
        residentBytes,
        virtualBytes,
        readBytes: io.get(pid)?.readBytes,
        writtenBytes: io.get(pid)?.writtenBytes,
        depth: depths.get(pid) ?? 0,
      };
    });
    const { id, derivation, foundBy, uid, requesterUid, nixPid, folder, cgroup } = build;
    return {
      id,
      name: derivation.name,
      drvPath: derivation.path,
      outputs: derivation.outputs,
      foundBy,
      uid,
      user: userName(uid, names),
      requesterUid,
      nixPid,
      folder,
      cgroup,
      startedMs: processes[0]!.startedMs,
      isPaused: isFrozen || isStopped(processes),
      usage,
      processes,
    };
  }
}

/** Whether they wait to be told to go on; those that have ended but were not waited for do not count. */
function isStopped(processes: readonly Running[]): boolean {
  return processes.some(({ state }) => state === "T") && runningOf(processes).length === 0;
}
