/** Stdio on the protocol's library. Imported dynamically only. @module */
import { type JSONRPCMessage, parseJSONRPCMessage, type Transport } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Engine } from "./_engine.ts";
import { HouseServer } from "./_server.ts";
import { idOf, RPC, rpcError } from "./json_rpc.ts";
import type { McpLimits } from "./limits.ts";
import { LinePipe, type Pipes } from "./line_pipe.ts";

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
  await transport.pipe.ended;
  signal?.removeEventListener("abort", stop);
}

/** Lines as the library wants them. */
class PipeTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly pipe: LinePipe;

  constructor(pipes: Pipes, limits: McpLimits) {
    this.pipe = new LinePipe(pipes, limits, {
      message: (value) => this.#take(value),
      error: (error) => this.onerror?.(error),
      closed: () => this.onclose?.(),
    });
  }

  start(): Promise<void> {
    this.pipe.start();
    return Promise.resolve();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.pipe.send(message);
  }

  async close(): Promise<void> {
    await this.pipe.close();
  }

  #take(value: unknown): void {
    let message: JSONRPCMessage;
    try {
      message = parseJSONRPCMessage(value);
    } catch {
      // The library's reasons are a page long; the id tells which message it was.
      const refused = rpcError(
        idOf(value),
        RPC.invalidRequest,
        "Invalid request: this is no JSON-RPC 2.0 message",
      );
      this.send(refused as JSONRPCMessage).catch((error) => this.onerror?.(error));
      return;
    }
    this.onmessage?.(message);
  }
}
