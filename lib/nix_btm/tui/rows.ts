/**
 * The rows of each view, made anew when the world or what is asked of it has changed. Pure but for the last answers, which
 * are kept.
 * @module
 */
import { isOver, nameOf } from "../../nix/mod.ts";
import type { BuilderBuild, BuilderProcess, BuilderUser } from "../processes/mod.ts";
import { processesOf } from "../usage.ts";
import type { JobRow, World } from "../world.ts";
import { type Model, type Prune, type Sort, type Tab, worldOf } from "./model.ts";

/** A row of the tree of builders. */
export type BuilderRow =
  | { readonly kind: "user"; readonly key: string; readonly user: BuilderUser; readonly isOpen: boolean }
  | { readonly kind: "build"; readonly key: string; readonly build: BuilderBuild }
  | {
    readonly kind: "process";
    readonly key: string;
    readonly process: BuilderProcess;
    readonly isLast: boolean;
  };

/** A row of the Eagle Eye: a command's target, or a derivation below it. */
export interface EagleRow {
  readonly key: string;
  readonly depth: number;
  readonly path: string;
  readonly name: string;
  /** The build of it, if its command has one. */
  readonly job: JobRow | undefined;
  readonly canOpen: boolean;
  readonly isOpen: boolean;
  /** It was shown further up already, with all that is below it. */
  readonly isAgain: boolean;
  /** Set on the first row of each target. */
  readonly command: number | undefined;
}

/** A job with what it uses. */
export interface JobLine {
  readonly key: string;
  readonly job: JobRow;
  readonly build: BuilderBuild | undefined;
}

/** Deeper trees are cut. */
const DEPTH_MAX = 64;
/** Rows of a tree; a system's whole closure would be some 20,000. */
const EAGLE_MAX = 20_000;

export function builderRows(model: Model): readonly BuilderRow[] {
  return remember("builders", [worldOf(model).builders, model.toggled, model.allFolded], () => {
    const users = worldOf(model).builders?.users ?? [];
    return users.flatMap((user): BuilderRow[] => {
      const key = `user ${user.uid}`;
      const isOpen = model.toggled.has(key) === model.allFolded;
      const head: BuilderRow = { kind: "user", key, user, isOpen };
      return isOpen ? [head, ...user.builds.flatMap(buildRows)] : [head];
    });
  });
}

function buildRows(build: BuilderBuild): BuilderRow[] {
  const key = `build ${build.id}`;
  return [
    { kind: "build", key, build },
    ...build.processes.map((process, at): BuilderRow => ({
      kind: "process",
      key: `process ${process.pid} ${process.startTicks}`,
      process,
      isLast: at === build.processes.length - 1,
    })),
  ];
}

/** Processes of the selected user, build or process: the table at the right. */
export function tableRows(model: Model): readonly BuilderProcess[] {
  const row = builderRows(model)[model.lists.builders.selected];
  if (row === undefined) return [];
  switch (row.kind) {
    case "user":
      return row.user.builds.flatMap(({ processes }) => processes);
    case "build":
      return row.build.processes;
    case "process":
      return [row.process];
    default:
      return row satisfies never;
  }
}

/** The build that a row of the tree belongs to. */
export function buildAt(model: Model): BuilderBuild | undefined {
  const rows = builderRows(model);
  for (let at = model.lists.builders.selected; at >= 0; at--) {
    const row = rows[at];
    if (row?.kind === "build") return row.build;
    if (row === undefined || row.kind === "user") return undefined;
  }
  return undefined;
}

/** Targets with what they need, the last command first, failed ones on top. */
export function eagleRows(model: Model): readonly EagleRow[] {
  const { source, host, toggled, allFolded, prune, filter } = model;
  return remember("eagle", [source.version, host, toggled, allFolded, prune, filter], () => {
    const world = worldOf(model);
    const rows: EagleRow[] = [];
    const byCommand = buildsByCommand(world);
    for (const command of [...world.commands.keys()].reverse()) {
      const builds = byCommand.get(command);
      if (builds === undefined) continue;
      const tree: Tree = {
        model,
        world,
        builds,
        rows,
        command,
        shown: new Set(),
        wanted: wantedIn(world, builds, model),
      };
      const roots = world.graph.roots(builds.keys());
      for (const path of sorted(roots, tree)) addNode(tree, { path, depth: 0, above: "" });
    }
    return rows;
  });
}

interface Tree {
  readonly model: Model;
  readonly world: World;
  readonly builds: ReadonlyMap<string, JobRow>;
  readonly rows: EagleRow[];
  readonly command: number;
  readonly shown: Set<string>;
  /** Derivations that the prune mode and the filter leave, with all above them. */
  readonly wanted: ReadonlySet<string>;
}

function addNode(
  tree: Tree,
  { path, depth, above }: { readonly path: string; readonly depth: number; readonly above: string },
): void {
  const { model, world, builds, rows, command, shown, wanted } = tree;
  if (rows.length >= EAGLE_MAX || !wanted.has(path)) return;
  const key = `${command} ${above}${path}`;
  const isAgain = shown.has(path);
  shown.add(path);
  const inputs = depth >= DEPTH_MAX || isAgain
    ? []
    : world.graph.inputs(path).filter((input) => wanted.has(input));
  const isOpen = inputs.length > 0 && model.toggled.has(key) === model.allFolded;
  rows.push({
    key,
    depth,
    path,
    name: nameOf(path),
    job: builds.get(path),
    canOpen: inputs.length > 0,
    isOpen,
    isAgain,
    command: depth === 0 ? command : undefined,
  });
  if (!isOpen) return;
  for (const input of sorted(inputs, tree)) {
    addNode(tree, { path: input, depth: depth + 1, above: `${above}${path} ` });
  }
}

/** What is left by the prune mode and the filter, and all that leads to it. */
function wantedIn(
  { graph }: World,
  builds: ReadonlyMap<string, JobRow>,
  { prune, filter }: Model,
): Set<string> {
  const isWanted = (path: string): boolean => {
    if (filter !== "" && !path.toLowerCase().includes(filter.toLowerCase())) return false;
    return isLeft(builds.get(path), prune);
  };
  const wanted = new Set<string>();
  const open: string[] = [];
  const seen = new Set<string>(builds.keys());
  const all = [...seen];
  // Everything below the builds, whether or not it is built.
  for (let path = all.pop(); path !== undefined; path = all.pop()) {
    if (isWanted(path)) open.push(path);
    for (const input of graph.inputs(path)) {
      if (seen.has(input)) continue;
      seen.add(input);
      all.push(input);
    }
  }
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (wanted.has(path)) continue;
    wanted.add(path);
    for (const dependant of graph.dependants(path)) if (seen.has(dependant)) open.push(dependant);
  }
  return wanted;
}

function isLeft(job: JobRow | undefined, prune: Prune): boolean {
  switch (prune) {
    case "none":
      return job !== undefined;
    case "normal":
      return job !== undefined && (!isOver(job) || job.state.kind === "failed");
    case "aggressive":
      return job?.state.kind === "running" || job?.state.kind === "waiting" || job?.state.kind === "failed";
    default:
      return prune satisfies never;
  }
}

const URGENCY: readonly JobRow["state"]["kind"][] = [
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

/** Failed ones first, then what runs, waits and is planned; the same in their names' order. */
function sorted(paths: readonly string[], { builds }: Tree): string[] {
  const rank = (path: string) => {
    const job = builds.get(path);
    return job === undefined ? URGENCY.length : URGENCY.indexOf(job.state.kind);
  };
  return [...paths].sort((one, other) => rank(one) - rank(other) || compare(nameOf(one), nameOf(other)));
}

function buildsByCommand({ jobs }: World): Map<number, Map<string, JobRow>> {
  const found = new Map<number, Map<string, JobRow>>();
  for (const job of jobs.values()) {
    if (job.kind !== "build") continue;
    const builds = found.get(job.command) ?? new Map<string, JobRow>();
    builds.set(job.subject, job);
    found.set(job.command, builds);
  }
  return found;
}

/** Jobs by what they are sorted by; those of the same keep the order in which they came. */
export function jobLines(model: Model): readonly JobLine[] {
  const { source, host, sort, isReversed, filter, showsOver } = model;
  return remember("jobs", [
    source.version,
    host,
    sort,
    isReversed,
    filter,
    showsOver,
    sort === "time" && model.nowMs,
  ], () => {
    const world = worldOf(model);
    const processes = processesOf(world);
    const wanted = filter.toLowerCase();
    const lines = [...world.jobs.values()]
      .filter((job) => (showsOver || !isOver(job)) && (wanted === "" || textOf(job).includes(wanted)))
      .map((job): JobLine => ({ key: String(job.id), job, build: processes.get(job.id) }));
    const by = ORDERS[sort];
    lines.sort((one, other) => by(one, other, model.nowMs) || one.job.id - other.job.id);
    return isReversed ? lines.reverse() : lines;
  });
}

function textOf({ name, subject, kind, host, state }: JobRow): string {
  return `${name} ${subject} ${kind} ${host} ${state.kind}`.toLowerCase();
}

type Order = (one: JobLine, other: JobLine, nowMs: number) => number;

const ORDERS: Readonly<Record<Sort, Order>> = {
  state: ({ job: one }, { job: other }) =>
    URGENCY.indexOf(one.state.kind) - URGENCY.indexOf(other.state.kind),
  name: ({ job: one }, { job: other }) => compare(one.name, other.name),
  time: ({ job: one }, { job: other }, nowMs) => elapsedMs(other, nowMs) - elapsedMs(one, nowMs),
  cpu: ({ build: one }, { build: other }) => (other?.usage.cpuRatio ?? -1) - (one?.usage.cpuRatio ?? -1),
  memory: ({ build: one }, { build: other }) =>
    (other?.usage.memoryBytes ?? -1) - (one?.usage.memoryBytes ?? -1),
  lines: ({ job: one }, { job: other }) => other.lineCount - one.lineCount,
};

/** How long a job runs, or ran; 0 before it began. */
export function elapsedMs({ startedMs, endedMs }: JobRow, nowMs: number): number {
  return startedMs === undefined ? 0 : Math.max(0, (endedMs ?? nowMs) - startedMs);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Lines of the build that is looked at: the whole log where it was read, then what came since. */
export function buildLines(model: Model): readonly string[] {
  const { job, log, source } = model;
  if (job === undefined) return [];
  const tail = worldOf(model).tails.get(job) ?? [];
  if (log?.job !== job) return tail;
  return remember("lines", [source.version, log, job], () => joined(log.lines, tail));
}

/** A log that was read and the last lines of now, which begin somewhere in it. */
export function joined(read: readonly string[], tail: readonly string[]): readonly string[] {
  for (let from = Math.max(0, read.length - tail.length); from < read.length; from++) {
    if (read.slice(from).every((line, at) => line === tail[at])) {
      return [...read, ...tail.slice(read.length - from)];
    }
  }
  return read.length === 0 ? tail : read;
}

/** The keys of a view's rows, in their order. */
export function keysOf(model: Model, tab: Tab): readonly string[] {
  switch (tab) {
    case "builders":
      return builderRows(model).map(({ key }) => key);
    case "eagle":
      return eagleRows(model).map(({ key }) => key);
    case "jobs":
      return jobLines(model).map(({ key }) => key);
    case "history":
      return model.history.map(({ id }) => String(id));
    case "hosts":
      return [...model.source.worlds.keys()];
    case "build":
      return [];
    default:
      return tab satisfies never;
  }
}

interface Kept {
  readonly of: readonly unknown[];
  readonly rows: readonly unknown[];
}

const kept = new Map<string, Kept>();

/** The rows of before where nothing that they are made of has changed. */
function remember<T>(name: string, of: readonly unknown[], make: () => readonly T[]): readonly T[] {
  const before = kept.get(name);
  if (before !== undefined && before.of.every((each, at) => each === of[at])) {
    return before.rows as readonly T[];
  }
  const rows = make();
  kept.set(name, { of, rows });
  return rows;
}
