/**
 * Time series in columns. `series.ts` is the face that every store shows to the query engine; `live.ts` is the store
 * that lives in memory and grows by snapshots (`_table.ts` one group, `_column.ts` one series). Stores of recordings
 * are in `lib/recording`; evaluation is in `lib/promql`.
 * @module
 */
export type { HistogramSeries, Matcher, NumberSeries, Series, SeriesInfo, SeriesSource } from "./series.ts";
export { LIVE_POINTS, type LiveOptions, LiveStore, MAX_LIVE_SERIES } from "./live.ts";
export { seriesOf } from "./identity.ts";
