/** `bpm`: a project's processes, for people and for assistants. @module */
import { existsSync } from "node:fs";
import { command, runTool, withCommon } from "../../lib/cli/mod.ts";
import { nearestName } from "../../lib/config/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";
import { attach } from "./attach.ts";
import { CLIENT_COMMANDS } from "./client.ts";
import { init } from "./init.ts";
import { graph, list, ps } from "./list.ts";
import { logs } from "./logs.ts";
import { mcp } from "./mcp.ts";
import { serve } from "./serve.ts";
import { unit } from "./unit.ts";
import { down, up } from "./up.ts";
import { wait } from "./wait.ts";

export const bpm = command({
  name: "bpm",
  summary: "run a project's processes, restart them without loss, search their logs",
  description: "Without a command it serves a project, as the original: bpm DIR.",
  commands: [serve, up, down, init, ...CLIENT_COMMANDS, list, ps, graph, logs, attach, wait, unit, mcp],
  examples: [
    ["bpm .", "Run what .mcp-run says, with MCP on its port"],
    ["bpm status", "How the processes of this folder's project are"],
    ["bpm restart api", "Build api and replace it once the new one is ready"],
    ["bpm logs api --pattern error --context 3", "Search a log"],
    ["bpm logs -f", "Follow what all of them say"],
    ["bpm attach repl", "Use the terminal of one"],
  ],
});

/** Runs the tool on the words of the command line. */
export function main(words: readonly string[]): Promise<number> {
  const known = withCommon(bpm, TOOL_INFO).commands.map((each) => each.name);
  return runTool(bpm, TOOL_INFO, withCommand(words, known));
}

const OWN_OPTIONS = ["-h", "--help", "-V", "--version"];

/** `bpm DIR` means `bpm serve DIR`; a word that is no folder and nearly a command is one that was mistyped. */
function withCommand(words: readonly string[], known: readonly string[]): readonly string[] {
  const [first] = words;
  if (first === undefined || known.includes(first) || OWN_OPTIONS.includes(first)) return words;
  return nearestName(first, known) !== undefined && !existsSync(first) ? words : ["serve", ...words];
}

if (import.meta.main) Deno.exit(await main(Deno.args));
