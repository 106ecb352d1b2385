/**
 * Keeps pages of other sites away from a local server. A browser sends such a request with the other site's `Origin`;
 * and a name that was rebound to 127.0.0.1 arrives with a foreign `Host`. Both are refused; programs other than
 * browsers send no `Origin` and any loopback `Host`.
 * @module
 */
import type { MiddlewareHandler } from "hono";

/** Whether a host name (without port) always means this machine. */
export function isLoopbackName(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Refuses requests whose `Host` is neither loopback, nor an address in digits, nor in `hosts`, and those whose `Origin`
 * is not the host itself. Digits cannot be rebound, so a listener on another interface stays usable by address.
 */
export function guardBrowsers(hosts: readonly string[] = []): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    const name = hostName(host);
    const isServed = name !== undefined && (isLoopbackName(name) || isNumeric(name) || hosts.includes(name));
    if (host !== "" && !isServed) return c.text(`host "${name ?? host}" is not served here\n`, 421);
    const origin = c.req.header("origin");
    if (origin !== undefined && !sameOrigin(origin, host)) {
      return c.text(`origin "${origin}" is not allowed\n`, 403);
    }
    await next();
  };
}

/** Without the port; undefined when it is none, whatever a part of it looks like. */
function hostName(host: string): string | undefined {
  const [, address, name] = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d*)?$/i.exec(host) ?? [];
  return address ?? name;
}

function isNumeric(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.includes(":");
}

function sameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
