/**
 * What the daemon serves on its unix socket, where whoever may open it is its user: clients that come and go, and MCP for
 * each of them.
 * @module
 */
import { type Context, Hono } from "hono";
import { processStart } from "../../ffi/ring/mod.ts";
import { aborted, deadline } from "../async/mod.ts";
import { createRegistry, type McpRoutes, mcpRoutes, type McpServerInfo } from "../mcp/mod.ts";
import { HostError, serviceResources, type ToolOptions } from "../services/mod.ts";
import { ciResources, type CiWatch } from "./ci_watch.ts";
import type { Client } from "./client.ts";
import { LOOKS_HEADER, parseHello, REPEATABLE_HEADER } from "./hello.ts";
import { takeSnapshot } from "./exchange.ts";
import { fromJson, SnapshotError } from "./snapshots/mod.ts";
import type { Mounted } from "./door.ts";
import type { Doorway } from "./doorway.ts";
import type { IchimiHost } from "./host.ts";
import { Idle, type Later } from "./idle.ts";
import type { Lifetimes } from "./lifetimes.ts";
import { DEFAULT_TOOLSETS, ichimiTools, TOOLSET_NAMES } from "./tools/mod.ts";
import type { UsageHistory } from "./usage_history.ts";

/** Larger environments than the kernel gives to a program there are not. */
const HELLO_BYTES = 8 << 20;
/** How often a client's connection is tried, so that it is known to live. */
const BEAT_MS = 15_000;
/** Longer than a process is given to end. */
const LEAVE_MS = 6_000;

const INSTRUCTIONS =
  "Runs processes that outlive this session: servers, watchers, builds. create_process describes one, start_process runs " +
  "it; wait for a line, a port or its end with wait instead of asking again and again; read_logs reads what it says " +
  "since the last time. Other assistants of this user see the same processes.";

/** What is served. */
export interface DaemonOptions extends ToolOptions {
  readonly host: IchimiHost;
  readonly lifetimes: Lifetimes;
  readonly doorway: Pick<Doorway, "open">;
  readonly ci: Pick<CiWatch, "watch" | "changes" | "listen">;
  readonly info: Pick<McpServerInfo, "name" | "version">;
  /** Tells whether somebody has the console open: then it does not end by itself. */
  readonly usage?: Pick<UsageHistory, "isWatched" | "listenForWatchers">;
  /** Below `/api`: what the command line asks for beside tools. */
  readonly rest?: Mounted;
  /** What a client is served, when it is not processes. */
  readonly routes?: (client: Client) => McpRoutes;
}

interface Joined {
  readonly client: Client;
  readonly routes: McpRoutes;
  /** Says a line to it. */
  tell: (line: string) => void;
  /** Ends its connection. */
  end: () => void;
}

export class Daemon implements AsyncDisposable {
  readonly #options: DaemonOptions;
  readonly #joined = new Map<string, Joined>();
  readonly #app = new Hono();
  /** Requests that change something, and are not answered yet. */
  readonly #changing = new Set<Promise<void>>();
  /** Tools of which a call changes nothing, parted by spaces. */
  readonly #looks: string;
  #idle: Idle | undefined;
  #isLeaving = false;

  constructor(options: DaemonOptions) {
    this.#options = options;
    const { host, agent, doorway, ci } = options;
    this.#looks = ichimiTools({ host, agent, doorway, ci, client: undefined }, TOOLSET_NAMES)
      .filter(({ annotations }) => annotations?.readOnlyHint === true).map(({ name }) => name).join(" ");
    this.#app.put("/clients/:id", (c) => this.#join(c));
    this.#app.all("/clients/:id/mcp", (c) => this.#ask(c, ({ routes }) => routes.fetch(c.req.raw)));
    this.#app.all("/clients/:id/api/*", (c) => this.#ask(c, () => this.#rest(c)));
    this.#app.put("/door", async (c) => {
      const port = Number(c.req.query("port") ?? NaN);
      return c.json(await this.#options.doorway.open(Number.isInteger(port) ? port : undefined));
    });
    this.#app.post("/snapshot", (c) => this.#take(c));
    this.#app.get("/status", (c) => c.json(this.#status()));
  }

  readonly fetch = async (request: Request): Promise<Response> => await this.#app.fetch(request);

  /**
   * Takes no more requests, and resolves when those that change something are answered: what was not answered then was
   * not begun, and clients, who are told, may ask the next daemon for it.
   */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    for (const { tell } of this.#joined.values()) tell("leaving\n");
    using limit = deadline(LEAVE_MS);
    await Promise.race([Promise.all(this.#changing), aborted(limit.signal)]);
  }

  async #ask(c: Context, fetch: (joined: Joined) => Promise<Response>): Promise<Response> {
    const joined = this.#joined.get(c.req.param("id")!);
    if (joined === undefined) return c.text("no such client\n", 410);
    if (this.#isLeaving) return c.text("leaving\n", 503);
    if (c.req.header(REPEATABLE_HEADER) !== undefined) return await fetch(joined);
    const { promise: change, resolve } = Promise.withResolvers<void>();
    const answered = () => resolve();
    this.#changing.add(change);
    void change.then(() => this.#changing.delete(change));
    try {
      const response = await fetch(joined);
      if (response.body === null) {
        answered();
        return response;
      }
      const followed = response.body.pipeThrough(new TransformStream({ flush: answered, cancel: answered }));
      return new Response(followed, response);
    } catch (error) {
      answered();
      throw error;
    }
  }

  /** Asks the REST interface as if it were asked at its own path. */
  async #rest(c: Context): Promise<Response> {
    const { rest } = this.#options;
    if (rest === undefined) return c.text("not served here\n", 404);
    const url = new URL(c.req.url);
    url.pathname = url.pathname.slice(url.pathname.indexOf("/api/"));
    return await rest.fetch(new Request(url, c.req.raw));
  }

  /** Fires when for so long no client was there, nothing has run and nobody has watched, unless `signal` fires before. */
  untilIdle(forMs: number, { signal, later }: { signal: AbortSignal; later?: Later }): AbortSignal {
    const { host: { supervisor }, host, usage } = this.#options;
    const stack = new DisposableStack();
    const isNeeded = () => this.#joined.size > 0 || host.isBusy || usage?.isWatched === true;
    const idle = stack.use(new Idle({ forMs, isNeeded, ...later === undefined ? {} : { later } }));
    stack.defer(supervisor.listen(({ kind }) => {
      if (kind === "state" || kind === "went") idle.look();
    }));
    if (usage !== undefined) stack.defer(usage.listenForWatchers(() => idle.look()));
    this.#idle = idle;
    const ended = AbortSignal.any([signal, idle.signal]);
    if (ended.aborted) stack.dispose();
    ended.addEventListener("abort", () => stack.dispose(), { once: true });
    return idle.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#joined.values()].map(async ({ routes, end }) => {
      end();
      await routes[Symbol.asyncDispose]();
    }));
  }

  /** Describes the processes of a snapshot, as JSON in the body. */
  async #take(c: Context): Promise<Response> {
    try {
      const options = { client: undefined, start: false, signal: c.req.raw.signal };
      return c.json(await takeSnapshot(this.#options.host, fromJson(await c.req.text()), options));
    } catch (error) {
      if (error instanceof SnapshotError || error instanceof HostError) {
        return c.text(`${error.message}\n`, 400);
      }
      throw error;
    }
  }

  #status() {
    const { host, info } = this.#options;
    return {
      ...info,
      pid: Deno.pid,
      uptimeSeconds: host.uptimeSeconds,
      processes: host.records.length,
      clients: [...this.#joined.values()].map(({ client: { id, pid, folder } }) => ({ id, pid, folder })),
    };
  }

  /** The answer goes on as long as the client is there. */
  async #join(c: Context): Promise<Response> {
    if (this.#isLeaving) return c.text("leaving\n", 503);
    const text = await c.req.text();
    if (text.length > HELLO_BYTES) return c.text("too large\n", 413);
    const hello = parseHello(text, TOOLSET_NAMES);
    if (hello === undefined) return c.text("expected pid, folder and env as JSON\n", 400);
    const id = c.req.param("id")!;
    const startTicks = processStart(hello.pid);
    if (startTicks === 0n) return c.text(`process ${hello.pid} is not there\n`, 400);
    const client: Client = { id, pid: hello.pid, startTicks, folder: hello.folder, env: hello.env };
    await this.#leave(id);
    const { lifetimes } = this.#options;
    let [end, tell] = [() => {}, (_line: string) => {}];
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        tell = (line) => controller.enqueue(new TextEncoder().encode(line));
        const beat = setInterval(() => tell("\n"), BEAT_MS);
        end = () => {
          clearInterval(beat);
          try {
            controller.close();
          } catch (error) {
            // It was cancelled: the client has gone.
            if (!(error instanceof TypeError)) throw error;
          }
        };
        tell("joined\n");
      },
      cancel: () => void this.#gone(joined),
    });
    const joined: Joined = {
      client,
      routes: this.#routes(client, hello.toolsets ?? DEFAULT_TOOLSETS),
      tell: (line) => tell(line),
      end: () => end(),
    };
    this.#joined.set(id, joined);
    this.#idle?.look();
    lifetimes.join(client);
    return new Response(body, { headers: { "content-type": "text/plain", [LOOKS_HEADER]: this.#looks } });
  }

  /** A client comes anew while its connection before is not known to have ended. */
  async #leave(id: string): Promise<void> {
    const before = this.#joined.get(id);
    if (before === undefined) return;
    this.#joined.delete(id);
    before.end();
    await before.routes[Symbol.asyncDispose]();
  }

  async #gone(joined: Joined): Promise<void> {
    const { client, routes, end } = joined;
    end();
    if (this.#joined.get(client.id) !== joined) return;
    this.#joined.delete(client.id);
    this.#idle?.look();
    this.#options.lifetimes.leave(client);
    await routes[Symbol.asyncDispose]();
  }

  #routes(client: Client, toolsets: readonly string[]): McpRoutes {
    return this.#options.routes?.(client) ?? ichimiRoutes(this.#options, client, toolsets);
  }
}

/** MCP for a client; for nobody in particular, over HTTP, when it is left out. */
export function ichimiRoutes(
  { host, agent, info, doorway, ci }: Omit<DaemonOptions, "lifetimes">,
  client?: Client,
  toolsets: readonly string[] = DEFAULT_TOOLSETS,
): McpRoutes {
  const tools = ichimiTools({ host, agent, client, doorway, ci }, toolsets);
  const resources = [
    serviceResources(host),
    ...toolsets.includes("ci") ? [ciResources(ci, client?.folder)] : [],
  ];
  const registry = createRegistry({ tools, resources });
  return mcpRoutes(registry, { ...info, title: "ichimi", instructions: INSTRUCTIONS });
}
