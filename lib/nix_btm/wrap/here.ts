/** What a command's words do not tell, looked up where we are. @module */
import type { CommandContext } from "./command.ts";

/** Reads the environment now, and files when they are asked for. */
export function contextHere(): CommandContext {
  return { completing: Deno.env.has("NIX_GET_COMPLETIONS"), isScript };
}

/** Whether a file can be read and begins with `#!`. */
function isScript(path: string): boolean {
  try {
    using file = Deno.openSync(path);
    const begin = new Uint8Array(2);
    return file.readSync(begin) === 2 && begin[0] === 0x23 && begin[1] === 0x21;
  } catch (error) {
    // No file, a folder, or none of ours: Nix says what is wrong with it.
    if (error instanceof Error) return false;
    throw error;
  }
}
