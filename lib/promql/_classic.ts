/**
 * Classic histograms: cumulative counts at ascending upper bounds, the last of them +Inf. Bounds and counts lie in two
 * columns that are used again for each step, since a range query asks thousands of times.
 * @module
 */

/** Buckets of one histogram at one step: the first `length` of both columns. `normalise` changes them in place. */
export interface ClassicBuckets {
  readonly upper: Float64Array;
  readonly count: Float64Array;
  length: number;
}

/** A relative fall of cumulative counts below this is rounding, not data. */
const TOLERANCE = 1e-12;

/** Merges equal bounds and makes counts monotonic. Returns the count of all, NaN when they make no histogram. */
function normalise(buckets: ClassicBuckets): number {
  const { upper, count } = buckets;
  if (buckets.length === 0 || upper[buckets.length - 1] !== Infinity) return NaN;
  let last = 0;
  for (let i = 1; i < buckets.length; i++) {
    if (upper[i] === upper[last]) count[last] = count[last]! + count[i]!;
    else {
      upper[++last] = upper[i]!;
      count[last] = count[i]!;
    }
  }
  buckets.length = last + 1;
  if (buckets.length < 2) return NaN;
  let highest = count[0]!;
  for (let i = 1; i < buckets.length; i++) {
    const here = count[i]!;
    if (here < highest || Math.abs(here - highest) <= TOLERANCE * Math.abs(here)) count[i] = highest;
    else highest = here;
  }
  return count[last]!;
}

/** The quantile, linear within its bucket. NaN when there are no observations or no +Inf bucket. */
export function classicQuantile(q: number, buckets: ClassicBuckets): number {
  if (Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const total = normalise(buckets);
  if (total === 0 || Number.isNaN(total)) return NaN;
  const { upper, count, length } = buckets;
  const rank = q * total;
  let index = 0;
  while (index < length - 1 && !(count[index]! >= rank)) index++;
  if (index === length - 1) return upper[length - 2]!;
  if (index === 0 && upper[0]! <= 0) return upper[0]!;
  const lower = index === 0 ? 0 : upper[index - 1]!;
  const below = index === 0 ? 0 : count[index - 1]!;
  return lower + (upper[index]! - lower) * ((rank - below) / (count[index]! - below));
}

/** The share of observations between `lower` and `upper`. */
export function classicFraction(lower: number, upper: number, buckets: ClassicBuckets): number {
  const total = normalise(buckets);
  if (!(total > 0) || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
  return lower >= upper ? 0 : (rankOf(upper, buckets) - rankOf(lower, buckets)) / total;
}

/** How many observations lie below `bound`, linear within its bucket. */
function rankOf(bound: number, { upper, count, length }: ClassicBuckets): number {
  if (bound === Infinity) return count[length - 1]!;
  let [lower, below] = [upper[0]! > 0 ? 0 : -Infinity, 0];
  for (let i = 0; i < length; i++) {
    if (bound <= upper[i]!) {
      if (bound <= lower) return below;
      if (bound === upper[i]!) return count[i]!;
      if (lower === -Infinity || upper[i] === Infinity) return below;
      return below + (count[i]! - below) * (bound - lower) / (upper[i]! - lower);
    }
    [lower, below] = [upper[i]!, count[i]!];
  }
  return below;
}
