/** A registry over standard input and output: one client, either era. Only the protocol is written there. @module */
import { Engine, type ServerOptions } from "./_engine.ts";
import type { McpServerInfo, Registry } from "./registry.ts";

/** Settings of a server over stdio. */
export interface StdioOptions extends ServerOptions {
  /** Ends the server. */
  readonly signal?: AbortSignal;
  /** Standard input when left out. */
  readonly input?: ReadableStream<Uint8Array>;
  /** Standard output when left out. */
  readonly output?: WritableStream<Uint8Array>;
}

/** Serves until the client closes its end or `signal` fires; calls that run then are cancelled. */
export async function serveStdio(
  registry: Registry,
  info: McpServerInfo,
  options: StdioOptions = {},
): Promise<void> {
  await using engine = new Engine(registry, info, options);
  const { runStdio } = await import("./_stdio.ts");
  const { input = Deno.stdin.readable, output = Deno.stdout.writable, signal } = options;
  await runStdio(engine, { input, output }, signal);
}
