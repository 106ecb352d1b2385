/** JSON-RPC replies as MCP servers send them: bare JSON, or the one event of an SSE body that answers. Pure. @module */

/** What a tool answered. */
export interface ToolResult {
  /** Its text parts, joined by newlines. */
  readonly text: string;
  readonly structured?: unknown;
}

/** The server was reached and said no; the message is its own. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

/** A JSON-RPC response: exactly one of the two. */
export type Reply =
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly code: number; readonly message: string };

/** The reply to request `id` in one JSON text; `undefined` when it is something else, such as a notification. */
export function replyOf(json: string, id: number): Reply | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new SyntaxError(
      `Cannot read answer: it begins ${JSON.stringify(json.slice(0, 60))}, expected JSON`,
      {
        cause,
      },
    );
  }
  const messages = Array.isArray(value) ? value : [value];
  const found = messages.find((each) => each?.id === id && ("result" in each || "error" in each));
  // A server that could not even read the request answers without its id.
  const error = found?.error ?? messages.find((each) => each?.id === null)?.error;
  if (error !== undefined && error !== null) {
    return {
      kind: "error",
      code: Number(error.code ?? 0),
      message: String(error.message ?? "no reason given"),
    };
  }
  return found === undefined ? undefined : { kind: "result", result: found.result };
}

/** Events of a server-sent stream that come in pieces (HTML standard, section 9.2). */
export class SseReader {
  #rest = "";

  /** The data of each event that `text` completes. */
  feed(text: string): string[] {
    this.#rest = (this.#rest + text).replaceAll(/\r\n|\r(?!$)/g, "\n");
    const events = this.#rest.split("\n\n");
    this.#rest = events.pop()!;
    return events.flatMap((event) => dataOf(event) ?? []);
  }

  /** The data of an event whose end the stream did not tell. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = "";
    return dataOf(rest) ?? [];
  }
}

function dataOf(event: string): string[] | undefined {
  const lines = event.split("\n").filter((line) => line.startsWith("data:"));
  return lines.length === 0 ? undefined : [lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n")];
}

/** What `tools/call` answered. @throws {ToolError} When the tool failed. */
export function toolResult(result: unknown): ToolResult {
  const { content, structuredContent, isError } = (result ?? {}) as Record<string, unknown>;
  const texts = (Array.isArray(content) ? content : [])
    .flatMap((part) => part?.type === "text" && typeof part.text === "string" ? [part.text as string] : []);
  const text = texts.join("\n");
  if (isError === true) throw new ToolError(text === "" ? "the tool failed without a word" : text);
  return structuredContent === undefined ? { text } : { text, structured: structuredContent };
}
