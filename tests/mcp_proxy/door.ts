/**
 * HTTP in front of a proxy over stdio, for suites that know nothing else: the library checks requests and headers, every
 * message goes through the proxy as it is. For tests.
 */
import {
  createMcpHandler,
  type JSONRPCMessage,
  McpServer,
  type Transport,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { Hono } from "hono";
import { runProxy, type ServerSpec } from "../../lib/mcp_proxy/mod.ts";
import { guardBrowsers, listen, type Server } from "../../lib/web/mod.ts";
import { ENVELOPE } from "../mcp/serving.ts";
import { Side } from "../mcp/side.ts";
import type { Json } from "./behind.ts";

/** One connection to a proxy; `heard` gets every message of it. */
class Connection extends Side {
  readonly listening: Promise<void>;

  constructor(spec: ServerSpec, heard: (message: Json) => void) {
    super((pipes, signal) => runProxy(spec, { pipes, signal }));
    this.listening = this.#listen(heard);
  }

  async #listen(heard: (message: Json) => void): Promise<void> {
    for (let message = await this.receive(); message !== undefined; message = await this.receive()) {
      heard(message);
    }
  }
}

/** What a request of the era without sessions waits for. */
interface Exchange {
  readonly transport: Transport;
  readonly id: unknown;
  readonly token: unknown;
}

/** All clients of the era without sessions share one connection. */
class Shared {
  readonly connection: Connection;
  readonly #open = new Map<number, Exchange>();
  readonly #own = new Map<number, (result: Json) => void>();
  readonly #changed: (message: Json) => void;
  #lastId = 0;

  constructor(spec: ServerSpec, changed: (message: Json) => void) {
    this.#changed = changed;
    this.connection = new Connection(spec, (message) => this.#heard(message));
  }

  async ask(method: string, params: Json): Promise<Json> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<Json>();
    this.#own.set(id, resolve);
    const _meta = { ...ENVELOPE, ...params._meta };
    await this.connection.send({ jsonrpc: "2.0", id, method, params: { ...params, _meta } });
    return await promise;
  }

  serve(message: Json, transport: Transport): void {
    const id = ++this.#lastId;
    const { _meta = {} } = message.params ?? {};
    const token = _meta.progressToken;
    this.#open.set(id, { transport, id: message.id, token });
    transport.onclose = () => {
      if (!this.#open.delete(id)) return;
      void this.connection.send({ method: "notifications/cancelled", params: { requestId: id } });
    };
    const meta = token === undefined ? _meta : { ..._meta, progressToken: `${id}` };
    void this.connection.send({ ...message, id, params: { ...message.params, _meta: meta } });
  }

  #heard(message: Json): void {
    const { id, method, params } = message;
    const own = this.#own.get(id);
    if (own !== undefined && method === undefined) {
      this.#own.delete(id);
      return own(message.result);
    }
    if (method === undefined) {
      const exchange = this.#open.get(id);
      this.#open.delete(id);
      void exchange?.transport.send({ ...message, id: exchange.id }).then(() => exchange.transport.close());
    } else if (method === "notifications/progress") {
      const exchange = this.#open.get(Number(params.progressToken));
      const told = { ...message, params: { ...params, progressToken: exchange?.token } };
      void exchange?.transport.send(told, { relatedRequestId: exchange.id as number });
    } else if (method === "notifications/message") {
      for (const { transport, id } of this.#open.values()) {
        void transport.send(message, { relatedRequestId: id as number });
      }
    } else this.#changed(message);
  }
}

/** A connection for each session. */
class Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly connection: Connection;
  readonly #open = new Map<unknown, unknown>();

  constructor(spec: ServerSpec, sessions: Map<string, Session>) {
    this.transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, this),
    });
    this.connection = new Connection(spec, (message) => this.#heard(message));
    this.transport.onmessage = (message: Json) => {
      if (message.method !== undefined && message.id !== undefined) {
        this.#open.set(message.id, message.params?._meta?.progressToken);
      }
      void this.connection.send(message);
    };
    void this.transport.start();
  }

  #heard(message: Json): void {
    if (message.method === undefined) this.#open.delete(message.id);
    const { progressToken } = message.params ?? {};
    const [of] =
      [...this.#open].find(([, token]) => progressToken !== undefined && token === progressToken) ??
        [...this.#open].at(-1) ?? [];
    const options = message.method === undefined || of === undefined
      ? {}
      : { relatedRequestId: of as string };
    void this.transport.send(message, options);
  }
}

/** Serves what is behind a proxy on a port of this machine. */
export async function openDoor(spec: ServerSpec): Promise<AsyncDisposable & { readonly port: number }> {
  const sessions = new Map<string, Session>();
  const shared = new Shared(spec, ({ method, params }) => {
    if (method === "notifications/resources/updated") handler.notify.resourceUpdated(params.uri);
    if (method === "notifications/resources/list_changed") handler.notify.resourcesChanged();
    if (method === "notifications/tools/list_changed") handler.notify.toolsChanged();
    if (method === "notifications/prompts/list_changed") handler.notify.promptsChanged();
  });
  let known: Json;
  class Passing extends McpServer {
    constructor() {
      super(known.serverInfo ?? known._meta["io.modelcontextprotocol/serverInfo"], {
        instructions: known.instructions,
      });
      this.server.registerCapabilities(known.capabilities);
    }

    override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
      return known.tools.find((tool: Json) => tool.name === name)?.inputSchema;
    }

    override connect(transport: Transport): Promise<void> {
      transport.onmessage = (message: JSONRPCMessage) => shared.serve(message, transport);
      return transport.start();
    }
  }
  const handler = createMcpHandler(() => new Passing(), { legacy: "reject" });
  const fetch = async (request: Request): Promise<Response> => {
    const id = request.headers.get("mcp-session-id");
    if (id !== null) {
      return await sessions.get(id)?.transport.handleRequest(request) ??
        Response.json({ jsonrpc: "2.0", id: null, error: { code: -32001, message: "Session not found" } }, {
          status: 404,
        });
    }
    const body = await request.clone().json().catch(() => undefined);
    const isSession = body?.method === "initialize" &&
      body.params?._meta?.["io.modelcontextprotocol/protocolVersion"] === undefined;
    if (isSession) {
      return await new Session(spec, sessions).transport.handleRequest(request);
    }
    known ??= await discover(shared);
    return await withStatus(await handler.fetch(request));
  };
  const app = new Hono();
  app.use(guardBrowsers());
  app.all("*", (c) => fetch(c.req.raw));
  const server: Server = await listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    async (request) => await app.fetch(request),
  );
  if (server.address.kind !== "tcp") throw new Error("the door has no port");
  return {
    port: server.address.port,
    [Symbol.asyncDispose]: async () => {
      await handler.close();
      await server[Symbol.asyncDispose]();
      for (const { connection } of [shared, ...sessions.values()]) {
        await connection[Symbol.asyncDispose]();
      }
    },
  };
}

/** The library knows the status of errors only that it makes itself. */
async function withStatus(response: Response): Promise<Response> {
  if (!response.headers.get("content-type")?.includes("application/json")) return response;
  const body: Json = await response.json();
  return Response.json(body, { status: body?.error?.code === -32601 ? 404 : response.status });
}

async function discover(shared: Shared): Promise<Json> {
  const found = await shared.ask("server/discover", {});
  const { tools } = await shared.ask("tools/list", {});
  return { ...found, tools };
}
