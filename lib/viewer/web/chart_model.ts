/** One chart's data: what was asked, what came, and in which form it shows. @module */
import { type Signal, signal } from "@preact/signals";
import type { ColumnResult, DecodedSeries } from "../columns.ts";
import type { ChartDef } from "../views/mod.ts";

/** One line. */
export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Index of the chart's query that it came from. */
  readonly query: number;
  readonly values: Float64Array;
  /** Which colour of the palette: by label order, so that it stays when the order of the legend changes. */
  readonly color: number;
}

/** Rows of equal height, from below. */
export interface Heat {
  readonly rows: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  /** Row-major: row r at step i is `cells[r * count + i]`; NaN where there is nothing. */
  readonly cells: Float64Array;
  /** What rows are: CPUs, or buckets between bounds. */
  readonly kind: "id" | "buckets";
  /** Lower bound of each bucket row, and the upper bound of the last. */
  readonly bounds?: Float64Array;
}

/** First and last moment of a time axis. */
export interface Range {
  readonly startMs: number;
  readonly endMs: number;
}

/** The steps that data stand on. */
export interface Steps {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

export type ChartData =
  | { readonly kind: "none"; readonly steps: Steps; readonly error?: string }
  | { readonly kind: "lines"; readonly steps: Steps; readonly lines: readonly Line[] }
  | { readonly kind: "heat"; readonly steps: Steps; readonly heat: Heat };

/** A chart on the page. */
export interface ChartModel {
  readonly def: ChartDef;
  /** The queries and the range that `data` answers. A plot shows what it has, never old data on a new axis. */
  queries: readonly string[];
  range: Range;
  readonly data: Signal<ChartData | undefined>;
  /** Whether any of it is in the window. */
  visible: boolean;
}

export function chartModel(def: ChartDef): ChartModel {
  return { def, queries: [], range: { startMs: 0, endMs: 0 }, data: signal(undefined), visible: false };
}

/** More lines than this are not drawn: a picture of so many tells nothing. */
export const MAX_LINES = 24;

/** Chooses the form from the shape of the answers. */
export function shapeData(def: ChartDef, results: readonly ColumnResult<DecodedSeries>[]): ChartData {
  const { startMs, stepMs, count } = results.find((result) => result.count > 0) ??
    { startMs: 0, stepMs: 1, count: 0 };
  const steps = { startMs, stepMs, count };
  const error = results.find((result) => result.error !== undefined)?.error;
  const series = results.flatMap((result, query) => result.series.map((one) => ({ ...one, query })));
  if (series.length === 0 || series.every(({ values }) => values.every(Number.isNaN))) {
    return error === undefined ? { kind: "none", steps } : { kind: "none", steps, error };
  }
  if (series[0]!.buckets !== undefined) {
    const heat = bucketHeat(series[0]!, count);
    return heat === undefined ? { kind: "none", steps } : { kind: "heat", steps, heat };
  }
  const byId = series.length > 1 &&
    series.every(({ labels }) => "id" in labels && Object.keys(labels).length === 1);
  if (byId) return { kind: "heat", steps, heat: idHeat(series, count) };
  const lines = series.map((one, color): Line => ({
    color,
    name: nameOf(def.queries[one.query]?.name, one.labels, def.title),
    labels: one.labels,
    query: one.query,
    values: one.values,
  }));
  if (def.order === "largest") lines.sort((a, b) => mean(b.values) - mean(a.values));
  return { kind: "lines", steps, lines: lines.slice(0, MAX_LINES) };
}

function mean(values: Float64Array): number {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? 0 : sum / count;
}

function nameOf(
  template: string | undefined,
  labels: Readonly<Record<string, string>>,
  fallback: string,
): string {
  if (template !== undefined) {
    return template.replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? "") || "–";
  }
  return Object.values(labels).join(" ") || fallback;
}

function idHeat(series: readonly DecodedSeries[], count: number): Heat {
  const sorted = [...series].sort((a, b) => Number(a.labels.id) - Number(b.labels.id));
  const cells = new Float64Array(sorted.length * count);
  sorted.forEach(({ values }, row) => cells.set(values, row * count));
  return { kind: "id", cells, rows: sorted.map(({ labels }) => ({ name: `CPU ${labels.id}`, labels })) };
}

/** Only the rows between the first and the last bucket that counted; `undefined` when none did. */
function bucketHeat({ values, buckets, labels }: DecodedSeries, count: number): Heat | undefined {
  const { bucketCount, firstBucket, groupingPower } = buckets!;
  let [low, high] = [bucketCount, -1];
  for (let at = 0; at < values.length; at++) {
    if (!(values[at]! > 0)) continue;
    const b = at % bucketCount;
    low = Math.min(low, b);
    high = Math.max(high, b);
  }
  if (high < 0) return undefined;
  const rows = high - low + 1;
  const cells = new Float64Array(rows * count);
  for (let i = 0; i < count; i++) {
    const absent = Number.isNaN(values[i * bucketCount]!);
    for (let r = 0; r < rows; r++) cells[r * count + i] = absent ? NaN : values[i * bucketCount + low + r]!;
  }
  const bounds = Float64Array.from(
    { length: rows + 1 },
    (_, r) => bucketLower(firstBucket + low + r, groupingPower),
  );
  return {
    kind: "buckets",
    cells,
    bounds,
    rows: Array.from({ length: rows }, (_, r) => ({ name: String(bounds[r]), labels })),
  };
}

/** Lower bound of an H2 bucket as a float; exact enough to be written. */
function bucketLower(index: number, p: number): number {
  const group = Math.floor(index / 2 ** p);
  const rest = index - group * 2 ** p;
  return group === 0 ? rest : 2 ** (p + group - 1) + rest * 2 ** (group - 1);
}
