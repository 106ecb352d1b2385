/** Calls a tool of a server that is there: the protocol without a handshake, one request and one answer. @module */
import { readEvents } from "./sse.ts";

const PROTOCOL = "2026-07-28";
/** A longer answer is none of a server of ours. */
const ANSWER_BYTES = 64 * 2 ** 20;

/** What a tool answers. */
export interface ToolAnswer {
  readonly text: string;
  readonly structured: unknown;
}

/** A question of a tool for the person, as `elicitation/create` has it. */
export interface ToolQuestion {
  readonly method: string;
  readonly params: {
    readonly message?: string;
    readonly requestedSchema?: {
      readonly properties?: Readonly<
        Record<string, { readonly enum?: readonly string[]; readonly enumNames?: readonly string[] }>
      >;
    };
  };
}

/** Which tool is called, and how. */
export interface ToolCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Who calls. */
  readonly client: { readonly name: string; readonly version: string };
  readonly signal: AbortSignal;
  /** Told how far it is, of tools that take their time. */
  readonly progress?: ((message: string) => void) | undefined;
  /** Answers questions of the tool, by their names; it is not asked when left out. */
  readonly ask?: (questions: Readonly<Record<string, ToolQuestion>>) => Promise<Record<string, unknown>>;
  /** Sends the request; what it throws is thrown. */
  readonly fetch: (init: RequestInit) => Promise<Response>;
}

/** @throws {Error} When the server refuses, the tool fails, or the connection ends before the answer. */
export async function callTool(call: ToolCall): Promise<ToolAnswer> {
  let result = await round(call, 1, {});
  // Each round carries the answers to what the one before has asked.
  for (let id = 2; result.inputRequests !== undefined; id++) {
    const inputResponses = await call.ask?.(result.inputRequests);
    result = await round(call, id, { inputResponses, requestState: result.requestState });
  }
  if (result.isError === true) throw new Error(textOf(result));
  return { text: textOf(result), structured: result.structuredContent };
}

async function round(call: ToolCall, id: number, more: Record<string, unknown>): Promise<Result> {
  const { name, args, signal, progress } = call;
  const response = await call.fetch({
    method: "POST",
    headers: {
      "content-type": "application/json",
      // With less it is bpm's old dialect, which knows no data.
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": PROTOCOL,
      "mcp-method": "tools/call",
      "mcp-name": name,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name, arguments: args, ...more, _meta: envelope(call) },
    }),
    signal,
  });
  if (!response.ok) {
    throw new Error(`the server answers ${response.status} ${(await response.text()).trim()}`);
  }
  const { result, error } = await answerIn(response, progress);
  if (result === undefined) throw new Error(error?.message ?? "the server gives no answer");
  return result;
}

function envelope({ client, progress, ask }: ToolCall): Record<string, unknown> {
  return {
    "io.modelcontextprotocol/protocolVersion": PROTOCOL,
    "io.modelcontextprotocol/clientInfo": client,
    "io.modelcontextprotocol/clientCapabilities": ask === undefined ? {} : { elicitation: {} },
    ...progress === undefined ? {} : { progressToken: 1 },
  };
}

interface Result {
  readonly content?: readonly { readonly text?: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  /** What has to be answered first. */
  readonly inputRequests?: Readonly<Record<string, ToolQuestion>>;
  readonly requestState?: string;
}

/** A message of JSON-RPC, as far as it matters here. */
interface Message {
  readonly method?: string;
  readonly params?: { readonly message?: string };
  readonly result?: Result;
  readonly error?: { readonly message?: string };
}

/** The answer: the body, or of a stream of events, on which it comes after a while, the last one. */
async function answerIn(response: Response, progress: ToolCall["progress"]): Promise<Message> {
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") === true;
  if (!isStream || response.body === null) return await response.json();
  for await (const data of readEvents(response.body, ANSWER_BYTES)) {
    const message: Message = JSON.parse(data);
    if (message.method === undefined) return message;
    if (message.params?.message !== undefined) progress?.(message.params.message);
  }
  throw new Error("the server went away before it answered");
}

function textOf({ content = [] }: Result): string {
  return content.map(({ text = "" }) => text).join("");
}
