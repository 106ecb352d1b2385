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
  const server = bind(address, handler, abort.signal);
  const bound: Address = server.addr.transport === "tcp" && address.kind === "tcp"
    ? { ...address, port: server.addr.port }
    : address;
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => stopping ??= shutDown(server, abort, bound);
  const onAbort = () => void stop();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) await stop();
  return {
    address: bound,
    finished: server.finished.finally(() => options.signal?.removeEventListener("abort", onAbort)),
    [Symbol.asyncDispose]: stop,
  };
}

function bind(
  address: Address,
  handler: (request: Request) => Response | Promise<Response>,
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

async function shutDown(
  server: Deno.HttpServer<Deno.NetAddr | Deno.UnixAddr>,
  abort: AbortController,
  address: Address,
): Promise<void> {
  const cut = setTimeout(() => abort.abort(), STOP_GRACE_MS);
  await server.shutdown();
  clearTimeout(cut);
  if (address.kind !== "unix") return;
  try {
    await Deno.remove(address.path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A handler maps its own errors; what gets here is a bug, told without its details to the other side. */
function internalError(error: unknown): Response {
  console.error(`Cannot answer a request: ${error instanceof Error ? error.stack : error}`);
  return new Response("internal error\n", { status: 500 });
}
