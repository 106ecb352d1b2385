/**
 * Which jobs are shown, and where: what is needed stands above what needs it, each derivation once, at its deepest
 * place. Pure.
 * @module
 */
import { isOver } from "../../nix/mod.ts";
import { isBlocked, type JobRow, type World } from "../world.ts";
import { directionOf } from "./figures.ts";

/** A job in its place. */
export interface TreeRow {
  readonly job: JobRow;
  /** The lines of the tree before it. */
  readonly branch: string;
}

/** What is to be seen of a world. */
export interface Tree {
  readonly rows: readonly TreeRow[];
  /** Running and failed ones for which there is no room. */
  readonly hidden: number;
  readonly places: Places;
}

/** Ranks of what is shown: what comes first in each branch, and is given room first. */
const FAILED = 0;
const BUILDING = 1;
const MOVING = 2;
const WAITING = 3;
const PLANNED = 4;

/** Kinds of jobs that are seen though they are of no derivation. */
const OTHERS: ReadonlySet<string> = new Set(["download", "fetch", "hook", "evaluation", "maintenance"]);
/** What belongs to a copy or a query, which are counted. */
const PARTS_OF_COPIES = /(\.narinfo|\.nar(\.\w+)?|\/nix-cache-info|\.ls)$/;

/** Where the jobs of a world stand to each other. */
export class Places {
  /** Builds that are open or failed, by derivation. */
  readonly builds = new Map<string, JobRow>();
  /** Copies that run, by the derivation that they are of. */
  readonly copies = new Map<string, JobRow[]>();
  /** Builds that can never begin, with the one that failed. */
  readonly hopeless = new Map<string, JobRow>();
  readonly #world: World;
  readonly #parents = new Map<number, JobRow>();
  readonly #depths = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    const moving: JobRow[] = [];
    for (const job of world.jobs.values()) {
      if (job.kind === "build" && (!isOver(job) || job.state.kind === "failed")) {
        this.builds.set(job.subject, job);
      } else if (!isOver(job) && directionOf(job) !== undefined) moving.push(job);
    }
    this.#findParents();
    this.#findHopeless();
    if (moving.length > 0) this.#place(moving);
  }

  /** What needs this one; undefined when nothing does that is seen. */
  parentOf({ id }: JobRow): JobRow | undefined {
    return this.#parents.get(id);
  }

  /** Whether anybody knows what a build needs. */
  isKnown({ subject }: JobRow): boolean {
    return this.#world.graph.node(subject) !== undefined;
  }

  /** Jobs that have to be over before a build can begin, as far as they are open. */
  needs({ subject }: JobRow): JobRow[] {
    return this.#world.graph.inputs(subject).flatMap((path) => {
      const build = this.builds.get(path);
      return [
        ...build === undefined || build.state.kind === "failed" ? [] : [build],
        ...this.copies.get(path) ?? [],
      ];
    });
  }

  /** From those that nothing needs on; each is placed when all that need it are. */
  #findParents(): void {
    const { graph } = this.#world;
    const waits = new Map<string, number>();
    for (const path of this.builds.keys()) {
      for (const input of graph.inputs(path)) {
        if (this.builds.has(input)) waits.set(input, (waits.get(input) ?? 0) + 1);
      }
    }
    const open = [...this.builds.keys()].filter((path) => !waits.has(path));
    for (let at = 0; at < open.length; at++) {
      const path = open[at]!;
      const depth = (this.#depths.get(path) ?? 0) + 1;
      for (const input of graph.inputs(path)) {
        const build = this.builds.get(input);
        if (build === undefined) continue;
        if (depth > (this.#depths.get(input) ?? 0)) {
          this.#depths.set(input, depth);
          this.#parents.set(build.id, this.builds.get(path)!);
        }
        const left = waits.get(input)! - 1;
        waits.set(input, left);
        if (left === 0) open.push(input);
      }
    }
  }

  #findHopeless(): void {
    const open = [...this.builds.values()].filter((job) => job.state.kind === "failed" && !isBlocked(job))
      .map((job) => ({ path: job.subject, cause: job }));
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const path of this.#world.graph.dependants(next.path)) {
        const build = this.builds.get(path);
        if (build === undefined || this.hopeless.has(path)) continue;
        if (build.state.kind !== "planned" && !isBlocked(build)) continue;
        this.hopeless.set(path, next.cause);
        open.push({ path, cause: next.cause });
      }
    }
  }

  /** Copies hang on what needs them: found by the outputs of derivations. */
  #place(moving: readonly JobRow[]): void {
    const { graph } = this.#world;
    for (const job of moving) {
      const path = graph.derivationOf(job.subject);
      if (path === undefined) continue;
      this.copies.set(path, [...this.copies.get(path) ?? [], job]);
      const users = [path, ...graph.dependants(path)].flatMap((each) => this.builds.get(each) ?? []);
      const deepest = users.reduce<JobRow | undefined>(
        (best, each) => best === undefined || this.#depth(each) > this.#depth(best) ? each : best,
        undefined,
      );
      if (deepest !== undefined) this.#parents.set(job.id, deepest);
    }
  }

  #depth({ subject }: JobRow): number {
    return this.#depths.get(subject) ?? 0;
  }
}

/** The tree of a world in at most `room` rows. */
export function treeOf(world: World, room: number): Tree {
  const places = new Places(world);
  const all = [...world.jobs.values()].filter((job) => rankOf(job) !== undefined);
  const urgent = all.filter((job) => rankOf(job)! < PLANNED).sort(inOrder);
  const shown = new Set(urgent.slice(0, Math.max(0, room)));
  const hidden = urgent.length - shown.size;
  for (const job of context(all, { urgent: [...shown], places })) {
    if (shown.size >= room) break;
    shown.add(job);
  }
  return { rows: rowsOf(shown, places), hidden, places };
}

/** What gives sense to what is shown, and then what comes next: targets, what needs the urgent ones, what waits for least. */
function* context(
  all: readonly JobRow[],
  { urgent, places }: { readonly urgent: readonly JobRow[]; readonly places: Places },
): Generator<JobRow> {
  const above = urgent.map((job) => {
    const path: JobRow[] = [];
    for (let at = places.parentOf(job); at !== undefined; at = places.parentOf(at)) path.push(at);
    return path;
  });
  for (const path of above) if (path.length > 0) yield path.at(-1)!;
  const longest = Math.max(0, ...above.map(({ length }) => length));
  for (let at = 0; at < longest; at++) {
    for (const path of above) if (path[at] !== undefined) yield path[at]!;
  }
  const planned = all.filter((job) => rankOf(job) === PLANNED && !places.hopeless.has(job.subject))
    .map((job) => ({ job, needs: places.needs(job).length }));
  yield* planned.sort((one, other) => one.needs - other.needs || one.job.id - other.job.id)
    .map(({ job }) => job);
}

function rowsOf(shown: ReadonlySet<JobRow>, places: Places): TreeRow[] {
  const children = new Map<JobRow | undefined, JobRow[]>();
  const best = new Map<JobRow, JobRow>();
  for (const job of shown) {
    let parent = places.parentOf(job);
    while (parent !== undefined && !shown.has(parent)) parent = places.parentOf(parent);
    children.set(parent, [...children.get(parent) ?? [], job]);
  }
  /** The most urgent one of a branch decides where the branch stands. */
  const bestOf = (job: JobRow): JobRow => {
    const known = best.get(job);
    if (known !== undefined) return known;
    const found = [job, ...(children.get(job) ?? []).map(bestOf)].sort(inOrder)[0]!;
    best.set(job, found);
    return found;
  };
  const rows: TreeRow[] = [];
  const add = (parent: JobRow | undefined, before: string): void => {
    const list = [...children.get(parent) ?? []].sort((one, other) => inOrder(bestOf(one), bestOf(other)));
    list.forEach((job, at) => {
      if (parent === undefined) {
        add(job, "");
        rows.push({ job, branch: "" });
      } else {
        add(job, before + (at === 0 ? "   " : "│  "));
        rows.push({ job, branch: before + (at === 0 ? "┌─ " : "├─ ") });
      }
    });
  };
  add(undefined, "");
  return rows;
}

/** Undefined for what is not shown. */
function rankOf(job: JobRow): number | undefined {
  const { kind } = job.state;
  if (job.kind === "build") {
    if (kind === "failed") return isBlocked(job) ? PLANNED : FAILED;
    if (kind === "running") return BUILDING;
    return kind === "waiting" ? WAITING : kind === "planned" ? PLANNED : undefined;
  }
  if (isOver(job)) return undefined;
  if (directionOf(job) !== undefined) return MOVING;
  return OTHERS.has(job.kind) && !PARTS_OF_COPIES.test(job.subject) ? MOVING : undefined;
}

/** Failed ones first, then what has taken longest. */
function inOrder(one: JobRow, other: JobRow): number {
  return rankOf(one)! - rankOf(other)! || (one.startedMs ?? 0) - (other.startedMs ?? 0) || one.id - other.id;
}
