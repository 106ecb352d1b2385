/**
 * What the logs of any number of Nix processes say, put together: commands and their jobs. Time comes in; every change
 * is told once. Pure.
 *
 * A build succeeds when the count of done builds rises beside its end, or when its outputs are there; it fails by a
 * message. Its end alone says neither.
 * @module
 */
import { Connection, type Shared } from "./connection.ts";
import type { NixRecord } from "./record.ts";
import type { Listener, Rows } from "./rows.ts";
import { type Command, isOver, type Job, type Requester } from "./model.ts";

/** What changed since the last time. */
export interface Changes {
  readonly commands: readonly Command[];
  readonly jobs: readonly Job[];
  readonly removedJobs: readonly number[];
  readonly removedCommands: readonly number[];
}

/** Jobs that are over, kept for those who look; beyond this the oldest go. */
const FINISHED_MAX = 10_000;
/** Jobs of all commands; one more is not seen before there is room. */
const JOBS_MAX = 200_000;
/** Commands that are over. */
const COMMANDS_MAX = 500;

/**
 * Commands and jobs by their numbers; rows are changed in place.
 * @example
 * ```ts
 * import { LogReader } from "./log_reader.ts";
 * import { NixState } from "./state.ts";
 *
 * const state = new NixState();
 * const log = state.open({ source: "pipe" }, 0);
 * const reader = new LogReader((record) => state.apply(log, record, 1_000));
 * reader.push(new TextEncoder().encode("building '/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-hello-2.12.drv'...\n"));
 * state.close(log, 2_000, 0);
 * [...state.jobs.values()].map(({ name, state }) => [name, state.kind]); // [["hello-2.12", "succeeded"]]
 * ```
 */
export class NixState {
  readonly commands = new Map<number, Command>();
  readonly jobs = new Map<number, Job>();
  readonly #connections = new Map<number, Connection>();
  readonly #shared: Shared;
  #lastConnection = 0;
  #changedCommands = new Set<Command>();
  #changedJobs = new Set<Job>();
  #removedJobs: number[] = [];
  #removedCommands: number[] = [];
  /** Their commands may go on, and tell how they ended. */
  readonly #forgotten = new WeakSet<Job>();
  /** Ids in the order in which they ended. */
  readonly #finished: number[] = [];

  constructor(listener: Listener = {}) {
    let lastId = 0;
    const rows: Rows = {
      listener,
      nextId: () => ++lastId,
      command: (command) => {
        this.commands.set(command.id, command);
        this.#changedCommands.add(command);
      },
      job: (job) => {
        if (!this.jobs.has(job.id) && (this.jobs.size >= JOBS_MAX || this.#forgotten.has(job))) return;
        this.jobs.set(job.id, job);
        this.#changedJobs.add(job);
      },
      finished: (job) => {
        this.#finished.push(job.id);
        if (this.#finished.length > FINISHED_MAX) this.#forget(this.#finished.shift()!);
      },
      forget: (job) => this.#forget(job.id),
      dropped: (command) => this.#drop(command),
    };
    this.#shared = { rows, activities: new Map() };
  }

  /** A log begins; returns its number. */
  open(requester: Requester, nowMs: number): number {
    const id = ++this.#lastConnection;
    this.#connections.set(id, new Connection(this.#shared, { requester, nowMs }));
    return id;
  }

  /** What a log says. @throws {RangeError} When it is not open. */
  apply(connection: number, record: NixRecord, nowMs: number): void {
    this.#connection(connection).apply(record, nowMs);
  }

  /** A log ends. What was under way is over then, whether or not somebody said so. */
  close(connection: number, nowMs: number, exitCode?: number): void {
    this.#connection(connection).close(nowMs, exitCode);
    this.#connections.delete(connection);
    this.#retain();
  }

  /** The command that a log belongs to: it may turn out to be that of another one. */
  commandOf(connection: number): Command {
    return this.#connection(connection).command;
  }

  /** Somebody has looked whether the outputs of a build that ended are there. */
  confirm(job: Job, areThere: boolean): void {
    if (job.state.kind !== "ended" || !areThere) return;
    job.state = { kind: "succeeded" };
    this.#changedJobs.add(job);
  }

  /** Somebody has found the outputs of a build that runs, of which Nix has counted the end and not told it. */
  built(job: Job, nowMs: number): void {
    if (job.state.kind !== "running") return;
    const logs = [...this.#connections.values()];
    logs.find(({ command }) => command.id === job.command)?.built(job, nowMs);
  }

  /** The clock was set by so much: what goes on began so much later, or earlier, by it. */
  shift(byMs: number): void {
    for (const command of this.commands.values()) {
      if (command.state !== "running") continue;
      command.startedMs += byMs;
      this.#changedCommands.add(command);
    }
    for (const job of this.jobs.values()) {
      if (isOver(job) || job.startedMs === undefined && job.state.kind !== "waiting") continue;
      if (job.startedMs !== undefined) job.startedMs += byMs;
      if (job.state.kind === "waiting") job.state = { ...job.state, sinceMs: job.state.sinceMs + byMs };
      job.phases.splice(0, Infinity, ...job.phases.map(({ name, atMs }) => ({ name, atMs: atMs + byMs })));
      this.#changedJobs.add(job);
    }
  }

  /** What changed since this was asked last. */
  changes(): Changes {
    const changes = {
      commands: [...this.#changedCommands],
      jobs: [...this.#changedJobs],
      removedJobs: this.#removedJobs,
      removedCommands: this.#removedCommands,
    };
    this.#changedCommands = new Set();
    this.#changedJobs = new Set();
    this.#removedJobs = [];
    this.#removedCommands = [];
    return changes;
  }

  #connection(id: number): Connection {
    const connection = this.#connections.get(id);
    if (connection === undefined) throw new RangeError(`Cannot go on with log ${id}: it is not open`);
    return connection;
  }

  #forget(id: number): void {
    const job = this.jobs.get(id);
    if (job === undefined) return;
    this.jobs.delete(id);
    this.#forgotten.add(job);
    this.#changedJobs.delete(job);
    this.#removedJobs.push(id);
  }

  #drop(command: Command): void {
    this.commands.delete(command.id);
    this.#changedCommands.delete(command);
    this.#removedCommands.push(command.id);
  }

  #retain(): void {
    let tooMany = this.commands.size - COMMANDS_MAX;
    for (const command of this.commands.values()) {
      if (tooMany <= 0) break;
      if (command.state === "running") continue;
      this.#drop(command);
      tooMany--;
    }
  }
}
