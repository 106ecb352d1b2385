/**
 * Takes what Nix writes to its `json-log-path`: any number of connections on one socket. Nix waits for whoever does not
 * read, so everything is read at once, whatever becomes of it.
 * @module
 */
import { createServer, type Socket } from "node:net";
import { SystemError } from "../../ffi/errno.ts";
import { type Listener, type Peer, peerOf } from "../../ffi/sockets/mod.ts";
import { Acceptor } from "../web/mod.ts";
import type { Requester } from "../nix/mod.ts";
import type { Log } from "./monitor.ts";

/** Connections at a time; the next one is closed, which turns that Nix' log off and does it no harm. */
const CONNECTIONS_MAX = 4_096;

/** Where logs come from, and who hears of them. */
export interface LogListenerOptions {
  /** Listens already; stays the caller's. */
  readonly listener: Listener;
  /** A log begins. */
  readonly open: (requester: Requester) => Log;
  /** Something has come. */
  readonly onData: () => void;
  /** Whether this user may; everybody who can open the socket by default. */
  readonly mayConnect?: (peer: Peer) => boolean;
  /** What is known of a process. */
  readonly describe?: (peer: Peer) => Pick<Requester, "user" | "command">;
}

/** What came in so far. */
export interface LogListenerStats {
  readonly open: number;
  readonly connections: number;
  readonly refused: number;
  readonly bytes: number;
}

/** Accepts from `start` until it is disposed. */
export class LogListener implements AsyncDisposable {
  readonly #options: LogListenerOptions;
  readonly #sockets = new Set<Socket>();
  readonly #stats = { connections: 0, refused: 0, bytes: 0 };
  #acceptor: Acceptor<ReturnType<typeof createServer>> | undefined;

  /** Begins to accept. @throws {SystemError} When the socket cannot be used. */
  static async start(options: LogListenerOptions): Promise<LogListener> {
    const listener = new LogListener(options);
    listener.#acceptor = await Acceptor.open(options.listener, () => {
      // What is half closed has been written whole: its end is the log's.
      const server = createServer({ allowHalfOpen: false }, (socket) => listener.#accept(socket));
      server.maxConnections = CONNECTIONS_MAX;
      return server;
    });
    return listener;
  }

  private constructor(options: LogListenerOptions) {
    this.#options = options;
  }

  get stats(): LogListenerStats {
    return { ...this.#stats, open: this.#sockets.size };
  }

  /** Accepts no more, and ends the logs that are open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#acceptor?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const { mayConnect, describe, open, onData } = this.#options;
    const peer = peerAt(socket);
    if (peer === undefined || mayConnect?.(peer) === false) {
      this.#stats.refused++;
      socket.destroy();
      return;
    }
    this.#stats.connections++;
    this.#sockets.add(socket);
    const log = open({ source: "socket", pid: peer.pid, uid: peer.uid, ...describe?.(peer) });
    socket.on("data", (chunk: Uint8Array) => {
      this.#stats.bytes += chunk.length;
      log.push(chunk);
      onData();
    });
    // A writer that was killed ends the log like one that closed it; what was open in it tells the difference.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#sockets.delete(socket);
      log.end();
      onData();
    });
  }
}

/** Undefined when it has gone already. The runtime's sockets do not tell their descriptor otherwise. */
function peerAt(socket: Socket): Peer | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } };
  try {
    return peerOf(handle?.fd ?? -1);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
