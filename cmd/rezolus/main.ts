/** `rezolus`: telemetry of a host. @module */
import { command, runTool, withCommon } from "../../lib/cli/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";
import { agent } from "./agent.ts";
import { mark } from "./mark.ts";
import { record } from "./record.ts";
import { status } from "./status.ts";
import { view } from "./view.ts";
import { withCommand } from "./words.ts";

export const rezolus = command({
  name: "rezolus",
  summary: "high-resolution telemetry of this host",
  description: "Without a command it is the agent, as the original: rezolus agent.toml.",
  commands: [agent, record, view, status, mark],
  examples: [
    ["rezolus agent", "Sample this host"],
    ["rezolus view http://127.0.0.1:4241", "Look at it"],
    ["rezolus record -d 1m -o minute.rez", "Keep a minute of it"],
  ],
});

/** Runs the tool on the words of the command line. */
export function main(words: readonly string[]): Promise<number> {
  const known = withCommon(rezolus, TOOL_INFO).commands.map((each) => each.name);
  return runTool(rezolus, TOOL_INFO, withCommand(words, known));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
