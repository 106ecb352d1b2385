/** The newest sample of each series at each step. @module */
import { histogramLayout } from "../metrics/mod.ts";
import type { HistogramSeries, NumberSeries, Series } from "../tsdb/mod.ts";
import { hasPoints, newRows, type Row } from "./value.ts";
import type { WindowCache, Windows, WindowSpec } from "./_windows.ts";

/** One row for each series that has an element at any step. */
export function selectedRows(
  series: readonly Series[],
  spec: WindowSpec,
  { cache, timestamps }: { cache: WindowCache; timestamps: boolean },
): Row[] {
  const numbers = series.filter((one): one is NumberSeries => one.kind === "number");
  const rows = newRows(numbers.map(({ labels }) => labels), spec.grid.count);
  numbers.forEach((one, index) => {
    fillNewest(one, cache.windows(one.times, spec), rows[index]!, timestamps ? one.times : one.values);
  });
  if (numbers.length < series.length) {
    for (const one of series) {
      if (one.kind === "histogram") {
        rows.push(histogramRow(one, cache.windows(one.times, spec), spec.grid.count));
      }
    }
  }
  return rows.filter(hasPoints);
}

/** A tick without a sample ends the series until the next one. */
function fillNewest({ missing }: NumberSeries, { lo, hi }: Windows, out: Row, source: Float64Array): void {
  const { values, present } = out;
  for (let i = 0; i < lo.length; i++) {
    const newest = hi[i]! - 1;
    if (newest < lo[i]! || missing?.[newest] === 1) continue;
    values[i] = source[newest]!;
    present[i] = 1;
  }
}

function histogramRow(series: HistogramSeries, { lo, hi }: Windows, steps: number): Row {
  const { bucketCount, firstBucket, counts: source, missing } = series;
  const counts = new Float64Array(steps * bucketCount);
  const present = new Uint8Array(steps);
  for (let i = 0; i < steps; i++) {
    const newest = hi[i]! - 1;
    if (newest < lo[i]! || missing?.[newest] === 1) continue;
    counts.set(source.subarray(newest * bucketCount, (newest + 1) * bucketCount), i * bucketCount);
    present[i] = 1;
  }
  const layout = histogramLayout(series.groupingPower, series.maxValuePower);
  return {
    labels: series.labels,
    values: new Float64Array(0),
    present,
    buckets: { layout, firstBucket, bucketCount, counts },
  };
}
