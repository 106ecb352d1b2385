/** The time axis of a table. @module */

/** Times of a table's rows, ascending. */
export interface Times {
  readonly seconds: Float64Array;
  /** The row of each point, where rows do not ascend by themselves. */
  readonly rows?: Uint32Array;
}

/** Points in the order of time; of rows with the same time the last counts. */
export function ascending(seconds: Float64Array): Times {
  let sorted = true;
  for (let row = 1; row < seconds.length && sorted; row++) sorted = seconds[row]! > seconds[row - 1]!;
  if (sorted) return { seconds };
  const order = Uint32Array.from(seconds, (_, row) => row).sort((a, b) => seconds[a]! - seconds[b]! || a - b);
  const rows = order.filter((row, point) =>
    point === order.length - 1 || seconds[order[point + 1]!] !== seconds[row]
  );
  return { seconds: Float64Array.from(rows, (row) => seconds[row]!), rows };
}

/** Distances looked at for the median. */
const SAMPLED_DISTANCES = 1_000;

/** Returns the median distance of points in seconds, to the millisecond; 1 when there are none. */
export function medianDistance(tables: readonly Float64Array[]): number {
  const longest = tables.reduce(
    (best, times) => times.length > best.length ? times : best,
    new Float64Array(0),
  );
  if (longest.length < 2) return 1;
  const distances = longest.subarray(1, SAMPLED_DISTANCES + 1).map((time, index) => time - longest[index]!)
    .sort();
  return Math.round(distances[distances.length >>> 1]! * 1_000) / 1_000 || distances[distances.length >>> 1]!;
}
