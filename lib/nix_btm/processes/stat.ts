/** One process as `/proc/PID/stat` tells it (proc(5)). Pure. @module */

/** What the machine counts in. */
export interface Units {
  readonly ticksPerSecond: number;
  readonly pageBytes: number;
}

/** A process at one look. */
export interface ProcessStat {
  readonly pid: number;
  readonly ppid: number;
  /** Of whom it was started in the session; its own where it leads it. */
  readonly sessionId: number;
  /** Number of its terminal; 0 when it has none. */
  readonly terminal: number;
  /** Since boot: with the pid it names a process for good. */
  readonly startTicks: number;
  /** What it runs, at most 15 bytes of it. */
  readonly name: string;
  /** `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`. */
  readonly state: string;
  readonly threads: number;
  /** Of its own, user and system. */
  readonly ownSeconds: number;
  /** Of children that it has waited for, with theirs. */
  readonly endedSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** Differs between two looks when the process has become another program in between. */
  readonly image: string;
}

/** Fields are numbered as in proc(5); the first behind the name is the third. */
const FIRST_FIELD = 3;

/** Undefined for text that is none: its process may have ended while it was read. */
export function parseStat(text: string, { ticksPerSecond, pageBytes }: Units): ProcessStat | undefined {
  // The name is in parentheses and may hold any byte, parentheses as well.
  const [open, close] = [text.indexOf("("), text.lastIndexOf(")")];
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).trimEnd().split(" ");
  const number = (field: number) => Number(fields[field - FIRST_FIELD]);
  const name = text.slice(open + 1, close);
  const found: ProcessStat = {
    pid: Number(text.slice(0, open)),
    ppid: number(4),
    sessionId: number(6),
    terminal: number(7),
    startTicks: number(22),
    name,
    state: fields[0] ?? "",
    threads: number(20),
    ownSeconds: (number(14) + number(15)) / ticksPerSecond,
    endedSeconds: (number(16) + number(17)) / ticksPerSecond,
    residentBytes: number(24) * pageBytes,
    virtualBytes: number(23),
    // Where its stack and environment begin is drawn by lot at each exec, and told to whoever may read more.
    image: [name, fields[28 - FIRST_FIELD], fields[50 - FIRST_FIELD]].join(" "),
  };
  return Number.isFinite(found.pid + found.ppid + found.startTicks + found.residentBytes) ? found : undefined;
}

/** Text with which a process is told from every other, before and after it. */
export function processKey(
  { pid, startTicks }: { readonly pid: number; readonly startTicks: number },
): string {
  return `${pid}:${startTicks}`;
}

/** Whether it is one of the kernel's own threads, which are children of `kthreadd`. */
export function isKernelThread({ pid, ppid, virtualBytes }: ProcessStat): boolean {
  return virtualBytes === 0 && (pid === 2 || ppid === 2);
}

/** As much of a process as tells whether it runs. */
export type Running = Pick<ProcessStat, "pid" | "ppid" | "state">;

/**
 * Those of a tree that are neither stopped nor ended. Who waits, uninterruptibly, for a stopped child of its own is stopped
 * with it: a shell that has called vfork(2) goes on when the child does, and no sooner.
 */
export function runningOf<T extends Running>(processes: readonly T[]): T[] {
  const parents = new Set(
    processes.flatMap(({ ppid, state }) => state === "T" || state === "t" ? [ppid] : []),
  );
  return processes.filter(({ pid, state }) => !/^[TtZX]/.test(state) && !(state === "D" && parents.has(pid)));
}

/** The environment in the form of `/proc/PID/environ`; a name that comes again does not count. */
export function parseEnvironment(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const entry of text.split("\0")) {
    const at = entry.indexOf("=");
    if (at > 0 && !found.has(entry.slice(0, at))) found.set(entry.slice(0, at), entry.slice(at + 1));
  }
  return found;
}
