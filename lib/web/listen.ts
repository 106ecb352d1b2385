/** Binds an address and serves a fetch handler on it until disposed. @module */
import { type Address, formatAddress } from "./address.ts";

/** A running server; disposing it stops listening, ends its connections and removes its socket file. */
export interface Server extends AsyncDisposable {
  /** Where it really listens: the port is the kernel's choice when 0 was asked for. */
  readonly address: Address;
  /** Resolves when it has stopped. */
  readonly finished: Promise<void>;
}

/** How long running requests may go on after a stop; then their connections are cut. */
const STOP_GRACE_MS = 500;
/** Until an address is listened on again on which a connection could not be accepted. */
const BIND_AGAIN_MS = 200;

/**
 * Serves `handler` on `address`. Aborting `signal` is the same as disposing.
 * @throws {Error} When the address is occupied or may not be bound, naming it.
 */
export async function listen(
  address: Address,
  handler: (request: Request) => Response | Promise<Response>,
  options: { signal?: AbortSignal } = {},
): Promise<Server> {
  if (address.kind === "unix" && await isSocketTaken(address.path)) {
    throw new Error(`Cannot listen on ${formatAddress(address)}: the socket is occupied by another process`);
  }
  const abort = new AbortController();
  const requests = new Requests();
  const counted = requests.counted(handler);
  const server = bind(address, counted, abort.signal);
  const bound: Address = server.addr.transport === "tcp" && address.kind === "tcp"
    ? { ...address, port: server.addr.port }
    : address;
  const served = serveOn(server, { bound, counted, signal: abort.signal });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => stopping ??= shutDown(served, { abort, requests, bound });
  const onAbort = () => void stop();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) await stop();
  return {
    address: bound,
    finished: served.finally(() => options.signal?.removeEventListener("abort", onAbort)),
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Resolves when the server has ended as it should. The runtime's ends for good when a connection cannot be accepted for
 * want of descriptors or memory: then the address is listened on again until there is room.
 */
async function serveOn(
  server: Deno.HttpServer<Deno.NetAddr | Deno.UnixAddr>,
  { bound, counted, signal }: {
    readonly bound: Address;
    readonly counted: Deno.ServeHandler;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (let current = server;;) {
    try {
      return await current.finished;
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      console.error(
        `Cannot accept connections on ${formatAddress(bound)} until there is room: ${
          (error as Error).message
        }`,
      );
    }
    const next = await bindAgain(bound, counted, signal);
    if (next === undefined) return;
    current = next;
  }
}

/** Undefined when the signal fires first. */
async function bindAgain(
  bound: Address,
  counted: Deno.ServeHandler,
  signal: AbortSignal,
): Promise<ReturnType<typeof bind> | undefined> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, BIND_AGAIN_MS));
    if (signal.aborted) return undefined;
    try {
      if (bound.kind === "unix") await isSocketTaken(bound.path);
      return bind(bound, counted, signal);
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && /Too many open files|Cannot allocate memory/.test(error.message);
}

function bind(
  address: Address,
  handler: Deno.ServeHandler,
  signal: AbortSignal,
): Deno.HttpServer<Deno.NetAddr | Deno.UnixAddr> {
  const common = { signal, onListen: () => {}, onError: internalError };
  try {
    return address.kind === "unix"
      ? Deno.serve({ ...common, path: address.path }, handler)
      : Deno.serve({ ...common, hostname: address.host, port: address.port }, handler);
  } catch (cause) {
    throw new Error(`Cannot listen on ${formatAddress(address)}: ${reason(address, cause)}`, { cause });
  }
}

function reason(address: Address, cause: unknown): string {
  if (cause instanceof Deno.errors.AddrInUse) {
    return address.kind === "unix"
      ? "a file that is no socket stands there"
      : "the port is occupied by another process";
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Whether a process answers on the socket at `path`. A socket file that nobody answers on is left over from a killed
 * server, and is removed.
 */
export async function isSocketTaken(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    // Linux refuses the connection to a plain file too: only a socket may go. Binding will tell of all else.
    if (error instanceof Deno.errors.ConnectionRefused && (await Deno.lstat(path)).isSocket) {
      await Deno.remove(path);
    }
    return false;
  }
}

/** Requests whose answers have not gone out as a whole. */
class Requests {
  readonly #open = new Set<Promise<void>>();
  #closing = false;

  counted(handler: (request: Request) => Response | Promise<Response>): Deno.ServeHandler {
    return (request, { completed }) => {
      if (this.#closing) {
        return new Response("the server ends\n", { status: 503, headers: { connection: "close" } });
      }
      // One whose client has gone is over too.
      const over = completed.catch(() => {}).finally(() => this.#open.delete(over));
      this.#open.add(over);
      return handler(request);
    };
  }

  /** Takes no more; resolves when those that are under way are over, or after the limit. */
  async end(limitMs: number): Promise<void> {
    this.#closing = true;
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, limitMs);
    await Promise.race([Promise.all(this.#open), limit.promise]);
    clearTimeout(timer);
  }
}

/** The runtime's own `shutdown` waits for ever for what is under way, and takes no abort any more once it was called. */
async function shutDown(
  served: Promise<void>,
  { abort, requests, bound }: {
    readonly abort: AbortController;
    readonly requests: Requests;
    readonly bound: Address;
  },
): Promise<void> {
  await requests.end(STOP_GRACE_MS);
  abort.abort();
  await served;
  if (bound.kind !== "unix") return;
  try {
    await Deno.remove(bound.path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A handler maps its own errors; what gets here is a bug, told without its details to the other side. */
function internalError(error: unknown): Response {
  console.error(`Cannot answer a request: ${error instanceof Error ? error.stack : error}`);
  return new Response("internal error\n", { status: 500 });
}
