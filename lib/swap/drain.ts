/** The old program's last minutes: it takes nothing new, and what it has is counted. @module */
import { processTree, socketsOf, tcpSockets } from "./procfs.ts";

/** ESTABLISHED and CLOSE_WAIT: the connection still wants something. */
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
  const inodes = new Set(tcpSockets(port, OPEN_STATES).map(({ inode }) => inode));
  if (inodes.size === 0) return 0;
  const held = new Set<string>();
  for (const each of processTree(pid)) {
    for (const inode of socketsOf(each)) if (inodes.has(inode)) held.add(inode);
  }
  return held.size;
}
