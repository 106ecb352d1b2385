/** The daemon: takes the logs, keeps the state, publishes it, remembers what was built. @module */
import { type Listener, openListener } from "../../ffi/sockets/mod.ts";
import {
  type AgentAddress,
  AgentUsage,
  type CountedUsage,
  isOfThisHost,
  type PushedRow,
} from "../agent_client/mod.ts";
import { isOver, type Job } from "../nix/mod.ts";
import { listenOn, type Server } from "../web/mod.ts";
import { History } from "./history.ts";
import { LogListener, type LogListenerOptions } from "./log_listener.ts";
import { logName, LogStore } from "./log_store.ts";
import { Monitor } from "./monitor.ts";
import { DaemonPush } from "./agent_push.ts";
import { BuildUse, daemonRows, NIX_METRICS_HELP, prometheusText } from "./metrics.ts";
import { type BuilderSnapshot, BuilderWatch, withAgentUsage } from "./processes/mod.ts";
import { type HostUpdate, Publisher } from "./publisher.ts";
import { nixRoutes, type RouteSources } from "./routes.ts";
import { type RemoteAddress, RemoteHost } from "./remote.ts";
import { isInStore, readDerivation } from "./store_files.ts";
import { processesOf } from "./usage.ts";
import type { World } from "./world.ts";

/** What has come waits so long for more of it before clients are told. */
const FLUSH_MS = 20;
/** Estimates and the heartbeat, while nothing comes. */
const TICK_MS = 1_000;
/** Looks at the host's processes while nothing is built: builds of a Nix that tells nothing are found by them. */
const IDLE_TICKS = 5;

export interface DaemonOptions {
  /** Where Nix writes; opened already, stays the caller's. */
  readonly logs: Listener;
  /** Where clients ask; the caller's too. */
  readonly control: Listener;
  /** Also on a port. */
  readonly http?: { readonly listener: Listener; readonly token: string | undefined } | undefined;
  /** For the ring. */
  readonly runtimeFolder: string;
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

export class Daemon implements AsyncDisposable {
  readonly #options: DaemonOptions;
  readonly #stack: AsyncDisposableStack;
  readonly #history: History;
  readonly #store: LogStore;
  readonly #publisher: Publisher;
  readonly #monitor: Monitor;
  readonly #followers = new Set<(message: HostUpdate) => void>();
  readonly #worlds: Map<string, World>;
  readonly #startedMs = Date.now();
  readonly #servers: Server[] = [];
  #listener: LogListener | undefined;
  #flushing: ReturnType<typeof setTimeout> | undefined;
  readonly #ended = new Map<string, number>();
  readonly #buildUse = new BuildUse();
  readonly #push: DaemonPush | undefined;
  readonly #watch = new BuilderWatch();
  #idleTicks = 0;
  #usage: AgentUsage | undefined;
  /** What it told last. */
  #counted: CountedUsage | undefined;
  /** Of builds that run, by their jobs. */
  readonly #used = new Map<number, { readonly cpuSeconds: number; readonly peakBytes: number }>();

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
    using stack = new DisposableStack();
    const { runtimeFolder, stateFolder } = options;
    Deno.mkdirSync(runtimeFolder, { recursive: true, mode: 0o755 });
    Deno.mkdirSync(stateFolder, { recursive: true, mode: 0o750 });
    this.#history = stack.use(History.open(`${stateFolder}/history.sqlite`));
    this.#store = stack.use(new LogStore(`${stateFolder}/logs`));
    this.#publisher = stack.use(new Publisher(`${runtimeFolder}/updates.ring`));
    this.#monitor = new Monitor({
      durationsOf: this.#history.durationsOf,
      readFile: readDerivation,
      exists: isInStore,
      onLine: (job, line) => this.#keep(() => this.#store.add(job.id, { name: logName(job), line })),
      onBuildEnd: (job, command) => {
        this.#ended.set(job.state.kind, (this.#ended.get(job.state.kind) ?? 0) + 1);
        const log = this.#keep(() => this.#store.end(job.id));
        if (job.startedMs !== undefined) {
          this.#keep(() => this.#history.add(job, { command, log, used: this.#used.get(job.id) }));
        }
        this.#used.delete(job.id);
        this.#push?.buildEnded(job);
        options.onBuildEnd?.(job);
      },
    });
    this.#worlds = new Map([["", this.#monitor.world]]);
    const owned = stack.move();
    this.#stack = new AsyncDisposableStack();
    this.#stack.use(owned);
    if (options.usageFrom !== undefined) this.#usage = this.#stack.use(new AgentUsage(options.usageFrom));
    if (options.agent !== undefined) {
      this.#push = this.#stack.use(new DaemonPush({ path: options.agent, rows: () => this.#rows() }));
    }
  }

  /** Where history and logs are. */
  get stateFolder(): string {
    return this.#options.stateFolder;
  }

  /** What clients of every kind are shown. */
  get sources(): RouteSources {
    return {
      snapshot: () => {
        this.#flush();
        return this.#publisher.snapshot(this.#worlds);
      },
      follow: (tell) => {
        this.#followers.add(tell);
        return () => this.#followers.delete(tell);
      },
      history: this.#history,
      logs: this.#store,
      logOf: (job) => {
        this.#store.flush();
        return this.#store.nameOf(job);
      },
      status: () => this.#status(),
      metrics: () => prometheusText(this.#rows(), NIX_METRICS_HELP),
    };
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
    const { logs, control, http, mayConnect, describe } = this.#options;
    const routes = nixRoutes(this.sources);
    this.#servers.push(this.#stack.use(await listenOn(control, (request) => routes.fetch(request))));
    if (http !== undefined) {
      const open = nixRoutes(this.sources, { token: http.token });
      this.#servers.push(this.#stack.use(await listenOn(http.listener, (request) => open.fetch(request))));
    }
    this.#listener = await LogListener.start({
      listener: logs,
      open: (requester) => this.#monitor.open(requester),
      onData: () => this.#schedule(),
      ...(mayConnect === undefined ? {} : { mayConnect }),
      ...(describe === undefined ? {} : { describe }),
    });
    this.#followHosts();
    const ticking = setInterval(() => {
      this.#beat();
      this.#look();
      this.#flush();
      this.#keep(() => this.#store.flush());
      this.#keep(() => this.#history.flush());
      this.#push?.tick();
    }, TICK_MS);
    this.#stack.defer(() => clearInterval(ticking));
  }

  #followHosts(): void {
    const over = new AbortController();
    const following = (this.#options.hosts ?? []).map(({ name, address }) => {
      const tell = (message: HostUpdate) => this.#publish(message);
      const host = new RemoteHost({ name, address, signal: over.signal, tell });
      this.#worlds.set(name, host.world);
      return host.follow();
    });
    this.#stack.defer(async () => {
      over.abort();
      await Promise.all(following);
    });
  }

  #publish(message: HostUpdate): void {
    this.#publisher.publish(message);
    for (const tell of this.#followers) tell(message);
  }

  /** A full disk costs history and logs, and nothing of what is shown. */
  #keep<T>(write: () => T): T | undefined {
    try {
      return write();
    } catch (error) {
      this.#problem("keep what was built", error);
      return undefined;
    }
  }

  #beat(): void {
    try {
      this.#publisher.beat();
    } catch (error) {
      this.#problem("publish", error);
    }
  }

  #problem(doing: string, error: unknown): void {
    this.#options.onProblem?.(`Cannot ${doing}: ${error instanceof Error ? error.message : error}`);
  }

  /** At the host's processes: each second while something is built, else now and then. */
  #look(): void {
    const { jobs, builders } = this.#monitor.world;
    const isBusy = (builders?.builds.length ?? 0) > 0 ||
      [...jobs.values()].some(({ kind, state }) => kind === "build" && state.kind === "running");
    if (!isBusy && ++this.#idleTicks % IDLE_TICKS !== 1) return;
    if (isBusy) this.#idleTicks = 0;
    try {
      const scanned = this.#watch.scan();
      // It is asked beside: a slow agent has nobody wait.
      void this.#usage?.read().then((counted) => this.#counted = counted);
      const counted = this.#counted;
      const isOurs = counted !== undefined && isOfThisHost(counted, Deno.pid);
      this.#saw(isOurs ? withAgentUsage(scanned, counted) : scanned);
    } catch (error) {
      // Descriptors that ran out come back; builds are shown without their processes as long.
      this.#problem("look at the builders", error);
    }
  }

  #saw(seen: BuilderSnapshot): void {
    const world = { ...this.#monitor.world, builders: seen };
    const found = processesOf(world);
    this.#buildUse.see(world, { found, hostname: Deno.hostname() });
    for (const [job, { usage }] of found) {
      const peakBytes = Math.max(usage.residentBytes, this.#used.get(job)?.peakBytes ?? 0);
      this.#used.set(job, { cpuSeconds: usage.cpuSeconds, peakBytes });
    }
    this.#monitor.see(seen);
  }

  #schedule(): void {
    this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  #flush(): void {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    const update = this.#monitor.flush();
    if (update === undefined) return;
    this.#push?.take(update, this.#monitor.world);
    this.#publish({ host: "", update });
  }

  #status(): Record<string, unknown> {
    return {
      pid: Deno.pid,
      startedMs: this.#startedMs,
      hosts: [...this.#worlds.keys()].map((host) => host || Deno.hostname()),
      ...this.#underWay(),
      ended: [...this.#ended.values()].reduce((sum, count) => sum + count, 0),
      connections: this.#listener?.stats,
    };
  }

  #underWay(): { readonly commands: number; readonly builds: number; readonly waiting: number } {
    const { commands, jobs } = this.#monitor.world;
    const builds = [...jobs.values()].filter((job) => job.kind === "build" && !isOver(job));
    const running = builds.filter(({ state }) => state.kind === "running").length;
    return {
      commands: [...commands.values()].filter(({ state }) => state === "running").length,
      builds: running,
      waiting: builds.length - running,
    };
  }

  #rows(): PushedRow[] {
    const { connections = 0, refused = 0, bytes = 0 } = this.#listener?.stats ?? {};
    const counts = { ...this.#underWay(), ended: this.#ended, connections, refused, bytes };
    return [...daemonRows(counts, this.#monitor.world), ...this.#buildUse.rows()];
  }
}

/**
 * Listens where clients or Nix connect, with permissions.
 * @throws {Error} When a file stands there that is no socket. @throws {SystemError} When somebody answers on it.
 */
export function openSocket(
  path: string,
  { mode, gid }: { readonly mode: number; readonly gid?: number | undefined },
): Listener {
  if (isOtherFile(path)) {
    throw new Error(
      `Cannot listen on ${path}: a file stands there, as Nix makes one where no socket is; remove it`,
    );
  }
  const listener = openListener({ path });
  try {
    if (gid !== undefined) Deno.chownSync(path, null, gid);
    Deno.chmodSync(path, mode);
    return listener;
  } catch (error) {
    listener[Symbol.dispose]();
    throw error;
  }
}

function isOtherFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket !== true;
  } catch (error) {
    if (error instanceof Error) return false; // There is nothing, or listening tells what is wrong.
    throw error;
  }
}
