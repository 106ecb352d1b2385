/** A client that sees the wire, behind a proxy in this process, with a server that can be broken. For tests. @module */
import { type ProxyOptions, runProxy, type ServerSpec } from "../../lib/mcp_proxy/mod.ts";
import { Side } from "../mcp/side.ts";

// deno-lint-ignore no-explicit-any
export type Json = any;

const FRAGILE = new URL("fragile.ts", import.meta.url).pathname;

/** Program and arguments of the server; `settings` is the file it reads. */
export function fragile(settings?: string): [string, ...string[]] {
  const flags = ["run", "--quiet", "--no-check", "--no-config", "--no-lock", "--allow-read"];
  return [Deno.execPath(), ...flags, FRAGILE, ...settings === undefined ? [] : [settings]];
}

/** Limits under which nothing is waited for in a test. */
export const SHORT = { settleMs: 0, backoffMs: 20, drainMs: 2_000 };

export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};

/** One client of one proxy. */
export class Behind extends Side {
  /** What the proxy told, in order. */
  readonly told: string[];
  /** What the server said beside the protocol. */
  readonly said: string[];
  #lastId = 0;

  constructor(
    options: ProxyOptions = {},
    spec: ServerSpec = { kind: "stdio", command: { argv: fragile() } },
  ) {
    const [told, said]: [string[], string[]] = [[], []];
    super((pipes, signal) =>
      runProxy(spec, {
        ...{ pipes, signal, ...options },
        limits: { ...SHORT, ...options.limits },
        tell: (text, from) => void (from === "proxy" ? told : said).push(text),
      })
    );
    this.told = told;
    this.said = said;
  }

  /** Begins a session. */
  async begin(): Promise<Json> {
    await this.send(INITIALIZE);
    const answer = await this.receive();
    await this.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  /** Sends a request; returns its id. */
  async ask(method: string, params: Record<string, unknown> = {}): Promise<number> {
    const id = ++this.#lastId;
    await this.send({ jsonrpc: "2.0", id, method, params });
    return id;
  }

  /** Calls a tool; returns the id. */
  call(name: string, input: Record<string, unknown> = {}, meta?: Record<string, unknown>): Promise<number> {
    return this.ask("tools/call", { name, arguments: input, ...meta === undefined ? {} : { _meta: meta } });
  }

  /** Calls a tool and returns the text of its answer, which has to be the next message. */
  async text(
    name: string,
    input: Record<string, unknown> = {},
    meta?: Record<string, unknown>,
  ): Promise<string> {
    const id = await this.call(name, input, meta);
    const answer = await this.receive();
    if (answer.id !== id || answer.result === undefined) throw new Error(JSON.stringify(answer));
    return answer.result.content[0].text;
  }

  /** The pid of the server that answers. */
  async serverPid(): Promise<number> {
    return JSON.parse(await this.text("lines")).pid;
  }
}
