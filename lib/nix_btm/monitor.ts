/**
 * The state of Nix on this host, from whatever logs come in: reads the derivations that they name, estimates, and tells
 * what changed as updates of a world.
 * @module
 */
import {
  BOUNDS,
  type Changes,
  type Command,
  cutText,
  type Derivation,
  type DurationsOf,
  estimate,
  isOver,
  type Job,
  LogReader,
  NixState,
  type Node,
  type ReaderCounts,
  type Requester,
  TAIL_LINES,
} from "../nix/mod.ts";
import type { BuilderSnapshot } from "./processes/mod.ts";
import { DerivationLoader } from "./derivation_loader.ts";
import {
  applyUpdate,
  type CacheRow,
  emptyWorld,
  type EstimateRow,
  isEmpty,
  type JobRow,
  type Update,
  type World,
} from "./world.ts";

/** One log that comes in. */
export interface Log {
  readonly counts: Readonly<ReaderCounts>;
  /** The command that it belongs to now. */
  readonly command: Command;
  push(chunk: Uint8Array): void;
  /** It is over; `exitCode` where somebody knows it. */
  end(exitCode?: number): void;
}

export interface MonitorOptions {
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** What history knows. */
  readonly durationsOf?: DurationsOf;
  /** Reads the text of a file of the store; nothing is read where it is missing. */
  readonly readFile?: (path: string) => Promise<string>;
  /** Whether something lies at a path of the store. */
  readonly exists?: (path: string) => Promise<boolean>;
  /** Whether Nix has registered a path of the store; what a builder writes there now it has not. */
  readonly isRegistered?: (path: string) => Promise<boolean>;
  /** Hears of what Nix says to people: level 0 is an error, 1 a warning. */
  readonly onMessage?: (text: string, level: number) => void;
  /** Hears of each line of a build's log. */
  readonly onLine?: (job: Job, text: string, atMs: number) => void;
  /** Hears of a build that is over, once. */
  readonly onBuildEnd?: (job: Job, command: Command | undefined) => void;
}

/** How often a command is estimated anew while nothing of it changes. */
const ESTIMATE_EVERY_MS = 1_000;

/** Derivations that are known; beyond this those go that no job needs. */
const NODES_MAX = 50_000;

export class Monitor {
  readonly world: World = emptyWorld();
  readonly #now: () => number;
  readonly #options: MonitorOptions;
  readonly #state: NixState;
  readonly #loader: DerivationLoader;
  #newNodes: Node[] = [];
  #nodesMax = NODES_MAX;
  /** Not told yet. */
  #builders: BuilderSnapshot | undefined;
  readonly #newLines = new Map<number, string[]>();
  readonly #estimatedMs = new Map<number, number>();
  readonly #told = new Set<number>();
  readonly #looking = new Set<Promise<void>>();

  constructor(options: MonitorOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { readFile } = options;
    this.#loader = new DerivationLoader(readFile ?? (() => Promise.reject(new Deno.errors.NotFound())));
    this.#state = new NixState({
      line: (job, text, atMs) => this.#line(job, text, atMs),
      derivation: (path) => {
        if (readFile !== undefined) this.#loader.want(path);
      },
      edge: (path, input) => this.#edge(path, input),
      inputs: (path) => this.world.graph.inputs(path),
      derivationOf: (output) => this.world.graph.derivationOf(output),
    });
  }

  /** A log begins. */
  open(requester: Requester): Log {
    const state = this.#state;
    const now = this.#now;
    const id = state.open(requester, now());
    const { onMessage } = this.#options;
    const reader = new LogReader((record) => {
      if (record.kind === "message") onMessage?.(record.text, record.level);
      state.apply(id, record, now());
    });
    let command: Command | undefined;
    return {
      counts: reader.counts,
      get command() {
        return command ?? state.commandOf(id);
      },
      push: (chunk) => reader.push(chunk),
      end: (exitCode) => {
        if (command !== undefined) return;
        reader.end();
        command = state.commandOf(id);
        state.close(id, now(), exitCode);
      },
    };
  }

  /** Somebody has looked at the host's processes. */
  see(builders: BuilderSnapshot): void {
    this.#builders = builders;
  }

  /** What changed since the last time, put into the world; `undefined` when nothing did. */
  flush(): Update | undefined {
    this.#loaded();
    const changes = this.#state.changes();
    for (const job of changes.jobs) this.#ended(job);
    this.#overdue(changes.commands);
    for (const id of changes.removedJobs) this.#told.delete(id);
    const update: Update = {
      commands: changes.commands.map((command) => ({ ...command, targets: [...command.targets] })),
      jobs: changes.jobs.map(rowOf),
      lines: [...this.#newLines].map(([job, lines]) => ({ job, lines })),
      removedCommands: changes.removedCommands,
      removedJobs: changes.removedJobs,
      nodes: this.#newNodes,
      removedNodes: changes.removedJobs.length === 0 ? [] : this.#unneeded(),
      estimates: this.#estimates(changes),
      caches: this.#caches(changes.jobs),
      builders: this.#builders === undefined ? [] : [this.#builders],
    };
    this.#builders = undefined;
    this.#newNodes = [];
    this.#newLines.clear();
    if (isEmpty(update)) return undefined;
    applyUpdate(this.world, update);
    return update;
  }

  /** Resolves when all files that were wanted have been read or given up, and all outputs looked for. */
  async settled(): Promise<void> {
    await this.#loader.settled();
    await Promise.all(this.#looking);
  }

  #line(job: Job, text: string, atMs: number): void {
    const lines = this.#newLines.get(job.id);
    const shown = cutText(text, BOUNDS.line);
    if (lines === undefined) this.#newLines.set(job.id, [shown]);
    // Nobody who follows keeps more.
    else if (lines.push(shown) === 2 * TAIL_LINES) lines.splice(0, TAIL_LINES);
    this.#options.onLine?.(job, text, atMs);
  }

  #edge(path: string, input: string): void {
    if (this.world.graph.addEdge(path, input)) this.#newNodes.push(this.world.graph.node(path)!);
  }

  #loaded(): void {
    for (const derivation of this.#loader.take()) {
      const node = nodeOf(derivation);
      this.world.graph.add(node);
      this.#newNodes.push(node);
    }
  }

  /** Derivations that no job needs any more, when there are too many. */
  #unneeded(): string[] {
    const { graph } = this.world;
    if (graph.size <= this.#nodesMax) return [];
    const needed = graph.closure([...this.#state.jobs.values()].map(({ subject }) => subject));
    // Where all of them are needed it is not looked again for a while.
    this.#nodesMax = Math.max(NODES_MAX, 2 * needed.size);
    const gone = [...graph.nodes()].map(({ path }) => path).filter((path) => !needed.has(path));
    this.#loader.forget(gone);
    return gone;
  }

  #ended(job: Job): void {
    if (job.kind !== "build" || !isOver(job) || this.#told.has(job.id)) return;
    this.#told.add(job.id);
    const { exists } = this.#options;
    if (job.state.kind !== "ended" || exists === undefined) return this.#tell(job);
    const looking = this.#look(job, exists).finally(() => {
      this.#looking.delete(looking);
      this.#tell(job);
    });
    this.#looking.add(looking);
  }

  #tell(job: Job): void {
    this.#options.onBuildEnd?.(job, this.#state.commands.get(job.command));
  }

  /**
   * Of what it was asked for Nix tells the end only when all of that is over: of several builds the first seems to run as
   * long as the last one. It counts them before, and what it counted lies in the store.
   */
  #overdue(commands: readonly Command[]): void {
    const { isRegistered } = this.#options;
    if (isRegistered === undefined) return;
    const counts = commands.filter(({ state, builds }) => state === "running" && builds.done > 0);
    const running = new Map(counts.map(({ id }): [number, Job[]] => [id, []]));
    if (running.size === 0) return;
    for (const job of this.#state.jobs.values()) {
      if (job.kind === "build" && job.state.kind === "running") running.get(job.command)?.push(job);
    }
    for (const { id, builds } of counts) {
      const jobs = running.get(id)!;
      const overCount = jobs.length - builds.running;
      if (overCount <= 0) continue;
      const looking = this.#lookAmong(jobs, { overCount, isRegistered, nowMs: this.#now() })
        .finally(() => this.#looking.delete(looking));
      this.#looking.add(looking);
    }
  }

  /** So many of these builds are over, which seem to run. */
  async #lookAmong(
    jobs: readonly Job[],
    { overCount, isRegistered, nowMs }: {
      readonly overCount: number;
      readonly isRegistered: (path: string) => Promise<boolean>;
      readonly nowMs: number;
    },
  ): Promise<void> {
    const areThere = await Promise.all(jobs.map((job) => this.#areThere(job, isRegistered)));
    const built = jobs.filter((_, at) => areThere[at]);
    // Outputs that are built once more, to check them, were there before: they do not tell which ones are over.
    if (built.length > overCount) return;
    for (const job of built) this.#state.built(job, nowMs);
  }

  /** A build of which Nix does not say how it ended: its outputs do. */
  async #look(job: Job, exists: (path: string) => Promise<boolean>): Promise<void> {
    this.#state.confirm(job, await this.#areThere(job, exists));
  }

  /** Whether this is so of all outputs of a build. */
  async #areThere({ subject }: Job, isThere: (path: string) => Promise<boolean>): Promise<boolean> {
    await this.#loader.settled();
    this.#loaded();
    const paths = Object.values(this.world.graph.node(subject)?.outputs ?? {});
    return paths.length > 0 && !paths.includes("") && (await Promise.all(paths.map(isThere))).every(Boolean);
  }

  #estimates(changes: Changes): EstimateRow[] {
    const nowMs = this.#now();
    const touched = new Set([
      ...changes.commands.map(({ id }) => id),
      ...changes.jobs.map(({ command }) => command),
    ]);
    const rows: EstimateRow[] = [];
    for (const [id, { state }] of this.#state.commands) {
      const lastMs = this.#estimatedMs.get(id) ?? -Infinity;
      if (state === "running" ? nowMs - lastMs < ESTIMATE_EVERY_MS : !touched.has(id)) continue;
      this.#estimatedMs.set(id, nowMs);
      const row = this.#estimate(id, nowMs);
      if (row.estimate !== undefined || this.world.estimates.get(id)?.estimate !== undefined) rows.push(row);
    }
    for (const id of changes.removedCommands) this.#estimatedMs.delete(id);
    return rows;
  }

  #estimate(command: number, nowMs: number): EstimateRow {
    const builds = [...this.#state.jobs.values()].filter((job) =>
      job.command === command && job.kind === "build"
    );
    const running = builds.filter(({ state }) => state.kind === "running").length;
    return {
      command,
      atMs: nowMs,
      estimate: estimate(builds, {
        graph: this.world.graph,
        durationsOf: this.#options.durationsOf ?? (() => undefined),
        nowMs,
        slots: Math.max(running, peak(builds)),
      }),
    };
  }

  #caches(jobs: readonly Job[]): CacheRow[] {
    const rows = new Map<string, CacheRow>();
    for (const job of jobs) {
      if (job.kind !== "copy" || job.host === "" || !isOver(job) || this.#told.has(job.id)) continue;
      this.#told.add(job.id);
      const before = rows.get(job.host) ?? this.world.caches.get(job.host) ??
        { store: job.host, paths: 0, bytes: 0, busyMs: 0 };
      rows.set(job.host, {
        store: job.host,
        paths: before.paths + 1,
        bytes: before.bytes + Math.max(job.doneBytes, job.expectedBytes),
        busyMs: before.busyMs + (job.endedMs! - job.startedMs!),
      });
    }
    return [...rows.values()];
  }
}

/** How many of these builds ran at the same time at most. */
function peak(builds: readonly Job[]): number {
  const turns: (readonly [atMs: number, by: 1 | -1])[] = [];
  for (const { startedMs, endedMs } of builds) {
    if (startedMs === undefined) continue;
    turns.push([startedMs, 1]);
    if (endedMs !== undefined) turns.push([endedMs, -1]);
  }
  turns.sort(([one, by], [other, too]) => one - other || by - too);
  let now = 0;
  let most = 0;
  for (const [, by] of turns) most = Math.max(most, now += by);
  return most;
}

function rowOf({ tail: _tail, ...row }: Job): JobRow {
  return { ...row, phases: [...row.phases] };
}

function nodeOf({ path, inputs, outputs, system }: Derivation): Node {
  return {
    path,
    inputs: inputs.map((input) => input.path),
    outputs: Object.fromEntries(outputs.map((output) => [output.name, output.path])),
    system: system === "" ? "unknown" : system,
  };
}
