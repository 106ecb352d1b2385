/** MCP over standard input and output, as assistants start it: everything is done by the daemon of the user. @module */
import { UsageError } from "../../lib/cli/parse.ts";
import { REPEATABLE_HEADER } from "../../lib/ichimi/hello.ts";
import { bridgeStdio, type Message } from "../../lib/mcp/bridge.ts";
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
    mayRepeat,
    fetch: (_url, init, message) => {
      const headers = new Headers(init.headers);
      if (message === undefined || mayRepeat(message)) headers.set(REPEATABLE_HEADER, "1");
      return connection.fetch("/mcp", { ...init, headers });
    },
  });
  return 0;
}

/** Tools of which a call changes nothing; for others a connection that is cut is told. */
export const LOOKS: ReadonlySet<string> = new Set([
  "echo",
  "ping",
  "get_status",
  "get_process_status",
  "get_process_output",
  "list_processes",
  "wait",
  "read_logs",
  "search_logs",
  "explain",
  "usage",
  "get_template",
  "list_templates",
  "get_clipboard",
  "get_suggestions",
  "list_ci_runs",
  "get_ci_run_details",
  "get_ci_failed_logs",
  "wait_for_ci_completion",
]);

function mayRepeat({ method, params }: Message): boolean {
  if (method !== "tools/call") return method !== undefined;
  return LOOKS.has(String((params as { readonly name?: unknown } | undefined)?.name));
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
