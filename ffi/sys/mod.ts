/**
 * Binding of the system calls that TypeScript cannot make itself: clocks and resource usage, processes held by a
 * descriptor instead of a number, scheduling of threads, and a few properties of the process and the machine.
 * What blocks is a slice of at most a second; `lib/async` counts and repeats it.
 * @module
 */
import { constants } from "node:os";
import { openLibrary } from "../assets.ts";
import { check, errnoOf } from "../errno.ts";

const SYMBOLS = {
  sys_clock_ns: { parameters: ["u32"], result: "i64" },
  sys_usage: { parameters: ["u32", "buffer"], result: "i32" },
  sys_config: { parameters: ["u32"], result: "i64" },
  sys_pidfd_open: { parameters: ["i32"], result: "i32" },
  sys_pidfd_signal: { parameters: ["i32", "i32"], result: "i32" },
  sys_pidfd_wait: { parameters: ["i32", "i32"], result: "i32", nonblocking: true },
  sys_reap: { parameters: ["i32"], result: "i32" },
  sys_close: { parameters: ["i32"], result: "i32" },
  sys_nice_get: { parameters: ["i32", "buffer"], result: "i32" },
  sys_nice_set: { parameters: ["i32", "i32"], result: "i32" },
  sys_policy_set: { parameters: ["i32", "u32", "i32"], result: "i32" },
  sys_policy_get: { parameters: ["i32", "buffer"], result: "i32" },
  sys_affinity_get: { parameters: ["i32", "buffer"], result: "i32" },
  sys_affinity_set: { parameters: ["i32", "buffer"], result: "i32" },
  sys_parent_death_signal: { parameters: ["i32"], result: "i32" },
  sys_thread_name: { parameters: ["buffer"], result: "i32" },
  sys_exec: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  sys_hear_signals: { parameters: [], result: "i32" },
  sys_hold_signals: { parameters: [], result: "i32" },
  sys_umask: { parameters: ["u32"], result: "i32" },
  sys_error_to: { parameters: ["buffer"], result: "i32" },
  sys_note_sender: { parameters: ["i32"], result: "i32" },
  sys_sent_by_process: { parameters: ["i32"], result: "i32" },
  sys_ignore: { parameters: ["i32"], result: "i32" },
  sys_end_by: { parameters: ["i32"], result: "i32" },
} as const;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: Symbols | undefined;

/** Opened on first use and kept. */
function sys(): Symbols {
  symbols ??= openLibrary("sys", SYMBOLS).symbols;
  return symbols;
}

const CLOCKS = { realtime: 0, monotonic: 1, boottime: 2 } as const;
const USAGES = { self: 0, children: 1, thread: 2 } as const;
const CONFIGS = { clockTicksPerSecond: 0, pageBytes: 1, possibleCpus: 2, onlineCpus: 3 } as const;
const POLICIES = ["normal", "fifo", "round_robin"] as const;
const CPUS_MAX = 4096;
const THREAD_NAME_BYTES = 15;

/** Nanoseconds of a clock: since 1970, since some point, or since boot with the time asleep. */
export function clockNs(clock: keyof typeof CLOCKS): bigint {
  return sys().sys_clock_ns(CLOCKS[clock]);
}

/** What a process used, from `getrusage(2)`. Blocks have 512 bytes. */
export interface Usage {
  readonly userNs: bigint;
  readonly systemNs: bigint;
  readonly maxRssBytes: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly blocksRead: number;
  readonly blocksWritten: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/** Usage of this process, of its children that ended and were waited for, or of the calling thread. */
export function usage(who: keyof typeof USAGES = "self"): Usage {
  const words = new BigInt64Array(9);
  check(`read the usage of ${who}`, sys().sys_usage(USAGES[who], words));
  const number = (index: number) => Number(words[index]!);
  return {
    userNs: words[0]!,
    systemNs: words[1]!,
    maxRssBytes: number(2),
    minorFaults: number(3),
    majorFaults: number(4),
    blocksRead: number(5),
    blocksWritten: number(6),
    voluntarySwitches: number(7),
    involuntarySwitches: number(8),
  };
}

/** A number that the machine does not change while it runs; `possibleCpus` is how many a per-CPU BPF map holds. */
export function systemConfig(name: keyof typeof CONFIGS): number {
  return check(`read ${name}`, Number(sys().sys_config(CONFIGS[name])));
}

/** The longest slice of `Pidfd.poll`; beyond it the native side stops anyway. */
const POLL_MAX_MS = 1_000;

/** A process, held by a descriptor: its number may be used again, this is never another one. Linux 5.3. */
export class Pidfd implements Disposable {
  readonly pid: number;
  #fd: number;

  /** Holds a process that is there now. @throws {SystemError} ESRCH when it is not. */
  static open(pid: number): Pidfd {
    return new Pidfd(pid);
  }

  private constructor(pid: number) {
    this.pid = pid;
    this.#fd = check(`open process ${pid}`, sys().sys_pidfd_open(pid));
  }

  /** Sends a signal; false when the process has ended and was waited for. @throws {SystemError} EPERM. */
  signal(name: Deno.Signal): boolean {
    const result = sys().sys_pidfd_signal(this.#open(), signalNumber(name));
    if (result === -errnoOf("ESRCH")) return false;
    check(`send ${name} to process ${this.pid}`, result);
    return true;
  }

  /**
   * Waits for the end of the process for at most `sliceMs`, up to 1,000; true when it has ended. Holds one of the 32
   * pool threads meanwhile: use `waitForExit` of `lib/async`, which counts that.
   */
  async poll(sliceMs: number): Promise<boolean> {
    const result = await sys().sys_pidfd_wait(this.#open(), Math.min(sliceMs, POLL_MAX_MS));
    return check(`wait for process ${this.pid}`, result) === 1;
  }

  /** Lets the descriptor go; the process is not touched. */
  [Symbol.dispose](): void {
    if (this.#fd >= 0) sys().sys_close(this.#fd);
    this.#fd = -1;
  }

  #open(): number {
    if (this.#fd < 0) throw new TypeError(`Cannot use process ${this.pid}: its descriptor is closed`);
    return this.#fd;
  }
}

/** How a thread is scheduled; `priority` is 1-99 for the real-time policies, and 0 for `normal`. */
export interface Scheduling {
  readonly policy: (typeof POLICIES)[number];
  readonly priority: number;
}

/** Scheduling of a thread, by default the calling one. @throws {SystemError} ESRCH; EOPNOTSUPP for other policies. */
export function scheduling(tid = 0): Scheduling {
  const priority = new Int32Array(1);
  const index = check(`read scheduling of thread ${tid}`, sys().sys_policy_get(tid, priority));
  return { policy: POLICIES[index]!, priority: priority[0]! };
}

/** Changes it. @throws {SystemError} EPERM without the right, EINVAL on a priority that the policy does not have. */
export function setScheduling({ policy, priority }: Scheduling, tid = 0): void {
  const result = sys().sys_policy_set(tid, POLICIES.indexOf(policy), priority);
  check(`set scheduling of thread ${tid} to ${policy} with priority ${priority}`, result);
}

/** Nice value of a thread, −20 (most) to 19. @throws {SystemError} ESRCH. */
export function niceness(tid = 0): number {
  const nice = new Int32Array(1);
  check(`read niceness of thread ${tid}`, sys().sys_nice_get(tid, nice));
  return nice[0]!;
}

/** Changes it. @throws {SystemError} EACCES when it would get less and the right is missing. */
export function setNiceness(nice: number, tid = 0): void {
  check(`set niceness of thread ${tid} to ${nice}`, sys().sys_nice_set(tid, nice));
}

/** CPUs on which a thread may run, ascending. @throws {SystemError} ESRCH. */
export function affinity(tid = 0): number[] {
  const mask = new Uint8Array(CPUS_MAX / 8);
  check(`read affinity of thread ${tid}`, sys().sys_affinity_get(tid, mask));
  const cpus: number[] = [];
  for (let cpu = 0; cpu < CPUS_MAX; cpu++) if ((mask[cpu >> 3]! >> (cpu & 7)) & 1) cpus.push(cpu);
  return cpus;
}

/** Changes them. @throws {RangeError} On a CPU beyond 4,095. @throws {SystemError} EINVAL when none of them is there. */
export function setAffinity(cpus: readonly number[], tid = 0): void {
  const mask = new Uint8Array(CPUS_MAX / 8);
  for (const cpu of cpus) {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= CPUS_MAX) {
      throw new RangeError(`Cannot set affinity: CPU is ${cpu}, it must lie in 0..${CPUS_MAX - 1}`);
    }
    mask[cpu >> 3]! |= 1 << (cpu & 7);
  }
  check(`set affinity of thread ${tid} to ${cpus.join(",")}`, sys().sys_affinity_set(tid, mask));
}

/** Has the kernel signal this process when its parent ends; `undefined` takes it back. */
export function setParentDeathSignal(name: Deno.Signal | undefined): void {
  const number = name === undefined ? 0 : signalNumber(name);
  check(`set parent death signal ${name}`, sys().sys_parent_death_signal(number));
}

/** Number of a signal on Linux. @throws {RangeError} When there is none of that name. */
export function signalNumber(name: Deno.Signal): number {
  const number = constants.signals[name as keyof typeof constants.signals];
  if (number === undefined) throw new RangeError(`Cannot use signal "${name}": Linux has none of that name`);
  return number;
}

/** A signal's name, as `SIGTERM`; real-time signals and unknown ones are `SIG` and the number. */
export function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, each]) => each === number);
  return found?.[0] ?? `SIG${number}`;
}

/** Names the calling thread, as `ps` and `top` show it; what is over 15 bytes is cut. */
export function setThreadName(name: string): void {
  const bytes = new Uint8Array(THREAD_NAME_BYTES + 1);
  new TextEncoder().encodeInto(name, bytes.subarray(0, THREAD_NAME_BYTES));
  check(`set thread name "${name}"`, sys().sys_thread_name(bytes));
}

/** Sets which permissions new files do not get; returns the mask before. */
export function setUmask(mask: number): number {
  return sys().sys_umask(mask);
}

/** What anybody writes to standard error from now on is appended to a file. @throws {SystemError} When it cannot be opened. */
export function sendErrorsTo(path: string): void {
  check(`send standard error to ${path}`, sys().sys_error_to(new TextEncoder().encode(`${path}\0`)));
}

/**
 * Becomes another program: pid, children and environment stay, everything of this one ends. SIGHUP,
 * SIGINT and SIGTERM, which would end a program that does not listen for them yet, wait until that one calls `hearSignals`.
 * @param send What this program has heard and the new one is to answer.
 * @throws {SystemError} When it cannot be run; nothing has changed then.
 */
export function becomeProgram(
  argv: readonly [string, ...string[]],
  send?: "SIGHUP" | "SIGINT" | "SIGTERM",
): never {
  const words = new TextEncoder().encode(argv.map((word) => `${word}\0`).join(""));
  check(
    `become "${argv[0]}"`,
    sys().sys_exec(words, words.length, send === undefined ? 0 : signalNumber(send)),
  );
  throw new Error(`Cannot become "${argv[0]}": it returned`);
}

/**
 * From now on SIGHUP, SIGINT and SIGTERM are not told here any more, but wait for the program that this one becomes. To be
 * called on the main thread; what came before is told within a turn of the event loop.
 */
export function holdSignals(): void {
  check("hold signals", sys().sys_hold_signals());
}

/** Lets signals come again that wait since `becomeProgram`. To be called on the main thread, by whoever listens for them. */
export function hearSignals(): void {
  check("hear signals", sys().sys_hear_signals());
}

/**
 * Takes the status of a child that this process did not start, but the program that it was before `becomeProgram`: false
 * while it runs, or when it is no child.
 */
export function reapChild(pid: number): boolean {
  return sys().sys_reap(pid) === 1;
}

/**
 * From now on `sentByProcess` knows of this signal. To be called after this program listens for it.
 * @throws {SystemError} EINVAL when it does not.
 */
export function noteSender(name: Deno.Signal): void {
  check(`note who sends ${name}`, sys().sys_note_sender(signalNumber(name)));
}

/**
 * Whether the signal that came last was sent by a process: otherwise the kernel did, for the keys of a terminal or its
 * end, to the whole foreground process group. @throws {SystemError} ENODATA when none has come.
 */
export function sentByProcess(name: Deno.Signal): boolean {
  return check(`look who sent ${name}`, sys().sys_sent_by_process(signalNumber(name))) === 1;
}

/**
 * Has the kernel drop a signal, for this process and for programs that it starts from now on. The runtime (2.9.6) takes
 * SIGHUP, SIGINT and SIGTERM for itself with the first listener of any signal, also where they were ignored.
 */
export function ignoreSignal(name: Deno.Signal): void {
  check(`ignore ${name}`, sys().sys_ignore(signalNumber(name)));
}

/** Ends this process by a signal, without a core file, so that its parent sees that. Returns when the signal does not end. */
export function endBy(name: Deno.Signal): void {
  check(`end by ${name}`, sys().sys_end_by(signalNumber(name)));
}
