/** Asks an agent over HTTP, by TCP or a unix socket, on connections that are kept. @module */
import { Agent, request } from "node:http";

/** A snapshot larger than this is refused: 4,096 cgroups with all metrics take 20 MB. */
const MAX_RESPONSE_BYTES = 64 << 20;

/** An answer that takes longer is given up: the next tick asks again. */
const RESPONSE_TIMEOUT_MS = 5_000;

/** What an answer may take. */
export interface ClientLimits {
  readonly responseBytes?: number;
  readonly timeoutMs?: number;
}

/** Where an agent listens. */
export type AgentAddress =
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number; readonly basePath: string }
  | { readonly kind: "unix"; readonly path: string };

/** Returns the address that `text` means: `http://host:port`, `host:port`, `unix:/path` or `/path`. @throws {SyntaxError} */
export function parseAgentAddress(text: string): AgentAddress {
  const path = /^(?:unix:(?:\/\/)?)?(\/.+)$/s.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const url = URL.parse(/^[a-z]+:\/\//.test(text) ? text : `http://${text}`);
  if (url === null || url.protocol !== "http:" || url.hostname === "") {
    throw new SyntaxError(
      `Cannot record from "${text}": expected http://HOST:PORT or the path of a unix socket`,
    );
  }
  // The port that agents listen on by default.
  const port = url.port !== "" ? Number(url.port) : /:80(?:\/|$)/.test(text) ? 80 : 4241;
  return { kind: "tcp", hostname: url.hostname, port, basePath: url.pathname.replace(/\/$/, "") };
}

/** Connections to an agent: one for the ticks, one for what is asked beside them. */
export class AgentClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });
  readonly #address: AgentAddress;

  readonly #limits: Required<ClientLimits>;

  constructor(address: AgentAddress, limits: ClientLimits = {}) {
    this.#address = address;
    this.#limits = { responseBytes: MAX_RESPONSE_BYTES, timeoutMs: RESPONSE_TIMEOUT_MS, ...limits };
  }

  /** Returns the body at `path`. @throws {Error} When there is no answer in time, or it is not a success. */
  async get(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const { responseBytes, timeoutMs } = this.#limits;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const sent = request({ ...this.#target(path), agent: this.#agent }, (response) => {
      const parts: Uint8Array[] = [];
      let size = 0;
      response.on("data", (part: Uint8Array) => {
        size += part.length;
        if (size > responseBytes) giveUp(`the answer is over ${responseBytes} bytes`);
        else parts.push(part);
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(concat(parts, size));
        else reject(new Error(`HTTP status ${response.statusCode} for ${path}`));
      });
    });
    const giveUp = (text: string) => {
      reject(new Error(text));
      sent.destroy();
    };
    const stop = () => giveUp("stopped");
    const late = () => giveUp(`no answer within ${timeoutMs / 1_000} s`);
    const timer = setTimeout(late, timeoutMs);
    signal?.addEventListener("abort", stop);
    sent.on("error", reject);
    sent.end();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #target(path: string): { path: string; socketPath?: string; host?: string; port?: number } {
    const address = this.#address;
    if (address.kind === "unix") return { socketPath: address.path, path };
    const host = address.hostname.replace(/^\[|\]$/g, "");
    return { host, port: address.port, path: address.basePath + path };
  }
}

function concat(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
