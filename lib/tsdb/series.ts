/**
 * The face that every store of time series shows to the query engine, whatever lies behind it: a recording whose
 * columns are decoded when first asked for, or the memory of a live viewer.
 *
 * All series of a `Table` share one column of true time stamps (a recorder's ticks jitter by milliseconds; evaluation
 * must not pretend otherwise).
 * @module
 */
import type { Labels, MetricType } from "../metrics/mod.ts";

/** One series of numbers. */
export interface NumberSeries {
  readonly kind: "number";
  /** All labels, with the metric's name under `__name__`. */
  readonly labels: Labels;
  readonly type: Exclude<MetricType, "histogram">;
  /** Unix seconds of each point, ascending; the same object for all series of a table that span the same ticks. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /**
   * 1 where there is no sample (its value is then meaningless); absent when all are there. A tick of the table without
   * a sample ends the series there at once, as a stale marker does: no lookback reaches over it.
   */
  readonly missing?: Uint8Array;
}

/** One series of H2 histograms: cumulative bucket counts, dense over the range of buckets that were ever used. */
export interface HistogramSeries {
  readonly kind: "histogram";
  readonly labels: Labels;
  readonly type: "histogram";
  readonly times: Float64Array;
  readonly groupingPower: number;
  readonly maxValuePower: number;
  /** Index of the first bucket held; buckets outside the range held were zero throughout. */
  readonly firstBucket: number;
  readonly bucketCount: number;
  /** Point-major: bucket `firstBucket + b` of point i is `counts[i * bucketCount + b]`. */
  readonly counts: Float64Array;
  readonly missing?: Uint8Array;
}

export type Series = NumberSeries | HistogramSeries;

/** What is known of a series without reading its points. */
export interface SeriesInfo {
  /** All labels, with the metric's name under `__name__`. */
  readonly labels: Labels;
  readonly type: MetricType;
  readonly unit?: string;
}

/** One matcher of a selector: `name op value`. */
export interface Matcher {
  readonly name: string;
  readonly op: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/** A store of series. */
export interface SeriesSource {
  /** Unix seconds of first and last point; `undefined` while there is none. */
  range(): { readonly start: number; readonly end: number } | undefined;
  /** The usual distance of points in seconds. */
  readonly intervalSeconds: number;
  /** Every series, unread. */
  series(): readonly SeriesInfo[];
  /** The points of a series that `series()` returned; decoded on first use and kept within the store's limit. */
  read(info: SeriesInfo): Series;
  /** One-sentence help by metric name. */
  help(): Readonly<Record<string, string>>;
}
