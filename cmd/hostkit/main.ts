/** `hostkit`: all tools in one executable; the first word picks the tool. @module */
import { isPackedIn } from "../../lib/build/own_command.ts";
import { runTool } from "../../lib/cli/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";
import { hostkitTree, TOOLS } from "./tools.ts";

/** What the launcher of the packed file set for the runtime alone; its lines are what the caller had. */
const CALLER_ENV = "HOSTKIT_CALLER_ENV";
const FILE = "HOSTKIT_FILE";
const RUNTIME_ENV = ["DENO_DIR", "DENO_NO_UPDATE_CHECK"];

/** Runs the tool that the first word names on the other words. */
export async function main(words: readonly string[]): Promise<number> {
  restoreCallerEnv();
  const [name = "", ...rest] = words;
  const load = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
  return load === undefined
    ? await runTool(await hostkitTree(), TOOL_INFO, words)
    : await (await load()).main(rest);
}

/** Commands that a tool starts see the environment that the tool was called with. */
function restoreCallerEnv(): void {
  const lines = Deno.env.get(CALLER_ENV);
  if (lines === undefined) return;
  Deno.env.delete(CALLER_ENV);
  const file = Deno.env.get(FILE);
  if (file !== undefined) isPackedIn(file);
  for (const name of [FILE, ...RUNTIME_ENV]) Deno.env.delete(name);
  for (const line of lines.split("\n")) {
    const [, name, value] = /^([^=]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) Deno.env.set(name, value!);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
