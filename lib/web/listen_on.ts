/** Serves a fetch handler on a socket that listens already, as systemd passes them; `Deno.serve` cannot. @module */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Listener } from "../../ffi/sockets/mod.ts";
import { Acceptor } from "./acceptor.ts";
import type { Address } from "./address.ts";
import type { Server } from "./listen.ts";

/** How long running requests may go on after a stop; then their connections are cut. */
const STOP_GRACE_MS = 500;
/** Of a body that the handler did not read; a client that sends more is cut off. */
const UNREAD_MAX_BYTES = 16 * 2 ** 20;

/** Methods that no `Request` can have (fetch, "forbidden method"), and nothing here serves. */
const NEVER_SERVED = new Set(["CONNECT", "TRACE", "TRACK"]);
const NOT_IMPLEMENTED = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * Serves `handler` on the socket of `listener`, which stays the caller's and open. Aborting `signal` is the same as
 * disposing.
 * @throws {SystemError} When the socket cannot be used.
 */
export async function listenOn(
  listener: Listener,
  handler: Handler,
  options: { signal?: AbortSignal } = {},
): Promise<Server> {
  const { address } = listener;
  const acceptor = await Acceptor.open(
    listener,
    () =>
      createServer((incoming, outgoing) => void answer(handler, incoming, outgoing))
        // Without a listener the connection is closed without a word.
        .on("connect", (_incoming, socket) => socket.end(NOT_IMPLEMENTED)),
  );
  const { promise: finished, resolve } = Promise.withResolvers<void>();
  const onAbort = () => void stop();
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= shutDown();
  const shutDown = async (): Promise<void> => {
    options.signal?.removeEventListener("abort", onAbort);
    const cut = setTimeout(() => {
      for (const server of acceptor.servers) server.closeAllConnections();
    }, STOP_GRACE_MS);
    const closed = acceptor.close();
    for (const server of acceptor.servers) server.closeIdleConnections();
    await closed;
    clearTimeout(cut);
    resolve();
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) await stop();
  const bound: Address = "path" in address
    ? { kind: "unix", path: address.path }
    : { kind: "tcp", host: address.host, port: address.port };
  return { address: bound, finished, [Symbol.asyncDispose]: stop };
}

/** One request through the handler; a client that goes away aborts the request's signal. */
async function answer(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (NEVER_SERVED.has(incoming.method ?? "")) {
    incoming.resume();
    outgoing.writeHead(501, { "content-type": "text/plain" }).end(`${incoming.method} is not served\n`);
    return;
  }
  const controller = new AbortController();
  outgoing.once("close", () => controller.abort());
  const body = new Body(incoming);
  try {
    const response = await handler(requestOf(incoming, body.stream, controller.signal));
    await send(response, outgoing);
  } catch (error) {
    if (!outgoing.headersSent && !outgoing.destroyed) {
      tell(error);
      outgoing.writeHead(500, { "content-type": "text/plain" }).end("internal error\n");
    } else outgoing.destroy();
  }
  body.discard();
}

function requestOf(
  incoming: IncomingMessage,
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Request {
  const { method = "GET", url = "/", headers: found } = incoming;
  const headers = new Headers();
  for (const [name, value] of Object.entries(found)) {
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
      headers.append(name, each);
    }
  }
  const body = method === "GET" || method === "HEAD" ? {} : { body: stream, duplex: "half" };
  // A name that is no host is the guard's to refuse.
  const base = URL.canParse(`http://${found.host}`) ? `http://${found.host}` : "http://invalid";
  return new Request(new URL(url, base), { method, headers, signal, ...body });
}

/** A request's body: what is not read of it must not stand in the way of the next request. */
class Body {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #incoming: IncomingMessage;
  #unreadBytes: number | undefined;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    this.stream = new ReadableStream({
      start: (controller) => {
        incoming.pause();
        incoming.on("data", (chunk: Uint8Array) => {
          if (this.#unreadBytes !== undefined) return this.#drop(chunk.length);
          controller.enqueue(chunk);
          if (controller.desiredSize! <= 0) incoming.pause();
        });
        incoming.once("end", () => this.#unreadBytes === undefined && controller.close());
        incoming.once("error", (error: Error) => controller.error(error));
      },
      pull: () => void incoming.resume(),
      cancel: () => this.discard(),
    });
  }

  /** What comes from now on is thrown away. */
  discard(): void {
    if (this.#unreadBytes !== undefined || this.#incoming.readableEnded) return;
    this.#unreadBytes = 0;
    this.#incoming.resume();
  }

  #drop(bytes: number): void {
    this.#unreadBytes! += bytes;
    if (this.#unreadBytes! > UNREAD_MAX_BYTES) this.#incoming.destroy();
  }
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, [...response.headers]);
  // Whoever waits for the first event waits for the headers first.
  outgoing.flushHeaders();
  if (response.body === null) {
    outgoing.end();
    return;
  }
  const reader = response.body.getReader();
  // A stream that has nothing to say would not notice that nobody listens any more.
  outgoing.once("close", () => void reader.cancel().catch(tell));
  for (;;) {
    const { value, done } = await reader.read();
    if (done || outgoing.destroyed) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  outgoing.end();
}

/** A handler maps its own errors; what gets here is a bug, told without its details to the other side. */
function tell(error: unknown): void {
  console.error(`Cannot answer a request: ${error instanceof Error ? error.stack : error}`);
}

/** Resolves when more can be written, or nobody reads any more. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
  });
}
