/** Small sources for tests: series written as tables. @module */
import { histogramLayout } from "../../lib/metrics/mod.ts";
import type { HistogramSeries, NumberSeries, Series, SeriesInfo, SeriesSource } from "../../lib/tsdb/mod.ts";

/** A source of the given series; counts how often each is read. */
export function sourceOf(series: readonly Series[]): SeriesSource & { readonly reads: Map<string, number> } {
  const infos = series.map(({ labels, type }): SeriesInfo => ({ labels, type }));
  const reads = new Map<string, number>();
  return {
    reads,
    intervalSeconds: 1,
    series: () => infos,
    read(info) {
      const name = info.labels.__name__ ?? "";
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return series[infos.indexOf(info)]!;
    },
    range: () => ({ start: 0, end: Math.max(...series.map(({ times }) => times.at(-1) ?? 0)) }),
    help: () => ({}),
  };
}

/** A counter with one value a second from zero on; `undefined` where there is no sample. */
export function numbers(
  labels: Record<string, string>,
  values: readonly (number | undefined)[],
  times?: Float64Array,
): NumberSeries {
  const missing = Uint8Array.from(values, (value) => value === undefined ? 1 : 0);
  return {
    kind: "number",
    type: "counter",
    labels,
    times: times ?? Float64Array.from(values, (_, i) => i),
    values: Float64Array.from(values, (value) => value ?? NaN),
    ...(missing.includes(1) ? { missing } : {}),
  };
}

/** Cumulative H2 histograms, one a second; each row is the counts of buckets from `firstBucket` on. */
export function histograms(
  labels: Record<string, string>,
  firstBucket: number,
  rows: readonly (readonly number[])[],
): HistogramSeries {
  const layout = histogramLayout(3, 64);
  return {
    kind: "histogram",
    type: "histogram",
    labels,
    times: Float64Array.from(rows, (_, i) => i),
    groupingPower: layout.groupingPower,
    maxValuePower: layout.maxValuePower,
    firstBucket,
    bucketCount: rows[0]!.length,
    counts: Float64Array.from(rows.flat()),
  };
}
