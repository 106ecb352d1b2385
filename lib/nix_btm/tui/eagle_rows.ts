/** Rows of the Eagle Eye: commands, and below each what it builds as a tree. Pure. @module */
import { type Command, isOver, nameOf } from "../../nix/mod.ts";
import type { JobRow, World } from "../world.ts";
import {
  type Builds,
  buildsOf,
  compare,
  type Counts,
  countsIn,
  RANKS,
  structureOf,
  URGENCY,
  withDependants,
} from "./facts.ts";
import { type Model, type Prune, worldOf } from "./model.ts";
import { remember } from "./remember.ts";

/** A command with its targets, or a derivation below it. */
export type EagleRow = CommandRow | DerivationRow;

export interface CommandRow {
  readonly kind: "command";
  readonly key: string;
  readonly command: Command;
  /** Of its builds. */
  readonly counts: Counts;
  readonly canOpen: boolean;
  readonly isOpen: boolean;
}

export interface DerivationRow {
  readonly kind: "derivation";
  /** The row that it is below: with the path it names this one, see `keyOf`. */
  readonly above: EagleRow;
  /** 1 below its command. */
  readonly depth: number;
  readonly path: string;
  readonly name: string;
  /** All of its command: what the build of it does now is `jobAt`. */
  readonly builds: Builds;
  readonly canOpen: boolean;
  readonly isOpen: boolean;
  /** What it needs and is shown, while it is folded. */
  readonly hidden: number;
  /** It was shown further up already, with all that is below it. */
  readonly isAgain: boolean;
}

/** The build of a derivation, if its command has one, as it is now: the row may be older. */
export function jobAt(row: EagleRow | undefined): JobRow | undefined {
  return row?.kind === "derivation" ? row.builds.get(row.path) : undefined;
}

/** Names a row among all. Made when it is asked for: most of thousands of rows never are. */
export function keyOf(row: EagleRow): string {
  return row.kind === "command" ? row.key : `${keyOf(row.above)} ${row.path}`;
}

/** Deeper trees are cut. */
const DEPTH_MAX = 64;
/** Rows of all trees; a system's whole closure would be some 20,000. */
const EAGLE_MAX = 20_000;
/** From so many jobs on rows are made anew but so often. */
const LARGE_JOBS = 1_000;
const LARGE_EVERY_MS = 1_000;
/** Commands that are over and shown, the newest. */
const OVER_MAX = 50;

/** The commands that run first, then those that are over; the last one of them on top. */
export function eagleRows(model: Model): readonly EagleRow[] {
  const { source, host, folds, folding, prune, filter, nowMs } = model;
  const world = worldOf(model);
  // Thousands of rows that change places more often than once a second nobody can read; what each does is told at once.
  const isLarge = world.jobs.size > LARGE_JOBS;
  const asOf = isLarge ? [world, world.jobs.size, Math.floor(nowMs / LARGE_EVERY_MS)] : [source];
  return remember("eagle", [host, folds, folding, prune, filter, ...asOf], () => {
    const rows: EagleRow[] = [];
    for (const command of shownCommands(world)) {
      addCommand({ command, builds: buildsOf(model, command.id) }, { model, world, rows });
    }
    return rows;
  });
}

function shownCommands({ commands }: World): Command[] {
  const all = [...commands.values()].reverse();
  const running = all.filter(({ state }) => state === "running");
  return [...running, ...all.filter(({ state }) => state !== "running").slice(0, OVER_MAX)];
}

interface Shown {
  readonly model: Model;
  readonly world: World;
  readonly rows: EagleRow[];
}

function addCommand(
  { command, builds }: { readonly command: Command; readonly builds: Builds },
  shown: Shown,
): void {
  const { model: { folds, folding, filter }, model, world, rows } = shown;
  const key = `command ${command.id}`;
  const counts = countsIn(builds.values());
  const usual = folding === "auto"
    ? command.state === "running" || counts.failed + counts.blocked > 0
    : folding === "open";
  const isWanted = folds.get(key) ?? usual;
  // What is folded and not searched costs nothing.
  const wanted = isWanted || filter !== "" ? wantedOf(command.id, builds, model) : undefined;
  if (filter !== "" && wanted!.size === 0) return;
  const canOpen = wanted === undefined ? builds.size > 0 : wanted.size > 0;
  const head: CommandRow = { kind: "command", key, command, counts, canOpen, isOpen: canOpen && isWanted };
  rows.push(head);
  if (!isWanted || wanted === undefined) return;
  const tree: Tree = {
    ...shown,
    builds,
    seen: new Set(),
    wanted,
    lively: livelyIn(world.graph, builds),
  };
  const roots = structureOf(model, command.id).roots.filter((path) => wanted.has(path));
  for (const node of nodesOf(roots, tree)) addNode(tree, { node, depth: 1, above: head });
}

interface Tree extends Shown {
  readonly builds: Builds;
  readonly seen: Set<string>;
  /** Derivations that the prune mode and the filter leave, with all above them. */
  readonly wanted: ReadonlySet<string>;
  /** Derivations that are not over, or failed, with all above them. */
  readonly lively: ReadonlySet<string>;
}

/** A derivation before it has a row. */
interface Node {
  readonly path: string;
  readonly name: string;
  /** It is among the lively ones of its tree. */
  readonly isLively: boolean;
  /** The lowest comes first. */
  readonly rank: number;
}

function addNode(
  tree: Tree,
  { node, depth, above }: { readonly node: Node; readonly depth: number; readonly above: EagleRow },
): void {
  const { model: { folds, folding }, world, builds, rows, seen, wanted } = tree;
  if (rows.length >= EAGLE_MAX) return;
  const { path, name, isLively } = node;
  const isAgain = seen.has(path);
  seen.add(path);
  const inputs = depth >= DEPTH_MAX || isAgain
    ? []
    : world.graph.inputs(path).filter((input) => wanted.has(input));
  const canOpen = inputs.length > 0;
  const said = folds.size === 0 ? undefined : folds.get(`${keyOf(above)} ${path}`);
  const isOpen = canOpen && (said ?? (folding === "auto" ? isLively : folding === "open"));
  const row: DerivationRow = {
    kind: "derivation",
    above,
    depth,
    path,
    name,
    builds,
    canOpen,
    isOpen,
    hidden: isOpen ? 0 : inputs.length,
    isAgain: isAgain && world.graph.inputs(path).some((input) => wanted.has(input)),
  };
  rows.push(row);
  if (!isOpen) return;
  for (const each of nodesOf(inputs, tree)) addNode(tree, { node: each, depth: depth + 1, above: row });
}

/** Failed ones first, then what runs, waits and is planned; the same in their names' order. */
function nodesOf(paths: readonly string[], { builds, lively }: Tree): readonly Node[] {
  const nodes = paths.map((path): Node => {
    const job = builds.get(path);
    const own = job === undefined ? URGENCY.length : RANKS[job.state.kind];
    const isLively = lively.has(path);
    // What is over, but has something below it that is not, comes before what is over altogether.
    return { path, name: job?.name ?? nameOf(path), isLively, rank: own * 2 + (isLively ? 0 : 1) };
  });
  return nodes.sort((one, other) => one.rank - other.rank || compare(one.name, other.name));
}

type Graph = World["graph"];

/** What is left by the prune mode and the filter, and all that leads to it. */
function wantedOf(
  command: number,
  builds: Builds,
  model: Model,
): ReadonlySet<string> {
  const { prune, filter } = model;
  const words = filter.toLowerCase().split(" ").filter((word) => word !== "");
  if (prune === "none" && words.length === 0) return structureOf(model, command).tree;
  const isWanted = (job: JobRow): boolean => {
    if (!isLeft(job, prune)) return false;
    if (words.length === 0) return true;
    const text = `${job.subject} ${job.state.kind}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const found = builds.values().filter(isWanted).map(({ subject }) => subject);
  return withDependants(worldOf(model).graph, [...found]);
}

function livelyIn(graph: Graph, builds: Builds): Set<string> {
  const found: string[] = [];
  for (const job of builds.values()) if (!isOver(job) || job.state.kind === "failed") found.push(job.subject);
  return withDependants(graph, found);
}

function isLeft(job: JobRow, prune: Prune): boolean {
  switch (prune) {
    case "none":
      return true;
    case "normal":
      return !isOver(job) || job.state.kind === "failed";
    case "aggressive":
      return job.state.kind === "running" || job.state.kind === "waiting" || job.state.kind === "failed";
    default:
      return prune satisfies never;
  }
}
