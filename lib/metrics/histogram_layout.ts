/**
 * The H2 histogram's buckets: exact below 2^(p+1), then 2^p buckets for each power of two, so that a bucket is never
 * wider than 2^−p of its values. The index of a value needs no division and no table, which is why a BPF program can
 * count into it. Source: the `histogram` crate of the Rezolus authors (`Config`), equal in all 64 bits.
 * @module
 */

/** Which buckets a histogram has. */
export interface HistogramLayout {
  /** `p`: a bucket's relative width is at most 2^−p. */
  readonly groupingPower: number;
  /** `m`: the largest value is 2^m − 1. */
  readonly maxValuePower: number;
  /** 2^(p+1) + (m − p − 1)·2^p. */
  readonly bucketCount: number;
}

/** Largest grouping power accepted: 2²⁴ buckets (m = 64) is far beyond any real histogram. */
const MAX_GROUPING_POWER = 18;

/** Returns the layout for p and m. @throws {RangeError} Unless 0 ≤ p ≤ 18 and p < m ≤ 64. */
export function histogramLayout(groupingPower: number, maxValuePower: number): HistogramLayout {
  const [p, m] = [groupingPower, maxValuePower];
  if (!Number.isInteger(p) || !Number.isInteger(m) || p < 0 || p > MAX_GROUPING_POWER || m <= p || m > 64) {
    throw new RangeError(
      `Cannot lay out histogram: grouping power is ${p}, max value power is ${m}, ` +
        `expected 0 <= p <= ${MAX_GROUPING_POWER} and p < m <= 64`,
    );
  }
  return { groupingPower, maxValuePower, bucketCount: 2 ** (p + 1) + (m - p - 1) * 2 ** p };
}

/** The layout of every histogram that the agent samples: at most 12.5 % wide buckets, 496 of them. */
export const HISTOGRAM_LAYOUT: HistogramLayout = histogramLayout(3, 64);

/**
 * Returns the bucket of the value `low + high·2³²`. Values beyond the layout's largest go to its last bucket.
 * Both words are unsigned; exact at and beyond 2³¹, where 32-bit shifts of a whole value go wrong.
 */
export function bucketIndexOfWords(layout: HistogramLayout, low: number, high: number): number {
  const p = layout.groupingPower;
  const log2 = high === 0 ? 31 - Math.clz32(low) : 63 - Math.clz32(high);
  if (log2 <= p) return low >>> 0; // below 2^(p+1), exact; also zero, whose log2 is −1
  if (log2 >= layout.maxValuePower) return layout.bucketCount - 1;
  const shift = log2 - p;
  // The p bits below the leading one select the bucket within the power of two.
  const shifted = shift >= 32
    ? high >>> (shift - 32)
    : shift === 0
    ? low
    : (low >>> shift) | (high << (32 - shift));
  return (shift + 1) * 2 ** p + (shifted & (2 ** p - 1));
}

/** Returns the bucket of `value`, an integer from 0 to 2⁶⁴−1. */
export function bucketIndex(layout: HistogramLayout, value: bigint): number {
  return bucketIndexOfWords(layout, Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
}

/** Returns the smallest value of a bucket. @throws {RangeError} When there is no such bucket. */
export function bucketLower(layout: HistogramLayout, index: number): bigint {
  if (!Number.isInteger(index) || index < 0 || index >= layout.bucketCount) {
    throw new RangeError(`Cannot bound bucket ${index}: the histogram has ${layout.bucketCount} buckets`);
  }
  const p = layout.groupingPower;
  const group = index >>> p;
  const rest = BigInt(index - group * 2 ** p);
  if (group === 0) return rest;
  return (1n << BigInt(p + group - 1)) + (rest << BigInt(group - 1));
}

/** Returns the largest value of a bucket. @throws {RangeError} When there is no such bucket. */
export function bucketUpper(layout: HistogramLayout, index: number): bigint {
  if (index === layout.bucketCount - 1) return (1n << BigInt(layout.maxValuePower)) - 1n;
  bucketLower(layout, index); // for its check
  return bucketLower(layout, index + 1) - 1n;
}

/** Bounds of all buckets as float64 (rounded above 2⁵³), for arithmetic on whole histograms. */
export interface BucketBounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly middle: Float64Array;
}

const boundsByLayout = new Map<number, BucketBounds>();

/** Returns the bounds of all buckets; computed once per layout, not to be changed. */
export function bucketBounds(layout: HistogramLayout): BucketBounds {
  const key = layout.groupingPower * 128 + layout.maxValuePower;
  const known = boundsByLayout.get(key);
  if (known !== undefined) return known;
  const lower = new Float64Array(layout.bucketCount);
  const upper = new Float64Array(layout.bucketCount);
  const middle = new Float64Array(layout.bucketCount);
  for (let index = 0; index < layout.bucketCount; index++) {
    const [first, last] = [bucketLower(layout, index), bucketUpper(layout, index)];
    lower[index] = Number(first);
    upper[index] = Number(last);
    middle[index] = Number(first + last) / 2;
  }
  const bounds = { lower, upper, middle };
  boundsByLayout.set(key, bounds);
  return bounds;
}
