/** The HTTP proxy in front of a service: the server behind it changes, its clients do not notice. @module */
import { createServer, type Server, type Socket } from "node:net";
import { addressText, type Listener, openListener, type SocketAddress } from "../../ffi/sockets/mod.ts";
import { Acceptor } from "../web/mod.ts";
import { type Backend, BackendPool } from "./backend.ts";
import { Client } from "./client.ts";
import type { Dispatcher, Waiting } from "./exchange.ts";

/** How long a request waits at most for a server to be there. */
const HOLD_MS = 30_000;
/** Requests that wait at a time; the next one is answered with 503. */
const HOLD_MAX = 1_024;
/** How long a client may keep its side open after its last answer. */
const LINGER_MS = 30_000;
/** Until a server that refused a connection is asked again. */
const RETRY_MS = 20;
/** Clients at a time; the next one is closed. */
const CLIENTS_MAX = 16_384;
/** Failures that are told one by one. */
const FAILURES_MAX = 20;

/** A proxy's settings: the socket it accepts on, which stays the caller's, or the address of a new one. */
export interface ProxyOptions {
  readonly listener?: Listener;
  readonly address?: SocketAddress;
  /** 30 s by default. */
  readonly holdMs?: number;
  /** 1,024 by default. */
  readonly holdMax?: number;
  /** A client that has its last answer and does not close is closed then; 30 s by default. */
  readonly lingerMs?: number;
}

/** A request that got no answer of a server. */
export interface ProxyFailure {
  readonly method: string;
  readonly target: string;
  readonly reason: string;
  /** Unix milliseconds. */
  readonly timeMs: number;
}

/** What a proxy has done so far, and has now. */
export interface ProxyStats {
  readonly clients: number;
  readonly requests: number;
  /** Sent once more, since a server closed the connection without an answer. */
  readonly retried: number;
  /** That wait for a server now. */
  readonly held: number;
  /** Answered with 502 or 503 by the proxy itself. */
  readonly refused: number;
  /** Answers that broke off. */
  readonly cut: number;
  /** The last 20 of both. */
  readonly failures: readonly ProxyFailure[];
  readonly backends: readonly {
    readonly backend: Backend;
    readonly isCurrent: boolean;
    readonly inFlight: number;
    readonly tunnels: number;
    readonly idle: number;
  }[];
}

/**
 * A proxy. Requests go to the backend that `use` named last; those that were sent to one before are finished there.
 * While there is none, or it refuses connections, requests wait.
 */
export class Proxy implements AsyncDisposable {
  readonly #address: SocketAddress;
  readonly #holdMs: number;
  readonly #holdMax: number;
  readonly #clients = new Set<Client>();
  readonly #pools = new Map<string, BackendPool>();
  /** Requests that wait, with the timer of each. */
  readonly #held = new Map<Waiting, ReturnType<typeof setTimeout>>();
  readonly #failures: ProxyFailure[] = [];
  readonly #counts = { requests: 0, retried: 0, refused: 0, cut: 0 };
  #retiring = false;
  #acceptor: Acceptor<Server> | undefined;
  #current: BackendPool | undefined;
  readonly #dispatcher: Dispatcher;
  /** Runs while a server refuses connections. */
  #trying: ReturnType<typeof setTimeout> | undefined;

  /** Begins to accept. @throws {SystemError} When the address is taken. */
  static async start(options: ProxyOptions): Promise<Proxy> {
    const { listener, address = { host: "127.0.0.1", port: 0 } } = options;
    using own = listener?.duplicate() ?? openListener(address);
    const proxy = new Proxy(own.address, options);
    proxy.#acceptor = await Acceptor.open(own, () => proxy.#newServer());
    return proxy;
  }

  private constructor(
    address: SocketAddress,
    { holdMs = HOLD_MS, holdMax = HOLD_MAX, lingerMs = LINGER_MS }: ProxyOptions,
  ) {
    this.#address = address;
    this.#holdMs = holdMs;
    this.#holdMax = holdMax;
    this.#dispatcher = this.#newDispatcher(lingerMs);
  }

  /** Where it accepts. */
  get address(): SocketAddress {
    return this.#address;
  }

  /**
   * Sends requests from now on to a backend, which should be ready; those that wait go there at once. Connections to
   * the one before that carry nothing are closed. `undefined` has requests wait.
   */
  use(backend: Backend | undefined): void {
    const pool = backend === undefined ? undefined : this.#poolOf(backend);
    if (pool === this.#current) return;
    const before = this.#current;
    this.#current = pool;
    pool?.revive();
    before?.retire();
    if (pool !== undefined) this.#releaseHeld(this.#held.size);
  }

  /** Resolves when a backend that is no longer in use has answered all, tunnels included. */
  async drained(backend: Backend): Promise<void> {
    const name = addressText(backend);
    const pool = this.#pools.get(name);
    if (pool === undefined) return;
    await pool.drained();
    if (pool !== this.#current && this.#pools.get(name) === pool) this.#pools.delete(name);
  }

  stats(): ProxyStats {
    return {
      ...this.#counts,
      clients: this.#clients.size,
      held: this.#held.size,
      failures: [...this.#failures],
      backends: [...this.#pools.values()].map((pool) => ({
        backend: pool.backend,
        isCurrent: pool === this.#current,
        inFlight: pool.inFlight,
        tunnels: pool.tunnels,
        idle: pool.idle,
      })),
    };
  }

  /**
   * Ends so that no request is lost, for another proxy on the same socket: accepts no more, and has each client go
   * after its next answer. Resolves when all have gone; those who ask nothing have to after `limitMs`.
   */
  async retire(limitMs: number): Promise<void> {
    this.#retiring = true;
    const timer = setTimeout(() => {
      for (const client of this.#clients) client.destroy();
    }, limitMs);
    await this.#acceptor?.close();
    clearTimeout(timer);
    await this[Symbol.asyncDispose]();
  }

  /** Accepts no more and breaks off what is under way; the caller's listener goes on to hold what arrives. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
    clearTimeout(this.#trying);
    this.#current = undefined;
    const closed = this.#acceptor?.close();
    for (const client of this.#clients) client.destroy();
    for (const pool of this.#pools.values()) pool.close();
    await closed;
  }

  #newServer(): Server {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    server.maxConnections = CLIENTS_MAX;
    return server;
  }

  #accept(socket: Socket): void {
    this.#clients.add(new Client(socket, this.#dispatcher, (client) => this.#clients.delete(client)));
  }

  #poolOf(backend: Backend): BackendPool {
    const name = addressText(backend);
    const pool = this.#pools.get(name) ?? new BackendPool(backend, () => this.#releaseHeld(this.#held.size));
    this.#pools.set(name, pool);
    return pool;
  }

  #dispatch(waiting: Waiting): void {
    const pool = this.#current;
    if (pool !== undefined && !pool.refuses) return waiting.start(pool);
    const now = performance.now();
    waiting.holdUntil ??= now + this.#holdMs;
    if (now >= waiting.holdUntil) return this.#refuse(waiting, 503, "no server took it in time");
    if (this.#held.size >= this.#holdMax) {
      return this.#refuse(waiting, 503, `${this.#holdMax} requests wait already`);
    }
    const tooLate = () => {
      this.#held.delete(waiting);
      this.#dispatch(waiting);
    };
    this.#held.set(waiting, setTimeout(tooLate, waiting.holdUntil - now));
    this.#tryLater();
  }

  /** While a server refuses connections, one request at a time finds out whether it still does. */
  #tryLater(): void {
    if (this.#trying !== undefined || this.#current?.refuses !== true) return;
    this.#trying = setTimeout(() => {
      this.#trying = undefined;
      if (this.#current !== undefined) this.#current.refuses = false;
      this.#releaseHeld(1);
      // That one is under way: the others go on waiting, or would all be refused at the same time.
      if (this.#held.size > 0 && this.#current !== undefined) this.#current.refuses = true;
      if (this.#held.size > 0) this.#tryLater();
    }, RETRY_MS);
  }

  /** Sends requests that wait, the first ones first. */
  #releaseHeld(count: number): void {
    for (const [waiting, timer] of [...this.#held].slice(0, count)) {
      clearTimeout(timer);
      this.#held.delete(waiting);
      this.#dispatch(waiting);
    }
  }

  #refuse(waiting: Waiting, status: 502 | 503, why: string): void {
    this.#counts.refused++;
    this.#fail(waiting, why);
    waiting.refused(status, why);
  }

  #fail({ name: { method, target } }: Waiting, reason: string): void {
    if (this.#failures.length === FAILURES_MAX) this.#failures.shift();
    this.#failures.push({ method, target, reason, timeMs: Date.now() });
  }

  #newDispatcher(lingerMs: number): Dispatcher {
    return {
      lingerMs,
      isRetiring: () => this.#retiring,
      begin: (waiting) => {
        this.#counts.requests++;
        this.#dispatch(waiting);
      },
      again: (waiting, wasSent) => {
        if (wasSent) this.#counts.retried++;
        this.#dispatch(waiting);
      },
      forget: (waiting) => {
        clearTimeout(this.#held.get(waiting));
        this.#held.delete(waiting);
      },
      refuse: (waiting, why) => this.#refuse(waiting, 502, why),
      cut: (waiting) => {
        this.#counts.cut++;
        this.#fail(waiting, "the answer broke off");
      },
    };
  }
}
