/** MCP over standard input and output, as assistants start it: everything is done by the daemon of the user. @module */
import { UsageError } from "../../lib/cli/parse.ts";
import { REPEATABLE_HEADER } from "../../lib/ichimi/hello.ts";
import { bridgeStdio, type Message } from "../../lib/mcp/bridge.ts";
import { mayRepeat } from "../../lib/mcp_proxy/repeat.ts";
import { connect } from "./connection.ts";
import { folders } from "./paths.ts";

/** Serves until the assistant goes. @param toolsets Names, parted by commas; the default ones when left out. */
export async function stdio(signal: AbortSignal, toolsets: string | undefined): Promise<number> {
  await using connection = connect(toolsets === undefined ? {} : { toolsets: await toolsetNames(toolsets) });
  const isRepeatable = (message: Message) =>
    (message.id === undefined && message.method !== undefined) || mayRepeat(message, connection.looks);
  await bridgeStdio(`unix:${folders().socket}`, {
    signal,
    mayRepeat: isRepeatable,
    fetch: (_url, init, message) => {
      const headers = new Headers(init.headers);
      if (message === undefined || isRepeatable(message)) headers.set(REPEATABLE_HEADER, "1");
      return connection.fetch("/mcp", { ...init, headers });
    },
  });
  return 0;
}

/** Names that are parted by commas. @throws {UsageError} When there is no such set. */
export async function toolsetNames(words: string): Promise<readonly string[]> {
  const { TOOLSET_NAMES } = await import("../../lib/ichimi/mod.ts");
  const names = words.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const unknown = names.find((name) => !TOOLSET_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`unknown toolset "${unknown}": there are ${TOOLSET_NAMES.join(", ")}`);
  }
  return names;
}
