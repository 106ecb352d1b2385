/**
 * What a column of a recording is, told from its name, type and metadata.
 *
 * Source: the parquet schemas of metriken-exposition and metriken-segment: `timestamp`, `duration`, a counter or gauge
 * per id, `<id>:buckets` for a histogram (or `<id>:bucket_indices` with `<id>:bucket_counts`), acquisition windows in
 * `<id>:window_begin` and `<id>:window_width` or once per table without an id, `:wall_offset`, and `<node>::<id>` in
 * combined files.
 * @module
 */
import { type HistogramLayout, histogramLayout } from "../metrics/mod.ts";
import { seriesOf } from "../tsdb/mod.ts";
import type { SeriesInfo } from "../tsdb/mod.ts";
import type { ArrowField } from "./parquet/mod.ts";

/** What a column is. */
export type ColumnRole =
  | { readonly kind: "timestamp" | "duration" | "sidecar" }
  | { readonly kind: "number"; readonly series: SeriesInfo }
  | { readonly kind: "histogram"; readonly series: SeriesInfo; readonly layout: HistogramLayout }
  /** One half of a sparse histogram; `id` is what its two columns have in common. */
  | {
    readonly kind: "sparseIndices" | "sparseCounts";
    readonly id: string;
    readonly series: SeriesInfo;
    readonly layout: HistogramLayout;
  }
  | { readonly kind: "ignored"; readonly reason: string };

const SIDECARS = [":wall_offset", ":window_begin", ":window_width"];

/** Returns the role of a column. A column that is not understood is `ignored`, with the reason. */
export function columnRole(field: ArrowField): ColumnRole {
  const { name, type, metadata } = field;
  const declared = metadata["metric_type"];
  if (name === "timestamp" || declared === "timestamp") return { kind: "timestamp" };
  if (name === "duration" || declared === "duration") return { kind: "duration" };
  if (SIDECARS.some((suffix) => name.endsWith(suffix))) return { kind: "sidecar" };
  if (type === "list<u64>") return listRole(field);
  if (type === "other") {
    return { kind: "ignored", reason: "it holds neither 64-bit integers nor lists of them" };
  }
  const metricType = declared === "counter" || declared === "gauge"
    ? declared
    : type === "u64"
    ? "counter"
    : "gauge";
  return { kind: "number", series: seriesOf({ name: ownName(name), metadata }, metricType) };
}

function listRole({ name, metadata }: ArrowField): ColumnRole {
  const [, id = name, part] = /^(.*):(buckets|bucket_indices|bucket_counts)$/s.exec(name) ?? [];
  const [p, m] = [metadata["grouping_power"], metadata["max_value_power"]];
  if (p === undefined || m === undefined) {
    return { kind: "ignored", reason: "its metadata lacks grouping_power or max_value_power" };
  }
  const series = seriesOf({ name: ownName(id), metadata }, "histogram");
  let layout: HistogramLayout;
  try {
    layout = histogramLayout(Number(p), Number(m));
  } catch (error) {
    return { kind: "ignored", reason: (error as Error).message };
  }
  if (part === "bucket_indices") return { kind: "sparseIndices", id, series, layout };
  if (part === "bucket_counts") return { kind: "sparseCounts", id, series, layout };
  return { kind: "histogram", series, layout };
}

/** Combined files put the node before the id. */
function ownName(name: string): string {
  return name.slice(name.lastIndexOf("::") + (name.includes("::") ? 2 : 1));
}
