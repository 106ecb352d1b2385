/** One end of a stdio connection: a JSON value a line, both ways. @module */
import { idOf, isRecord, RPC, rpcError, type RpcId } from "./json_rpc.ts";
import type { McpLimits } from "./limits.ts";
import { Lines } from "./lines.ts";

/** How long requests may go on once the client has closed its end, and what is written may wait for its reader. */
const END_GRACE_MS = 1_000;

/** The two ends of a connection. */
export interface Pipes {
  readonly input: ReadableStream<Uint8Array>;
  readonly output: WritableStream<Uint8Array>;
}

/** Whoever is told what comes in. */
export interface Receiver {
  message(value: unknown): void;
  error(error: Error): void;
  /** The connection ends: nothing comes any more, and nothing can be sent. */
  closed(): void;
}

/** Reads and writes lines. What is no JSON is answered as JSON-RPC wants it, and the connection goes on. */
export class LinePipe {
  /** Resolves when both ends are done with. */
  readonly ended: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #receiver: Receiver;
  readonly #lines: Lines;
  readonly #unreadBytes: number;
  readonly #end = Promise.withResolvers<void>();
  /** Requests without an answer yet. */
  readonly #open = new Set<RpcId>();
  #idle = Promise.withResolvers<void>();
  #waitingBytes = 0;
  #closed = false;

  constructor({ input, output }: Pipes, limits: McpLimits, receiver: Receiver) {
    this.ended = this.#end.promise;
    this.#reader = input.getReader();
    this.#writer = output.getWriter();
    this.#receiver = receiver;
    this.#lines = new Lines(limits.bodyBytes);
    this.#unreadBytes = limits.unreadBytes;
  }

  /** What was sent and is not read yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Begins to read. */
  start(): void {
    this.#read().catch((error) => this.#receiver.error(error)).finally(() => this.close());
  }

  /** Writes a message; one that comes too late is dropped. */
  async send(message: object): Promise<void> {
    if (this.#closed) return;
    if (this.#waitingBytes > this.#unreadBytes) {
      this.#receiver.error(new Error("The client reads too slowly and was cut off"));
      return await this.close();
    }
    const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    this.#waitingBytes += bytes.length;
    await this.#writer.write(bytes);
    this.#waitingBytes -= bytes.length;
    if (!("method" in message)) this.#answered(idOf(message));
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver.closed();
    this.#idle.resolve();
    // Either end may be broken already, which is why it is closed.
    await this.#reader.cancel().catch(() => undefined);
    // What a client does not read in time is given up.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#waitingBytes > this.#unreadBytes ? 0 : END_GRACE_MS);
    await Promise.race([this.#writer.close().catch(() => undefined), promise]);
    clearTimeout(timer);
    this.#end.resolve();
  }

  async #read(): Promise<void> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) break;
      for (const line of this.#lines.push(value)) await this.#take(line);
    }
    for (const line of this.#lines.rest()) await this.#take(line);
    if (this.#open.size === 0 || this.#closed) return;
    const timer = setTimeout(this.#idle.resolve, END_GRACE_MS);
    await this.#idle.promise;
    clearTimeout(timer);
  }

  async #take(line: string | undefined): Promise<void> {
    if (line === undefined) {
      return await this.send(rpcError(null, RPC.invalidRequest, "Invalid request: the line is too long"));
    }
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      return await this.send(rpcError(null, RPC.parse, `Parse error: ${reason}`));
    }
    if (isRecord(value) && "method" in value && idOf(value) !== null) this.#open.add(idOf(value));
    // What is cancelled is not answered, and nobody waits for it.
    if (isRecord(value) && value.method === "notifications/cancelled" && isRecord(value.params)) {
      this.#answered(idOf({ id: value.params.requestId }));
    }
    this.#receiver.message(value);
  }

  #answered(id: RpcId): void {
    this.#open.delete(id);
    if (this.#open.size > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }
}
