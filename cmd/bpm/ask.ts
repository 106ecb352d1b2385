/** Asking the manager of a project: one call of a tool, and its answer printed. @module */
import { type Completion, option, print } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { CONFIG_OPTION, openProject } from "./project.ts";

/** The protocol without a handshake: one request, one answer. */
const PROTOCOL = "2026-07-28";
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": PROTOCOL,
  "io.modelcontextprotocol/clientInfo": { name: "bpm", version: VERSION },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** Which project is meant, and how its answer is printed. */
export const OPTIONS = {
  dir: option(optionalText({ help: "Folder of the project; this one by default.", example: "." }), {
    value: "DIR",
    complete: "directory",
  }),
  config: CONFIG_OPTION,
  json: option(toggle({ help: "Prints the answer as JSON.", fallback: false })),
};

/** Names of this folder's project. */
const NAMES: Completion = { command: "bpm list --names" };
export const PROCESS = { name: "PROCESS", help: "name in .mcp-run", complete: NAMES } as const;

/** What of a command line says which manager is asked. */
export interface Asking {
  readonly options: {
    readonly dir: string | undefined;
    readonly config: string | undefined;
    readonly json: boolean;
  };
  readonly signal: AbortSignal;
}

/** What a tool answers. */
export interface Answer {
  readonly text: string;
  readonly structured: unknown;
}

/** Calls a tool of the project's manager and prints its answer. */
export async function call(tool: string, args: Record<string, unknown>, asking: Asking): Promise<number> {
  const { text, structured } = await ask(tool, args, asking);
  print(asking.options.json ? jsonText(structured) : `${text}\n`);
  return 0;
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Calls a tool of the project's manager. @throws {Error} When nobody answers, or the tool fails. */
export async function ask(
  tool: string,
  args: Record<string, unknown>,
  { options, signal }: Asking,
): Promise<Answer> {
  const { config } = await openProject(options.dir ?? ".", options.config);
  const url = `http://${config.host}:${config.mcp_port}/mcp`;
  const token = config.token_file === undefined
    ? undefined
    : (await Deno.readTextFile(config.token_file)).trim();
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        // With less it is bpm's old dialect, which knows no data.
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": PROTOCOL,
        "mcp-method": "tools/call",
        "mcp-name": tool,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: tool, arguments: args, _meta: ENVELOPE },
      }),
      signal,
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`Cannot ask the manager at ${url}: nobody answers there; start it with: bpm serve`, {
      cause,
    });
  }
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`Cannot ask the manager at ${url}: it answers ${response.status} ${text}`);
  }
  const { result, error } = JSON.parse(lastMessage(response, text));
  if (error !== undefined) throw new Error(String(error.message));
  if (result.isError === true) throw new Error(textOf(result));
  return { text: textOf(result), structured: result.structuredContent };
}

/** An answer that took a while comes as a stream of events, of which it is the last. */
function lastMessage(response: Response, text: string): string {
  if (response.headers.get("content-type")?.includes("text/event-stream") !== true) return text;
  return text.split("\n").findLast((line) => line.startsWith("data: "))?.slice("data: ".length) ?? "{}";
}

function textOf(result: { readonly content: readonly { readonly text?: string }[] }): string {
  return result.content.map(({ text = "" }) => text).join("");
}
