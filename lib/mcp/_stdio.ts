/** Stdio on the protocol's library. Imported dynamically only. @module */
import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  parseJSONRPCMessage,
  type Transport,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Engine } from "./_engine.ts";
import { HouseServer } from "./_server.ts";
import { idOf, RPC, rpcError, type RpcId, type RpcResponse } from "./json_rpc.ts";
import type { McpLimits } from "./limits.ts";
import { Lines } from "./lines.ts";

/** How long requests may go on once the client has closed its end; then they are cancelled. */
const END_GRACE_MS = 1_000;

/** The two ends of a connection. */
export interface Pipes {
  readonly input: ReadableStream<Uint8Array>;
  readonly output: WritableStream<Uint8Array>;
}

/** Resolves when the connection has ended. */
export async function runStdio(engine: Engine, pipes: Pipes, signal: AbortSignal | undefined): Promise<void> {
  const transport = new PipeTransport(pipes, engine.limits);
  const handle = serveStdio(({ era }) => new HouseServer(engine, era === "modern" ? "modern" : "legacy"), {
    transport,
    maxSubscriptions: engine.limits.subscriptions,
    onerror: engine.onError,
  });
  const stop = () => void handle.close();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  await transport.ended;
  signal?.removeEventListener("abort", stop);
}

/** One message a line. What is no message is answered as JSON-RPC wants it, and the connection goes on. */
class PipeTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Resolves when both ends are done with. */
  readonly ended: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: Lines;
  readonly #end = Promise.withResolvers<void>();
  /** Requests without an answer yet. */
  readonly #open = new Set<RpcId>();
  #idle = Promise.withResolvers<void>();
  readonly #unreadBytes: number;
  #waitingBytes = 0;
  #closed = false;

  constructor({ input, output }: Pipes, limits: McpLimits) {
    this.ended = this.#end.promise;
    this.#reader = input.getReader();
    this.#writer = output.getWriter();
    this.#lines = new Lines(limits.bodyBytes);
    this.#unreadBytes = limits.unreadBytes;
  }

  start(): Promise<void> {
    this.#read().catch((error) => this.onerror?.(error)).finally(() => this.close());
    return Promise.resolve();
  }

  async send(message: JSONRPCMessage | RpcResponse): Promise<void> {
    if (this.#closed) return;
    if (this.#waitingBytes > this.#unreadBytes) {
      this.onerror?.(new Error("The client reads too slowly and was cut off"));
      return await this.close();
    }
    const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    this.#waitingBytes += bytes.length;
    await this.#writer.write(bytes);
    this.#waitingBytes -= bytes.length;
    if (!("method" in message) && message.id !== undefined) this.#answered(message.id);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
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
    const read = parseLine(line);
    if (read.refused !== undefined) return await this.send(read.refused);
    if (isJSONRPCRequest(read.message)) this.#open.add(read.message.id);
    this.onmessage?.(read.message);
  }

  #answered(id: RpcId): void {
    this.#open.delete(id);
    if (this.#open.size === 0) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    }
  }
}

/** The message, or the error to answer the line with. */
type Read = { readonly message: JSONRPCMessage; readonly refused?: undefined } | {
  readonly refused: RpcResponse;
};

function parseLine(line: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    return { refused: rpcError(null, RPC.parse, `Parse error: ${reason}`) };
  }
  try {
    return { message: parseJSONRPCMessage(value) };
  } catch {
    // The library's reasons are a page long; the id tells which message it was.
    const refused = rpcError(
      idOf(value),
      RPC.invalidRequest,
      "Invalid request: this is no JSON-RPC 2.0 message",
    );
    return { refused };
  }
}
