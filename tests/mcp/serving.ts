/** Servers for tests, and clients that see the wire. */
import { ok } from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import {
  createRegistry,
  type HttpOptions,
  type McpRoutes,
  mcpRoutes,
  type Registry,
  type Tool,
} from "../../lib/mcp/mod.ts";
import { listen } from "../../lib/web/mod.ts";

/** A server on a port of 127.0.0.1. */
export interface Serving extends AsyncDisposable {
  readonly url: string;
  readonly routes: McpRoutes;
}

export const INFO = { name: "tested", version: "1.2.3", instructions: "Be kind." };

/** Serves tools over HTTP. */
export async function serve(
  registry: Registry | readonly Tool[],
  options: HttpOptions = {},
): Promise<Serving> {
  const all = "tools" in registry ? registry : createRegistry({ tools: registry });
  const routes = mcpRoutes(all, INFO, options);
  const server = await listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (request) => routes.fetch(request),
  );
  ok(server.address.kind === "tcp");
  return {
    url: `http://127.0.0.1:${server.address.port}/mcp`,
    routes,
    [Symbol.asyncDispose]: async () => {
      await routes[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The library's own client, of one era. */
export async function connect(url: string, mode: "auto" | "legacy"): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: "tester", version: "9" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** What an old client of bpm sends: no `Accept`, bare JSON. */
export async function plain(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text), text };
}

/** Fields that every request of the stateless era carries. */
export const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "tester", version: "9" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** A request of the stateless era as it goes over the wire. */
export function statelessRequest(
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  capabilities: Record<string, unknown> = {},
): Request {
  const _meta = {
    ...ENVELOPE,
    "io.modelcontextprotocol/clientCapabilities": capabilities,
    ...params._meta as object,
  };
  const name = params.name ?? params.uri ?? params.taskId;
  return new Request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" ? { "mcp-name": name } : {}),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params: { ...params, _meta } }),
  });
}

/** Sends it and reads the last message of the answer. */
export async function stateless(
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  capabilities: Record<string, unknown> = {},
) {
  const response = await fetch(statelessRequest(url, method, params, capabilities));
  const text = await response.text();
  const last = text.split("\n").filter((line) => line.startsWith("data: ")).at(-1)?.slice("data: ".length);
  return { status: response.status, ...JSON.parse(last ?? text) };
}

/** Messages of a stream of events, one after the other. */
export class Events implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next message. */
  async next(): Promise<
    { method?: string; params?: Record<string, unknown>; result?: Record<string, unknown> }
  > {
    for (;;) {
      const [, data, rest] = /^[^]*?^data: (.*)\n([^]*)$/m.exec(this.#text) ?? [];
      if (data !== undefined) {
        this.#text = rest!;
        return JSON.parse(data);
      }
      const { value, done } = await this.#reader.read();
      ok(!done, `the stream ended after ${this.#text}`);
      this.#text += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
