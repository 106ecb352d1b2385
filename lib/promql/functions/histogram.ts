/** Functions of histograms: H2 rows, and classic ones whose buckets are series with a label `le`. @module */
import { bucketBounds, type Labels, sumOfMiddles, totalCount } from "../../metrics/mod.ts";
import type { Argument, FunctionContext, FunctionEntry } from "../function.ts";
import { type Buckets, newRow, type Row, signature, withoutName } from "../value.ts";
import { type ClassicBuckets, classicFraction, classicQuantile } from "../_classic.ts";
import { numbersOf, rowsOf } from "./shape.ts";

type BucketsRow = Row & { readonly buckets: Buckets };

function isHistogram(row: Row): row is BucketsRow {
  return row.buckets !== undefined;
}

/** Counts of one step. */
function countsAt(buckets: Buckets, i: number): Float64Array {
  return buckets.counts.subarray(i * buckets.bucketCount, (i + 1) * buckets.bucketCount);
}

/**
 * The end of the bucket in which quantile `q` falls; `undefined` when nothing was counted. Same answer as upstream for
 * whole counts, but rates are fractions, so there is no rounding of the rank.
 */
function bucketQuantile(buckets: Buckets, i: number, q: number): number | undefined {
  const counts = countsAt(buckets, i);
  const total = totalCount(counts);
  if (!(total > 0)) return undefined;
  if (Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  // A sum of fractions may miss the rank by rounding: that much is forgiven.
  const rank = q * total * (1 - 1e-12);
  let bucket = 0;
  let running = counts[0]!;
  while (bucket < counts.length - 1 && (running < rank || running === 0)) running += counts[++bucket]!;
  return bucketBounds(buckets.layout).upper[buckets.firstBucket + bucket]!;
}

/** A function of each H2 histogram by itself; other rows give nothing. */
function ofHistogram(
  name: string,
  help: string,
  of: (buckets: Buckets, i: number) => number | undefined,
): FunctionEntry {
  return {
    name,
    help,
    args: ["vector"],
    returns: "vector",
    impl: {
      kind: "rows",
      apply: ([arg], { grid }) =>
        rowsOf(arg).filter(isHistogram).map((row) =>
          fill(row, grid.count, row.labels, (i) => of(row.buckets, i))
        ),
    },
  };
}

function fill(row: BucketsRow, steps: number, labels: Labels, of: (i: number) => number | undefined): Row {
  const out = newRow(labels, steps);
  for (let i = 0; i < steps; i++) {
    if (row.present[i] === 0) continue;
    const value = of(i);
    if (value === undefined) continue;
    out.values[i] = value;
    out.present[i] = 1;
  }
  return out;
}

/** Applies `of` to each classic histogram: the series that differ in `le` only. */
function classic(
  rows: readonly Row[],
  context: FunctionContext,
  of: (buckets: ClassicBuckets, i: number) => number,
): Row[] {
  const groups = new Map<string, { labels: Labels; members: { le: number; row: Row }[] }>();
  for (const row of rows) {
    const text = row.labels.le;
    const le = text === undefined ? NaN : parseBound(text);
    if (isHistogram(row) || Number.isNaN(le)) {
      if (!isHistogram(row)) {
        context.warn(
          `bucket label "le" is missing or has a malformed value of ${JSON.stringify(text ?? "")}`,
        );
      }
      continue;
    }
    const { le: _le, ...labels } = withoutName(row.labels);
    const key = signature(labels);
    const group = groups.get(key) ?? { labels, members: [] };
    groups.set(key, group);
    group.members.push({ le, row });
  }
  return [...groups.values()].map(({ labels, members }) => {
    const out = newRow(labels, context.grid.count);
    members.sort((a, b) => a.le - b.le);
    const buckets = {
      upper: new Float64Array(members.length),
      count: new Float64Array(members.length),
      length: 0,
    };
    for (let i = 0; i < context.grid.count; i++) {
      buckets.length = 0;
      for (const { le, row } of members) {
        if (row.present[i] === 0) continue;
        buckets.upper[buckets.length] = le;
        buckets.count[buckets.length++] = row.values[i]!;
      }
      if (buckets.length === 0) continue;
      out.values[i] = of(buckets, i);
      out.present[i] = 1;
    }
    return out;
  });
}

function parseBound(text: string): number {
  if (/^\+?inf$/i.test(text)) return Infinity;
  if (/^-inf$/i.test(text)) return -Infinity;
  return text.trim() === "" ? NaN : Number(text);
}

function quantileRows(q: Float64Array, rows: readonly Row[], context: FunctionContext): Row[] {
  const native = rows.filter(isHistogram).map((row) =>
    fill(row, context.grid.count, row.labels, (i) => bucketQuantile(row.buckets, i, q[i]!))
  );
  return [...native, ...classic(rows, context, (buckets, i) => classicQuantile(q[i]!, buckets))];
}

/** Upstream's `histogram_quantiles([0.5, 0.9], v)`, and Prometheus' `histogram_quantiles(v, "label", q…)`. */
function manyQuantiles(args: readonly Argument[], context: FunctionContext): Row[] {
  const list = args[0]?.kind === "numbers" ? args[0].values : undefined;
  const rows = rowsOf(list === undefined ? args[0] : args[1]);
  const label = list === undefined && args[1]?.kind === "string" ? args[1].value : "quantile";
  const wanted = list?.map((q) => new Float64Array(context.grid.count).fill(q)) ??
    args.slice(2).map(numbersOf);
  return wanted.flatMap((q) =>
    quantileRows(q, rows, context).map((row) => ({
      ...row,
      labels: { ...row.labels, [label]: String(q[0]) },
    }))
  );
}

/** One series for each bucket that ever counted: its observations, not cumulative, under its upper bound. */
function heatmap(row: BucketsRow, steps: number): Row[] {
  const { buckets } = row;
  const { upper } = bucketBounds(buckets.layout);
  const out: Row[] = [];
  for (let b = 0; b < buckets.bucketCount; b++) {
    const labels = { ...row.labels, le: String(upper[buckets.firstBucket + b]) };
    const series = fill(row, steps, labels, (i) => buckets.counts[i * buckets.bucketCount + b]);
    if (series.values.some((value) => value > 0)) out.push(series);
  }
  return out;
}

export const HISTOGRAM_FUNCTIONS: readonly FunctionEntry[] = [
  {
    name: "histogram_quantile",
    help: "A quantile of classic buckets (linear within a bucket) or of H2 histograms (end of the bucket).",
    args: ["scalar", "vector"],
    returns: "vector",
    impl: { kind: "rows", apply: ([q, rows], context) => quantileRows(numbersOf(q), rowsOf(rows), context) },
  },
  ...["histogram_quantiles", "histogram_percentiles"].map((name): FunctionEntry => ({
    name,
    help: "Several quantiles at once, each under its own label value.",
    args: ["vector", "string", "scalar"],
    optional: 1,
    variadic: true,
    takesList: true,
    returns: "vector",
    experimental: true,
    impl: { kind: "rows", apply: manyQuantiles },
  })),
  {
    name: "histogram_fraction",
    help: "The share of observations between two bounds: (lower, upper, vector).",
    args: ["scalar", "scalar", "vector"],
    returns: "vector",
    impl: {
      kind: "rows",
      apply([lower, upper, rows], context) {
        const [low, high] = [numbersOf(lower), numbersOf(upper)];
        return classic(rowsOf(rows), context, (buckets, i) => classicFraction(low[i]!, high[i]!, buckets));
      },
    },
  },
  ofHistogram(
    "histogram_count",
    "Number of observations of an H2 histogram.",
    (buckets, i) => totalCount(countsAt(buckets, i)),
  ),
  ofHistogram(
    "histogram_sum",
    "Sum of observations, each taken as the middle of its bucket.",
    (buckets, i) => sumOfMiddles(countsAt(buckets, i), buckets.layout, buckets.firstBucket),
  ),
  ofHistogram(
    "histogram_avg",
    "Mean of observations, each taken as the middle of its bucket.",
    (buckets, i) => {
      const counts = countsAt(buckets, i);
      return sumOfMiddles(counts, buckets.layout, buckets.firstBucket) / totalCount(counts);
    },
  ),
  {
    name: "histogram_heatmap",
    help: "Observations of each bucket under its upper bound `le`, not cumulative (upstream's extension).",
    args: ["vector"],
    returns: "vector",
    impl: {
      kind: "rows",
      apply: ([arg], { grid }) => rowsOf(arg).filter(isHistogram).flatMap((row) => heatmap(row, grid.count)),
    },
  },
];
