/** What every tool of the monitor needs: the worlds, and how jobs and commands are told. @module */
import {
  array,
  integer,
  nullable,
  number,
  object,
  optional,
  string,
  type Tool,
  ToolError,
} from "../../mcp/mod.ts";
import type { Derivation } from "../../nix/mod.ts";
import { durationWord, plainText } from "../../tui/mod.ts";
import type { HistoryQuery, PackageStatistics, PastBuild } from "../history.ts";
import { waitingText, whyWaiting } from "../waiting.ts";
import type { JobRow, World } from "../world.ts";

/** What tools look at: a daemon, its history, the store. */
export interface NixView {
  /** By host; the daemon's own is the empty name. */
  readonly worlds: ReadonlyMap<string, World>;
  readonly hostname: string;
  /** Unix milliseconds. */
  now(): number;
  history(query: HistoryQuery, signal: AbortSignal): Promise<readonly PastBuild[]>;
  statistics(limit: number, signal: AbortSignal): Promise<readonly PackageStatistics[]>;
  /** All lines of a build. @throws {Error} When its log is not kept. */
  log(
    of: { readonly job: number } | { readonly file: string },
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** @throws {Error} When the derivation cannot be read. */
  derivation(path: string): Promise<Derivation>;
}

/** Makes tools for one view. */
export type ToolMaker = (view: NixView) => Tool;

/** One of a world's rows, with its host. */
export interface Placed<T> {
  readonly host: string;
  readonly world: World;
  readonly row: T;
}

export const HOST = optional(string({ description: "Only this host; all hosts when it is left out" }));
export const LIMIT = optional(
  integer({ minimum: 1, maximum: 500, description: "Rows at most; 50 by default" }),
);
export const LIMIT_DEFAULT = 50;

/** A build as tools tell it. */
export const BUILD = object({
  job: integer({ description: "Number of the build, for search_log" }),
  host: string(),
  command: integer(),
  name: string(),
  derivation: string(),
  machine: string({ description: "The builder's host, empty for this one" }),
  state: string(),
  phase: nullable(string()),
  seconds: nullable(number({ description: "How long it runs, or ran" })),
  why: nullable(string({ description: "Why it waits, or how it failed" })),
  lines: integer({ description: "Lines of its log so far" }),
});

export const BUILDS = array(BUILD);

export function buildOf({ host, world, row: job }: Placed<JobRow>, nowMs: number) {
  const { state, startedMs, endedMs } = job;
  const waiting = whyWaiting(world, job);
  return {
    job: job.id,
    host,
    command: job.command,
    name: job.name,
    derivation: job.subject,
    machine: job.host,
    state: state.kind,
    phase: job.phases.at(-1)?.name ?? null,
    seconds: startedMs === undefined ? null : ((endedMs ?? nowMs) - startedMs) / 1_000,
    why: state.kind === "failed"
      ? plainText(state.failure.text)
      : waiting === undefined
      ? null
      : waitingText(waiting),
    lines: job.lineCount,
  };
}

/** A build in a line. */
export function buildText(build: ReturnType<typeof buildOf>): string {
  const { job, state, name, machine, phase, seconds, why } = build;
  return [
    `#${job} ${state} ${name}`,
    machine === "" ? undefined : `on ${machine}`,
    phase === null ? undefined : `in ${phase}`,
    seconds === null ? undefined : durationWord(seconds * 1_000),
    why === null ? undefined : `(${why})`,
  ].filter((part) => part !== undefined).join(" ");
}

/** Rows of all worlds, or of one. @throws {ToolError} When there is no such host. */
export function placed<T>(
  { worlds, hostname }: NixView,
  wanted: string | undefined,
  rows: (world: World) => Iterable<T>,
): Placed<T>[] {
  const named = [...worlds].map(([host, world]) => ({ host: host || hostname, world }));
  const found = named.filter(({ host }) => wanted === undefined || host === wanted);
  if (found.length === 0 && wanted !== undefined) {
    throw new ToolError(
      `there is no host "${wanted}"; there are ${named.map(({ host }) => host).join(", ")}`,
    );
  }
  return found.flatMap(({ host, world }) => [...rows(world)].map((row) => ({ host, world, row })));
}

/** Builds of all kinds of states, the newest last. */
export function builds(view: NixView, host?: string): Placed<JobRow>[] {
  return placed(view, host, ({ jobs }) => [...jobs.values()].filter(({ kind }) => kind === "build"));
}

/** Those whose number, derivation or part of the name it is. @throws {ToolError} When there is none. */
export function buildsNamed(view: NixView, wanted: string): Placed<JobRow>[] {
  const all = builds(view);
  const exact = all.filter(({ row }) =>
    String(row.id) === wanted.replace(/^#/, "") || row.subject === wanted
  );
  const found = exact.length > 0 ? exact : all.filter(({ row }) => row.name.includes(wanted));
  if (found.length > 0) return found;
  throw new ToolError(`no build is known as "${wanted}"; list_builds tells names and numbers`);
}
