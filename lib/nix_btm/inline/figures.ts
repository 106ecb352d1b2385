/** Counts of what was done and is left, of all hosts and of each. Pure. @module */
import { type Command, isOver } from "../../nix/mod.ts";
import { isBlocked, type JobRow, type World } from "../world.ts";

/** Paths that go from or to another store. */
export interface Transfers {
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly bytes: number;
  /** Of those that have begun, as far as they tell. */
  readonly expectedBytes: number;
}

/** Builds of one kind of end. */
export interface Builds {
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  /** Planned, and those that wait. */
  readonly left: number;
  /** Begun, and given up when the command ended. */
  readonly stopped: number;
}

/** What was done on one machine, and went from or to one store. */
export interface HostFigures {
  /** As Nix names it; empty is this one. */
  readonly host: string;
  readonly builds: Builds;
  readonly downloads: Transfers;
  readonly uploads: Transfers;
}

/** All of a command, or of several. */
export interface Figures extends Omit<HostFigures, "host"> {
  /** Paths that are to be fetched, as far as Nix has told, and what they unpack to. */
  readonly expectedDownloads: number;
  readonly expectedBytes: number;
  readonly hosts: readonly HostFigures[];
}

const LOCAL: ReadonlySet<string> = new Set(["", "local", "daemon", "auto"]);

/** Which way a path goes; undefined for what is no copy, or stays here. */
export function directionOf({ kind, host, to }: JobRow): "download" | "upload" | undefined {
  if (kind !== "copy") return undefined;
  if (!LOCAL.has(to)) return "upload";
  return LOCAL.has(host) ? undefined : "download";
}

/** Whether something goes on that a person may wait for. */
export function isBusy({ jobs, commands }: World): boolean {
  for (const job of jobs.values()) {
    if (isOver(job)) continue;
    if (job.kind === "build" || directionOf(job) !== undefined || SEEN.has(job.kind)) return true;
  }
  // Old commands tell of evaluation only which files they read.
  return [...commands.values()].some(({ state, evaluatedFiles, builds }) =>
    state === "running" && evaluatedFiles > 0 && jobs.size === 0 && builds.expected === 0
  );
}

const SEEN: ReadonlySet<string> = new Set(["evaluation", "fetch", "hook", "maintenance", "query"]);

/** Counts everything of a world. */
export function figuresOf({ jobs, commands }: World): Figures {
  const hosts = new Map<string, Mutable>();
  const all = mutable("");
  const of = (host: string) => {
    const known = hosts.get(host) ?? mutable(host);
    hosts.set(host, known);
    return [all, known];
  };
  for (const job of jobs.values()) {
    const direction = directionOf(job);
    if (job.kind === "build") {
      // What has not begun is of no host yet.
      const counted = job.startedMs === undefined ? [all] : of(job.host);
      for (const { builds } of counted) countBuild(builds, job);
    } else if (direction !== undefined) {
      const host = direction === "upload" ? job.to : job.host;
      for (const each of of(host)) countTransfer(each[`${direction}s`], job);
    }
  }
  const told = [...commands.values()];
  const { builds, downloads, uploads } = all;
  return {
    builds: { ...builds, left: Math.max(builds.left, sum(told, leftOf)) },
    downloads,
    uploads,
    expectedDownloads: Math.max(
      downloads.running + downloads.done + downloads.failed,
      sum(told, ({ plannedFetches, substitutions }) => Math.max(plannedFetches, substitutions.expected)),
    ),
    expectedBytes: Math.max(downloads.expectedBytes, sum(told, ({ unpackedBytes }) => unpackedBytes)),
    hosts: [...hosts.values()].sort((one, other) => one.host < other.host ? -1 : 1),
  };
}

/** Nix' own count of goals, for commands that tell no plan; of those that are over nothing is left. */
function leftOf({ state, plannedBuilds, builds: { expected, done, running, failed } }: Command): number {
  return state === "running" && plannedBuilds === 0 ? expected - done - running - failed : 0;
}

/** Whether anything went that way. */
export function isUsed(...transfers: readonly Transfers[]): boolean {
  return transfers.some(({ running, done, failed }) => running + done + failed > 0);
}

type Counts<T> = { -readonly [K in keyof T]: T[K] };
interface Mutable {
  readonly host: string;
  readonly builds: Counts<Builds>;
  readonly downloads: Counts<Transfers>;
  readonly uploads: Counts<Transfers>;
}

function mutable(host: string): Mutable {
  const transfers = () => ({ running: 0, done: 0, failed: 0, bytes: 0, expectedBytes: 0 });
  return {
    host,
    builds: { running: 0, done: 0, failed: 0, left: 0, stopped: 0 },
    downloads: transfers(),
    uploads: transfers(),
  };
}

function countBuild(builds: Counts<Builds>, job: JobRow): void {
  const { kind } = job.state;
  if (kind === "running") builds.running++;
  else if (!isOver(job)) builds.left++;
  else if (isBlocked(job)) builds.left++;
  else if (kind === "failed") builds.failed++;
  else if (kind === "succeeded" || kind === "ended") builds.done++;
  else if (job.startedMs !== undefined) builds.stopped++;
}

function countTransfer(transfers: Counts<Transfers>, job: JobRow): void {
  const wholeBytes = Math.max(job.doneBytes, job.expectedBytes);
  // The last bytes of what came whole are not told any more.
  transfers.bytes += job.state.kind === "succeeded" ? wholeBytes : job.doneBytes;
  transfers.expectedBytes += wholeBytes;
  if (!isOver(job)) transfers.running++;
  else if (job.state.kind === "succeeded" || job.state.kind === "ended") transfers.done++;
  else transfers.failed++;
}

function sum<T>(list: readonly T[], of: (each: T) => number): number {
  return list.reduce((total, each) => total + of(each), 0);
}
