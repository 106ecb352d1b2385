/** Serves a fetch handler on a socket that listens already, as systemd passes them; `Deno.serve` cannot. @module */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Listener } from "../../ffi/sockets/mod.ts";
import type { Address } from "./address.ts";
import type { Server } from "./listen.ts";

/** How long running requests may go on after a stop; then their connections are cut. */
const STOP_GRACE_MS = 500;

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
  const server = createServer((incoming, outgoing) => void answer(handler, incoming, outgoing));
  const { promise: finished, resolve } = Promise.withResolvers<void>();
  // Its close closes the descriptor: whoever has the socket still has it.
  const fd = listener.duplicate().release();
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen({ fd }, () => {
      server.off("error", failed);
      listening();
    });
  });
  const onAbort = () => void stop();
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= shutDown();
  const shutDown = async (): Promise<void> => {
    options.signal?.removeEventListener("abort", onAbort);
    const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
    const closed = new Promise((done) => server.close(done));
    server.closeIdleConnections();
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
  const controller = new AbortController();
  outgoing.once("close", () => controller.abort());
  try {
    const response = await handler(requestOf(incoming, controller.signal));
    await send(response, outgoing);
  } catch (error) {
    if (!outgoing.headersSent && !outgoing.destroyed) {
      // A handler maps its own errors; what gets here is a bug, told without its details to the other side.
      console.error(`Cannot answer a request: ${error instanceof Error ? error.stack : error}`);
      outgoing.writeHead(500, { "content-type": "text/plain" }).end("internal error\n");
    } else outgoing.destroy();
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", url = "/", headers: found } = incoming;
  const headers = new Headers();
  for (const [name, value] of Object.entries(found)) {
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
      headers.append(name, each);
    }
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody
    ? { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: "half" }
    : {};
  // A name that is no host is the guard's to refuse.
  const base = URL.canParse(`http://${found.host}`) ? `http://${found.host}` : "http://invalid";
  return new Request(new URL(url, base), { method, headers, signal, ...body });
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, [...response.headers]);
  // Whoever waits for the first event waits for the headers first.
  outgoing.flushHeaders();
  if (response.body === null) {
    outgoing.end();
    return;
  }
  for await (const chunk of response.body) {
    if (outgoing.destroyed) break;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
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
