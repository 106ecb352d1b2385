/** Listens at a path, with permissions: where Nix writes its logs, and where clients ask. @module */
import { type Listener, openListener } from "../../ffi/sockets/mod.ts";

/**
 * Takes the place of a socket that nobody listens on.
 * @throws {Error} When a file stands there that is no socket. @throws {SystemError} When somebody answers on it.
 */
export function openSocket(
  path: string,
  { mode, gid }: { readonly mode: number; readonly gid?: number | undefined },
): Listener {
  if (isOtherFile(path)) {
    throw new Error(
      `Cannot listen on ${path}: a file stands there, as Nix writes one where no socket is; ` +
        `nix-btm replay shows what it says, and it has to be removed`,
    );
  }
  const listener = openListener({ path });
  try {
    if (gid !== undefined) Deno.chownSync(path, null, gid);
    Deno.chmodSync(path, mode);
    return listener;
  } catch (cause) {
    Deno.removeSync(path);
    listener[Symbol.dispose]();
    const what = gid === undefined ? "permissions" : `permissions for group ${gid}`;
    const why = cause instanceof Error ? cause.message : cause;
    throw new Error(`Cannot give socket ${path} its ${what}: ${why}`, { cause });
  }
}

function isOtherFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket !== true;
  } catch (error) {
    if (error instanceof Error) return false; // There is nothing, or listening tells what is wrong.
    throw error;
  }
}
