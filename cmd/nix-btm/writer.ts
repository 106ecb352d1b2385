/** Who writes a log of Nix, as this host knows its processes. @module */
import { readKernelFile } from "../../ffi/files/mod.ts";
import type { Peer } from "../../ffi/sockets/mod.ts";
import { accountEntry } from "../../lib/accounts/mod.ts";

/** Of a command line: nix-store --realise may be told of thousands of paths. */
const COMMAND_MAX_BYTES = 4_096;

const names = new Map<number, string | undefined>();

/** Name of who writes a log, and what `asked` tells from the command line. */
export function describeWriter(
  { pid, uid }: Peer,
  asked: (words: readonly string[]) => readonly string[],
): { readonly user?: string; readonly command?: readonly string[] } {
  if (!names.has(uid)) names.set(uid, accountEntry("passwd", uid)?.[0]);
  const user = names.get(uid);
  const command = commandLine(pid);
  return {
    ...(user === undefined ? {} : { user }),
    ...(command === undefined ? {} : { command: asked(command) }),
  };
}

/** Undefined when it has ended. */
function commandLine(pid: number): readonly string[] | undefined {
  try {
    const bytes = readKernelFile(`/proc/${pid}/cmdline`).subarray(0, COMMAND_MAX_BYTES);
    return new TextDecoder().decode(bytes).replace(/\0$/, "").split("\0");
  } catch {
    return undefined; // Whoever it was: the log is what counts.
  }
}
