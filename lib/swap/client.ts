/** One client's connection: its requests, one after the other. @module */
import { joined, NOTHING } from "./_bytes.ts";
import type { Socket } from "node:net";
import { Passage } from "./passage.ts";
import { type Asker, type Dispatcher, Exchange } from "./exchange.ts";
import {
  blankLines,
  BodyScanner,
  firstWords,
  HEAD_BYTES,
  headEnd,
  ownAnswer,
  parseRequest,
  type RequestHead,
} from "./http1.ts";

/** Bytes that a client may send ahead while its request is answered; then it has to wait. */
const AHEAD_BYTES = 65_536;

/** What a client is doing. */
type State =
  | { readonly kind: "first" }
  | { readonly kind: "head" }
  /** It has not read the answers before: its next request has to wait. */
  | { readonly kind: "behind" }
  | { readonly kind: "body"; readonly exchange: Exchange; readonly body: BodyScanner }
  | { readonly kind: "answer"; readonly exchange: Exchange }
  | { readonly kind: "tunnel"; readonly exchange: Exchange | Passage }
  | { readonly kind: "closing" };

/** One client. */
export class Client implements Asker {
  readonly #socket: Socket;
  readonly #proxy: Dispatcher;
  #state: State = { kind: "first" };
  /** What was sent ahead, or is not a whole head. */
  #ahead: Uint8Array = NOTHING;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: Socket, proxy: Dispatcher, onClosed: (client: Client) => void) {
    this.#socket = socket;
    this.#proxy = proxy;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => this.#take(bytes));
    socket.on("drain", () => this.#state.kind === "behind" ? this.#goOn() : this.#exchange()?.onAskerDrain());
    socket.on("end", () => this.#onEnd());
    // What went wrong does not matter: "close" follows.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(this.#lingering);
      const exchange = this.#exchange();
      this.#state = { kind: "closing" };
      if (exchange?.over === false) exchange.abort();
      onClosed(this);
    });
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#ahead.length <= AHEAD_BYTES) this.#socket.resume();
  }

  onAnswered(reusable: boolean): void {
    if (!reusable) return this.#close();
    if (this.#socket.writableNeedDrain) this.#state = { kind: "behind" };
    else this.#goOn();
  }

  onTunnel(): void {
    const exchange = this.#exchange();
    if (exchange === undefined) return;
    this.#state = { kind: "tunnel", exchange };
    this.#socket.resume();
    if (this.#ahead.length > 0) exchange.tunnelWrite(this.#ahead);
    this.#ahead = NOTHING;
  }

  onTunnelEnd(): void {
    this.#close();
  }

  /** Answers in the place of a server, and closes. */
  refuse(status: number, text: string): void {
    this.#socket.write(ownAnswer(status, text));
    this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #exchange(): Exchange | Passage | undefined {
    return "exchange" in this.#state ? this.#state.exchange : undefined;
  }

  #take(bytes: Uint8Array): void {
    const state = this.#state;
    if (state.kind === "tunnel") return state.exchange.tunnelWrite(bytes);
    if (state.kind === "closing") return;
    if (state.kind === "body") return this.#takeBody(state.exchange, state.body, bytes);
    const before = this.#ahead.length;
    this.#ahead = joined(this.#ahead, bytes);
    if (state.kind === "first") this.#begin();
    else if (state.kind === "head") this.#next(before);
    else if (this.#ahead.length > AHEAD_BYTES) this.#socket.pause();
  }

  /** Looks what it speaks. */
  #begin(): void {
    const words = firstWords(this.#ahead);
    if (words === "other") {
      const exchange = new Passage(this.#proxy, this, this.#ahead);
      this.#ahead = NOTHING;
      this.#state = { kind: "tunnel", exchange };
      // Nothing more is read before somebody takes it.
      this.#socket.pause();
      this.#proxy.begin(exchange);
    } else if (words === "http1") {
      this.#state = { kind: "head" };
      this.#next();
    }
  }

  /** Takes its next request. */
  #goOn(): void {
    this.#state = { kind: "head" };
    this.#socket.resume();
    this.#next();
  }

  /** Begins with the next request, when its head is whole. */
  #next(from = 0): void {
    const blank = blankLines(this.#ahead);
    if (blank > 0) [this.#ahead, from] = [this.#ahead.subarray(blank), 0];
    if (this.#ahead.length === 0) return;
    const end = headEnd(this.#ahead, from - 3);
    if (end < 0) {
      if (this.#ahead.length > HEAD_BYTES) {
        this.refuse(431, `a head has at most ${HEAD_BYTES} bytes`);
      }
      return;
    }
    let head: RequestHead;
    try {
      head = parseRequest(this.#ahead.subarray(0, end));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.refuse(400, error.message);
    }
    if (head.method === "CONNECT") return this.refuse(501, "CONNECT is not for this proxy");
    const rest = this.#ahead.subarray(end);
    this.#ahead = NOTHING;
    const exchange = new Exchange(this.#proxy, this, head);
    const body = new BodyScanner(head.framing);
    this.#state = { kind: "body", exchange, body };
    this.#takeBody(exchange, body, rest);
    if (this.#exchange() === exchange) this.#proxy.begin(exchange);
  }

  #takeBody(exchange: Exchange, body: BodyScanner, bytes: Uint8Array): void {
    let taken: number;
    try {
      taken = body.take(bytes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      exchange.abort();
      return this.refuse(400, error.message);
    }
    if (taken > 0) exchange.takeBody(bytes.subarray(0, taken));
    if (!body.done) return;
    exchange.endBody();
    this.#state = { kind: "answer", exchange };
    this.#ahead = bytes.subarray(taken);
  }

  /** A client that closes its side is not there for an answer any more (nginx and hyper see it so too). */
  #onEnd(): void {
    const state = this.#state;
    if (state.kind === "tunnel") state.exchange.tunnelEnd();
    else if (state.kind !== "closing") this.#socket.destroy();
  }

  #close(): void {
    this.#state = { kind: "closing" };
    this.#socket.end(() => this.#lingering = setTimeout(() => this.#socket.destroy(), this.#proxy.lingerMs));
    // What still comes of the client is read and dropped, so that its last answer is not lost to a reset.
    this.#socket.resume();
  }
}
