/** The old program's last minutes: it takes nothing new, and what it has is counted. @module */

/** States of `/proc/net/tcp` in which a connection still wants something: ESTABLISHED and CLOSE_WAIT. */
const OPEN_STATES: ReadonlySet<string> = new Set(["01", "08"]);

/**
 * Has the interposed program of an instance accept no more connections. It keeps those that it has; whoever shares the
 * socket takes the others. A program without the interposer takes no notice.
 */
export function beginDrain(folder: string): void {
  Deno.writeTextFileSync(`${folder}/drain`, "", { mode: 0o600 });
}

/**
 * Connections to a local TCP port that a process and its descendants hold. Connections that are closed on our side
 * are not counted: what the kernel still has to deliver of them it delivers.
 */
export function openConnections(pid: number, port: number): number {
  const inodes = connectionInodes(port);
  if (inodes.size === 0) return 0;
  const held = new Set<string>();
  for (const each of processTree(pid)) {
    for (const inode of socketsOf(each)) if (inodes.has(inode)) held.add(inode);
  }
  return held.size;
}

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
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => /^\d+$/.test(name) ? [Number(name)] : []);
}

/** Inodes of the sockets that a process holds; none when it has ended or is another user's. */
export function socketsOf(pid: number): string[] {
  return gone(() =>
    [...Deno.readDirSync(`/proc/${pid}/fd`)].flatMap(({ name }) => {
      const target = gone(() => Deno.readLinkSync(`/proc/${pid}/fd/${name}`)) ?? "";
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
    })
  ) ?? [];
}

/** The parent's pid; `undefined` when the process has ended. */
export function parentOf(pid: number): number | undefined {
  const stat = gone(() => Deno.readTextFileSync(`/proc/${pid}/stat`));
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
    const expected = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable || /os error 3\b|ESRCH/.test(String(error));
    if (expected) return undefined;
    throw error;
  }
}

/** Sockets of the local port in the tables of both versions, by inode, in the given states. */
export function connectionInodes(port: number, states: ReadonlySet<string> = OPEN_STATES): Set<string> {
  const inodes = new Set<string>();
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of ["tcp", "tcp6"]) {
    // A machine without version 6 has no second table.
    const text = gone(() => Deno.readTextFileSync(`/proc/net/${table}`)) ?? "";
    for (const line of text.split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(local) && states.has(fields[3]!)) inodes.add(fields[9]!);
    }
  }
  return inodes;
}
