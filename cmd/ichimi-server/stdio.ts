/** MCP over standard input and output, as assistants start it: everything is done by the daemon of the user. @module */
import { UsageError } from "../../lib/cli/parse.ts";
import { bridgeStdio } from "../../lib/mcp/bridge.ts";
import { Connection } from "./connection.ts";
import { folders } from "./paths.ts";

/** Serves until the assistant goes. @param toolsets Names, parted by commas; the default ones when left out. */
export async function stdio(signal: AbortSignal, toolsets: string | undefined): Promise<number> {
  await using connection = new Connection({
    pid: Deno.pid,
    folder: Deno.cwd(),
    env: Deno.env.toObject(),
    ...(toolsets === undefined ? {} : { toolsets: await toolsetNames(toolsets) }),
  });
  await bridgeStdio(`unix:${folders().socket}`, {
    signal,
    fetch: (_url, init) => connection.fetch("/mcp", init),
  });
  return 0;
}

async function toolsetNames(words: string): Promise<readonly string[]> {
  const { TOOLSET_NAMES } = await import("../../lib/ichimi/mod.ts");
  const names = words.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const unknown = names.find((name) => !TOOLSET_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`unknown toolset "${unknown}": there are ${TOOLSET_NAMES.join(", ")}`);
  }
  return names;
}
