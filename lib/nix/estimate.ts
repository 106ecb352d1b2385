/**
 * When a command will be done, and what holds it up. What is left is played through as Nix would do it: as many builds
 * at a time as run now or ran before, each as long as its like has taken. Pure.
 * @module
 */
import type { Graph } from "./graph.ts";
import { isOver, type Job } from "./model.ts";
import { packageOf } from "./store_path.ts";

/** How long builds of one name took on one machine, in milliseconds. */
export interface Durations {
  readonly count: number;
  readonly medianMs: number;
  readonly p90Ms: number;
}

/** What history knows of a build; `undefined` when there was none like it. */
export type DurationsOf = (build: Pick<Job, "name" | "host">) => Durations | undefined;

/** What is left of a command. */
export interface Estimate {
  /** From now; half of all commands like this one are done by then. */
  readonly medianMs: number;
  /** Nine of ten are. */
  readonly p90Ms: number;
  /** Builds that are left, those that run included; of so many of them history knows nothing. */
  readonly left: number;
  readonly unknown: number;
  /** Derivations that the end waits for, each needed by the next one: none of them can begin before. */
  readonly criticalPath: readonly string[];
}

/** Of names without any history, where nothing else was built either. */
const UNKNOWN_MS = 10_000;

interface Left {
  readonly job: Job;
  readonly medianMs: number;
  readonly p90Ms: number;
  /** So many of its inputs are not done. */
  waitsFor: number;
  readonly neededBy: number[];
}

/**
 * Estimates what is left of a command.
 * @param builds All of its builds.
 * @param slots Builds at a time; at least as many as run now are taken.
 * @returns `undefined` when nothing is left.
 */
export function estimate(
  builds: readonly Job[],
  { graph, durationsOf, nowMs, slots }: {
    readonly graph: Graph;
    readonly durationsOf: DurationsOf;
    readonly nowMs: number;
    readonly slots: number;
  },
): Estimate | undefined {
  const open = builds.filter((job) => !isOver(job));
  if (open.length === 0) return undefined;
  const guess = guessFrom(builds);
  let unknown = 0;
  const list: Left[] = [];
  const byPath = new Map(open.map((job) => [job.subject, job]));
  for (const path of graph.order(byPath.keys())) {
    const job = byPath.get(path)!;
    const known = durationsOf(job) ?? guess.get(packageOf(job.name));
    if (known === undefined) unknown++;
    const { medianMs, p90Ms } = known ?? guess.get("")!;
    const ranMs = job.state.kind === "running" ? nowMs - job.startedMs! : 0;
    list.push({
      job,
      medianMs: remaining(medianMs, ranMs),
      p90Ms: remaining(p90Ms, ranMs),
      waitsFor: 0,
      neededBy: [],
    });
  }
  connect(list, graph);
  const running = list.filter(({ job }) => job.state.kind === "running").length;
  const atATime = Math.max(slots, running, 1);
  return {
    medianMs: play(list, atATime, (each) => each.medianMs),
    p90Ms: play(list, atATime, (each) => each.p90Ms),
    left: list.length,
    unknown,
    criticalPath: criticalPath(list),
  };
}

/** Of one that has run longer than its like ever took nothing is known but that it is not done. */
function remaining(wholeMs: number, ranMs: number): number {
  return ranMs < wholeMs ? wholeMs - ranMs : Math.max(wholeMs, ranMs) / 10;
}

/** What this command's own builds took: by package, and of all as the empty name. */
function guessFrom(builds: readonly Job[]): ReadonlyMap<string, Durations> {
  const took = new Map<string, number[]>([["", []]]);
  for (const { kind, state, name, startedMs, endedMs } of builds) {
    if (kind !== "build" || state.kind !== "succeeded" || startedMs === undefined || endedMs === undefined) {
      continue;
    }
    const ms = endedMs - startedMs;
    took.get("")!.push(ms);
    const like = packageOf(name);
    const known = took.get(like);
    if (known === undefined) took.set(like, [ms]);
    else known.push(ms);
  }
  const found = new Map<string, Durations>();
  for (const [name, all] of took) if (all.length > 0) found.set(name, durations(all));
  if (!found.has("")) found.set("", { count: 0, medianMs: UNKNOWN_MS, p90Ms: 3 * UNKNOWN_MS });
  return found;
}

/** Median and 90th percentile, by nearest rank. @throws {RangeError} Of none. */
export function durations(allMs: readonly number[]): Durations {
  if (allMs.length === 0) throw new RangeError("Cannot tell durations: there are none");
  const sorted = [...allMs].sort((one, other) => one - other);
  const rank = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!;
  return { count: sorted.length, medianMs: rank(0.5), p90Ms: rank(0.9) };
}

/** Tells each what of its inputs is left. */
function connect(list: readonly Left[], graph: Graph): void {
  const at = new Map(list.map(({ job }, index) => [job.subject, index]));
  list.forEach((each, index) => {
    for (const path of new Set(graph.inputs(each.job.subject))) {
      const input = at.get(path);
      if (input === undefined) continue; // It is done: what it needs is too.
      list[input]!.neededBy.push(index);
      each.waitsFor++;
    }
  });
}

/** How long it takes until all are done, so many at a time. */
function play(list: readonly Left[], slots: number, lengthOf: (each: Left) => number): number {
  const waitsFor = list.map((each) => each.waitsFor);
  const ready = list.flatMap((each, index) => each.waitsFor === 0 ? [index] : []);
  // Those that run have their slots already.
  ready.sort((one, other) => rankOf(list[one]!) - rankOf(list[other]!));
  const ends: { readonly atMs: number; readonly index: number }[] = [];
  let nowMs = 0;
  for (let done = 0; done < list.length;) {
    while (ends.length < slots && ready.length > 0) {
      const index = ready.shift()!;
      insert(ends, { atMs: nowMs + lengthOf(list[index]!), index });
    }
    const next = ends.shift();
    if (next === undefined) break; // A circle: what is in it never begins.
    nowMs = next.atMs;
    done++;
    for (const dependant of list[next.index]!.neededBy) {
      if (--waitsFor[dependant]! === 0) ready.push(dependant);
    }
  }
  return nowMs;
}

function rankOf({ job }: Left): number {
  return job.state.kind === "running" ? 0 : 1;
}

function insert(ends: { readonly atMs: number; readonly index: number }[], one: (typeof ends)[number]): void {
  let at = ends.length;
  while (at > 0 && ends[at - 1]!.atMs > one.atMs) at--;
  ends.splice(at, 0, one);
}

/** The longest way through what is left, its first build first; the list has inputs before what needs them. */
function criticalPath(list: readonly Left[]): string[] {
  const length = list.map((each) => each.medianMs);
  const before = new Array<number>(list.length).fill(-1);
  list.forEach((each, index) => {
    for (const dependant of each.neededBy) {
      const through = length[index]! + list[dependant]!.medianMs;
      if (through <= length[dependant]!) continue;
      length[dependant] = through;
      before[dependant] = index;
    }
  });
  let last = 0;
  length.forEach((ms, index) => {
    if (ms > length[last]!) last = index;
  });
  const path: string[] = [];
  for (let index = last; index >= 0; index = before[index]!) path.unshift(list[index]!.job.subject);
  return path;
}
