/** The daemon: takes the logs, keeps the state, publishes it, remembers what was built. @module */
import type { Listener } from "../../ffi/sockets/mod.ts";
import type { AgentAddress, PushedRow } from "../agent_client/mod.ts";
import type { Command, Job } from "../nix/mod.ts";
import { listenOn } from "../web/mod.ts";
import { DaemonPush } from "./agent_push.ts";
import { BuilderLooks } from "./builder_looks.ts";
import { makeFolder } from "../cli/make_folder.ts";
import { RUNTIME_FOLDER } from "./folders.ts";
import { KeptBuilds } from "./kept_builds.ts";
import { LogListener, type LogListenerOptions } from "./log_listener.ts";
import { daemonRows, NIX_METRICS_HELP, prometheusText, underWay } from "./metrics.ts";
import { Monitor } from "./monitor.ts";
import { Publisher } from "./publisher.ts";
import { followHosts } from "./remote.ts";
import type { RemoteAddress } from "./remote_address.ts";
import { nixRoutes, type RouteSources } from "./routes.ts";
import { isInStore, isRegistered, readDerivation } from "./store_files.ts";
import { isBlocked, type World } from "./world.ts";

/** What has come waits so long for more of it before clients are told. */
const FLUSH_MS = 20;
/** Estimates and the heartbeat, while nothing comes. */
const TICK_MS = 1_000;

/** What a daemon works with. */
export interface DaemonOptions {
  /** Where Nix writes; opened already, stays the caller's. */
  readonly logs: Listener;
  /** Where clients ask; the caller's too. */
  readonly control: Listener;
  /** Also on a port. */
  readonly http?: { readonly listener: Listener; readonly token: string | undefined } | undefined;
  /** For the ring. */
  readonly runtimeFolder: string;
  /** Group whose members may be clients: the ring is theirs to read. */
  readonly clientGid?: number | undefined;
  /** For history and logs. */
  readonly stateFolder: string;
  readonly mayConnect?: LogListenerOptions["mayConnect"];
  readonly describe?: LogListenerOptions["describe"];
  /** Daemons of other hosts, by name. */
  readonly hosts?: readonly { readonly name: string; readonly address: RemoteAddress }[];
  /** Socket of the telemetry agent that takes metrics and events; whether one listens there may change. */
  readonly agent?: string | undefined;
  /** The telemetry agent whose count of what processes use is asked for. */
  readonly usageFrom?: AgentAddress | undefined;
  /** Hears of what could not be kept; often the same. */
  readonly onProblem?: (text: string) => void;
  /** Hears of each build that is over. */
  readonly onBuildEnd?: (job: Job) => void;
}

/** Runs from `start` until it is disposed. */
export class Daemon implements AsyncDisposable {
  readonly #options: DaemonOptions;
  readonly #stack: AsyncDisposableStack;
  readonly #kept: KeptBuilds;
  readonly #publisher: Publisher;
  readonly #monitor: Monitor;
  readonly #looks: BuilderLooks;
  readonly #push: DaemonPush | undefined;
  readonly #worlds: Map<string, World>;
  readonly #startedMs = Date.now();
  /** Builds that are over, by how. */
  readonly #ended = new Map<string, number>();
  #listener: LogListener | undefined;
  #flushing: ReturnType<typeof setTimeout> | undefined;

  /** Opens everything, and begins to take logs. @throws {Error} Naming what could not be had. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    try {
      await daemon.#start();
      return daemon;
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(options: DaemonOptions) {
    this.#options = options;
    const { runtimeFolder, stateFolder, usageFrom, agent } = options;
    using stack = new DisposableStack();
    makeFolder(runtimeFolder, RUNTIME_FOLDER);
    this.#kept = stack.use(
      new KeptBuilds(stateFolder, (error) => this.#problem("keep what was built", error)),
    );
    this.#publisher = stack.use(new Publisher(`${runtimeFolder}/updates.ring`, { gid: options.clientGid }));
    this.#looks = stack.use(new BuilderLooks(usageFrom));
    this.#monitor = new Monitor({
      durationsOf: this.#kept.history.durationsOf,
      readFile: readDerivation,
      exists: isInStore,
      isRegistered,
      onLine: (job, line) => this.#kept.line(job, line),
      onBuildEnd: (job, command) => this.#buildEnded(job, command),
    });
    this.#worlds = new Map([["", this.#monitor.world]]);
    const owned = stack.move();
    this.#stack = new AsyncDisposableStack();
    this.#stack.use(owned);
    if (agent !== undefined) {
      this.#push = this.#stack.use(new DaemonPush({ path: agent, rows: () => this.#rows() }));
    }
  }

  /** Ends all logs, tells clients, writes what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]();
    this.#listener = undefined;
    clearTimeout(this.#flushing);
    await this.#monitor.settled();
    if (!this.#stack.disposed) this.#flush();
    await this.#stack.disposeAsync();
  }

  async #start(): Promise<void> {
    const { logs, control, http, mayConnect, describe, hosts = [] } = this.#options;
    const sources = this.#sources();
    const routes = nixRoutes(sources);
    this.#stack.use(await listenOn(control, (request) => routes.fetch(request)));
    if (http !== undefined) {
      const open = nixRoutes(sources, { token: http.token });
      this.#stack.use(await listenOn(http.listener, (request) => open.fetch(request)));
    }
    this.#listener = await LogListener.start({
      listener: logs,
      open: (requester) => this.#monitor.open(requester),
      onData: () => void (this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS)),
      ...(mayConnect === undefined ? {} : { mayConnect }),
      ...(describe === undefined ? {} : { describe }),
    });
    const tell = this.#publisher.publish.bind(this.#publisher);
    this.#stack.use(followHosts(hosts, { worlds: this.#worlds, tell }));
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    this.#stack.defer(() => clearInterval(ticking));
  }

  /** What clients of every kind are shown. */
  #sources(): RouteSources {
    return {
      snapshot: () => {
        this.#flush();
        return this.#publisher.snapshot(this.#worlds);
      },
      follow: (tell) => this.#publisher.follow(tell),
      kept: this.#kept,
      status: () => this.#status(),
      metrics: () => prometheusText(this.#rows(), NIX_METRICS_HELP),
    };
  }

  #buildEnded(job: Job, command: Command | undefined): void {
    const outcome = isBlocked(job) ? "blocked" : job.state.kind;
    this.#ended.set(outcome, (this.#ended.get(outcome) ?? 0) + 1);
    this.#kept.end(job, { command, used: this.#looks.takeUsed(job.id) });
    this.#push?.buildEnded(job);
    // Of what was planned and never began there is nothing to tell, unless it failed: what it needs did.
    if (job.startedMs !== undefined || job.state.kind === "failed") this.#options.onBuildEnd?.(job);
  }

  #tick(): void {
    this.#try("publish", () => this.#publisher.beat());
    this.#try("look at the builders", () => {
      const seen = this.#looks.tick(this.#monitor.world);
      if (seen !== undefined) this.#monitor.see(seen);
    });
    this.#flush();
    this.#kept.flush();
    this.#push?.tick();
  }

  #flush(): void {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    const update = this.#monitor.flush();
    if (update === undefined) return;
    this.#push?.take(update, this.#monitor.world);
    this.#publisher.publish({ host: "", update });
  }

  /** What fails now may succeed with the next tick. */
  #try(doing: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#problem(doing, error);
    }
  }

  #problem(doing: string, error: unknown): void {
    this.#options.onProblem?.(`Cannot ${doing}: ${error instanceof Error ? error.message : error}`);
  }

  #status(): Record<string, unknown> {
    return {
      pid: Deno.pid,
      startedMs: this.#startedMs,
      hosts: [...this.#worlds.keys()].map((host) => host || Deno.hostname()),
      ...underWay(this.#monitor.world),
      ended: [...this.#ended.values()].reduce((sum, count) => sum + count, 0),
      connections: this.#listener?.stats,
    };
  }

  #rows(): PushedRow[] {
    const { world } = this.#monitor;
    const { connections = 0, refused = 0, bytes = 0 } = this.#listener?.stats ?? {};
    const { dropped } = this.#publisher;
    const counts = { ...underWay(world), ended: this.#ended, connections, refused, bytes, dropped };
    return [...daemonRows(counts, world), ...this.#looks.rows()];
  }
}
