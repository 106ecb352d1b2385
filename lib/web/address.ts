/** Where a server listens: `HOST:PORT`, a bare port, or the path of a unix socket. @module */

/** A place to listen on. Port 0 lets the kernel choose. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** The host of an address that names only a port. */
export const DEFAULT_HOST = "127.0.0.1";

const LAST_PORT = 65_535;

/**
 * Reads `127.0.0.1:4242`, `[::1]:4242`, `:4242`, `4242`, `unix:/run/x.sock` or an absolute path.
 * @throws {SyntaxError} When the text is none of these.
 */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:")) {
    return { kind: "unix", path: text.slice("unix:".length).replace(/^\/\//, "") };
  }
  if (text.startsWith("/")) return { kind: "unix", path: text };
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > LAST_PORT) {
    throw new SyntaxError(`Cannot read address: text is "${text}", expected HOST:PORT, PORT or unix:/PATH`);
  }
  return { kind: "tcp", host: match[1] ?? (match[2] || DEFAULT_HOST), port };
}

/** The address as a person reads it: a URL for TCP, `unix:/path` for a socket. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `http://${host}:${address.port}`;
}
