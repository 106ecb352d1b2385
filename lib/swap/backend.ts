/** Connections to one server behind the proxy: opened when they are needed, kept for the next request. @module */
import { connect, type Socket } from "node:net";

/** Where a server listens that the proxy forwards to. */
export interface Backend {
  readonly host: string;
  readonly port: number;
}

/** Who is told what comes of a connection. */
export interface Receiver {
  /** The connection is there. */
  onOpen?(): void;
  onBytes(bytes: Uint8Array): void;
  /** What was written has gone: more may come. */
  onDrain(): void;
  /** Nothing more comes; `clean` when the server said so. */
  onGone(clean: boolean): void;
}

/** Connections that wait for their next request; what is more is closed. */
const IDLE_MAX = 256;

/** One connection. */
export class BackendConnection {
  /** Whether it was ever open: before, nothing was sent. */
  connected = false;
  receiver: Receiver | undefined;
  readonly #socket: Socket;
  #clean = false;
  #gone = false;

  constructor(
    { host, port }: Backend,
    { onOpen, onRefused, onGone }: {
      onOpen: () => void;
      onRefused: () => void;
      onGone: (connection: BackendConnection) => void;
    },
  ) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on("connect", () => {
      this.connected = true;
      onOpen();
      this.receiver?.onOpen?.();
    });
    this.#socket.on("data", (bytes: Uint8Array) => {
      // A server that talks without being asked is none to go on with.
      if (this.receiver === undefined) this.destroy();
      else this.receiver.onBytes(bytes);
    });
    this.#socket.on("drain", () => this.receiver?.onDrain());
    this.#socket.on("end", () => this.#clean = true);
    // What went wrong does not matter: "close" follows.
    this.#socket.on("error", () => {
      this.#clean = false;
      if (!this.connected) onRefused();
    });
    this.#socket.on("close", () => {
      this.#gone = true;
      onGone(this);
      this.receiver?.onGone(this.#clean);
    });
  }

  /** False when the server takes no more just now. */
  write(bytes: Uint8Array): boolean {
    return this.#gone || this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** All connections to one server. */
export class BackendPool {
  readonly backend: Backend;
  /** Requests that wait for an answer or have a part of it. */
  inFlight = 0;
  /** Connections that speak another protocol by now. */
  tunnels = 0;
  /** The last connection was refused: whether it takes any now, one request is to try. */
  refuses = false;
  readonly #onAccepts: () => void;
  readonly #idle: BackendConnection[] = [];
  readonly #all = new Set<BackendConnection>();
  #retired = false;
  #drained: (() => void)[] = [];

  /** `onAccepts` is told when connections are taken again that were refused before. */
  constructor(backend: Backend, onAccepts: () => void) {
    this.backend = backend;
    this.#onAccepts = onAccepts;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** A connection for one request; `fresh` when it must not be one that was used before. */
  acquire(receiver: Receiver, fresh: boolean): BackendConnection {
    const kept = fresh ? undefined : this.#idle.pop();
    const connection = kept ?? this.#open();
    this.#all.add(connection);
    connection.receiver = receiver;
    this.inFlight++;
    return connection;
  }

  /** Gives a connection back after its answer; `reusable` when it may serve another request. */
  release(connection: BackendConnection, reusable: boolean): void {
    connection.receiver = undefined;
    if (reusable && !this.#retired && this.#idle.length < IDLE_MAX) {
      connection.resume();
      this.#idle.push(connection);
    } else connection.destroy();
    this.inFlight--;
    this.#tell();
  }

  /** A connection that was in flight speaks another protocol, or has ended to do so. */
  countTunnel(change: 1 | -1): void {
    this.tunnels += change;
    if (change === 1) this.inFlight--;
    this.#tell();
  }

  /** Takes no more requests: connections without one are closed. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
    this.#tell();
  }

  /** Takes requests again. */
  revive(): void {
    this.#retired = false;
    this.refuses = false;
  }

  /** Resolves when no request and no tunnel is left. */
  drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained.push(resolve);
    this.#tell();
    return promise;
  }

  /** Closes everything. */
  close(): void {
    this.retire();
    for (const connection of this.#all) connection.destroy();
  }

  #open(): BackendConnection {
    return new BackendConnection(this.backend, {
      onOpen: () => {
        const refused = this.refuses;
        this.refuses = false;
        if (refused) this.#onAccepts();
      },
      onRefused: () => this.refuses = true,
      onGone: (connection) => this.#forget(connection),
    });
  }

  #tell(): void {
    if (this.inFlight > 0 || this.tunnels > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #forget(connection: BackendConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
