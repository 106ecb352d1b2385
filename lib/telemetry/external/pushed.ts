/** What another program pushes: one metric with its labels and value. @module */
import { histogramLayout, type Labels, storeBigint } from "../../metrics/mod.ts";

/** A value as it arrived. Words are 64-bit values as pairs of `u32`, also of gauges (two's complement). */
export type PushedValue =
  | { readonly type: "counter" | "gauge"; readonly words: Uint32Array }
  | {
    readonly type: "histogram";
    readonly groupingPower: number;
    readonly maxValuePower: number;
    readonly words: Uint32Array;
  };

/** One metric as it arrived, session labels included. */
export interface Pushed {
  readonly name: string;
  readonly labels: Labels;
  readonly value: PushedValue;
}

/** What one message or line means. */
export type PushedItem =
  | { readonly kind: "metric"; readonly metric: Pushed }
  /** Labels of all that follows on the connection. */
  | { readonly kind: "session"; readonly labels: Labels }
  /** Something happened: `eventOf` reads its labels. */
  | { readonly kind: "event"; readonly labels: Labels }
  /** The metric with these labels, session's included, is over: nobody has to wait until it expires. */
  | { readonly kind: "gone"; readonly name: string; readonly labels: Labels }
  /** What a metric means. */
  | { readonly kind: "help"; readonly name: string; readonly text: string };

/** A histogram with more buckets is refused: 8 bits of precision over all 64 have 14,592. */
const MAX_BUCKETS = 16_384;

/** A counter or gauge of one value. @throws {RangeError} When it does not fit 64 bits. */
export function scalarValue(type: "counter" | "gauge", value: bigint): PushedValue {
  const fits = type === "counter" ? BigInt.asUintN(64, value) === value : BigInt.asIntN(64, value) === value;
  if (!fits) throw new RangeError(`Cannot take ${type}: ${value} does not fit 64 bits`);
  const words = new Uint32Array(2);
  storeBigint(words, 0, value);
  return { type, words };
}

/**
 * A histogram whose buckets may be fewer than its layout has: the others are empty.
 * @throws {RangeError} When the layout is impossible or too large, or there are more buckets than it has.
 */
export function histogramValue(
  groupingPower: number,
  maxValuePower: number,
  buckets: Uint32Array,
): PushedValue {
  const layout = histogramLayout(groupingPower, maxValuePower);
  if (layout.bucketCount > MAX_BUCKETS) {
    throw new RangeError(
      `Cannot take histogram: its layout has ${layout.bucketCount} buckets, at most ${MAX_BUCKETS} are taken`,
    );
  }
  if (buckets.length > 2 * layout.bucketCount) {
    throw new RangeError(
      `Cannot take histogram: ${buckets.length / 2} buckets, its layout has ${layout.bucketCount}`,
    );
  }
  const words = new Uint32Array(2 * layout.bucketCount);
  words.set(buckets);
  return { type: "histogram", groupingPower, maxValuePower, words };
}
