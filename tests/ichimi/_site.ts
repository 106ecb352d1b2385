/** A daemon's inside with what it serves on loopback, in this process. @module */
import { ok } from "node:assert/strict";
import {
  consolePage,
  Doorway,
  type Mounted,
  type OpenDoor,
  restRoutes,
  Timeline,
  UsageHistory,
} from "../../lib/ichimi/mod.ts";
import { World, type WorldOptions } from "./_world.ts";

/** What an answer was. */
export interface Answered {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- Bodies are looked into freely.
  readonly body: any;
  readonly headers: Headers;
}

/** Server-sent events, one after the other. */
export class EventReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";
  /** Of the last event that had one. */
  lastId: string | undefined;

  constructor(body: ReadableStream<Uint8Array>, readonly abort: AbortController) {
    this.#reader = body.getReader();
  }

  // deno-lint-ignore no-explicit-any -- Events are looked into freely.
  async next(): Promise<{ readonly event: string; readonly data: any }> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const [, event, data, id] = /^event: (.*)\ndata: (.*)(?:\nid: (.*))?$/.exec(block) ?? [];
        if (event === undefined) continue;
        this.lastId = id ?? this.lastId;
        return { event, data: JSON.parse(data!) };
      }
      const { value, done } = await this.#reader.read();
      ok(!done, "the stream has ended");
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The next one of which something holds. */
  // deno-lint-ignore no-explicit-any -- Events are looked into freely.
  async until(holds: (event: string, data: any) => boolean): Promise<any> {
    for (;;) {
      const { event, data } = await this.next();
      if (holds(event, data)) return data;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort.abort();
    await this.#reader.cancel().catch(() => "It was aborted.");
  }
}

export class Site implements AsyncDisposable {
  readonly world: World;
  /** Bugs that were told. */
  readonly bugs: string[] = [];
  readonly door: OpenDoor;
  readonly usage: UsageHistory;
  readonly #stack: AsyncDisposableStack;

  static async open(options: WorldOptions = {}): Promise<Site> {
    const stack = new AsyncDisposableStack();
    const world = stack.use(new World(options));
    const { host, lifetimes } = world;
    await host.start(new AbortController().signal);
    const timeline = stack.use(new Timeline(host));
    const usage = stack.use(new UsageHistory(host));
    const bugs: string[] = [];
    const rest = restRoutes(
      { host, lifetimes, timeline, usage, version: "9.9.9" },
      (text) => bugs.push(text),
    );
    const mounts: Record<string, Mounted> = { "/api": rest, "/": consolePage({ host, version: "9.9.9" }) };
    const files = { tokenFile: `${world.folder}/token`, portFile: `${world.folder}/door` };
    const doorway = stack.use(new Doorway({ host: "127.0.0.1", port: 0, ...files, mounts }));
    return new Site(world, stack, { door: await doorway.open(), bugs, usage });
  }

  private constructor(
    world: World,
    stack: AsyncDisposableStack,
    { door, bugs, usage }: {
      readonly door: OpenDoor;
      readonly bugs: string[];
      readonly usage: UsageHistory;
    },
  ) {
    this.world = world;
    this.door = door;
    this.usage = usage;
    this.bugs = bugs;
    this.#stack = stack;
  }

  /** Where a browser comes in. */
  get address(): string {
    return `${this.door.url}/?token=${this.door.token}`;
  }

  /** Asks below `/api`, with the token; what is given as an object goes as JSON. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answered> {
    const isJson = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
    const response = await fetch(`${this.door.url}/api${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.door.token}`,
        ...body === undefined ? {} : { "content-type": "application/json" },
        ...headers,
      },
      ...body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body as string },
    });
    const text = await response.text();
    const holdsJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return {
      status: response.status,
      body: holdsJson ? JSON.parse(text) : text,
      headers: response.headers,
    };
  }

  /** The same for what must succeed; returns the body. */
  // deno-lint-ignore no-explicit-any -- Bodies are looked into freely.
  async get(path: string): Promise<any> {
    const { status, body } = await this.ask("GET", path);
    ok(status < 300, `${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Follows a stream of events below `/api` until disposed. */
  async follow(path: string, more: Record<string, string> = {}): Promise<EventReader> {
    const abort = new AbortController();
    const headers = { authorization: `Bearer ${this.door.token}`, ...more };
    const response = await fetch(`${this.door.url}/api${path}`, { headers, signal: abort.signal });
    ok(response.headers.get("content-type") === "text/event-stream", `${response.status}`);
    return new EventReader(response.body!, abort);
  }

  /** A shell's script as a process that runs. */
  async run(id: string, script: string, more: Record<string, unknown> = {}): Promise<void> {
    const { status, body } = await this.ask("POST", "/processes", {
      id,
      command: "sh",
      args: ["-c", script],
      auto_start_on_create: true,
      ...more,
    });
    ok(status === 201, JSON.stringify(body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
