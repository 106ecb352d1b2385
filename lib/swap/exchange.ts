/** One request on its way to a server and its answer on the way back; tried again where that is safe. @module */
import { joined, NOTHING } from "./_bytes.ts";
import { type BackendConnection, type BackendPool, type Receiver } from "./backend.ts";
import {
  BodyScanner,
  type Framing,
  HEAD_BYTES,
  headEnd,
  parseResponse,
  requestBytes,
  type RequestHead,
  responseBytes,
  type ResponseHead,
} from "./http1.ts";

/** What an exchange needs of its client. */
export interface Asker {
  /** False when the client takes no more just now. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** The answer is whole; `reusable` when both sides may go on. */
  onAnswered(reusable: boolean): void;
  /** From here on the connection carries another protocol. */
  onTunnel(): void;
  /** The other side of a tunnel has said its last. */
  onTunnelEnd(): void;
  /** Gets an answer of the proxy's own; it is the last one. */
  refuse(status: number, text: string): void;
  /** The answer breaks off. */
  destroy(): void;
}

/** What may have to wait for a server. */
export interface Waiting {
  /** For whoever reads what went wrong. */
  readonly name: { readonly method: string; readonly target: string };
  /** Until when it may wait, once it does; the proxy's. */
  holdUntil: number | undefined;
  /** There is one. */
  start(pool: BackendPool): void;
  /** There was none in time: the proxy answers in its place. */
  refused(status: number, why: string): void;
}

/** What an exchange needs of the proxy. */
export interface Dispatcher {
  /** How long a client may keep its side open after its last answer has gone out. */
  readonly lingerMs: number;
  /** Clients are to go after their next answer. */
  isRetiring(): boolean;
  /** Finds a server, at once or when there is one. */
  begin(waiting: Waiting): void;
  /** The same when one did not answer: it had been sent to it, or could not even be. */
  again(waiting: Waiting, wasSent: boolean): void;
  /** Its client has gone. */
  forget(waiting: Waiting): void;
  /** Answers in the place of a server that did not, or with nonsense. */
  refuse(waiting: Waiting, why: string): void;
  /** Its client has got a part of an answer and gets no more. */
  cut(waiting: Waiting): void;
}

/** Of RFC 9110, section 9.2.2: doing it twice is doing it once. */
export const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Bytes of a body that are kept to be sent again; a longer one is sent once. */
export const REPLAY_BYTES = 1 << 18;
/** How often a request is sent to servers that take it and do not answer. */
const ATTEMPTS_MAX = 4;
/** An answer's first bytes and its head go out together up to this size. */
const JOIN_BYTES = 16_384;

/** One request. */
export class Exchange implements Receiver, Waiting {
  readonly head: RequestHead;
  holdUntil: number | undefined;
  readonly #asker: Asker;
  readonly #proxy: Dispatcher;
  /** The body so far, while it can be sent again. */
  #parts: Uint8Array[] | undefined = [];
  #partBytes = 0;
  #bodyDone = false;
  #pool: BackendPool | undefined;
  #connection: BackendConnection | undefined;
  #attempts = 0;
  /** What has come of an answer's head. */
  #pending: Uint8Array = NOTHING;
  #answer:
    | { readonly head: ResponseHead; readonly body: BodyScanner; readonly keepsClient: boolean }
    | undefined;
  /** Whether the client has got a part of an answer. */
  #answering = false;
  #tunnel = false;
  #over = false;

  constructor(proxy: Dispatcher, asker: Asker, head: RequestHead) {
    this.#proxy = proxy;
    this.#asker = asker;
    this.head = head;
  }

  get name(): RequestHead {
    return this.head;
  }

  get over(): boolean {
    return this.#over;
  }

  /** A part of the request's body. */
  takeBody(bytes: Uint8Array): void {
    if (this.#parts !== undefined) {
      this.#parts.push(bytes);
      this.#partBytes += bytes.length;
      // Nobody is there yet, and nothing more is kept.
      if (this.#connection === undefined && this.#partBytes > REPLAY_BYTES) this.#asker.pause();
    }
    if (this.#connection === undefined) return;
    this.#forgetLongBody();
    if (!this.#connection.write(bytes)) this.#asker.pause();
  }

  endBody(): void {
    this.#bodyDone = true;
  }

  /** Sends the request to a server. */
  start(pool: BackendPool): void {
    // Nobody can say whether a server that closes an old connection has taken the request: what must not be done
    // twice gets a new one.
    const fresh = this.head.upgrade || !IDEMPOTENT.has(this.head.method) || this.#attempts > 0;
    this.#pool = pool;
    this.#pending = NOTHING;
    this.#connection = pool.acquire(this, fresh);
    let more = this.#connection.write(requestBytes(this.head));
    for (const part of this.#parts ?? []) more = this.#connection.write(part);
    this.#forgetLongBody();
    if (more) this.#asker.resume();
    else this.#asker.pause();
  }

  /** The client has gone. */
  abort(): void {
    this.#over = true;
    const [pool, connection] = [this.#pool, this.#connection];
    this.#connection = undefined;
    if (pool === undefined || connection === undefined) return this.#proxy.forget(this);
    if (this.#tunnel) {
      connection.receiver = undefined;
      connection.destroy();
      pool.countTunnel(-1);
    } else pool.release(connection, false);
  }

  /** The proxy answers in the place of a server. */
  refused(status: number, why: string): void {
    this.#over = true;
    this.#asker.refuse(status, why);
  }

  /** Bytes of another protocol, from the client. */
  tunnelWrite(bytes: Uint8Array): void {
    if (this.#connection?.write(bytes) === false) this.#asker.pause();
  }

  tunnelEnd(): void {
    this.#connection?.end();
  }

  /** The client takes more. */
  onAskerDrain(): void {
    this.#connection?.resume();
  }

  onOpen(): void {
    this.#forgetLongBody();
  }

  onDrain(): void {
    this.#asker.resume();
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#tunnel) this.#toClient(bytes);
    else if (this.#answer !== undefined) this.#takeAnswerBody(bytes, NOTHING);
    else this.#takeAnswerHead(bytes);
  }

  onGone(clean: boolean): void {
    if (this.#over) return;
    const [pool, connection] = [this.#pool!, this.#connection!];
    if (this.#tunnel) {
      this.#over = true;
      pool.countTunnel(-1);
      return this.#asker.onTunnelEnd();
    }
    if (this.#answer?.body.endsWithConnection && clean) return this.#finish();
    this.#connection = undefined;
    pool.release(connection, false);
    if (this.#answering) {
      this.#over = true;
      this.#proxy.cut(this);
      return this.#asker.destroy();
    }
    this.#tryAgain(connection);
  }

  /** What was sent of a body that is too long to keep; before there is a connection nothing was. */
  #forgetLongBody(): void {
    if (this.#partBytes > REPLAY_BYTES && this.#connection?.connected === true) this.#parts = undefined;
  }

  #tryAgain(connection: BackendConnection): void {
    if (this.#parts === undefined) return this.#refuse("its body was too long to be sent again");
    // It was never sent: that may be repeated as often as there is time.
    if (!connection.connected) return this.#proxy.again(this, false);
    this.#attempts++;
    if (!IDEMPOTENT.has(this.head.method)) return this.#refuse(`${this.head.method} must not be sent twice`);
    if (this.#attempts >= ATTEMPTS_MAX) return this.#refuse(`it was sent ${this.#attempts} times`);
    this.#proxy.again(this, true);
  }

  #refuse(why: string): void {
    this.#proxy.refuse(this, `the server closed the connection without an answer, and ${why}`);
  }

  #takeAnswerHead(bytes: Uint8Array): void {
    const before = this.#pending.length;
    this.#pending = joined(this.#pending, bytes);
    const end = headEnd(this.#pending, before - 3);
    if (end < 0) {
      if (this.#pending.length > HEAD_BYTES) this.#malformed(`its head has over ${HEAD_BYTES} bytes`);
      return;
    }
    const rest = this.#pending.subarray(end);
    let head: ResponseHead;
    try {
      head = parseResponse(this.#pending.subarray(0, end), this.head.method);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.#malformed(error.message);
    }
    this.#pending = NOTHING;
    if (head.status === 101) {
      return this.head.upgrade
        ? this.#beginTunnel(head, rest)
        : this.#malformed("it changes the protocol unasked");
    }
    if (head.status < 200) {
      if (!this.head.isOld) this.#toClient(responseBytes(head, undefined));
      return rest.length > 0 ? this.#takeAnswerHead(rest) : undefined;
    }
    const keepsClient = this.#keepsClient(head.framing);
    this.#answer = { head, body: new BodyScanner(head.framing), keepsClient };
    const connection = !keepsClient ? "close" : this.head.isOld ? "keep-alive" : undefined;
    this.#takeAnswerBody(rest, responseBytes(head, connection));
  }

  /** Whether the client's connection can carry its next request; the client is told, so that it is decided once. */
  #keepsClient({ kind }: Framing): boolean {
    return this.head.keepAlive && !this.#proxy.isRetiring() && kind !== "close" &&
      !(this.head.isOld && kind === "chunked");
  }

  #takeAnswerBody(bytes: Uint8Array, before: Uint8Array): void {
    const { body } = this.#answer!;
    let taken: number;
    try {
      taken = body.take(bytes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.#malformed(error.message);
    }
    const part = taken === bytes.length ? bytes : bytes.subarray(0, taken);
    if (before.length > 0 && part.length > 0 && part.length <= JOIN_BYTES) {
      this.#toClient(joined(before, part));
    } else {
      if (before.length > 0) this.#toClient(before);
      if (part.length > 0) this.#toClient(part);
    }
    if (body.done) this.#finish(taken < bytes.length);
  }

  #finish(isTooMuch = false): void {
    const { head, keepsClient } = this.#answer!;
    const connection = this.#connection!;
    this.#over = true;
    this.#connection = undefined;
    // A server that answers before it has read everything cannot be asked again on this connection.
    this.#pool!.release(connection, head.keepAlive && this.#bodyDone && !isTooMuch);
    this.#asker.onAnswered(keepsClient && this.#bodyDone);
  }

  #beginTunnel(head: ResponseHead, rest: Uint8Array): void {
    this.#tunnel = true;
    this.#pool!.countTunnel(1);
    this.#toClient(joined(responseBytes(head, undefined), rest));
    this.#asker.onTunnel();
  }

  #toClient(bytes: Uint8Array): void {
    this.#answering = true;
    if (!this.#asker.write(bytes)) this.#connection?.pause();
  }

  #malformed(what: string): void {
    const connection = this.#connection!;
    this.#connection = undefined;
    this.#pool!.release(connection, false);
    if (!this.#answering) return this.#proxy.refuse(this, what);
    this.#over = true;
    this.#proxy.cut(this);
    this.#asker.destroy();
  }
}
