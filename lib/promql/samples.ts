/** Samples of one series as range functions see them: none missing. @module */
import { type HistogramLayout, histogramLayout, type Labels } from "../metrics/mod.ts";
import type { HistogramSeries, NumberSeries } from "../tsdb/mod.ts";
import type { WindowCache } from "./_windows.ts";

/** Numbers and their times in seconds, ascending. */
export interface NumberSamples {
  readonly kind: "number";
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** Cumulative H2 histograms and their times; layout of `counts` as in `HistogramSeries`. */
export interface HistogramSamples {
  readonly kind: "histogram";
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly layout: HistogramLayout;
  readonly firstBucket: number;
  readonly bucketCount: number;
  readonly counts: Float64Array;
}

export type Samples = NumberSamples | HistogramSamples;

/** The samples of a series; without a copy when those that are there follow each other. */
export function samplesOf(series: NumberSeries | HistogramSeries, cache: WindowCache): Samples {
  const { missing, labels } = series;
  const total = series.times.length;
  const first = missing === undefined ? 0 : missing.indexOf(0);
  const end = missing === undefined ? total : missing.lastIndexOf(0) + 1;
  const whole = missing === undefined || first < 0 || !missing.subarray(first, end).includes(1);
  const from = Math.max(0, first);
  const rows = whole ? undefined : presentRows(missing!);
  const times = rows === undefined ? cache.part(series.times, from, end) : pick(series.times, rows, 1);
  if (series.kind === "number") {
    const values = rows === undefined ? series.values.subarray(from, end) : pick(series.values, rows, 1);
    return { kind: "number", labels, times, values };
  }
  const { bucketCount, firstBucket } = series;
  const counts = rows === undefined
    ? series.counts.subarray(from * bucketCount, end * bucketCount)
    : pick(series.counts, rows, bucketCount);
  const layout = histogramLayout(series.groupingPower, series.maxValuePower);
  return { kind: "histogram", labels, times, layout, firstBucket, bucketCount, counts };
}

function presentRows(missing: Uint8Array): Int32Array {
  const rows: number[] = [];
  for (let i = 0; i < missing.length; i++) if (missing[i] === 0) rows.push(i);
  return Int32Array.from(rows);
}

function pick(source: Float64Array, rows: Int32Array, width: number): Float64Array {
  const out = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const at = rows[i]! * width;
    for (let b = 0; b < width; b++) out[i * width + b] = source[at + b]!;
  }
  return out;
}
