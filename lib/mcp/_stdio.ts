/** Stdio on the protocol's library. Imported dynamically only. @module */
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import process from "node:process";
import type { Engine } from "./_engine.ts";
import { HouseServer } from "./_server.ts";

/** Resolves when the connection has ended. */
export async function runStdio(engine: Engine, signal: AbortSignal | undefined): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const transport = new StdioServerTransport(process.stdin, process.stdout, {
    maxBufferSize: engine.limits.bodyBytes,
  });
  const handle = serveStdio(({ era }) => new HouseServer(engine, era === "modern" ? "modern" : "legacy"), {
    transport,
    maxSubscriptions: engine.limits.subscriptions,
    onerror: engine.onError,
  });
  const closed = transport.onclose;
  transport.onclose = () => {
    closed?.();
    ended.resolve();
  };
  const stop = () => void handle.close();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  await ended.promise;
  signal?.removeEventListener("abort", stop);
}
