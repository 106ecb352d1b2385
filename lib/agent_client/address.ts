/** Addresses of agents: one grammar for every command that asks one. @module */

/** The port that agents listen on when nothing else is said. */
export const AGENT_PORT = 4241;

/** The port of `https`, behind which an agent stands only by way of a proxy. */
const HTTPS_PORT = 443;

/** The host that is meant when only a port is given. */
const LOOPBACK = "127.0.0.1";

/** Where an agent listens. An address of `lib/web` is one too. */
export type AgentAddress =
  | {
    readonly kind: "tcp";
    /** A name or address; IPv6 without brackets. */
    readonly host: string;
    readonly port: number;
    /** What comes before the agent's own paths, without a slash at its end. */
    readonly basePath?: string;
    readonly secure?: boolean;
  }
  | { readonly kind: "unix"; readonly path: string };

/**
 * Reads `http[s]://HOST[:PORT][/BASE]`, `HOST[:PORT]`, `[:]PORT`, `unix:/PATH`, `unix:///PATH`, `/PATH`, `./PATH` or
 * `../PATH`; a bare name is a host.
 * @throws {SyntaxError} When the text is none of these.
 *
 * ```ts
 * import { parseAgentAddress } from "./address.ts";
 * parseAgentAddress("web1"); // { kind: "tcp", host: "web1", port: 4241 }
 * ```
 */
export function parseAgentAddress(text: string): AgentAddress {
  const socket = /^(?:unix:(?:\/\/)?)?(\/.+)$/s.exec(text)?.[1] ?? /^\.\.?\/.+$/s.exec(text)?.[0];
  if (socket !== undefined) return { kind: "unix", path: socket };
  // A bare number would be an IPv4 address to a URL: 4241 is 0.0.16.145.
  const full = /^:?\d+$/.test(text) ? `${LOOPBACK}:${text.replace(":", "")}` : text;
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(full) ? full : `http://${full}`);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw wrong(text, "expected http://HOST:PORT or the path of a unix socket");
  }
  if (url.username !== "" || url.password !== "") {
    throw wrong(text.replace(/[^/]*@/, "…@"), "agents know no user names"); // no password into a log
  }
  const secure = url.protocol === "https:";
  const path = url.pathname.replace(/\/+$/, "");
  const basePath = url.search === "" ? path : (path || "/") + url.search;
  return {
    kind: "tcp",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: portOf(url, full),
    ...(basePath === "" ? {} : { basePath }),
    ...(secure ? { secure } : {}),
  };
}

/** The address as a URL, or as the socket's path: what messages and recordings name an agent by. */
export function formatAgentAddress(address: AgentAddress): string {
  if (address.kind === "unix") return address.path;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.secure === true ? "https" : "http"}://${host}:${address.port}${address.basePath ?? ""}`;
}

/** A URL forgets a port that is its scheme's own; who writes `:80` means it. */
function portOf(url: URL, text: string): number {
  if (url.port !== "") return Number(url.port);
  if (url.protocol === "https:") return HTTPS_PORT;
  return /^(?:[^/]*:\/\/)?[^/?#]*:0*80(?:[/?#]|$)/.test(text) ? 80 : AGENT_PORT;
}

function wrong(text: string, found: string): SyntaxError {
  return new SyntaxError(`Cannot read agent address "${text}": ${found}`);
}
