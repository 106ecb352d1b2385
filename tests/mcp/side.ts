/** The client's side of a connection over pipes inside this process. For tests. @module */
import type { Pipes } from "../../lib/mcp/line_pipe.ts";

/** How a client of the era of sessions begins. */
export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};

export class Side implements AsyncDisposable {
  /** Resolves when whoever serves has ended. */
  readonly ended: Promise<void>;
  readonly #input = new TransformStream<Uint8Array, Uint8Array>();
  readonly #output = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>();
  readonly #writer = this.#input.writable.getWriter();
  readonly #reader = this.#output.readable.pipeThrough(new TextDecoderStream()).getReader();
  readonly #stop = new AbortController();
  #read = "";

  constructor(serve: (pipes: Pipes, signal: AbortSignal) => Promise<void>) {
    this.ended = serve({ input: this.#input.readable, output: this.#output.writable }, this.#stop.signal);
  }

  /** Sends a message, or a line as it is. */
  async send(message: unknown): Promise<void> {
    const line = typeof message === "string" ? message : JSON.stringify(message);
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Sends a line of bytes. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(Uint8Array.of(...bytes, 10));
  }

  /** The next message; `undefined` at the end. */
  // deno-lint-ignore no-explicit-any
  async receive(): Promise<any> {
    while (!this.#read.includes("\n")) {
      const { value } = await this.#reader.read();
      if (value === undefined) return undefined;
      this.#read += value;
    }
    const [line] = this.#read.split("\n", 1);
    this.#read = this.#read.slice(line!.length + 1);
    return JSON.parse(line!);
  }

  /** The client closes its end. */
  async end(): Promise<void> {
    await this.#writer.close();
  }

  /** Fires the signal of whoever serves. */
  stop(): void {
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.ended;
    await this.#reader.cancel();
  }
}
