/** Who holds a port, for whoever finds it taken. @module */
import { addressText, type Listener, openListener } from "../../ffi/sockets/mod.ts";
import { gone, parentOf, processes, readText, socketsOf, tcpSockets } from "./procfs.ts";

const LISTEN_STATES: ReadonlySet<string> = new Set(["0A"]);

/** A program that listens on a port. */
export interface PortHolder {
  /** `undefined` when its process cannot be seen: another user's, or another namespace's. */
  readonly pid?: number;
  readonly uid: number;
  /** As `ps -o comm` shows it. */
  readonly name?: string;
  readonly command?: readonly string[];
  /** Its parent, unless that is the first process. */
  readonly startedBy?: { readonly pid: number; readonly name: string };
}

/** Who listens on a TCP port of this machine, each process once; empty when nobody does. */
export function portHolder(port: number): PortHolder[] {
  const sockets = tcpSockets(port, LISTEN_STATES);
  if (sockets.length === 0) return [];
  const uids = new Map(sockets.map(({ inode, uid }) => [inode, uid]));
  const seen = new Set<string>();
  const holders: PortHolder[] = [];
  for (const pid of processes()) {
    const held = socketsOf(pid).filter((inode) => uids.has(inode));
    for (const inode of held) seen.add(inode);
    if (held.length > 0) holders.push(describe(pid, uids.get(held[0]!)!));
  }
  const unseen = sockets.filter(({ inode }) => !seen.has(inode)).map(({ uid }) => ({ uid }));
  return [...holders, ...unseen];
}

/** Listens on a port. @throws {Error} When it cannot be had, naming who has it. */
export function openPort(address: { readonly host: string; readonly port: number }): Listener {
  try {
    return openListener(address);
  } catch (cause) {
    const holders = portHolder(address.port).map(holderText);
    if (holders.length === 0) throw cause;
    throw new Error(`Cannot listen on ${addressText(address)}: it is ${holders.join("; ")}`, { cause });
  }
}

/** `held by pid 812, node, started by bash (pid 700)`. */
export function holderText({ pid, uid, name, startedBy }: PortHolder): string {
  if (pid === undefined) return `held by a process of user ${uid} that cannot be seen from here`;
  const parent = startedBy === undefined ? "" : `, started by ${startedBy.name} (pid ${startedBy.pid})`;
  return `held by pid ${pid}, ${name ?? "a process that has just ended"}${parent}`;
}

function describe(pid: number, uid: number): PortHolder {
  const name = nameOf(pid);
  const command = gone(() => readText(`/proc/${pid}/cmdline`))?.split("\0").slice(0, -1);
  const parent = parentOf(pid);
  const parentName = parent === undefined || parent <= 1 ? undefined : nameOf(parent);
  return {
    pid,
    uid,
    ...name === undefined ? {} : { name },
    ...command === undefined ? {} : { command },
    ...parentName === undefined ? {} : { startedBy: { pid: parent!, name: parentName } },
  };
}

function nameOf(pid: number): string | undefined {
  return gone(() => readText(`/proc/${pid}/comm`))?.trimEnd();
}
