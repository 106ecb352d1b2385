/**
 * A registry over HTTP: Streamable HTTP of both eras and the dialect of bpm's old clients, on one address.
 *
 * Which it is, is told by the request: an envelope in `_meta` or the header `MCP-Protocol-Version: 2026-…` is the
 * stateless era, an `Mcp-Session-Id` or an `initialize` that accepts `text/event-stream` the era of sessions, and
 * whoever does not accept `text/event-stream` is an old client of bpm.
 * @module
 */
import { type Context, Hono } from "hono";
import { boundedText } from "../web/bounded_text.ts";
import { guardBrowsers } from "../web/guard.ts";
import { bearerToken, isSameToken } from "../web/token.ts";
import { Engine, type ServerOptions } from "./_engine.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { idOf, isRecord, RPC, rpcError, type RpcId } from "./json_rpc.ts";
import { answerPlain, type PlainInfo } from "./plain.ts";
import type { McpServerInfo, Registry } from "./registry.ts";

/** Settings of a server over HTTP. */
export interface HttpOptions extends ServerOptions {
  /** Names beside loopback ones under which the server may be reached. */
  readonly hosts?: readonly string[];
  /** When given, each request must carry it as `Authorization: Bearer …`. */
  readonly token?: string;
  /** How it introduces itself to bpm's old clients, when not as to others. */
  readonly plainInfo?: PlainInfo;
}

/** Routes to mount: they answer every path they are given. Disposing ends sessions, streams and calls. */
export interface McpRoutes extends AsyncDisposable {
  fetch(request: Request): Promise<Response>;
}

/** How often the stream of an old client says that it lives. */
const KEEP_ALIVE_MS = 15_000;
/** Old clients get answers in one piece, with its length told, that take no longer than so many heartbeats. */
const PLAIN_HEARTBEATS = 10;
/** First revision without sessions. */
const FIRST_STATELESS = "2026-07-28";

/**
 * Makes routes of a registry. Host and Origin are checked here, so that no caller can forget it. The protocol's
 * library is loaded with the first request that needs it.
 * @example
 * ```ts
 * import { createRegistry, mcpRoutes } from "./mod.ts";
 * await using routes = mcpRoutes(createRegistry({}), { name: "example", version: "1" });
 * const answer = await routes.fetch(
 *   new Request("http://localhost/mcp", { method: "POST", body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }),
 * );
 * console.assert((await answer.json()).id === 1);
 * ```
 */
export function mcpRoutes(registry: Registry, info: McpServerInfo, options: HttpOptions = {}): McpRoutes {
  const engine = new Engine(registry, info, options);
  const plain = new PlainStreams(engine.limits.subscriptions);
  let loading: Promise<Eras> | undefined;
  const eras = () => loading ??= loadEras(engine);
  const app = new Hono();
  app.use(guardBrowsers(options.hosts ?? []));
  app.use(async (c, next) => {
    const { token } = options;
    if (token === undefined || isSameToken(bearerToken(c.req.raw.headers) ?? "", token)) return await next();
    return c.text("a token is needed\n", 401, { "www-authenticate": "Bearer" });
  });
  app.on(["GET", "DELETE"], "*", (c) => answerStream(c, plain, eras));
  app.post("*", (c) => answerPost(c, engine, options.plainInfo ?? info, eras));
  app.all("*", (c) => c.text("only GET, POST and DELETE are served\n", 405, { allow: "GET, POST, DELETE" }));
  app.onError((error, c) => {
    engine.onError(error);
    return c.json(rpcError(null, RPC.internal, "Internal error"), 500);
  });
  return {
    fetch: async (request) => await app.fetch(request),
    [Symbol.asyncDispose]: async () => {
      plain.close();
      await engine[Symbol.asyncDispose]();
      await (await loading)?.[Symbol.asyncDispose]();
    },
  };
}

/** The two eras of the protocol, behind the library. */
interface Eras extends AsyncDisposable {
  stateless(request: Request, body?: unknown): Promise<Response>;
  /** `undefined`: there is no such session. */
  session(request: Request, id: string | undefined, body?: unknown): Promise<Response | undefined>;
}

async function loadEras(engine: Engine): Promise<Eras> {
  const { openEras } = await import("./_eras.ts");
  return openEras(engine);
}

/** GET opens a stream, DELETE ends a session. */
async function answerStream(c: Context, plain: PlainStreams, eras: () => Promise<Eras>): Promise<Response> {
  const session = c.req.header("mcp-session-id");
  if (session !== undefined) {
    return await (await eras()).session(c.req.raw, session) ?? unknownSession(c, null);
  }
  const version = c.req.header("mcp-protocol-version");
  const accepts = c.req.header("accept")?.includes("text/event-stream") === true;
  if (c.req.method === "GET" && accepts && version === undefined) return plain.open();
  return c.json(rpcError(null, -32000, "Method not allowed."), 405, { allow: "POST" });
}

async function answerPost(
  c: Context,
  engine: Engine,
  plainInfo: PlainInfo,
  eras: () => Promise<Eras>,
): Promise<Response> {
  const text = await readBody(c.req.raw, engine.limits.bodyBytes);
  if (text === GONE) return c.body(null, 400); // Nobody reads it.
  if (text === undefined) {
    const message = `The request is larger than ${engine.limits.bodyBytes} bytes, the limit`;
    return c.json(rpcError(null, RPC.invalidRequest, message), 413);
  }
  const session = c.req.header("mcp-session-id");
  const streams = c.req.header("accept")?.includes("text/event-stream") === true;
  const body = parse(text);
  if (body === undefined) {
    // Old clients look into the body only; the others are told by the status too.
    return c.json(rpcError(null, RPC.parse, "Parse error: the body is not JSON"), streams ? 400 : 200);
  }
  const everyMs = engine.limits.heartbeatMs;
  if (isStateless(c.req.header("mcp-protocol-version"), body.value)) {
    const era = await eras();
    return await withHeartbeat(c.req.raw, (request) => era.stateless(request, body.value), {
      everyMs,
      as: "events",
    });
  }
  if (session === undefined && !streams) {
    return await withHeartbeat(c.req.raw, async (request) => {
      const answer = await answerPlain(engine, plainInfo, body.value, request.signal);
      return answer === undefined ? new Response(null, { status: 202 }) : Response.json(answer);
    }, { everyMs: everyMs * PLAIN_HEARTBEATS, as: "json" });
  }
  if (session === undefined && !startsSession(body.value)) {
    const message = "Bad Request: Mcp-Session-Id is missing; initialize first, or speak 2026-07-28";
    return c.json(rpcError(idOf(body.value), -32000, message), 400);
  }
  const era = await eras();
  return await withHeartbeat(c.req.raw, async (request) => {
    return await era.session(request, session, body.value) ?? unknownSession(c, idOf(body.value));
  }, { everyMs, as: "events" });
}

/** An envelope in the body counts more than a header, so that one that contradicts it is told. */
function isStateless(version: string | undefined, body: unknown): boolean {
  const params = isRecord(body) ? body.params : undefined;
  const meta = isRecord(params) ? params._meta : undefined;
  if (isRecord(meta) && Object.hasOwn(meta, "io.modelcontextprotocol/protocolVersion")) return true;
  return version !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= FIRST_STATELESS;
}

function startsSession(body: unknown): boolean {
  return isRecord(body) && body.method === "initialize";
}

function unknownSession(c: Context, id: RpcId): Response {
  return c.json(rpcError(id, -32001, "Session not found"), 404);
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What a body comes to whose client hung up in the middle of it. */
const GONE = Symbol("gone");

/** The body as text; `undefined` when it is larger than `limitBytes`. */
async function readBody(request: Request, limitBytes: number): Promise<string | undefined | typeof GONE> {
  try {
    return await boundedText(request, limitBytes);
  } catch (error) {
    if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Http) return GONE;
    throw error;
  }
}

/** Streams of old clients: one comment, then signs of life, as they know it; nothing else ever comes. */
class PlainStreams {
  readonly #limit: number;
  readonly #open = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  open(): Response {
    if (this.#open.size >= this.#limit) {
      return new Response(`${this.#limit} streams are open, the limit\n`, { status: 503 });
    }
    const encoder = new TextEncoder();
    let end = () => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(encoder.encode(": connected\n\n"));
        const timer = setInterval(
          () => controller.enqueue(encoder.encode(": keep-alive\n\n")),
          KEEP_ALIVE_MS,
        );
        end = () => {
          clearInterval(timer);
          if (this.#open.delete(close)) controller.close();
        };
        const close = end;
        this.#open.add(close);
      },
      cancel: () => {
        this.#open.delete(end);
        end();
      },
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" },
    });
  }

  close(): void {
    for (const end of [...this.#open]) end();
  }
}
