/**
 * Metrics: what is measured, how distributions are counted, and how a look at a host travels.
 *
 * Reading order: `metric.ts` (counter, gauge, histogram and their names), `snapshot.ts` (values of one moment, in groups
 * that were read together), `words.ts` (64-bit values as pairs of 32 bits), `histogram_layout.ts` and
 * `histogram_stats.ts` (the H2 histogram), `snapshot_encode.ts`, `snapshot_decode.ts`, `snapshot_json.ts` (the wire
 * formats of Rezolus, with `schema_wire.ts`, `schema_cache.ts` and the two MessagePack files under them).
 *
 * Sampling is `lib/telemetry`'s, storing `lib/recording`'s, asking `lib/promql`'s.
 * @module
 */
export {
  counter,
  gauge,
  histogram,
  type Labels,
  type Metric,
  type MetricOptions,
  type MetricType,
} from "./metric.ts";
export type { Group, HistogramValue, Schema, SchemaEntry, Snapshot, Values, Window } from "./snapshot.ts";
export {
  addWords,
  HIGH_WORD,
  signedWordsToNumber,
  storeBigint,
  subtractWords,
  wordsOf,
  wordsToBigint,
  wordsToNumber,
  wordsToNumbers,
} from "./words.ts";
export {
  type BucketBounds,
  bucketBounds,
  bucketIndex,
  bucketIndexOfWords,
  bucketLower,
  bucketUpper,
  HISTOGRAM_LAYOUT,
  type HistogramLayout,
  histogramLayout,
} from "./histogram_layout.ts";
export { downsample, mean, quantile, quantiles, sumOfMiddles, totalCount } from "./histogram_stats.ts";
export { fnv1a128, type Hash128 } from "./fnv.ts";
export { compareByCodePoint, MsgpackWriter } from "./msgpack_writer.ts";
export { MsgpackError, MsgpackReader } from "./msgpack_reader.ts";
export { readSchema, type SchemaWire, schemaWire } from "./schema_wire.ts";
export { SchemaCache } from "./schema_cache.ts";
export { type EncodeOptions, encodeSnapshotV2, encodeSnapshotV3 } from "./snapshot_encode.ts";
export {
  type DecodedSnapshot,
  type DecodeOptions,
  decodeSnapshot,
  decodeSnapshotAt,
} from "./snapshot_decode.ts";
export { encodeSnapshotJson } from "./snapshot_json.ts";
