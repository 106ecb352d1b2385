/** How a tool is started that wants to start itself again, or be entered in the files of others. @module */
import { RUNTIME_FLAGS } from "./tools.ts";

let packedFile: string | undefined;

/** Told once at the start of a packed file: where it is. */
export function isPackedIn(file: string): void {
  packedFile = file;
}

/**
 * Program and arguments of a tool, before the words that it is called with: the packed file and the tool's name, or
 * from source the runtime with the permissions of the tool that runs.
 */
export function ownCommand(tool: string): [string, ...string[]] {
  if (packedFile !== undefined) return [packedFile, tool];
  const main = new URL(Deno.mainModule).pathname;
  const { permissions } = JSON.parse(
    Deno.readTextFileSync(`${main.slice(0, main.lastIndexOf("/"))}/tool.json`),
  );
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions, ...RUNTIME_FLAGS, main];
}

/** The whole command line of this process; of a packed file also after it was replaced by a newer one. */
export function ownCommandLine(): [string, ...string[]] {
  return packedFile === undefined ? [...ownCommand(""), ...Deno.args] : [packedFile, ...Deno.args];
}
