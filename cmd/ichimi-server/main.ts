/** `ichimi-server`: processes for assistants, which outlive their sessions. @module */
import { command, runTool } from "../../lib/cli/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";
import { console } from "./console.ts";
import { daemon } from "./daemon.ts";
import { mcp, TOOLSETS } from "./mcp.ts";
import { proxy } from "./proxy.ts";

export const ichimiServer = command({
  name: "ichimi-server",
  summary: "run processes for assistants, and let them outlive the session",
  description:
    "Without a command it serves an assistant over standard input and output, as clients start it. All assistants of a " +
    "user share one daemon, which is started when it is needed.",
  options: {
    toolsets: TOOLSETS,
  },
  commands: [mcp, daemon, console, proxy],
  examples: [
    ["ichimi-server mcp install", "Enter it in Claude Code"],
  ],
  async run({ options, signal }) {
    const { stdio } = await import("./stdio.ts");
    return await stdio(signal, options.toolsets);
  },
});

/** Runs the tool on the words of the command line. */
export function main(words: readonly string[]): Promise<number> {
  return runTool(ichimiServer, TOOL_INFO, words);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
