/** What a proxy stands in front of. @module */
import type { ChildCommand } from "./child.ts";
import type { ProxyLimits } from "./limits.ts";
import type { Server, ServerEvents } from "./server.ts";
import { StdioServer } from "./stdio_server.ts";

/** A server that is a program, or one that is reached at an address. */
export type ServerSpec = { readonly kind: "stdio"; readonly command: ChildCommand };

/** How it is named to people. */
export function serverName(spec: ServerSpec): string {
  return `"${spec.command.argv.join(" ")}"`;
}

/** @throws {Error} When it cannot be started at all. */
export function startServer(spec: ServerSpec, limits: ProxyLimits, events: ServerEvents): Server {
  return new StdioServer(spec.command, limits, events);
}
