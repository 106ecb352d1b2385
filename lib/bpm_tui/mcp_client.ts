/**
 * A small MCP client over HTTP: what a TUI needs of the protocol and nothing else. Works with servers that answer bare
 * JSON (2024-11-05) and with Streamable HTTP up to 2025-11-25. Shell.
 * @module
 */
import { type Reply, replyOf, SseReader, ToolError, type ToolResult, toolResult } from "./reply.ts";

/** The newest revision that is spoken; a server answers with the one it wants. */
const PROTOCOL = "2025-11-25";
/** An answer may have so many bytes. */
export const MAX_ANSWER_BYTES = 32 * 2 ** 20;

/** A tool as a server offers it. */
export interface OfferedTool {
  readonly name: string;
  /** Names of its parameters. */
  readonly parameters: readonly string[];
}

/** What a server said of itself. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
  readonly protocol: string;
}

/** A connection to one server. Requests run side by side. */
export class McpClient {
  readonly url: string;
  readonly #token: string | undefined;
  #session: string | undefined;
  #protocol: string | undefined;
  #subscribes = false;
  #lastId = 0;

  constructor(url: string, options: { readonly token?: string | undefined } = {}) {
    this.url = url;
    this.#token = options.token;
  }

  /** Whether the server tells of changes of its resources, as it said when it was connected to. */
  get subscribes(): boolean {
    return this.#subscribes;
  }

  /** Introduces itself. @throws {Error} When no MCP server answers. */
  async initialize(signal: AbortSignal): Promise<ServerIdentity> {
    this.#session = this.#protocol = undefined;
    const answer = await this.#request("initialize", {
      protocolVersion: PROTOCOL,
      capabilities: {},
      clientInfo: { name: "bpm-tui", version: "1" },
    }, signal);
    const { protocolVersion, serverInfo, capabilities } = (answer ?? {}) as {
      protocolVersion?: unknown;
      capabilities?: { resources?: { subscribe?: unknown } };
      serverInfo?: { name?: unknown; version?: unknown };
    };
    if (typeof protocolVersion !== "string") {
      throw new TypeError(`Cannot connect to ${this.url}: what answers there is no MCP server`);
    }
    this.#protocol = protocolVersion;
    this.#subscribes = capabilities?.resources?.subscribe === true;
    // Upstream's server answers this notification with an error; nobody waits for its answer.
    const notified = await this.#post({ jsonrpc: "2.0", method: "notifications/initialized" }, signal);
    await notified.body?.cancel();
    return {
      name: String(serverInfo?.name ?? "unknown"),
      version: String(serverInfo?.version ?? ""),
      protocol: protocolVersion,
    };
  }

  /** The tools on offer, all pages of them. */
  async tools(signal: AbortSignal): Promise<OfferedTool[]> {
    const tools: OfferedTool[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#request("tools/list", cursor === undefined ? {} : { cursor }, signal) as {
        tools?: { name?: unknown; inputSchema?: { properties?: Record<string, unknown> } }[];
        nextCursor?: string;
      };
      for (const { name, inputSchema } of page?.tools ?? []) {
        if (typeof name === "string") {
          tools.push({ name, parameters: Object.keys(inputSchema?.properties ?? {}) });
        }
      }
      cursor = page?.nextCursor;
    } while (cursor !== undefined && tools.length < MAX_TOOLS);
    return tools;
  }

  /** Calls a tool. @throws {ToolError} When the server refuses or the tool fails. */
  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    return toolResult(await this.#request("tools/call", { name, arguments: args }, signal));
  }

  async #request(method: string, params: Record<string, unknown>, signal: AbortSignal): Promise<unknown> {
    const id = ++this.#lastId;
    const response = await this.#post({ jsonrpc: "2.0", id, method, params }, signal);
    this.#session = response.headers.get("mcp-session-id") ?? this.#session;
    const reply = await this.#reply(response, id);
    if (reply.kind === "result") return reply.result;
    throw new ToolError(reply.message.replace(/^Tool execution error: /, ""));
  }

  async #post(message: Record<string, unknown>, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    if (this.#token !== undefined) headers["authorization"] = `Bearer ${this.#token}`;
    if (this.#session !== undefined) headers["mcp-session-id"] = this.#session;
    if (this.#protocol !== undefined) headers["mcp-protocol-version"] = this.#protocol;
    return await fetch(this.url, { method: "POST", headers, body: JSON.stringify(message), signal });
  }

  async #reply(response: Response, id: number): Promise<Reply> {
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok && !type.includes("json")) {
      await response.body?.cancel();
      throw new Error(statusText(response.status, this.url));
    }
    const stream = type.includes("event-stream") ? new SseReader() : undefined;
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) {
        throw new RangeError(`Cannot read answer of ${this.url}: it has over ${MAX_ANSWER_BYTES} bytes`);
      }
      const piece = decoder.decode(chunk, { stream: true });
      if (stream === undefined) text += piece;
      else {
        const found = first(stream.feed(piece), id);
        if (found !== undefined) return found;
      }
    }
    const found = stream === undefined ? tryReply(text, id, response) : first(stream.end(), id);
    if (found !== undefined) return found;
    throw new Error(`Cannot read answer of ${this.url}: none to request ${id} came`);
  }
}

/** No server has more tools that matter here. */
const MAX_TOOLS = 1_000;

function first(events: readonly string[], id: number): Reply | undefined {
  for (const event of events) {
    const found = replyOf(event, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function tryReply(text: string, id: number, response: Response): Reply | undefined {
  if (response.ok) return replyOf(text, id);
  try {
    const found = replyOf(text, id);
    if (found !== undefined) return found;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // Told by its status below.
  }
  throw new Error(statusText(response.status, response.url));
}

function statusText(status: number, url: string): string {
  if (status === 401 || status === 403) {
    return `${url} refused with status ${status}; a token goes into BPM_TOKEN`;
  }
  if (status === 404) return `${url} is no MCP address (status 404)`;
  return `${url} answered with status ${status}`;
}
