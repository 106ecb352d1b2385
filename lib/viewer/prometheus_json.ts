/** Answers in the JSON of Prometheus' HTTP API, written directly as text: a range answer may have millions of points. @module */
import { bucketBounds, type Labels, sumOfMiddles, totalCount } from "../metrics/mod.ts";
import {
  type Buckets,
  formatValue,
  type QueryResult,
  type Row,
  type Samples,
  timeAt,
} from "../promql/mod.ts";

/** The body of a successful answer. `instant` answers give one value a series, others a list. */
export function resultJson(result: QueryResult, instant: boolean): string {
  const warnings = result.warnings.length === 0 ? "" : `,"warnings":${JSON.stringify(result.warnings)}`;
  return `{"status":"success","data":${dataJson(result, instant)}${warnings}}`;
}

/** The body of any other successful answer. */
export function successJson(data: unknown): string {
  return JSON.stringify({ status: "success", data });
}

function dataJson(result: QueryResult, instant: boolean): string {
  const { grid } = result;
  switch (result.type) {
    case "string":
      return `{"resultType":"string","result":[${timeAt(grid, 0)},${JSON.stringify(result.value)}]}`;
    case "scalar":
      if (instant) return `{"resultType":"scalar","result":${point(timeAt(grid, 0), result.values[0]!)}}`;
      return `{"resultType":"matrix","result":[{"metric":{},"values":[${
        Array.from(result.values, (value, i) => point(timeAt(grid, i), value)).join(",")
      }]}]}`;
    case "matrix":
      return `{"resultType":"matrix","result":[${result.samples.map(samplesJson).join(",")}]}`;
    case "vector":
      return instant
        ? `{"resultType":"vector","result":[${
          result.rows.map((row) => elementJson(row, timeAt(grid, 0))).join(",")
        }]}`
        : `{"resultType":"matrix","result":[${
          result.rows.map((row) => seriesJson(row, (i) => timeAt(grid, i))).join(",")
        }]}`;
  }
}

function elementJson(row: Row, time: number): string {
  return row.buckets === undefined
    ? `{"metric":${metric(row.labels)},"value":${point(time, row.values[0]!)}}`
    : `{"metric":${metric(row.labels)},"histogram":[${time},${histogramJson(row.buckets, 0)}]}`;
}

function seriesJson(row: Row, time: (i: number) => number): string {
  const points: string[] = [];
  for (let i = 0; i < row.present.length; i++) {
    if (row.present[i] === 0) continue;
    points.push(
      row.buckets === undefined
        ? point(time(i), row.values[i]!)
        : `[${time(i)},${histogramJson(row.buckets, i)}]`,
    );
  }
  return `{"metric":${metric(row.labels)},"${row.buckets === undefined ? "values" : "histograms"}":[${
    points.join(",")
  }]}`;
}

function samplesJson(samples: Samples): string {
  const count = samples.times.length;
  const row: Row = samples.kind === "number"
    ? { labels: samples.labels, values: samples.values, present: new Uint8Array(count).fill(1) }
    : {
      labels: samples.labels,
      values: samples.times,
      present: new Uint8Array(count).fill(1),
      buckets: samples,
    };
  return seriesJson(row, (i) => Math.round(samples.times[i]! * 1000) / 1000);
}

/** Prometheus' native histogram; boundary rule 3 says that both ends belong to the bucket. Empty buckets are left out. */
function histogramJson(buckets: Buckets, i: number): string {
  const counts = buckets.counts.subarray(i * buckets.bucketCount, (i + 1) * buckets.bucketCount);
  const { lower, upper } = bucketBounds(buckets.layout);
  const sum = sumOfMiddles(counts, buckets.layout, buckets.firstBucket);
  const parts: string[] = [];
  counts.forEach((count, b) => {
    const index = buckets.firstBucket + b;
    if (count !== 0) parts.push(`[3,"${lower[index]}","${upper[index]}","${formatValue(count)}"]`);
  });
  return `{"count":"${formatValue(totalCount(counts))}","sum":"${formatValue(sum)}","buckets":[${
    parts.join(",")
  }]}`;
}

function metric(labels: Labels): string {
  const names = Object.keys(labels).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(labels[name])}`).join(",")}}`;
}

function point(time: number, value: number): string {
  return `[${time},"${formatValue(value)}"]`;
}
