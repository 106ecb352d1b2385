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
import { Estimates } from "./estimates.ts";
import { OutputLooks, type StoreLooks } from "./output_looks.ts";
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

/** What a monitor may ask, and who hears of what it does not keep. */
export interface MonitorOptions extends StoreLooks {
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** Milliseconds of a clock that nobody sets; where times are played it is theirs. */
  readonly steadyMs?: () => number;
  /** What history knows. */
  readonly durationsOf?: DurationsOf;
  /** Reads the text of a file of the store; nothing is read where it is missing. */
  readonly readFile?: (path: string) => Promise<string>;
  /** Hears of what Nix says to people: level 0 is an error, 1 a warning. */
  readonly onMessage?: (text: string, level: number) => void;
  /** Hears of each line of a build's log. */
  readonly onLine?: (job: Job, text: string, atMs: number) => void;
  /** Hears of a build that is over, once. */
  readonly onBuildEnd?: (job: Job, command: Command | undefined) => void;
}

/** Derivations that are known; beyond this those go that no job needs. */
const NODES_MAX = 50_000;

/** What Nix says of an end comes at once, unless the machine is busy. */
const REASON_MS = 2_000;
/** The clock was set, or the host slept, when it goes so far from the one that nobody sets. */
const JUMP_MS = 2_000;

/** `flush` puts what logs have said into `world`; until then nobody sees it. */
export class Monitor {
  readonly world: World = emptyWorld();
  readonly #now: () => number;
  readonly #steadyMs: () => number;
  /** Both clocks when they were looked at last. */
  #looked: { readonly nowMs: number; readonly steadyMs: number };
  readonly #options: MonitorOptions;
  readonly #state: NixState;
  readonly #loader: DerivationLoader;
  readonly #looks: OutputLooks;
  readonly #estimates: Estimates;
  #newNodes: Node[] = [];
  #nodesMax = NODES_MAX;
  /** Not told yet. */
  #builders: BuilderSnapshot | undefined;
  readonly #newLines = new Map<number, string[]>();
  /** Builds that ended, and nobody knows how yet. */
  readonly #undecided = new Map<
    number,
    { readonly job: Job; readonly sinceMs: number; readonly isLooking: boolean }
  >();
  /** Builds and copies that are over, and counted as such. */
  readonly #told = new Set<number>();

  constructor(options: MonitorOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#steadyMs = options.steadyMs ?? options.now ?? (() => performance.now());
    this.#looked = { nowMs: this.#now(), steadyMs: this.#steadyMs() };
    const { readFile } = options;
    this.#loader = new DerivationLoader(readFile ?? (() => Promise.reject(new Deno.errors.NotFound())));
    this.#looks = new OutputLooks(options, async () => {
      await this.#loader.settled();
      this.#loaded();
      return this.world.graph;
    });
    this.#estimates = new Estimates(options.durationsOf ?? (() => undefined), this.#steadyMs);
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
      push: (chunk) => {
        this.#followClock();
        reader.push(chunk);
      },
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
    this.#followClock();
    const nowMs = this.#now();
    this.#loaded();
    const changes = this.#state.changes();
    for (const job of changes.jobs) this.#ended(job);
    this.#decide(nowMs);
    this.#looks.overdue(changes.commands, {
      jobs: this.#state.jobs.values(),
      found: (job) => this.#state.built(job, nowMs),
    });
    for (const id of changes.removedJobs) {
      const left = this.#undecided.get(id);
      if (left !== undefined) this.#tell(left.job);
      this.#told.delete(id);
    }
    const update: Update = {
      commands: changes.commands.map((command) => ({ ...command, targets: [...command.targets] })),
      jobs: changes.jobs.map(rowOf),
      lines: [...this.#newLines].map(([job, lines]) => ({ job, lines })),
      removedCommands: changes.removedCommands,
      removedJobs: changes.removedJobs,
      nodes: this.#newNodes,
      removedNodes: changes.removedJobs.length === 0 ? [] : this.#unneeded(),
      estimates: this.#estimated(changes, nowMs),
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
    await this.#looks.settled();
  }

  /** What is under way has taken as long as before when the clock is set, and not while the host sleeps. */
  #followClock(): void {
    const looked = { nowMs: this.#now(), steadyMs: this.#steadyMs() };
    const jumpMs = looked.nowMs - this.#looked.nowMs - (looked.steadyMs - this.#looked.steadyMs);
    this.#looked = looked;
    if (Math.abs(jumpMs) >= JUMP_MS) this.#state.shift(jumpMs);
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
    if (job.state.kind !== "ended") return this.#tell(job);
    if (this.#undecided.has(job.id)) return;
    const entry = { job, sinceMs: this.#now(), isLooking: true };
    this.#undecided.set(job.id, entry);
    entry.isLooking = this.#looks.ended(job, (areThere) => {
      entry.isLooking = false;
      this.#state.confirm(job, areThere);
      if (areThere && this.#undecided.has(job.id)) this.#tell(job);
    });
  }

  /** Why a build failed may come after its end: it is waited for as long as its command goes on, for a while. */
  #decide(nowMs: number): void {
    for (const { job, sinceMs, isLooking } of [...this.#undecided.values()]) {
      const isLast = this.#state.commands.get(job.command)?.state !== "running";
      if (isLooking || !isOver(job) || !isLast && Math.abs(nowMs - sinceMs) < REASON_MS) continue;
      this.#tell(job);
    }
  }

  #tell(job: Job): void {
    this.#undecided.delete(job.id);
    if (this.#told.has(job.id)) return;
    this.#told.add(job.id);
    this.#options.onBuildEnd?.(job, this.#state.commands.get(job.command));
  }

  /** Of commands of which nothing was left and nothing is there is nothing to tell. */
  #estimated(changes: Changes, nowMs: number): EstimateRow[] {
    const { graph, estimates } = this.world;
    const { commands, jobs } = this.#state;
    return this.#estimates.rows(changes, { commands, jobs, graph, nowMs })
      .filter(({ command, estimate }) => (estimate ?? estimates.get(command)?.estimate) !== undefined);
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
