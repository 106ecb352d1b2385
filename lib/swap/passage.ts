/** A connection that is not HTTP/1 (TLS, HTTP/2, anything): its bytes pass to one server as they are. @module */
import type { BackendConnection, BackendPool, Receiver } from "./backend.ts";
import type { Asker, Dispatcher, Waiting } from "./exchange.ts";

/** One such connection, from its first byte to its last; it stays with the server that it began with. */
export class Passage implements Receiver, Waiting {
  readonly name = { method: "(no HTTP/1)", target: "" };
  holdUntil: number | undefined;
  readonly #proxy: Dispatcher;
  readonly #asker: Asker;
  readonly #first: Uint8Array;
  #pool: BackendPool | undefined;
  #connection: BackendConnection | undefined;
  #over = false;

  constructor(proxy: Dispatcher, asker: Asker, first: Uint8Array) {
    this.#proxy = proxy;
    this.#asker = asker;
    this.#first = first;
  }

  get over(): boolean {
    return this.#over;
  }

  start(pool: BackendPool): void {
    this.#pool = pool;
    this.#connection = pool.acquire(this, true);
    pool.countTunnel(1);
    this.#connection.write(this.#first);
  }

  tunnelWrite(bytes: Uint8Array): void {
    if (this.#connection?.write(bytes) === false) this.#asker.pause();
  }

  tunnelEnd(): void {
    if (this.#connection === undefined) this.#asker.destroy();
    else this.#connection.end();
  }

  abort(): void {
    this.#over = true;
    const connection = this.#connection;
    if (connection === undefined) return this.#proxy.forget(this);
    connection.receiver = undefined;
    connection.destroy();
    this.#pool!.countTunnel(-1);
  }

  /** There are no words that it would understand. */
  refused(): void {
    this.#over = true;
    this.#asker.destroy();
  }

  onAskerDrain(): void {
    this.#connection?.resume();
  }

  /** Only now: what was sent to a server that is not there would be lost. */
  onOpen(): void {
    this.#asker.resume();
  }

  onDrain(): void {
    this.#asker.resume();
  }

  onBytes(bytes: Uint8Array): void {
    if (!this.#asker.write(bytes)) this.#connection?.pause();
  }

  onGone(): void {
    const connection = this.#connection!;
    this.#connection = undefined;
    this.#pool!.countTunnel(-1);
    // Nothing was sent so far: perhaps there is a server in a moment.
    if (!connection.connected) return this.#proxy.again(this, false);
    this.#over = true;
    this.#asker.onTunnelEnd();
  }
}
