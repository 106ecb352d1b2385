/** What several views want to know of a world, found once for each of its versions. Pure. @module */
import { type Command, type Graph, isOver, nameOf } from "../../nix/mod.ts";
import type { BuilderBuild } from "../processes/mod.ts";
import { processesOf } from "../build_processes.ts";
import { type Waiting, whyWaiting } from "../waiting.ts";
import { isBlocked, type JobRow, type World } from "../world.ts";
import { type Model, worldOf } from "./model.ts";
import { remember } from "./remember.ts";

/** More names than these nobody reads. */
const NAMES_MAX = 3;

/** The builds of a command by their derivations, as they are now. */
export class Builds {
  readonly #jobs: World["jobs"];
  readonly #ids: Map<string, number>;

  constructor(jobs: World["jobs"], ids: Map<string, number>) {
    this.#jobs = jobs;
    this.#ids = ids;
  }

  get size(): number {
    return this.#ids.size;
  }

  get(path: string): JobRow | undefined {
    const id = this.#ids.get(path);
    return id === undefined ? undefined : this.#jobs.get(id);
  }

  paths(): IterableIterator<string> {
    return this.#ids.keys();
  }

  *values(): Generator<JobRow> {
    for (const id of this.#ids.values()) {
      const job = this.#jobs.get(id);
      // It may have gone since its client was told last.
      if (job !== undefined) yield job;
    }
  }
}

const NONE = new Builds(new Map(), new Map());

/** The builds of each command. Which they are is looked for only when jobs or commands came or went. */
export function buildsByCommand(model: Model): ReadonlyMap<number, Builds> {
  const { jobs, commands } = worldOf(model);
  // Each row that is drawn asks for them: the last job is looked for but once for a version of the world.
  const last = remember("last job", [model.source, jobs], () => lastOf(jobs.keys()));
  return remember("builds", [jobs, jobs.size, last, commands.size], () => {
    const found = new Map<number, Map<string, number>>();
    for (const job of jobs.values()) {
      if (job.kind !== "build") continue;
      let ids = found.get(job.command);
      if (ids === undefined) found.set(job.command, ids = new Map());
      ids.set(job.subject, job.id);
    }
    return new Map([...found].map(([command, ids]) => [command, new Builds(jobs, ids)]));
  });
}

/** The builds of one command. */
export function buildsOf(model: Model, command: number): Builds {
  return buildsByCommand(model).get(command) ?? NONE;
}

/** The processes of builds that run, by the numbers of their jobs. */
export function usages(model: Model): ReadonlyMap<number, BuilderBuild> {
  return remember("usages", [model.source, model.host], () => processesOf(worldOf(model)));
}

/** Why a job has not begun. */
export function waitingOf(model: Model, job: JobRow): Waiting | undefined {
  return job.kind === "build" ? whyWaiting(worldOf(model), job, buildsOf(model, job.command)) : undefined;
}

/** How the builds of a command hang together: it changes only when builds or derivations come or go. */
export interface Structure {
  /** Builds that none of its builds needs. */
  readonly roots: readonly string[];
  /** Its builds, with all that needs them. */
  readonly tree: ReadonlySet<string>;
}

interface KnownStructure extends Structure {
  readonly of: readonly unknown[];
}

/** Beyond this all are forgotten: commands that are over are seldom looked at. */
const STRUCTURES_MAX = 200;
const structures = new Map<string, KnownStructure>();

export function structureOf(model: Model, command: number): Structure {
  const { graph } = worldOf(model);
  const builds = buildsOf(model, command);
  const of = [graph, graph.version, builds];
  const key = `${model.host} ${command}`;
  const known = structures.get(key);
  if (known !== undefined && known.of.every((each, at) => each === of[at])) return known;
  const found = { of, roots: graph.roots(builds.paths()), tree: withDependants(graph, [...builds.paths()]) };
  if (structures.size >= STRUCTURES_MAX) structures.clear();
  structures.set(key, found);
  return found;
}

function lastOf<T>(all: Iterable<T>): T | undefined {
  let last: T | undefined;
  for (const each of all) last = each;
  return last;
}

/** Derivations with all that needs them, directly or not. */
export function withDependants(graph: Graph, open: string[]): Set<string> {
  const found = new Set<string>();
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    for (const each of graph.eachDependant(path)) if (!found.has(each)) open.push(each);
  }
  return found;
}

/** What a command was asked for: references, store paths by their names, what none of its builds needs, or its words. */
export function targetText(model: Model, { id, targets, requester }: Command): string {
  const paths = targets.length > 0 ? targets : structureOf(model, id).roots;
  const names = paths.slice(0, NAMES_MAX).map((path) => path.endsWith(".drv") ? nameOf(path) : path);
  if (paths.length > NAMES_MAX) names.push(`and ${paths.length - NAMES_MAX} more`);
  return names.join(" ") || requester.command?.join(" ") || "";
}

/** Derivations that the ends of commands wait for. */
export function criticalPaths(model: Model): ReadonlySet<string> {
  return remember("critical", [model.source, model.host], () => {
    const { estimates, commands } = worldOf(model);
    const running = [...estimates.values()].filter(({ command }) =>
      commands.get(command)?.state === "running"
    );
    return new Set(running.flatMap(({ estimate }) => estimate?.criticalPath ?? []));
  });
}

/** Jobs of a world by how they stand. */
export interface Counts {
  readonly running: number;
  readonly left: number;
  readonly done: number;
  readonly failed: number;
  /** Not begun, since something that they need has failed. */
  readonly blocked: number;
  /** That run now, and that are over; the latter from other stores. */
  readonly copies: number;
  readonly fetched: number;
}

export function countsOf(model: Model): Counts {
  return remember("counts", [model.source, model.host], () => countsIn(worldOf(model).jobs.values()));
}

export function countsIn(jobs: Iterable<JobRow>): Counts {
  const counts = { running: 0, left: 0, done: 0, failed: 0, blocked: 0, copies: 0, fetched: 0 };
  for (const job of jobs) {
    const { kind } = job.state;
    if (job.kind === "copy") {
      if (kind === "running") counts.copies++;
      if (kind === "succeeded" && job.host !== "") counts.fetched++;
    }
    if (job.kind !== "build") continue;
    if (kind === "running") counts.running++;
    if (!isOver(job)) counts.left++;
    if (kind === "succeeded" || kind === "ended") counts.done++;
    if (kind === "failed") counts[isBlocked(job) ? "blocked" : "failed"]++;
  }
  return counts;
}

/** How long a job runs, or ran; 0 before it began. */
export function elapsedMs({ startedMs, endedMs }: JobRow, nowMs: number): number {
  return startedMs === undefined ? 0 : Math.max(0, (endedMs ?? nowMs) - startedMs);
}

/** Strings as they are sorted. */
export function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** What needs eyes first. */
export const URGENCY: readonly JobRow["state"]["kind"][] = [
  "failed",
  "running",
  "waiting",
  "planned",
  "lost",
  "cancelled",
  "ended",
  "succeeded",
  "skipped",
];

/** The same by the states' names. */
export const RANKS = Object.fromEntries(URGENCY.map((kind, at) => [kind, at])) as Readonly<
  Record<JobRow["state"]["kind"], number>
>;
