/**
 * Stdio for clients that start a program, in front of a server that runs already and is reached over HTTP. Several
 * clients then share one server, and a server that is restarted or upgraded is found again without their noticing.
 * @module
 */
import { sleep } from "../async/time.ts";
import { onceClient } from "../web/once.ts";
import { idOf, isRecord, RPC, rpcError, type RpcId } from "./json_rpc.ts";
import { DEFAULT_LIMITS, type McpLimits } from "./limits.ts";
import { LinePipe, type Pipes } from "./line_pipe.ts";
import { type HttpSession, requestHeaders } from "./request_headers.ts";
import { readEvents } from "./sse.ts";

/** Settings of a bridge. */
export interface BridgeOptions {
  /** What the server wants to be shown. */
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<McpLimits>;
  /** Standard input and output when left out. */
  readonly pipes?: Pipes;
  /** Milliseconds in which a server that does not answer the door may come back. */
  readonly patienceMs?: number;
  /**
   * Whether a request may be made again when the connection ends before its answer; at most so often that a server that
   * it ends is not ended for ever. None by default, beside those that only listen.
   */
  readonly mayRepeat?: (message: Message) => boolean;
  /** How the server is asked, when it is not to be found by its address alone; `message` is none where it only listens. */
  readonly fetch?: (url: string, init: RequestInit, message: Message | undefined) => Promise<Response>;
}

/** A server that is upgraded is back within this; one that is not there is told after it. */
const PATIENCE_MS = 10_000;
/** How often the door is tried. */
const RETRY_MS = 100;
/** How often a session is begun for one request: servers may be replaced one after the other. */
const SESSIONS = 20;
/** How often a request is made that may be repeated. */
const REPEATS = 3;
/** A message of JSON-RPC. */
export type Message = Readonly<Record<string, unknown>>;

/** Serves the server at `url` over stdio until the client closes its end or the signal fires. */
export async function bridgeStdio(url: string, options: BridgeOptions = {}): Promise<void> {
  const pipes = options.pipes ?? { input: Deno.stdin.readable, output: Deno.stdout.writable };
  const bridge = new Bridge(url, pipes, options);
  const stop = () => void bridge.pipe.close();
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener("abort", stop, { once: true });
  bridge.pipe.start();
  await bridge.ended();
  options.signal?.removeEventListener("abort", stop);
}

class Bridge {
  readonly pipe: LinePipe;
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #limits: McpLimits;
  readonly #patienceMs: number;
  readonly #fetch: NonNullable<BridgeOptions["fetch"]>;
  readonly #mayRepeat: (message: Message) => boolean;
  readonly #closed = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** Requests on their way, so that they can be cancelled. */
  readonly #requests = new Map<RpcId, AbortController>();
  /** What the client has said first, to be said again to a server that has forgotten it. */
  #hello: Message | undefined;
  #session: HttpSession | undefined;
  /** Schemas of the input of tools, by their names. */
  readonly #inputs = new Map<unknown, unknown>();
  #client: Deno.HttpClient | undefined;
  #beginningAnew: Promise<void> | undefined;
  /** Requests wait for the session that is being begun. */
  #beginning: Promise<void> = Promise.resolve();

  constructor(url: string, pipes: Pipes, options: BridgeOptions) {
    this.#url = url;
    this.#token = options.token;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#fetch = options.fetch ??
      ((url, init) => fetch(url, { ...init, client: this.#client ??= onceClient() }));
    this.#mayRepeat = options.mayRepeat ?? (() => false);
    this.pipe = new LinePipe(pipes, this.#limits, {
      message: (value) => this.#start(() => this.#forward(value)),
      error: () => {}, // Whoever is on the other side has gone: there is nobody to tell.
      closed: () => this.#closed.abort(),
    });
  }

  async ended(): Promise<void> {
    await this.pipe.ended;
    while (this.#running.size > 0) await Promise.all(this.#running);
    this.#client?.close();
  }

  #start(task: () => Promise<void>): void {
    const running = task().catch(() => undefined); // Each task tells its own failure to the client.
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  async #forward(value: unknown): Promise<void> {
    if (!isRecord(value)) {
      return await this.pipe.send(rpcError(null, RPC.invalidRequest, "Invalid request: expected an object"));
    }
    if (value.method === "initialize") {
      this.#hello = value;
      const answered = this.#exchange(value);
      this.#beginning = answered.catch(() => undefined);
      return await answered;
    }
    if (value.method === "notifications/cancelled" && isRecord(value.params)) {
      const id = idOf({ id: value.params.requestId });
      // Where there are no sessions, hanging up is how a request is cancelled.
      if (this.#session === undefined) return this.#requests.get(id)?.abort();
    }
    await this.#beginning;
    await this.#exchange(value);
    if (value.method === "notifications/initialized") this.#start(() => this.#listen());
  }

  /** Sends a message and hands on what comes back. */
  async #exchange(message: Message): Promise<void> {
    const id = idOf(message);
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#closed.signal]);
    if ("method" in message && id !== null) this.#requests.set(id, abort);
    const listens = message.method === "subscriptions/listen";
    const attempts = listens ? Infinity : this.#mayRepeat(message) ? REPEATS : 1;
    try {
      for (let left = attempts; !await this.#attempt(message, signal, --left > 0);) {
        await sleep(RETRY_MS, { signal });
      }
    } catch (error) {
      if (signal.aborted || id === null) return;
      const reason = causesOf(error).at(-1) ?? error;
      await this.pipe.send(rpcError(id, -32000, `Cannot ask the server at ${this.#url}: ${reason}`));
    } finally {
      this.#requests.delete(id);
    }
  }

  /** False when it is to be tried again. */
  async #attempt(message: Message, signal: AbortSignal, mayRepeat: boolean): Promise<boolean> {
    try {
      let used = this.#session;
      let response = await this.#post(message, signal);
      for (let times = 0; response.status === 404 && used !== undefined && times < SESSIONS; times++) {
        await response.body?.cancel();
        // Another request may have begun a session meanwhile.
        if (used.id === this.#session?.id) await (this.#beginningAnew ??= this.#beginAnew(signal));
        used = this.#session;
        response = await this.#post(message, signal);
      }
      if (await this.#handOn(message, response) || idOf(message) === null || !("method" in message)) {
        return true;
      }
    } catch (error) {
      if (!mayRepeat || signal.aborted || isRefused(error)) throw error;
      return false;
    }
    if (mayRepeat) return false;
    throw new Error("the connection ended before the answer");
  }

  /** Says all that the server answers; true when the answer to the request itself was among it. */
  async #handOn(message: Message, response: Response): Promise<boolean> {
    this.#remember(message, response);
    const type = response.headers.get("content-type") ?? "";
    let answered = false;
    if (type.includes("text/event-stream") && response.body !== null) {
      for await (const data of readEvents(response.body, this.#limits.unreadBytes)) {
        if (await this.#say(data, message)) answered = true;
      }
      return answered;
    }
    const text = await response.text();
    if (type.includes("application/json")) return await this.#say(text, message);
    if (text === "" && response.ok) return false;
    throw new Error(`it answers ${response.status} ${text.trim().slice(0, 200)}`);
  }

  /** Says one message of the server to the client; true when it answers the request. */
  async #say(data: string, request: Message): Promise<boolean> {
    const message: unknown = JSON.parse(data);
    if (!isRecord(message)) return false;
    if (request.method === "initialize" && this.#session !== undefined && isRecord(message.result)) {
      this.#session = { ...this.#session, version: String(message.result.protocolVersion) };
    }
    if (request.method === "tools/list") this.#learn(message.result);
    await this.pipe.send(message);
    return !("method" in message) && idOf(message) === idOf(request);
  }

  /** Some arguments of tools stand in headers, too; clients of stdio know nothing of that. */
  #learn(result: unknown): void {
    const tools = isRecord(result) && Array.isArray(result.tools) ? result.tools : [];
    for (const tool of tools) if (isRecord(tool)) this.#inputs.set(tool.name, tool.inputSchema);
  }

  #remember(message: Message, response: Response): void {
    const id = response.headers.get("mcp-session-id");
    if (message.method !== "initialize" || id === null) return;
    const params = isRecord(message.params) ? message.params : {};
    this.#session = { id, version: String(params.protocolVersion) };
  }

  /** The server has forgotten the session: begins another one, without telling the client. */
  async #beginAnew(signal: AbortSignal): Promise<void> {
    try {
      const { method, params } = this.#hello ?? {};
      const hello = { jsonrpc: "2.0", id: "bridge", method, params };
      const response = await this.#post(hello, signal, { fresh: true });
      this.#remember(hello, response);
      await response.body?.cancel();
      await (await this.#post({ jsonrpc: "2.0", method: "notifications/initialized" }, signal)).body
        ?.cancel();
    } finally {
      this.#beginningAnew = undefined;
    }
    this.#start(() => this.#listen());
  }

  /** Hands on what a server with sessions says by itself, until it has nothing to say or the session is another. */
  async #listen(): Promise<void> {
    const session = this.#session;
    const { signal } = this.#closed;
    while (session !== undefined && this.#session?.id === session.id && !signal.aborted) {
      try {
        const response = await this.#fetch(
          this.#url,
          { headers: this.#headers({}, true), signal },
          undefined,
        );
        if (!response.ok || response.body === null) return await response.body?.cancel();
        for await (const data of readEvents(response.body, this.#limits.unreadBytes)) {
          await this.#say(data, {});
        }
      } catch (error) {
        if (signal.aborted) throw error;
        // The server has gone, or is being replaced: the next request begins another session if it must.
      }
      await sleep(RETRY_MS, { signal });
    }
  }

  /** Posts a message; a door that is closed is tried again for a while, since nothing has gone through it. */
  async #post(message: Message, signal: AbortSignal, { fresh = false } = {}): Promise<Response> {
    const body = JSON.stringify(message);
    const headers = this.#headers(message, !fresh);
    for (let waitedMs = 0;; waitedMs += RETRY_MS) {
      try {
        return await this.#fetch(this.#url, { method: "POST", body, headers, signal }, message);
      } catch (error) {
        if (signal.aborted || !isRefused(error) || waitedMs >= this.#patienceMs) throw error;
        await sleep(RETRY_MS, { signal });
      }
    }
  }

  #headers(message: Message, inSession: boolean): Record<string, string> {
    const session = inSession ? this.#session : undefined;
    const { name } = isRecord(message.params) ? message.params : {};
    return requestHeaders(message, { token: this.#token, session, inputSchema: this.#inputs.get(name) });
  }
}

/** Whether nobody listens: then nothing was sent, and sending again is safe. */
function isRefused(error: unknown): boolean {
  return causesOf(error).some((message) => /connection refused|ECONNREFUSED/i.test(message));
}

/** The messages of an error and of what caused it, the last being the reason of it all. */
function causesOf(error: unknown): string[] {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(cause.message);
  return messages;
}
