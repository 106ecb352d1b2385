/** Asking the manager of a project: one call of a tool, and its answer printed. @module */
import { type Completion, option, print } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { readEvents } from "../../lib/mcp/mod.ts";
import { CONFIG_OPTION, openProject, urlOf } from "./project.ts";

/** The protocol without a handshake: one request, one answer. */
const PROTOCOL = "2026-07-28";
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": PROTOCOL,
  "io.modelcontextprotocol/clientInfo": { name: "bpm", version: VERSION },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** A longer answer is none of a manager. */
const ANSWER_BYTES = 64 * 2 ** 20;

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
  /** Told how far it is, of tools that take their time. */
  readonly progress?: ((message: string) => void) | undefined;
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
  { options, signal, progress }: Asking,
): Promise<Answer> {
  const { config } = await openProject(options.dir ?? ".", options.config);
  const url = urlOf(config);
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
        params: {
          name: tool,
          arguments: args,
          _meta: progress === undefined ? ENVELOPE : { ...ENVELOPE, progressToken: 1 },
        },
      }),
      signal,
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`Cannot ask the manager at ${url}: nobody answers there; start it with: bpm serve`, {
      cause,
    });
  }
  if (!response.ok) {
    const text = await response.text();
    throw new Error(`Cannot ask the manager at ${url}: it answers ${response.status} ${text}`);
  }
  const { result, error } = await answerIn(response, progress, url);
  if (result === undefined) throw new Error(error?.message ?? `Cannot ask the manager at ${url}: no answer`);
  if (result.isError === true) throw new Error(textOf(result));
  return { text: textOf(result), structured: result.structuredContent };
}

interface ToolAnswer {
  readonly content: readonly { readonly text?: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
}

/** A message of JSON-RPC, as far as it matters here. */
interface Message {
  readonly method?: string;
  readonly params?: { readonly message?: string };
  readonly result?: ToolAnswer;
  readonly error?: { readonly message?: string };
}

/** The answer: the body, or of a stream of events, on which it comes after a while, the last one. */
async function answerIn(response: Response, progress: Asking["progress"], url: string): Promise<Message> {
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") === true;
  if (!isStream || response.body === null) return await response.json();
  for await (const data of readEvents(response.body, ANSWER_BYTES)) {
    const message: Message = JSON.parse(data);
    if (message.method === undefined) return message;
    if (message.params?.message !== undefined) progress?.(message.params.message);
  }
  throw new Error(`Cannot ask the manager at ${url}: it went away before it answered`);
}

function textOf({ content }: ToolAnswer): string {
  return content.map(({ text = "" }) => text).join("");
}
