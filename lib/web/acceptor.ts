/** Accepting of connections on a socket that is held open here, so that nobody is refused meanwhile. @module */
import { Server } from "node:net";
import type { Listener } from "../../ffi/sockets/mod.ts";

/** How often it is looked whether connections wait that nobody accepts. */
const LOOK_MS = 1_000;
/** Connections that wait to be accepted. */
const BACKLOG = 4_096;

/**
 * Servers on one socket, the last of which accepts. The runtime's server (2.9.6) accepts nothing more after it could
 * not once, for want of descriptors, and does not tell: where connections wait and none is taken another server takes
 * its place.
 */
export class Acceptor<S extends Server> {
  readonly #listener: Listener;
  readonly #newServer: () => S;
  /** The last one accepts; those before have clients. */
  readonly #servers = new Set<S>();
  #looking: ReturnType<typeof setInterval> | undefined;
  /** Connections accepted so far, and at the last look. */
  #taken = 0;
  #seen = 0;
  #wasStuck = false;
  #closed: Promise<void> | undefined;

  /** Begins to accept; the socket stays the caller's too. @throws {SystemError} When the socket cannot be used. */
  static async open<S extends Server>(listener: Listener, newServer: () => S): Promise<Acceptor<S>> {
    const acceptor = new Acceptor(listener.duplicate(), newServer);
    try {
      await acceptor.#listen();
    } catch (error) {
      acceptor.#listener[Symbol.dispose]();
      throw error;
    }
    acceptor.#looking = setInterval(() => void acceptor.#look(), LOOK_MS);
    return acceptor;
  }

  private constructor(listener: Listener, newServer: () => S) {
    this.#listener = listener;
    this.#newServer = newServer;
  }

  /** The one that accepts, and those before it that have clients. */
  get servers(): readonly S[] {
    return [...this.#servers];
  }

  /** Accepts no more; resolves when no client is left. */
  close(): Promise<void> {
    return this.#closed ??= (async () => {
      clearInterval(this.#looking);
      this.#listener[Symbol.dispose]();
      await Promise.all(this.servers.map((server) => this.#end(server)));
    })();
  }

  async #listen(): Promise<void> {
    const server = this.#newServer();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.on("connection", () => this.#taken++);
    // The server closes the descriptor; a shorter backlog would be set on the shared socket.
    server.listen({ fd: this.#listener.duplicate().release(), backlog: BACKLOG }, resolve);
    await promise;
    server.off("error", reject);
    this.#servers.add(server);
  }

  async #look(): Promise<void> {
    const isStuck = this.#taken === this.#seen && this.#listener.waiting > 0;
    if (isStuck && this.#wasStuck) await this.#replace();
    this.#wasStuck = isStuck;
    this.#seen = this.#taken;
  }

  async #replace(): Promise<void> {
    const [...stuck] = this.#servers;
    try {
      await this.#listen();
    } catch {
      return; // Without a descriptor even for that: it is tried again at the next look.
    }
    for (const server of stuck) void this.#end(server);
  }

  /** Not by the server's own `close`: an HTTP server's would close clients that are between two requests. */
  async #end(server: S): Promise<void> {
    await new Promise<void>((resolve) => Server.prototype.close.call(server, () => resolve()));
    this.#servers.delete(server);
  }
}
