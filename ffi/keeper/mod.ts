/**
 * Binding of the keeper: its command line, and the numbers of its records and commands (see `keeper.h`). What is to be
 * kept, and what its end means, is decided by others.
 * @module
 */
import { assetPath } from "../assets.ts";
import { withInherited } from "../sockets/mod.ts";

/** Kinds of records in a keeper's log; each payload begins with the realtime clock in nanoseconds as u64. */
export const KEEPER_RECORDS = { stdout: 1, stderr: 2, notify: 3, event: 4 } as const;

/** Kinds of frames that a keeper takes on its control socket. */
export const KEEPER_COMMANDS = { input: 1, endInput: 2, window: 3, signal: 4, stop: 5, handOver: 6 } as const;

/** The longest payload of a frame. */
export const KEEPER_FRAME_BYTES = 65_536;
/** Bytes of a folder's path that a keeper takes. */
const FOLDER_BYTES = 3_000;

/** Status of a keeper that found its instance given up before it came. */
export const KEEPER_CLAIMED = 73;

/** Of one read; what a keeper says is a line. */
const SAYING_BYTES = 512;
/** All that a keeper says before it closes its standard error, when the child has begun. */
const BEGUN = "+";

/** Resources of `getrlimit(2)` by name, numbers of x86_64 and aarch64. */
const RESOURCES = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

/** Names of resources that can be limited. */
export const RESOURCE_NAMES = Object.keys(RESOURCES) as readonly (keyof typeof RESOURCES)[];

const UNLIMITED = 2n ** 64n - 1n;

/** What one keeper is to keep. */
export interface KeeperOptions {
  /** The instance's own, absolute; it exists and is empty. */
  readonly folder: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Nothing of this process's environment. */
  readonly clearEnv?: boolean;
  /** Absolute. */
  readonly cwd?: string;
  /** Standard input: nothing (the default), a pipe, or a terminal of this size for all three. */
  readonly stdin?: "null" | "pipe" | { readonly rows: number; readonly columns: number };
  /** Data of one segment, a power of two from 4,096; 256 KiB by default. A record takes at most an eighth of it. */
  readonly segmentBytes?: number;
  /** All segments together, headers included, at least two of them; 10 MiB by default. */
  readonly retainBytes?: number;
  /**
   * What happens beyond: the oldest segment goes (the default), or the child waits until somebody has removed one. Where
   * even one segment in exchange for the oldest finds no room on the disk, output is thrown away under the first, and how
   * much that was is told as soon as there is room.
   */
  readonly overflow?: "drop" | "block";
  /** Limits, soft and hard; `Infinity` for none. */
  readonly rlimits?: Readonly<
    Partial<Record<keyof typeof RESOURCES, { readonly soft: number; readonly hard: number }>>
  >;
  /** −20 to 19. */
  readonly nice?: number;
  readonly umask?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  /** Folders of cgroups to join. On SIGKILL everything in them is killed: they have to be the instance's own. */
  readonly cgroups?: readonly string[];
  /** Kept open as long as the keeper lives, and given back by `adoptListeners`. */
  readonly listeners?: readonly KeptListener[];
  /** Whether `NOTIFY_SOCKET` is told; what comes is in the log. */
  readonly notify?: boolean;
  readonly watchdogUs?: number;
  /** The process with whose end this instance is to end. */
  readonly owner?: { readonly pid: number; readonly startTicks: bigint };
  /** What becomes of the child when the keeper itself is killed. */
  readonly orphan?: "kill" | "keep";
  /** How long descendants may outlive the child. */
  readonly leftoverMs?: number;
}

/** A listening socket by its descriptor of this process, close-on-exec there. */
export interface KeptListener {
  readonly fd: number;
  /** Without a colon. */
  readonly name: string;
  /** Whether the child gets it too, as of `sd_listen_fds(3)`; the default. */
  readonly passed?: boolean;
}

/** A keeper that was started by this process. */
export interface StartedKeeper {
  readonly pid: number;
  /** Resolves when the keeper is at work. @throws {Error} With its own words when it is not going to be. */
  readonly begun: Promise<void>;
  /** Status of the keeper itself. Only who looks at this is kept from ending before it. */
  readonly ended: Promise<number>;
}

/** Pids of those that this program started and that have not ended: their status is waited for already. */
const started = new Set<number>();

/** Whether a keeper was started by this program, and not by the one that the process was before. */
export function isStartedHere(pid: number): boolean {
  return started.has(pid);
}

/** Starts a keeper; it needs nothing of this process any more once it has begun. */
export function startKeeper(options: KeeperOptions): StartedKeeper {
  const bytes = new TextEncoder().encode(options.folder).length;
  if (bytes > FOLDER_BYTES) {
    throw new RangeError(
      `Cannot keep an instance in "${options.folder}": its path has ${bytes} bytes, at most ${FOLDER_BYTES}`,
    );
  }
  const command = new Deno.Command(assetPath("bin/keeper"), {
    args: keeperArguments(options),
    env: { ...options.env },
    clearEnv: options.clearEnv ?? false,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  });
  const child = withInherited((options.listeners ?? []).map(({ fd }) => fd), () => command.spawn());
  const { command: [program] } = options;
  const begun = readText(child.stderr).then((text) => {
    if (text === BEGUN) return;
    const reason = text.trim() === "" ? "its keeper ended before the child began" : text.trim();
    throw new Error(`Cannot start "${program}": ${reason}`);
  });
  // Whoever looks at its end first is not to be ended by that; and nobody has to wait for its end: a manager that lets
  // go of its instances ends before them.
  let waited = false;
  begun.catch(() => undefined).then(() => waited || keepAlive(child, false));
  started.add(child.pid);
  const ended = child.status.then(({ code }) => {
    started.delete(child.pid);
    return code;
  });
  return {
    pid: child.pid,
    begun,
    get ended(): Promise<number> {
      waited = true;
      keepAlive(child, true);
      return ended;
    },
  };
}

/** Whether a child that runs keeps this process from ending. */
function keepAlive(child: Deno.ChildProcess, does: boolean): void {
  try {
    if (does) child.ref();
    else child.unref();
  } catch (error) {
    // It has just ended, and keeps nobody any more.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** A reader's own 64 KiB for each of a thousand keepers that begin together would stay in the heap. */
async function readText(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const reader = stream.getReader({ mode: "byob" });
  const decoder = new TextDecoder();
  let text = "";
  for (let buffer = new Uint8Array(SAYING_BYTES);;) {
    const { value, done } = await reader.read(buffer);
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    buffer = new Uint8Array(value.buffer);
  }
}

/**
 * Program and arguments that run a command under a guard (see `guard.h`), which ends its whole tree with this process,
 * however that ends: on SIGTERM after `graceMs` at most, on SIGUSR1 at once. It ends as the command does.
 */
export function guarded(
  command: readonly [string, ...string[]],
  graceMs: number,
): readonly [string, ...string[]] {
  return [assetPath("bin/keeper"), "--guard", `${Deno.pid}:${Math.round(graceMs)}`, "--", ...command];
}

/** The keeper's command line. */
export function keeperArguments(options: KeeperOptions): string[] {
  const { stdin = "null", owner, rlimits = {}, cgroups = [], listeners = [], groups = [] } = options;
  const pairs: [string, string | number | bigint | undefined][] = [
    ["folder", options.folder],
    ["cwd", options.cwd],
    ["segment-bytes", options.segmentBytes],
    ["retain-bytes", options.retainBytes],
    ["overflow", options.overflow],
    typeof stdin === "string" ? ["stdin", stdin] : ["pty", `${stdin.rows}x${stdin.columns}`],
    ["nice", options.nice],
    ["umask", options.umask],
    ["uid", options.uid],
    ["gid", options.gid],
    ["notify", options.notify === true ? "yes" : undefined],
    ["watchdog-us", options.watchdogUs],
    ["owner", owner === undefined ? undefined : `${owner.pid}:${owner.startTicks}`],
    ["orphan", options.orphan],
    ["leftover-ms", options.leftoverMs],
  ];
  for (const group of groups) pairs.push(["group", group]);
  for (const cgroup of cgroups) pairs.push(["cgroup", cgroup]);
  for (const { fd, name, passed = true } of listeners) {
    pairs.push([passed ? "listen" : "hold", `${fd}=${name}`]);
  }
  for (const [name, limit] of Object.entries(rlimits)) {
    const number = RESOURCES[name as keyof typeof RESOURCES];
    pairs.push(["rlimit", `${number}=${limitText(limit.soft)}:${limitText(limit.hard)}`]);
  }
  const given = pairs.filter(([, value]) => value !== undefined);
  return [...given.flatMap(([name, value]) => [`--${name}`, String(value)]), "--", ...options.command];
}

function limitText(limit: number): bigint {
  return limit === Infinity ? UNLIMITED : BigInt(limit);
}
