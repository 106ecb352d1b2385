/**
 * What is asked of a histogram: quantiles, mean, sum, and a coarser version of itself.
 *
 * Counts are plain numbers per bucket (usually differences of two cumulative snapshots). `firstBucket` says which
 * bucket the first count belongs to, so that a stored range of buckets needs no copy.
 * @module
 */
import {
  bucketBounds,
  bucketIndex,
  bucketLower,
  type HistogramLayout,
  histogramLayout,
} from "./histogram_layout.ts";
import { HIGH_WORD } from "./words.ts";

/** Returns how many observations the counts hold. */
export function totalCount(counts: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index]!;
  return total;
}

/**
 * Returns, for each quantile (0 to 1), the end of the bucket in which it falls: the smallest bucket at which the running
 * count reaches `max(1, ceil(q·total))`. `undefined` when nothing was counted. Same rule as upstream.
 * @throws {RangeError} When a quantile lies outside 0 to 1.
 */
export function quantiles(
  counts: ArrayLike<number>,
  wanted: readonly number[],
  layout: HistogramLayout,
  firstBucket = 0,
): number[] | undefined {
  for (const q of wanted) {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`Cannot compute quantile ${q}: expected 0 to 1`);
  }
  const total = totalCount(counts);
  if (!(total > 0)) return undefined;
  const { upper } = bucketBounds(layout);
  const ascending = wanted.map((q, position) => ({ q, position })).sort((a, b) => a.q - b.q);
  const ends = new Array<number>(wanted.length);
  let [bucket, running] = [0, counts[0]!];
  for (const { q, position } of ascending) {
    const rank = Math.max(1, Math.ceil(q * total));
    while (running < rank && bucket < counts.length - 1) running += counts[++bucket]!;
    ends[position] = upper[firstBucket + bucket]!;
  }
  return ends;
}

/** Returns the end of the bucket in which quantile `q` falls; see `quantiles`. */
export function quantile(
  counts: ArrayLike<number>,
  q: number,
  layout: HistogramLayout,
  firstBucket = 0,
): number | undefined {
  return quantiles(counts, [q], layout, firstBucket)?.[0];
}

/** Returns the sum of all observations, each taken as the middle of its bucket. */
export function sumOfMiddles(counts: ArrayLike<number>, layout: HistogramLayout, firstBucket = 0): number {
  const { middle } = bucketBounds(layout);
  let sum = 0;
  for (let index = 0; index < counts.length; index++) sum += counts[index]! * middle[firstBucket + index]!;
  return sum;
}

/** Returns the mean, each observation taken as the middle of its bucket; `undefined` when nothing was counted. */
export function mean(
  counts: ArrayLike<number>,
  layout: HistogramLayout,
  firstBucket = 0,
): number | undefined {
  const total = totalCount(counts);
  return total > 0 ? sumOfMiddles(counts, layout, firstBucket) / total : undefined;
}

/**
 * Returns the same observations in fewer buckets: each bucket is re-added, modulo 2⁶⁴, at the index of its lower bound.
 * @throws {RangeError} When the grouping power is not lower, or the words do not match the layout.
 */
export function downsample(words: Uint32Array, layout: HistogramLayout, groupingPower: number): Uint32Array {
  if (groupingPower >= layout.groupingPower) {
    throw new RangeError(
      `Cannot downsample histogram: grouping power ${groupingPower} is not below ${layout.groupingPower}`,
    );
  }
  if (words.length !== 2 * layout.bucketCount) {
    throw new RangeError(
      `Cannot downsample histogram: it has ${words.length / 2} buckets, its layout ${layout.bucketCount}`,
    );
  }
  const coarse = histogramLayout(groupingPower, layout.maxValuePower);
  const out = new Uint32Array(2 * coarse.bucketCount);
  const target = coarseIndexes(layout, coarse);
  for (let index = 0; index < layout.bucketCount; index++) {
    const at = 2 * target[index]!;
    const low = out[at]! + words[2 * index]!;
    out[at] = low;
    out[at + 1] = out[at + 1]! + words[2 * index + 1]! + (low >= HIGH_WORD ? 1 : 0);
  }
  return out;
}

/** Returns, for each bucket of `fine`, the bucket of `coarse` that holds its values. */
function coarseIndexes(fine: HistogramLayout, coarse: HistogramLayout): Uint32Array {
  return Uint32Array.from(
    { length: fine.bucketCount },
    (_, index) => bucketIndex(coarse, bucketLower(fine, index)),
  );
}
