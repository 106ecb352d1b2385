/** `ichimi-server`: processes for assistants, which outlive their sessions. @module */
import { command, runTool } from "../../lib/cli/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";
import { allowed } from "./allowed.ts";
import { consoleCommand, openForFlags, WEB_FLAGS } from "./console.ts";
import { daemon } from "./daemon.ts";
import { list } from "./list.ts";
import { logs } from "./logs.ts";
import { mcp, TOOLSETS } from "./mcp.ts";
import { migrate } from "./migrate.ts";
import { proxy } from "./proxy.ts";
import { STEERING } from "./steer.ts";
import { unit } from "./unit.ts";

export const ichimiServer = command({
  name: "ichimi-server",
  summary: "run processes for assistants, and let them outlive the session",
  description:
    "Without a command it serves an assistant over standard input and output, as clients start it. All assistants of a " +
    "user share one daemon, which is started when it is needed.",
  options: {
    toolsets: TOOLSETS,
    ...WEB_FLAGS,
  },
  commands: [mcp, list, ...STEERING, logs, allowed, consoleCommand, proxy, migrate, unit, daemon],
  examples: [
    ["ichimi-server mcp install", "Enter it in Claude Code"],
    ["ichimi-server list", "What runs for assistants"],
    ["ichimi-server logs -f web", "What one says"],
    ["ichimi-server console", "Look at all of it in the browser"],
  ],
  async run({ options, signal }) {
    if (options.web || options.webOnly) await openForFlags(options);
    if (options.webOnly) {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      return 0;
    }
    const { stdio } = await import("./stdio.ts");
    return await stdio(signal, options.toolsets);
  },
});

/** Runs the tool on the words of the command line. */
export function main(words: readonly string[]): Promise<number> {
  return runTool(ichimiServer, TOOL_INFO, words);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
