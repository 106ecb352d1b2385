/**
 * What evaluation passes around: rows of one series over all steps of a grid. A tile is an array of rows whose
 * numbers lie in one `Float64Array[series × steps]`.
 * @module
 */
import { type HistogramLayout, type Labels } from "../metrics/mod.ts";

/** The times at which a query is evaluated: `startMs + i * stepMs`, in whole milliseconds of Unix time. */
export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

/** What holds for a whole query. */
export interface QueryScope {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** How far an instant selector looks back. */
  readonly lookbackMs: number;
  /** The step of a subquery that names none. */
  readonly subqueryStepMs: number;
  /** Drop metric names only at the end of the query (Prometheus' delayed name removal). */
  readonly delayedNames: boolean;
}

/** H2 bucket counts of one row: bucket `firstBucket + b` at step i is `counts[i * bucketCount + b]`. */
export interface Buckets {
  readonly layout: HistogramLayout;
  readonly firstBucket: number;
  readonly bucketCount: number;
  readonly counts: Float64Array;
}

/** One series over all steps. A row is a number series unless it has `buckets`; then `values` is unused. */
export interface Row {
  readonly labels: Labels;
  readonly values: Float64Array;
  /** 1 where the series has an element at that step. */
  readonly present: Uint8Array;
  readonly buckets?: Buckets;
  /** Set when the name is to be dropped at the end of the query (delayed name removal). */
  readonly nameless?: boolean;
}

/** A tile holds at most this much, so that a query over many series needs no more memory than one over few. */
export const TILE_BYTES = 4 * 1024 * 1024;

/** Numbers that a query may hold at once outside of tiles, and in its answer. */
export const MAX_SAMPLES = 50_000_000;

/** The time of step `i` in seconds. */
export function timeAt(grid: Grid, i: number): number {
  return (grid.startMs + i * grid.stepMs) / 1000;
}

/** Empty rows with the given labels, in one block of memory. */
export function newRows(labels: readonly Labels[], steps: number): Row[] {
  const values = new Float64Array(labels.length * steps);
  const present = new Uint8Array(labels.length * steps);
  return labels.map((label, row) => ({
    labels: label,
    values: values.subarray(row * steps, (row + 1) * steps),
    present: present.subarray(row * steps, (row + 1) * steps),
  }));
}

/** One empty row. */
export function newRow(labels: Labels, steps: number): Row {
  return { labels, values: new Float64Array(steps), present: new Uint8Array(steps) };
}

/** A row of its own with the same points. */
export function copyRow(row: Row): Row {
  return { ...row, values: row.values.slice(), present: row.present.slice() };
}

/** Whether a row has any point. */
export function hasPoints(row: Row): boolean {
  return row.present.includes(1);
}

const signatures = new WeakMap<Labels, string>();
const nameless = new WeakMap<Labels, Labels>();

/** A text equal for equal label sets. Label objects are never changed, so it is computed once for each. */
export function signature(labels: Labels): string {
  let text = signatures.get(labels);
  if (text === undefined) {
    text = Object.keys(labels).sort().map((name) => `${name}\u0001${labels[name]}`).join("\u0000");
    signatures.set(labels, text);
  }
  return text;
}

/** The labels without the metric's name (and the type and unit that belong to it). */
export function withoutName(labels: Labels): Labels {
  let rest = nameless.get(labels);
  if (rest === undefined) {
    const { __name__: _name, __type__: _type, __unit__: _unit, ...others } = labels;
    rest = others;
    nameless.set(labels, rest);
  }
  return rest;
}

/** Orders label sets as Prometheus does: name by name, value by value. */
export function compareLabels(a: Labels, b: Labels): number {
  const [left, right] = [Object.keys(a).sort(), Object.keys(b).sort()];
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] !== right[i]) return left[i]! < right[i]! ? -1 : 1;
    const [x, y] = [a[left[i]!]!, b[right[i]!]!];
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

/** The label set as text: `name{a="b"}`. */
export function labelText(labels: Labels): string {
  const { __name__: name = "", ...rest } = labels;
  const parts = Object.keys(rest).sort().map((label) => `${label}=${JSON.stringify(rest[label])}`);
  return `${name}{${parts.join(", ")}}`;
}
