/** Adds H2 histograms to each other. @module */
import { bucketIndex, bucketLower, histogramLayout } from "../metrics/mod.ts";
import type { Buckets, Row } from "./value.ts";

/** The sum of what was gathered and a row; what was gathered is changed in place when its range suffices. */
export function mergeBuckets(sum: Buckets | undefined, row: Row): Buckets {
  const added = row.buckets!;
  if (sum === undefined) return masked(added, row.present);
  const [a, b] = sameLayout(sum, added);
  // One that never counted has no buckets: neither rows to widen nor a first bucket that says anything.
  if (b.bucketCount === 0) return a;
  if (a.bucketCount === 0) return masked(b, row.present);
  const first = Math.min(a.firstBucket, b.firstBucket);
  const end = Math.max(a.firstBucket + a.bucketCount, b.firstBucket + b.bucketCount);
  const target = a.firstBucket === first && a.bucketCount === end - first
    ? a
    : widened(a, first, end - first);
  const shift = b.firstBucket - first;
  for (let i = 0; i < row.present.length; i++) {
    if (row.present[i] === 0) continue;
    const [to, from] = [i * target.bucketCount + shift, i * b.bucketCount];
    for (let k = 0; k < b.bucketCount; k++) {
      target.counts[to + k] = target.counts[to + k]! + b.counts[from + k]!;
    }
  }
  return target;
}

function masked(buckets: Buckets, present: Uint8Array): Buckets {
  const counts = buckets.counts.slice();
  for (let i = 0; i < present.length; i++) {
    if (present[i] === 0) counts.fill(0, i * buckets.bucketCount, (i + 1) * buckets.bucketCount);
  }
  return { ...buckets, counts };
}

function widened(buckets: Buckets, first: number, count: number): Buckets {
  const steps = buckets.counts.length / buckets.bucketCount;
  const counts = new Float64Array(steps * count);
  const shift = buckets.firstBucket - first;
  for (let i = 0; i < steps; i++) {
    const row = buckets.counts.subarray(i * buckets.bucketCount, (i + 1) * buckets.bucketCount);
    counts.set(row, i * count + shift);
  }
  return { ...buckets, firstBucket: first, bucketCount: count, counts };
}

/** Both in the coarser of their layouts. */
function sameLayout(a: Buckets, b: Buckets): [Buckets, Buckets] {
  const power = Math.min(a.layout.groupingPower, b.layout.groupingPower);
  return [coarser(a, power), coarser(b, power)];
}

function coarser(buckets: Buckets, groupingPower: number): Buckets {
  if (buckets.layout.groupingPower === groupingPower || buckets.bucketCount === 0) return buckets;
  const layout = histogramLayout(groupingPower, buckets.layout.maxValuePower);
  const target = Array.from(
    { length: buckets.bucketCount },
    (_, b) => bucketIndex(layout, bucketLower(buckets.layout, buckets.firstBucket + b)),
  );
  const first = target[0]!;
  const count = target.at(-1)! - first + 1;
  const counts = new Float64Array(buckets.counts.length / buckets.bucketCount * count);
  for (let at = 0; at < buckets.counts.length; at++) {
    const to = Math.floor(at / buckets.bucketCount) * count + target[at % buckets.bucketCount]! - first;
    counts[to] = counts[to]! + buckets.counts[at]!;
  }
  return { layout, firstBucket: first, bucketCount: count, counts };
}
