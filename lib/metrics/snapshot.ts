/**
 * What one look at a host gives: groups of values that were read together, each with its schema.
 *
 * Values are unsigned (counters, bucket counts) or signed (gauges) 64-bit integers, kept as little-endian pairs of
 * `u32` in a `Uint32Array`: value i is `words[2i] + words[2i+1]·2³²`. Reading two numbers is nine times cheaper than
 * converting a bigint. A schema object is replaced, never changed, when the members of its group change, so that
 * `group.schema === previous.schema` tells whether positions still mean the same.
 * @module
 */
import type { Labels } from "./metric.ts";

/** One value's identity. `name` is its column id in recordings; `metadata` holds `metric`, `unit`, labels, `id`… */
export interface SchemaEntry {
  readonly name: string;
  readonly metadata: Labels;
}

/** The identities of a group's values, in the order of the values. */
export interface Schema {
  readonly counters: readonly SchemaEntry[];
  readonly gauges: readonly SchemaEntry[];
  readonly histograms: readonly SchemaEntry[];
}

/** When the values of a group were read: from `beginNs` (Unix time) for `widthNs`. */
export interface Window {
  readonly beginNs: bigint;
  readonly widthNs: number;
}

/** Values of one type. */
export interface Values {
  /** Two words a value, little-endian. */
  readonly words: Uint32Array;
  /** 1 where a registered value could not be read this time; absent when all were. */
  readonly missing?: Uint8Array;
}

/** The cumulative bucket counts of one histogram. */
export interface HistogramValue {
  /** Relative bucket width is at most 2^−groupingPower. */
  readonly groupingPower: number;
  /** Largest value is 2^maxValuePower − 1. */
  readonly maxValuePower: number;
  /** Two words a bucket, little-endian; all buckets. */
  readonly words: Uint32Array;
}

/** Values that were read together. */
export interface Group {
  /** `<sampler>/<group>`: also the table's name in a recording. */
  readonly name: string;
  readonly schema: Schema;
  readonly window?: Window;
  readonly counters: Values;
  readonly gauges: Values;
  /** `undefined` where a registered histogram could not be read. */
  readonly histograms: readonly (HistogramValue | undefined)[];
}

/** One look at a host. */
export interface Snapshot {
  /** Unix time at the beginning, in nanoseconds. */
  readonly timeNs: bigint;
  /** How long the look took, in nanoseconds. */
  readonly durationNs: bigint;
  /** Of the source as a whole: `source`, `version`, and so on. */
  readonly metadata: Labels;
  readonly groups: readonly Group[];
}
