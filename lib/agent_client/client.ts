/** An HTTP client for agents, by TCP, TLS or a unix socket, on connections that are kept. @module */
import { Agent, type IncomingMessage, request } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { type AgentAddress, formatAgentAddress } from "./address.ts";

/** An answer larger than this is refused: 4,096 cgroups with all metrics take 20 MB. */
const MAX_RESPONSE_BYTES = 64 << 20;

/** An answer that takes longer is given up: the next tick asks again. */
const RESPONSE_TIMEOUT_MS = 5_000;

/** Connections to one agent: one for the ticks, one for what is asked beside them. */
const MAX_CONNECTIONS = 2;

/** Of what an answer that is no success says. */
const TOLD_MAX_BYTES = 300;

/** What an answer may take. */
export interface ClientLimits {
  readonly responseBytes?: number;
  readonly timeoutMs?: number;
}

/** An answer that is no success. */
export class StatusError extends Error {
  /** @param told What the answer says in words. */
  constructor(path: string, readonly status: number, told = "") {
    super(`${path} gives status ${status}${told === "" ? "" : `: ${told}`}`);
    this.name = "StatusError";
  }
}

/** Asks one agent. Disposing of it closes the connections. */
export class AgentClient implements Disposable {
  /** The agent's address, for messages. */
  readonly name: string;
  readonly #address: AgentAddress;
  readonly #agent: Agent;
  readonly #limits: Required<ClientLimits>;

  constructor(address: AgentAddress, limits: ClientLimits = {}) {
    this.name = formatAgentAddress(address);
    this.#address = address;
    this.#agent = new (isSecure(address) ? SecureAgent : Agent)({
      keepAlive: true,
      maxSockets: MAX_CONNECTIONS,
    });
    this.#limits = { responseBytes: MAX_RESPONSE_BYTES, timeoutMs: RESPONSE_TIMEOUT_MS, ...limits };
  }

  /**
   * Returns the body at `path`.
   * @throws {StatusError} When the answer is no success. @throws {Error} When there is none, in one line that says why.
   */
  async get(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const { responseBytes, timeoutMs } = this.#limits;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const ask = isSecure(this.#address) ? secureRequest : request;
    const sent = ask({ ...this.#target(path), agent: this.#agent }, (response: IncomingMessage) => {
      const parts: Uint8Array[] = [];
      let size = 0;
      response.on("data", (part: Uint8Array) => {
        size += part.length;
        if (size > responseBytes) giveUp(new Error(`the answer is over ${responseBytes} bytes`));
        else parts.push(part);
      });
      response.on("error", (error) => reject(explained(error)));
      response.on("aborted", () => reject(new Error(`the answer was cut off after ${size} bytes`)));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(concat(parts, size));
        else {
          const isText = response.headers["content-type"]?.startsWith("text/plain") === true;
          const told = isText ? firstLine(concat(parts, size)) : "";
          reject(new StatusError(path, response.statusCode ?? 0, told));
        }
      });
    });
    const giveUp = (reason: unknown) => {
      reject(reason);
      sent.destroy();
    };
    const stop = () => giveUp(signal?.reason);
    const late = () => giveUp(new Error(`no answer within ${timeoutMs / 1_000} s`));
    const timer = setTimeout(late, timeoutMs);
    signal?.addEventListener("abort", stop);
    sent.on("error", (error) => reject(explained(error)));
    sent.end();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Returns the body of a page that an agent need not have; `undefined` when it answers that there is none. */
  async getOptional(path: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.get(path, signal);
    } catch (error) {
      if (error instanceof StatusError && error.status === 404) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #target(path: string): { path: string; socketPath?: string; host?: string; port?: number } {
    const address = this.#address;
    if (address.kind === "unix") return { socketPath: address.path, path };
    return { host: address.host, port: address.port, path: (address.basePath ?? "") + path || "/" };
  }
}

function isSecure(address: AgentAddress): boolean {
  return address.kind === "tcp" && address.secure === true;
}

/** The system's reasons in words; others speak for themselves. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOENT: "there is no such socket",
  EACCES: "permission denied",
  ECONNRESET: "the connection was cut off",
  EPIPE: "the connection was cut off",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ENOTFOUND: "there is no such host",
  ETIMEDOUT: "the host does not answer",
};

/** An error of a connection in words, with the system's own. */
export function explained(error: unknown): Error {
  const code = (error as { code?: unknown } | undefined)?.code;
  const reason = typeof code === "string" ? REASONS[code] : undefined;
  if (reason !== undefined) return new Error(`${reason} (${code})`, { cause: error });
  if (typeof code === "string" && code.startsWith("HPE_")) {
    return new Error("what answers there does not speak HTTP", { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}

function firstLine(bytes: Uint8Array): string {
  const [line = ""] = new TextDecoder().decode(bytes.subarray(0, TOLD_MAX_BYTES)).split("\n");
  return line.trim();
}

function concat(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
