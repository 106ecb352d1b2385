/** A server that is reached at an address, and may be a program that the proxy runs. @module */
import { sleep } from "../async/mod.ts";
import { isRecord } from "../mcp/json_rpc.ts";
import { type HttpSession, requestHeaders } from "../mcp/request_headers.ts";
import { boundedText } from "../web/bounded_text.ts";
import { onceClient } from "../web/once.ts";
import { readEvents } from "../mcp/sse.ts";
import { type ChildCommand, endGuarded, endText, guardedPid, readText, spawnGuarded } from "./child.ts";
import { type Ending, LastLines } from "./ending.ts";
import type { ProxyLimits } from "./limits.ts";
import { isId, type Message, paramsOf } from "./message.ts";
import type { Server, ServerEvents } from "./server.ts";
import { KEPT_CHARS, KEPT_LINES } from "./stdio_server.ts";

/** Where it is. */
export interface HttpAddress {
  readonly url: string;
  /** What it wants to be shown. */
  readonly token?: string | undefined;
  /** Runs it; left out where others do. */
  readonly command?: ChildCommand | undefined;
}

/** How often it is looked whether a program listens already. */
const LOOK_MS = 50;
/** How long the end of a session may take to be told. */
const FAREWELL_MS = 500;
/** Until a stream of what a server says by itself is opened again. */
const REOPEN_MS = 500;
/** Characters of a body that is no message, in errors. */
const SHOWN_CHARS = 200;
/**
 * A server that ends breaks its connections first. So long the end of a program is waited for before what broke is told:
 * asked again at once, the same one would break it again. One that has not ended then goes on.
 */
const ENDING_MS = 1_000;
/** The same of a server that others run, of which only that nobody listens can be seen, when it is asked again. */
const AGAIN_MS = 200;
/** What a door says behind which nobody is just now. */
const NOBODY = [502, 503, 504];

export class HttpServer implements Server {
  readonly closed: Promise<void>;
  readonly #address: HttpAddress;
  readonly #limits: ProxyLimits;
  readonly #events: ServerEvents;
  readonly #child: Deno.ChildProcess | undefined;
  readonly #last = new LastLines(KEPT_LINES, KEPT_CHARS);
  readonly #over = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #requests = new Map<number, AbortController>();
  readonly #client = onceClient();
  /** Input of tools by their names, for arguments that stand in headers, too. */
  readonly #inputs = new Map<string, unknown>();
  /** Notifications that are on their way: what comes after them must not overtake them. */
  #told: Promise<void> = Promise.resolve();
  #session: HttpSession | undefined;
  #ending: Ending | undefined;
  readonly #unheard = new Set<number>();

  /** @throws {Error} When its program cannot be started at all. */
  constructor(address: HttpAddress, limits: ProxyLimits, events: ServerEvents) {
    this.#address = address;
    this.#limits = limits;
    this.#events = events;
    this.#child = address.command === undefined ? undefined : spawnGuarded(address.command, "null");
    this.closed = this.#run();
  }

  get pid(): number | undefined {
    return this.#child && guardedPid(this.#child);
  }

  send(message: Message): void {
    if (this.#over.signal.aborted) return void (isNumber(message.id) && this.#unheard.add(message.id));
    if (message.method === "notifications/cancelled" && this.#session === undefined) {
      // Where there are no sessions, hanging up is how a request is cancelled.
      return this.#requests.get(Number(paramsOf(message).requestId))?.abort();
    }
    if ("method" in message && isNumber(message.id)) return this.#start(() => this.#exchange(message));
    const before = this.#told;
    this.#told = before.then(() => this.#tell(message));
    this.#start(() => this.#told);
  }

  end(): void {
    this.#finish({ what: "was asked to end", lines: [] }, "ask");
  }

  kill(why: string): void {
    const did = this.#child === undefined ? "is not waited for any more" : "was killed";
    this.#finish({ what: `${why}, and ${did}`, lines: this.#last.lines }, "kill");
  }

  #start(task: () => Promise<void>): void {
    const running = task().catch((error) => {
      // What is aborted was told already, or needs not be told.
      if (!this.#over.signal.aborted) this.#events.said(`${error}\n`);
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  /** It has ended, or is to: nothing more is asked of it. */
  #finish(ending: Ending, child: "ask" | "kill"): void {
    this.#ending ??= ending;
    this.#over.abort();
    if (this.#child !== undefined) endGuarded(this.#child, child);
  }

  async #run(): Promise<void> {
    const child = this.#child;
    const said = (text: string) => {
      this.#last.push(text);
      this.#events.said(text);
    };
    const exited = child === undefined ? undefined : Promise.all([
      child.status.then((status) => {
        const by = status.signal === null ? { code: status.code } : { signal: status.signal };
        this.#finish({ what: endText(status), ...by, lines: [] }, "ask");
      }),
      readText(child.stdout, said),
      readText(child.stderr, said),
    ]);
    this.#start(() => this.#connect());
    if (!this.#over.signal.aborted) {
      await new Promise((resolve) => this.#over.signal.addEventListener("abort", resolve, { once: true }));
    }
    await this.#sayFarewell();
    await exited;
    while (this.#running.size > 0) await Promise.all(this.#running);
    this.#client.close();
    const ending = this.#ending ?? { what: "has gone", lines: [] };
    this.#events.ended({ ...ending, lines: this.#last.lines }, this.#unheard);
  }

  /** Waits until somebody listens at the address. */
  async #connect(): Promise<void> {
    const { hostname, port, protocol } = new URL(this.#address.url);
    const { signal } = this.#over;
    const limitMs = performance.now() + this.#limits.startMs;
    const to = {
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || (protocol === "https:" ? 443 : 80)),
    };
    for (;;) {
      try {
        (await Deno.connect({ ...to, signal })).close();
        return this.#events.open();
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        if (this.#child === undefined || performance.now() > limitMs) {
          return this.kill(`does not listen (${reason})`);
        }
      }
      await sleep(LOOK_MS, { signal });
    }
  }

  /** Sends a request and hands on what comes back, the answer included. */
  async #exchange(message: Message): Promise<void> {
    const id = Number(message.id);
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#over.signal]);
    this.#requests.set(id, abort);
    try {
      await this.#told;
      const response = await this.#post(message, signal);
      if (await this.#isForgotten(response)) return;
      if (NOBODY.includes(response.status)) {
        await response.body?.cancel();
        return await this.#lose(id, `answered with HTTP ${response.status}`, signal);
      }
      if (!await this.#hear(response, message)) {
        await this.#lose(id, "closed the connection before it answered", signal);
      }
    } catch (error) {
      if (isRefused(error)) {
        this.#unheard.add(id);
        return this.kill("refuses connections");
      }
      // Asked again it would say the same.
      if (error instanceof RangeError) return this.#events.tooLong(id);
      await this.#lose(id, `broke the connection (${reasonOf(error)})`, signal);
    } finally {
      this.#requests.delete(id);
    }
  }

  /** A request has got lost, and the server goes on, unless it is seen to end now: then that is told. */
  async #lose(id: number, reason: string, signal: AbortSignal): Promise<void> {
    await sleep(this.#child === undefined ? AGAIN_MS : ENDING_MS, { signal }).catch(() => "It has ended.");
    if (!signal.aborted) this.#events.lost(id, reason, true);
  }

  /** Sends what is not answered. */
  async #tell(message: Message): Promise<void> {
    try {
      const response = await this.#post(message, this.#over.signal);
      if (!await this.#isForgotten(response)) await response.body?.cancel();
    } catch (error) {
      if (isRefused(error)) return this.kill("refuses connections");
      if (!this.#over.signal.aborted) this.#events.said(`${message.method} got lost: ${reasonOf(error)}\n`);
      return;
    }
    if (message.method === "notifications/initialized") this.#start(() => this.#listen());
  }

  async #post(message: Message, signal: AbortSignal): Promise<Response> {
    const { url, token } = this.#address;
    const inputSchema = this.#inputs.get(String(paramsOf(message).name));
    return await fetch(url, {
      client: this.#client,
      method: "POST",
      headers: requestHeaders(message, { token, session: this.#session, inputSchema }),
      body: JSON.stringify(message),
      signal,
    });
  }

  /** A session that the server does not know any more is as good as a server that has ended. */
  async #isForgotten(response: Response): Promise<boolean> {
    if (response.status !== 404 || this.#session === undefined) return false;
    await response.body?.cancel();
    this.kill("has forgotten the session");
    return true;
  }

  /** Hands on all that it says; true when the answer to the request was among it. */
  async #hear(response: Response, request: Message): Promise<boolean> {
    const session = response.headers.get("mcp-session-id");
    if (request.method === "initialize" && session !== null) {
      this.#session = { id: session, version: String(paramsOf(request).protocolVersion) };
    }
    const type = response.headers.get("content-type") ?? "";
    if (type.includes("text/event-stream") && response.body !== null) {
      let isAnswered = false;
      for await (const data of readEvents(response.body, this.#limits.messageBytes)) {
        if (this.#take(data, request)) isAnswered = true;
        await this.#events.room();
      }
      return isAnswered;
    }
    const text = await boundedText(response, this.#limits.messageBytes);
    if (text === undefined) throw new RangeError("the answer is too long");
    if (type.includes("application/json") && this.#take(text, request)) return true;
    const error = {
      code: -32000,
      message: `the server answers HTTP ${response.status}: ${text.trim().slice(0, SHOWN_CHARS)}`,
    };
    this.#events.message({ jsonrpc: "2.0", id: request.id, error });
    return true;
  }

  /** One message, or several; true when the answer to the request was among them. */
  #take(data: string, request: Message): boolean {
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return false;
    }
    let isAnswered = false;
    for (const message of Array.isArray(value) ? value : [value]) {
      const isOurs = isRecord(message) && !("method" in message) &&
        (message.id === request.id || !isId(message.id));
      if (isOurs) this.#learn(request, message);
      this.#events.message(isOurs ? { ...message, id: request.id } : message);
      isAnswered ||= isOurs;
    }
    return isAnswered;
  }

  #learn({ method }: Message, { result }: Message): void {
    if (!isRecord(result)) return;
    if (
      method === "initialize" && this.#session !== undefined && typeof result.protocolVersion === "string"
    ) {
      this.#session = { ...this.#session, version: result.protocolVersion };
    }
    if (method !== "tools/list" || !Array.isArray(result.tools)) return;
    for (const tool of result.tools) {
      if (isRecord(tool)) this.#inputs.set(String(tool.name), tool.inputSchema);
    }
  }

  /** Hands on what a server with sessions says by itself. */
  async #listen(): Promise<void> {
    const { url, token } = this.#address;
    const { signal } = this.#over;
    while (this.#session !== undefined && !signal.aborted) {
      try {
        const headers = requestHeaders({}, { token, session: this.#session });
        const response = await fetch(url, { client: this.#client, headers, signal });
        if (await this.#isForgotten(response)) return;
        // It has nothing to say by itself.
        if (!response.ok || response.body === null) return await response.body?.cancel();
        for await (const data of readEvents(response.body, this.#limits.messageBytes)) {
          this.#take(data, {});
          await this.#events.room();
        }
      } catch (error) {
        if (isRefused(error)) return this.kill("refuses connections");
        if (signal.aborted) return;
        // The stream broke; what is asked next tells more.
      }
      await sleep(REOPEN_MS, { signal });
    }
  }

  /** The server may forget the session. */
  async #sayFarewell(): Promise<void> {
    if (this.#session === undefined || this.#ending?.what !== "was asked to end") return;
    const { url, token } = this.#address;
    const headers = requestHeaders({}, { token, session: this.#session });
    await fetch(url, {
      client: this.#client,
      method: "DELETE",
      headers,
      signal: AbortSignal.timeout(FAREWELL_MS),
    })
      .then((response) => response.body?.cancel()).catch(() => "It forgets by itself.");
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** Whether nobody listens: then nothing was sent. */
function isRefused(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/connection refused|ECONNREFUSED/i.test(cause.message)) return true;
  }
  return false;
}

function reasonOf(error: unknown): string {
  let reason = String(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) reason = cause.message;
  return reason;
}
