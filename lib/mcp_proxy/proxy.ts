/** A proxy at work: one client, and the servers that come one after the other. @module */
import { DEFAULT_LIMITS } from "../mcp/limits.ts";
import { LinePipe, type Pipes } from "../mcp/line_pipe.ts";
import { RPC, rpcError } from "../mcp/json_rpc.ts";
import { backoffMs } from "../async/backoff.ts";
import { Build } from "./build.ts";
import type { Effect } from "./effect.ts";
import { type Ending, LastLines } from "./ending.ts";
import { type Life, type LifeEffect, type LifeEvent, step } from "./life.ts";
import { DEFAULT_PROXY_LIMITS, type ProxyLimits } from "./limits.ts";
import type { Id, Message } from "./message.ts";
import { callOwnTool, OWN_TOOLS, type Standing } from "./own_tools.ts";
import { Router } from "./router.ts";
import { serverName, type ServerSpec, startServer } from "./spec.ts";
import type { Server } from "./server.ts";

/** Settings of a proxy. */
export interface ProxyOptions {
  readonly limits?: Partial<ProxyLimits>;
  /** Whether the proxy's own tools are shown beside the server's. */
  readonly ownTools?: boolean;
  /** Runs before each start; words of a shell. */
  readonly build?: string | undefined;
  /** Files whose change restarts the server, from `watchFolder`. */
  readonly watch?: readonly string[];
  readonly watchFolder?: string;
  readonly signal?: AbortSignal;
  /** Standard input and output when left out. */
  readonly pipes?: Pipes;
  /** Takes the proxy's own words, and pieces of what the server says beside the protocol. */
  readonly tell?: (text: string, from: "proxy" | "server") => void;
}

/** Messages of one batch, of clients of 2025-03-26. More: it is refused as a whole. */
const MOST_IN_BATCH = 100;
/** How often it is looked what is late: a limit is told so much later at most. */
const TICK_MS = 250;
/** Lines of what servers and builds said that can be asked for, and characters of each. */
const SAID_LINES = 1_000;
const SAID_CHARS = 500;
/** To look whether a server that others run is there again costs little. */
const LOOK_MS = 500;
/** Pauses between starts: none at first. */
const BACKOFF = { firstMs: 50, factor: 2, onceMs: 0 };

/** Serves one client until it closes its end or the signal fires; then nothing of a server is left. */
export async function runProxy(spec: ServerSpec, options: ProxyOptions = {}): Promise<void> {
  const { signal } = options;
  const proxy = new McpProxy(spec, options);
  const stop = () => proxy.stop();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  await proxy.run();
  signal?.removeEventListener("abort", stop);
}

class McpProxy {
  readonly #spec: ServerSpec;
  readonly #name: string;
  readonly #options: ProxyOptions;
  readonly #limits: ProxyLimits;
  readonly #router: Router;
  readonly #client: LinePipe;
  readonly #servers = new Map<number, Server>();
  readonly #retired = new Map<number, ReturnType<typeof setTimeout>>();
  readonly #stopped = new AbortController();
  #life: Life = { kind: "idle" };
  #lastGeneration = 0;
  #starts = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #pausing: ReturnType<typeof setTimeout> | undefined;
  #building: Build | undefined;
  #lastEnding: Ending | undefined;
  #lastBuild = "none";
  #lastTold = "";
  /** Resolves when the client has read what was sent last. */
  #sent: Promise<void> = Promise.resolve();
  readonly #said = new LastLines(SAID_LINES, SAID_CHARS);

  constructor(spec: ServerSpec, options: ProxyOptions) {
    this.#spec = spec;
    this.#name = serverName(spec);
    this.#options = options;
    this.#limits = { ...DEFAULT_PROXY_LIMITS, ...options.limits };
    this.#router = new Router({
      server: this.#name,
      limits: this.#limits,
      ...(options.ownTools === true ? { ownTools: OWN_TOOLS } : {}),
    });
    const pipes = options.pipes ?? { input: Deno.stdin.readable, output: Deno.stdout.writable };
    const { messageBytes: bodyBytes, unreadBytes } = this.#limits;
    this.#client = new LinePipe(pipes, { ...DEFAULT_LIMITS, bodyBytes, unreadBytes }, {
      message: (value) => this.#fromClient(value),
      error: (error) => this.#tell(error.message),
      closed: () => this.stop(),
    });
  }

  /** Resolves when the client has gone and nothing is left. */
  async run(): Promise<void> {
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    const watching = this.#watch();
    this.#happened({ kind: "began" });
    this.#client.start();
    await this.#client.ended;
    this.stop();
    await watching;
    while (this.#servers.size > 0) await Promise.all([...this.#servers.values()].map(({ closed }) => closed));
    clearInterval(ticking);
    await this.#building?.ended;
  }

  stop(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    clearTimeout(this.#settling);
    clearTimeout(this.#pausing);
    for (const generation of [...this.#retired.keys()]) this.#endRetired(generation);
    this.#happened({ kind: "stopped" });
    void this.#client.close();
  }

  #tick(): void {
    // Servers that are not read cannot answer.
    if (this.#isFull) this.#router.waitsForClient(now());
    this.#carryOut(this.#router.tick(now()));
  }

  #fromClient(value: unknown): void {
    if (Array.isArray(value) && (value.length === 0 || value.length > MOST_IN_BATCH)) {
      const message =
        `Invalid request: a batch of ${value.length} messages, at most ${MOST_IN_BATCH} are taken`;
      return this.#toClient(rpcError(null, RPC.invalidRequest, message) as unknown as Message);
    }
    for (const each of Array.isArray(value) ? value : [value]) {
      this.#carryOut(this.#router.fromClient(each, now()));
    }
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "toClient":
          this.#toClient(effect.message);
          break;
        case "toServer":
          this.#servers.get(effect.generation)?.send(effect.message);
          break;
        case "ready":
          this.#happened(effect);
          break;
        case "unfit":
          this.#tell(`${this.#name} ${effect.reason}`);
          this.#servers.get(effect.generation)?.kill(effect.reason);
          break;
        case "ownCall":
          this.#ownCall(effect.id, effect.message);
          break;
        case "told":
          this.#tell(effect.text);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  /** Whether the client has so much to read that no server is read until it has. */
  get #isFull(): boolean {
    return this.#client.waitingBytes > this.#limits.unreadBytes / 4;
  }

  #toClient(message: Message): void {
    this.#sent = this.#client.send(message).catch(() => {
      // It has gone, which is seen where it is read.
    });
  }

  #ownCall(id: Id, message: Message): void {
    const restart = () => this.#happened({ kind: "changed" });
    const result = callOwnTool(message, this.#standing(), restart);
    this.#carryOut(this.#router.ownAnswer(id, message, result));
  }

  #standing(): Standing {
    const serving = "serving" in this.#life ? this.#life.serving : undefined;
    return {
      server: this.#name,
      state: this.#life.kind,
      pid: serving === undefined ? undefined : this.#servers.get(serving)?.pid,
      starts: this.#starts,
      requests: this.#router.open,
      lastEnding: this.#lastEnding,
      lastBuild: this.#lastBuild,
      lines: this.#said.lines,
    };
  }

  // The life of servers.

  #happened(event: LifeEvent): void {
    const { build } = this.#options;
    const rules = {
      builds: build !== undefined,
      overlaps: this.#spec.kind === "stdio",
      nextGeneration: this.#lastGeneration + 1,
    };
    const stepped = step(this.#life, event, rules);
    if (stepped === undefined) return;
    const [life, effects] = stepped;
    this.#life = life;
    for (const effect of effects) this.#live(effect);
  }

  #live(effect: LifeEffect): void {
    switch (effect.kind) {
      case "build":
        return this.#build();
      case "stopBuilding":
        return this.#building?.stop();
      case "pause":
        return this.#pause();
      case "spawn":
        return this.#spawn(effect.generation);
      case "serve":
        return this.#serve(effect.generation);
      case "retire":
        return this.#retire(effect.generation);
      case "end":
        return this.#servers.get(effect.generation)?.end();
      default:
        effect satisfies never;
    }
  }

  #pause(): void {
    const failures = this.#life.kind === "pausing" ? this.#life.failures : 1;
    const isOthers = this.#spec.kind === "http" && this.#spec.command === undefined;
    const maxMs = isOthers ? Math.min(LOOK_MS, this.#limits.backoffMs) : this.#limits.backoffMs;
    const waitMs = backoffMs({ ...BACKOFF, maxMs }, failures);
    this.#pausing = setTimeout(() => this.#happened({ kind: "timerFired" }), waitMs);
  }

  #spawn(generation: number): void {
    clearTimeout(this.#pausing);
    this.#lastGeneration = generation;
    this.#starts++;
    const open = () => this.#carryOut(this.#router.started(generation, now()));
    try {
      const server = startServer(this.#spec, this.#limits, {
        open: () => queueMicrotask(open),
        message: (value) => {
          this.#carryOut(this.#router.fromServer(generation, value, now()));
          this.#drained(generation);
        },
        room: () => this.#isFull ? this.#sent : undefined,
        tooLong: (id) => {
          this.#tell(`${this.#name} said more than ${this.#limits.messageBytes} bytes in one message`);
          if (id !== undefined) this.#carryOut(this.#router.tooLong(generation, id, now()));
        },
        lost: (id, reason, heard) => this.#carryOut(this.#router.lost(id, generation, reason, heard, now())),
        said: (text) => this.#serverSaid(text),
        ended: (ending, unheard) => this.#ended(generation, ending, unheard),
      });
      this.#servers.set(generation, server);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const ending = { what: `could not be started: ${error.message}`, lines: [] };
      queueMicrotask(() => this.#ended(generation, ending));
    }
  }

  #ended(generation: number, ending: Ending, unheard: ReadonlySet<number> = new Set()): void {
    this.#servers.delete(generation);
    const wasRetired = this.#retired.has(generation);
    clearTimeout(this.#retired.get(generation));
    this.#retired.delete(generation);
    if (!wasRetired && this.#life.kind !== "stopped") {
      this.#lastEnding = ending;
      this.#tell(`${this.#name} ${ending.what}`);
    }
    // What it had waits for the next one, or is given to the one that serves.
    this.#carryOut(this.#router.gone(generation, { ending, unheard }, now()));
    this.#happened({ kind: "ended", generation });
  }

  #serve(generation: number): void {
    if (this.#starts > 1) this.#tell(`${this.#name} is there again`);
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#happened({ kind: "settled", generation }), this.#limits.settleMs);
    this.#carryOut(this.#router.serve(generation, now()));
  }

  #retire(generation: number): void {
    this.#router.retire(generation);
    this.#retired.set(generation, setTimeout(() => this.#endRetired(generation), this.#limits.drainMs));
    this.#drained(generation);
  }

  #drained(generation: number): void {
    if (this.#retired.has(generation) && this.#router.inFlight(generation) === 0) {
      this.#endRetired(generation);
    }
  }

  #endRetired(generation: number): void {
    clearTimeout(this.#retired.get(generation));
    this.#servers.get(generation)?.end();
  }

  // What makes a new one.

  #build(): void {
    const { build, watchFolder } = this.#options;
    const before = this.#building;
    const building: Build = new Build({ words: build ?? "", cwd: watchFolder }, {
      after: before?.ended,
      said: (text) => this.#serverSaid(text),
      ended: (ending) => {
        if (this.#building !== building) return;
        this.#lastBuild = ending === undefined ? "succeeded" : ending.what;
        if (ending !== undefined) {
          this.#tell(
            `the build ${ending.what}${this.#router.current === undefined ? "" : "; the server goes on"}`,
          );
          const what = `could not be built: its build ${ending.what}`;
          this.#carryOut(this.#router.failed({ ...ending, what }));
        }
        this.#happened({ kind: ending === undefined ? "built" : "notBuilt" });
      },
    });
    this.#building = building;
  }

  async #watch(): Promise<void> {
    const { watch = [], watchFolder = Deno.cwd() } = this.#options;
    if (watch.length === 0) return;
    const { watchFiles } = await import("../supervisor/mod.ts");
    try {
      await watchFiles({ folder: watchFolder, globs: watch }, {
        signal: this.#stopped.signal,
        changed: (paths) => {
          this.#tell(`${paths.slice(0, 3).join(", ")}${paths.length > 3 ? " and others" : ""} changed`);
          this.#happened({ kind: "changed" });
        },
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#tell(`Files are not watched any more: ${error.message}`);
    }
  }

  // What is told to people.

  #serverSaid(text: string): void {
    this.#said.push(text);
    this.#options.tell?.(text, "server");
  }

  /** What is told again and again is told once. */
  #tell(text: string): void {
    if (text === this.#lastTold) return;
    this.#lastTold = text;
    this.#options.tell?.(text, "proxy");
  }
}

function now(): number {
  return performance.now();
}
