/**
 * What `/proc` tells of processes and sockets, read by a shim: the runtime lets programs read it only with all
 * permissions.
 * @module
 */
import { SystemError } from "../../ffi/errno.ts";
import { listKernelFolder, readKernelFile, readKernelLink } from "../../ffi/files/mod.ts";

/** A process and all that descend from it. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of processes()) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...children.get(parent) ?? [], pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...children.get(pid) ?? []);
  return tree;
}

/** All processes that there are. */
export function processes(): number[] {
  return listKernelFolder("/proc").flatMap((name) => /^\d+$/.test(name) ? [Number(name)] : []);
}

/** Inodes of the sockets that a process holds; none when it has ended or is another user's. */
export function socketsOf(pid: number): string[] {
  return gone(() =>
    listKernelFolder(`/proc/${pid}/fd`).flatMap((name) => {
      const target = gone(() => readKernelLink(`/proc/${pid}/fd/${name}`)) ?? "";
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
    })
  ) ?? [];
}

/** The parent's pid; `undefined` when the process has ended. */
export function parentOf(pid: number): number | undefined {
  const stat = gone(() => readText(`/proc/${pid}/stat`));
  // The name is in parentheses and may hold any byte.
  const parent = stat === undefined
    ? undefined
    : /^ \S (\d+)/.exec(stat.slice(stat.lastIndexOf(")") + 1))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** What a read of `/proc` gives; `undefined` when its process has ended meanwhile or may not be looked at. */
export function gone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const expected = error instanceof SystemError &&
      ["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code);
    if (expected) return undefined;
    throw error;
  }
}

/** A TCP socket as the kernel lists it. */
export interface TcpSocket {
  readonly inode: string;
  readonly uid: number;
}

/** Sockets of a local port in the tables of both versions, in states by their number (`include/net/tcp_states.h`). */
export function tcpSockets(port: number, states: ReadonlySet<string>): TcpSocket[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["tcp", "tcp6"].flatMap((table) => {
    // A machine without version 6 has no second table.
    const text = gone(() => readText(`/proc/net/${table}`)) ?? "";
    return text.split("\n").slice(1).flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const isAsked = fields[1]?.endsWith(local) && states.has(fields[3]!);
      return isAsked ? [{ inode: fields[9]!, uid: Number(fields[7]) }] : [];
    });
  });
}

/** The text of a file below `/proc`. @throws {SystemError} */
export function readText(path: string): string {
  return new TextDecoder().decode(readKernelFile(path));
}
