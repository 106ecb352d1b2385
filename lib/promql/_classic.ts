/** Classic histograms: cumulative counts at ascending upper bounds, the last of them +Inf. @module */

/** Observations up to `upper`. */
export interface ClassicBucket {
  readonly upper: number;
  readonly count: number;
}

/** A relative fall of cumulative counts below this is rounding, not data. */
const TOLERANCE = 1e-12;

/** Equal bounds merged, counts made monotonic; `undefined` when they make no histogram. */
function normalised(buckets: readonly ClassicBucket[]): ClassicBucket[] | undefined {
  if (buckets.at(-1)?.upper !== Infinity) return undefined;
  const merged: { upper: number; count: number }[] = [];
  for (const { upper, count } of buckets) {
    const last = merged.at(-1);
    if (last?.upper === upper) last.count += count;
    else merged.push({ upper, count });
  }
  if (merged.length < 2) return undefined;
  let highest = merged[0]!.count;
  for (const bucket of merged) {
    if (bucket.count < highest || Math.abs(bucket.count - highest) <= TOLERANCE * Math.abs(bucket.count)) {
      bucket.count = highest;
    } else highest = bucket.count;
  }
  return merged;
}

/** The quantile, linear within its bucket. NaN when there are no observations or no +Inf bucket. */
export function classicQuantile(q: number, given: readonly ClassicBucket[]): number {
  if (Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const buckets = normalised(given);
  const total = buckets?.at(-1)?.count;
  if (buckets === undefined || total === undefined || total === 0 || Number.isNaN(total)) return NaN;
  const rank = q * total;
  let index = buckets.slice(0, -1).findIndex((bucket) => bucket.count >= rank);
  if (index < 0) index = buckets.length - 1;
  if (index === buckets.length - 1) return buckets.at(-2)!.upper;
  const { upper, count } = buckets[index]!;
  if (index === 0 && upper <= 0) return upper;
  const lower = index === 0 ? 0 : buckets[index - 1]!.upper;
  const below = index === 0 ? 0 : buckets[index - 1]!.count;
  return lower + (upper - lower) * ((rank - below) / (count - below));
}

/** The share of observations between `lower` and `upper`. */
export function classicFraction(lower: number, upper: number, given: readonly ClassicBucket[]): number {
  const buckets = normalised(given);
  const total = buckets?.at(-1)?.count ?? 0;
  if (buckets === undefined || !(total > 0) || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets) - rankOf(lower, buckets)) / total;
}

/** How many observations lie below `bound`, linear within its bucket. */
function rankOf(bound: number, buckets: readonly ClassicBucket[]): number {
  if (bound === Infinity) return buckets.at(-1)!.count;
  if (bound === -Infinity) return 0;
  let [lower, below] = [buckets[0]!.upper > 0 ? 0 : -Infinity, 0];
  for (const { upper, count } of buckets) {
    if (bound <= upper) {
      if (bound <= lower) return below;
      if (bound === upper) return count;
      if (lower === -Infinity) return below;
      if (upper === Infinity) return below;
      return below + (count - below) * (bound - lower) / (upper - lower);
    }
    [lower, below] = [upper, count];
  }
  return below;
}
