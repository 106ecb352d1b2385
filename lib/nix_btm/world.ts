/**
 * What a client sees of a host: rows that are put in by updates. The daemon has the same, so that a snapshot is an
 * update of everything. Pure.
 * @module
 */
import {
  type Command,
  type Estimate,
  Graph,
  isOver,
  type Job,
  type Node,
  OVER_TAIL_LINES,
  TAIL_LINES,
} from "../nix/mod.ts";
import type { BuilderSnapshot } from "./processes/mod.ts";

/** A job without its lines, which come by themselves. */
export type JobRow = Omit<Job, "tail">;

/** Lines of a job, in their order. */
export interface LineRows {
  readonly job: number;
  readonly lines: readonly string[];
}

/** When a command will be done; `undefined` where nothing is left of it. */
export interface EstimateRow {
  readonly command: number;
  /** Unix milliseconds of the estimate: what is in it counts from here. */
  readonly atMs: number;
  readonly estimate: Estimate | undefined;
}

/** What a store or cache has given. */
export interface CacheRow {
  readonly store: string;
  readonly paths: number;
  readonly bytes: number;
  /** Time in which something came from it. */
  readonly busyMs: number;
}

/** What changed; a row takes the place of the one with its number. */
export interface Update {
  readonly commands?: readonly Command[];
  readonly jobs?: readonly JobRow[];
  readonly lines?: readonly LineRows[];
  readonly removedCommands?: readonly number[];
  readonly removedJobs?: readonly number[];
  readonly nodes?: readonly Node[];
  readonly removedNodes?: readonly string[];
  readonly estimates?: readonly EstimateRow[];
  readonly caches?: readonly CacheRow[];
  /** What runs on the host; the last one counts. */
  readonly builders?: readonly BuilderSnapshot[];
  /** Why the host is lost, empty when it is not; the last one counts. */
  readonly notes?: readonly string[];
}

/** Whether a build was not even begun, since something that it needs has failed: Nix calls that a failure too. */
export function isBlocked({ state }: Pick<JobRow, "state">): boolean {
  return state.kind === "failed" && state.failure.kind === "dependency";
}

/** Everything of one host. */
export interface World {
  readonly commands: Map<number, Command>;
  readonly jobs: Map<number, JobRow>;
  /** The last lines of jobs, as many as `Job.tail` keeps. */
  readonly tails: Map<number, string[]>;
  readonly graph: Graph;
  readonly estimates: Map<number, EstimateRow>;
  readonly caches: Map<string, CacheRow>;
  /** Processes of builds; undefined before the first look. */
  builders: BuilderSnapshot | undefined;
  /** Why what is known is of before; empty while it is of now. */
  note: string;
}

/** A world of which nothing is known. */
export function emptyWorld(): World {
  return {
    commands: new Map(),
    jobs: new Map(),
    tails: new Map(),
    graph: new Graph(),
    estimates: new Map(),
    caches: new Map(),
    builders: undefined,
    note: "",
  };
}

/** Puts an update in. */
export function applyUpdate(world: World, update: Update): void {
  for (const command of update.commands ?? []) world.commands.set(command.id, command);
  for (const job of update.jobs ?? []) world.jobs.set(job.id, job);
  for (const { job, lines } of update.lines ?? []) addLines(world, job, lines);
  for (const job of update.jobs ?? []) {
    const tail = world.tails.get(job.id);
    if (tail !== undefined && isOver(job) && job.state.kind !== "failed") keepLast(tail, OVER_TAIL_LINES);
  }
  for (const id of update.removedCommands ?? []) {
    world.commands.delete(id);
    world.estimates.delete(id);
  }
  for (const id of update.removedJobs ?? []) {
    world.jobs.delete(id);
    world.tails.delete(id);
  }
  for (const node of update.nodes ?? []) world.graph.add(node);
  if ((update.removedNodes ?? []).length > 0) {
    const gone = new Set(update.removedNodes);
    world.graph.retain((path) => !gone.has(path));
  }
  for (const row of update.estimates ?? []) world.estimates.set(row.command, row);
  for (const row of update.caches ?? []) world.caches.set(row.store, row);
  world.builders = update.builders?.at(-1) ?? world.builders;
  world.note = update.notes?.at(-1) ?? world.note;
}

/** The update that makes an empty world this one. */
export function snapshotOf(world: World): Update {
  return {
    commands: [...world.commands.values()],
    jobs: [...world.jobs.values()],
    lines: [...world.tails].map(([job, lines]) => ({ job, lines })),
    nodes: [...world.graph.nodes()],
    estimates: [...world.estimates.values()],
    caches: [...world.caches.values()],
    builders: world.builders === undefined ? [] : [world.builders],
    notes: world.note === "" ? [] : [world.note],
  };
}

/** Whether there is nothing in it. */
export function isEmpty(update: Update): boolean {
  return Object.values(update).every((rows) => rows.length === 0);
}

function addLines({ tails }: World, job: number, lines: readonly string[]): void {
  const tail = tails.get(job) ?? [];
  tail.push(...lines.slice(-TAIL_LINES));
  keepLast(tail, TAIL_LINES);
  tails.set(job, tail);
}

function keepLast(lines: string[], count: number): void {
  if (lines.length > count) lines.splice(0, lines.length - count);
}
