/** Rows of the Jobs: sorted, and only those that are wanted. Pure. @module */
import { isOver } from "../../nix/mod.ts";
import type { BuilderBuild } from "../processes/mod.ts";
import type { JobRow } from "../world.ts";
import { compare, elapsedMs, RANKS, URGENCY, usages } from "./facts.ts";
import { type Kinds, type Model, type Sort, type States, worldOf } from "./model.ts";
import { remember } from "./remember.ts";

/** Jobs by what they are sorted by; those of which the same is true keep the order in which they came. */
export function jobRows(model: Model): readonly JobRow[] {
  const { source, host, sort, isReversed, filter, kinds, states, nowMs } = model;
  return remember(
    "jobs",
    [source, host, sort, isReversed, filter, kinds, states, sort === "time" && nowMs],
    () => {
      const words = filter.toLowerCase().split(" ").filter((word) => word !== "");
      const rows: JobRow[] = [];
      for (const job of worldOf(model).jobs.values()) {
        if (isOf(job, kinds) && isIn(job, states) && (words.length === 0 || hasAll(job, words))) {
          rows.push(
            job,
          );
        }
      }
      // Jobs come in the order of their numbers, and sorting keeps it where the rest is the same.
      const sorted = sort === "state" ? byState(rows) : rows.sort(orderOf(sort, usages(model), nowMs));
      return isReversed ? sorted.reverse() : sorted;
    },
  );
}

function isOf({ kind }: JobRow, wanted: Kinds): boolean {
  switch (wanted) {
    case "everything":
      return true;
    case "builds":
      return kind === "build";
    case "transfers":
      return kind === "copy" || kind === "download" || kind === "fetch";
    case "the rest":
      return kind !== "build" && kind !== "copy" && kind !== "download" && kind !== "fetch";
    default:
      return wanted satisfies never;
  }
}

function isIn(job: JobRow, wanted: States): boolean {
  switch (wanted) {
    case "all":
      return true;
    case "not over":
      return !isOver(job);
    case "failed":
      return job.state.kind === "failed";
    default:
      return wanted satisfies never;
  }
}

/** Each word is somewhere in what the job is: `gcc failed`, `copy cache.nixos.org`. */
function hasAll({ name, subject, kind, host, state }: JobRow, words: readonly string[]): boolean {
  const text = `${name} ${subject} ${kind} ${host} ${state.kind}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

type Order = (one: JobRow, other: JobRow) => number;

/** Thousands of jobs are in a handful of states: nothing has to be compared. */
function byState(rows: readonly JobRow[]): JobRow[] {
  const ranked: JobRow[][] = URGENCY.map(() => []);
  for (const row of rows) ranked[RANKS[row.state.kind]]!.push(row);
  return ranked.flat();
}

function orderOf(
  sort: Exclude<Sort, "state">,
  used: ReadonlyMap<number, BuilderBuild>,
  nowMs: number,
): Order {
  switch (sort) {
    case "name":
      return (one, other) => compare(one.name, other.name);
    case "time":
      return (one, other) => elapsedMs(other, nowMs) - elapsedMs(one, nowMs);
    case "cpu":
      return (one, other) => cpuOf(other, used) - cpuOf(one, used);
    case "memory":
      return (one, other) => memoryOf(other, used) - memoryOf(one, used);
    case "lines":
      return (one, other) => other.lineCount - one.lineCount;
    default:
      return sort satisfies never;
  }
}

function cpuOf({ id }: JobRow, used: ReadonlyMap<number, BuilderBuild>): number {
  return used.get(id)?.usage.cpuRatio ?? -1;
}

function memoryOf({ id }: JobRow, used: ReadonlyMap<number, BuilderBuild>): number {
  return used.get(id)?.usage.memoryBytes ?? -1;
}
