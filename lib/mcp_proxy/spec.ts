/** What a proxy stands in front of. @module */
import type { ChildCommand } from "./child.ts";
import { type HttpAddress, HttpServer } from "./http_server.ts";
import type { ProxyLimits } from "./limits.ts";
import type { Server, ServerEvents } from "./server.ts";
import { StdioServer } from "./stdio_server.ts";

/** A server that is a program, or one that is reached at an address. */
export type ServerSpec =
  | { readonly kind: "stdio"; readonly command: ChildCommand }
  | { readonly kind: "http" } & HttpAddress;

/** How it is named to people. */
export function serverName(spec: ServerSpec): string {
  return spec.kind === "http" ? `the server at ${spec.url}` : `"${spec.command.argv.join(" ")}"`;
}

/** @throws {Error} When it cannot be started at all. */
export function startServer(spec: ServerSpec, limits: ProxyLimits, events: ServerEvents): Server {
  return spec.kind === "http"
    ? new HttpServer(spec, limits, events)
    : new StdioServer(spec.command, limits, events);
}
