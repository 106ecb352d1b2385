/** Servers and clients made of bytes, so that a test decides what is sent when. @module */
import { headEnd } from "../../lib/swap/http1.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("latin1");

/** One end of a connection. */
export class Peer implements Disposable {
  readonly connection: Deno.Conn;
  #pending = "";
  #closed = false;

  static async to(port: number): Promise<Peer> {
    return new Peer(await Deno.connect({ port }));
  }

  constructor(connection: Deno.Conn) {
    this.connection = connection;
  }

  async send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? ENCODER.encode(text) : text;
    for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
  }

  /** Everything up to and with these words; all that is left when the other side ends before. */
  async until(words: string): Promise<string> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const at = this.#pending.indexOf(words);
      if (at >= 0) return this.#cut(at + words.length);
      const got = await this.connection.read(buffer).catch((error: unknown) => {
        if (error instanceof Deno.errors.ConnectionReset) return null;
        throw error;
      });
      if (got === null) return this.#cut(this.#pending.length);
      this.#pending += DECODER.decode(buffer.subarray(0, got));
    }
  }

  head(): Promise<string> {
    return this.until("\r\n\r\n");
  }

  /** Reads so many bytes and forgets them; tells how many there were. */
  async count(limit: number): Promise<number> {
    const buffer = new Uint8Array(65_536);
    let total = this.#pending.length;
    this.#pending = "";
    while (total < limit) {
      const got = await this.connection.read(buffer);
      if (got === null) break;
      total += got;
    }
    return total;
  }

  /** Everything up to the end. */
  rest(): Promise<string> {
    return this.until("\0never\0");
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.connection.close();
    this.#closed = true;
  }

  #cut(at: number): string {
    const text = this.#pending.slice(0, at);
    this.#pending = this.#pending.slice(at);
    return text;
  }
}

/** A server whose connections a test takes one by one, or that answers each request by itself. */
export class RawServer implements AsyncDisposable {
  readonly backend: { readonly host: string; readonly port: number };
  /** Connections so far. */
  connections = 0;
  readonly #listener: Deno.Listener;
  readonly #peers: Peer[] = [];
  #serving: Promise<void> | undefined;

  constructor(port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.backend = { host: "127.0.0.1", port: (this.#listener.addr as Deno.NetAddr).port };
  }

  async accept(): Promise<Peer> {
    const peer = new Peer(await this.#listener.accept());
    this.connections++;
    this.#peers.push(peer);
    return peer;
  }

  /** Answers every request with these words. */
  answer(words: string): this {
    this.#serving = this.#serve(words);
    return this;
  }

  async #serve(words: string): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      for (;;) serving.push(answerAll(await this.accept(), words));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
        throw error;
      }
    }
    await Promise.all(serving);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const peer of this.#peers) peer[Symbol.dispose]();
    await this.#serving;
  }
}

async function answerAll(peer: Peer, words: string): Promise<void> {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${words.length}\r\n\r\n${words}`;
  try {
    while (await peer.head() !== "") await peer.send(answer);
  } catch (error) {
    const expected = [Deno.errors.BadResource, Deno.errors.Interrupted, Deno.errors.BrokenPipe];
    if (!expected.some((each) => error instanceof each)) throw error;
  }
  peer[Symbol.dispose]();
}

/** Where an answer's body begins. */
export function bodyOf(answer: string): string {
  return answer.slice(headEnd(ENCODER.encode(answer)));
}
