/**
 * Pausing, resuming and killing builds. Every process is held by a descriptor and its start compared before it gets a
 * signal, so that none is hit which has got the pid of another; what is started meanwhile is looked for until there is
 * nothing more.
 * @module
 */
import { SystemError } from "../../../ffi/errno.ts";
import { Pidfd } from "../../../ffi/sys/mod.ts";
import { sleep, waitForExit } from "../../async/mod.ts";
import type { AssembledBuild } from "./assemble.ts";
import { processKey, type ProcessStat, runningOf } from "./stat.ts";
import type { BuilderWatch } from "./watch.ts";

/** What can be done to a build. */
export type Steer = "pause" | "resume" | "kill";

/** What was done. */
export interface Steered {
  readonly id: string;
  readonly name: string | undefined;
  /** Processes that were told. */
  readonly processCount: number;
  /** Of them such as do not stop, or have not ended, within a while: they are in the kernel, and will. */
  readonly lateCount: number;
}

/** A build as far as it matters for whether someone may interfere with it. */
export interface SteeredBuild {
  readonly requesterUid: number | undefined;
  readonly processes: readonly { readonly pid: number; readonly uid: number; readonly name: string }[];
}

/** Who wants to. */
export interface Interferer {
  readonly uid: number;
  /** The process that asks, and all that it descends from. */
  readonly own: ReadonlySet<number>;
}

/** Looks for what was started meanwhile, at most: what still runs then is told as late. */
const ROUNDS_MAX = 40;
/** Between two looks. */
const ROUND_MS = 5;
/** Until what was killed has ended, unless the kernel holds it. */
const END_MS = 2_000;
/** Of those that are waited for at a time. */
const WAITS_MAX = 4;

/** Returns why a user may not interfere with a build; undefined when he may. Pure. */
export function mayInterfere(
  { uid, own, build }: Interferer & { readonly build: SteeredBuild },
): string | undefined {
  const { processes, requesterUid } = build;
  if (processes.length === 0) return "it has ended";
  for (const { pid, name, uid: owner } of processes) {
    if (pid <= 1) return "the first process of the machine is part of it";
    if (own.has(pid)) return `process ${pid} that asks for this is part of it`;
    if (name === "nix-daemon" && owner === 0) return `process ${pid} of it is the Nix daemon`;
  }
  if (uid === 0 || uid === requesterUid) return undefined;
  const other = processes.find((each) => each.uid !== uid);
  return other === undefined
    ? undefined
    : `process ${other.pid} of it belongs to user ${other.uid}, and this is user ${uid}`;
}

/** Steers the builds that a watch finds. */
export class BuilderSteering {
  readonly #watch: BuilderWatch;
  readonly #uid: number;

  /** @param uid For whom. This process needs the right to send signals beside. */
  constructor(watch: BuilderWatch, uid: number) {
    this.#watch = watch;
    this.#uid = uid;
  }

  /**
   * Does it to all of a build, found anew by its id.
   * @throws {TypeError} When the build is not there or may not be interfered with.
   * @throws {SystemError} EPERM when this process may not send it signals; what was stopped goes on then.
   */
  async steer(id: string, what: Steer): Promise<Steered> {
    using held = new Held(this.#watch);
    const build = this.#find(id, what);
    const name = build.derivation.name;
    switch (what) {
      case "pause": {
        const isFrozen = build.cgroup !== undefined && this.#watch.cgroups.freeze(build.cgroup, true);
        const lateCount = isFrozen ? 0 : await this.#stop(build, held);
        return { id, name, processCount: isFrozen ? build.members.length : held.count, lateCount };
      }
      case "resume": {
        if (build.cgroup !== undefined) this.#watch.cgroups.freeze(build.cgroup, false);
        held.add(build);
        held.signal("SIGCONT");
        return { id, name, processCount: held.count, lateCount: 0 };
      }
      case "kill": {
        held.add(build);
        const isKilled = build.cgroup !== undefined && this.#watch.cgroups.kill(build.cgroup);
        // What is stopped starts nothing more that would be left over.
        if (!isKilled) await this.#stop(build, held);
        held.signal("SIGKILL");
        // The older kernel's freezer holds also what is killed.
        if (build.cgroup !== undefined) this.#watch.cgroups.freeze(build.cgroup, false);
        return { id, name, processCount: held.count, lateCount: await held.ended() };
      }
      default:
        return what satisfies never;
    }
  }

  #find(id: string, what: Steer): AssembledBuild {
    const build = this.#watch.assemble().find((each) => each.id === id);
    const refusal = build === undefined ? "it has ended" : this.#refusalOf(build);
    if (build === undefined || refusal !== undefined) {
      throw new TypeError(`Cannot ${what} build ${build?.derivation.name ?? id}: ${refusal}`);
    }
    return build;
  }

  #refusalOf({ members, requesterUid, uid }: AssembledBuild): string | undefined {
    const processes = members.map(({ stat: { pid, name }, evidence }) => ({
      pid,
      name,
      uid: evidence?.uid ?? uid,
    }));
    const own = new Set<number>();
    for (let pid = Deno.pid; pid > 0 && !own.has(pid); pid = this.#watch.stat(pid)?.ppid ?? 0) own.add(pid);
    return mayInterfere({ uid: this.#uid, own, build: { requesterUid, processes } });
  }

  /** Stops all of a build; returns how many do not stop. */
  async #stop(build: AssembledBuild, held: Held): Promise<number> {
    let now = build;
    try {
      for (let round = 1;; round++) {
        held.add(now);
        const told = held.signal("SIGSTOP", "once");
        const lateCount = runningOf(now.members.map(({ stat }) => stat)).length;
        if (told === 0 && lateCount === 0 || round >= ROUNDS_MAX) return lateCount;
        await sleep(ROUND_MS);
        const next = this.#watch.assemble().find(({ id }) => id === build.id);
        if (next === undefined) return 0;
        const refusal = this.#refusalOf(next);
        if (refusal !== undefined) throw new TypeError(`Cannot stop build ${build.id}: ${refusal}`);
        now = next;
      }
    } catch (error) {
      held.letGo();
      throw error;
    }
  }
}

/** Processes held by descriptors. */
class Held implements Disposable {
  readonly #watch: BuilderWatch;
  readonly #processes = new Map<string, Pidfd>();
  readonly #told = new Set<Pidfd>();

  constructor(watch: BuilderWatch) {
    this.#watch = watch;
  }

  get count(): number {
    return this.#processes.size;
  }

  /** Takes those of a build that are not held yet. */
  add({ members }: AssembledBuild): void {
    for (const { stat } of members) {
      const key = processKey(stat);
      const pidfd = this.#processes.has(key) ? undefined : this.#open(stat);
      if (pidfd !== undefined) this.#processes.set(key, pidfd);
    }
  }

  /** Tells all of them, or those that were not told `once` before; returns how many were there to hear it. */
  signal(name: Deno.Signal, how?: "once"): number {
    let count = 0;
    for (const pidfd of this.#processes.values()) {
      if (how === "once" && this.#told.has(pidfd)) continue;
      if (how === "once") this.#told.add(pidfd);
      if (pidfd.signal(name)) count++;
    }
    return count;
  }

  /** Has all of them that were stopped go on, as far as they may be told. */
  letGo(): void {
    for (const pidfd of this.#told) {
      try {
        pidfd.signal("SIGCONT");
      } catch (error) {
        // What may not be told was not stopped.
        if (!(error instanceof SystemError)) throw error;
      }
    }
  }

  /** Waits for the end of all; returns how many have not ended after a while. */
  async ended(): Promise<number> {
    const signal = AbortSignal.timeout(END_MS);
    const left = [...this.#processes.values()];
    let late = 0;
    const wait = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        if (!await hasEnded(next, signal)) late++;
      }
    };
    await Promise.all(Array.from({ length: WAITS_MAX }, wait));
    return late;
  }

  [Symbol.dispose](): void {
    for (const pidfd of this.#processes.values()) pidfd[Symbol.dispose]();
    this.#processes.clear();
  }

  /** Undefined when the process has ended: a descriptor is opened by number, and the number may be another's by now. */
  #open(stat: ProcessStat): Pidfd | undefined {
    try {
      const pidfd = Pidfd.open(stat.pid);
      if (this.#watch.stat(stat.pid)?.startTicks === stat.startTicks) return pidfd;
      pidfd[Symbol.dispose]();
      return undefined;
    } catch (error) {
      if (error instanceof SystemError && error.code === "ESRCH") return undefined;
      throw error;
    }
  }
}

async function hasEnded(pidfd: Pidfd, signal: AbortSignal): Promise<boolean> {
  if (await pidfd.poll(0)) return true;
  if (signal.aborted) return false;
  try {
    await waitForExit(pidfd, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
