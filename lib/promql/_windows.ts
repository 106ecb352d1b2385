/** Which samples each step looks at. @module */
import { EvaluationError } from "./error.ts";
import type { Grid } from "./value.ts";

/** Steps, moved by `@` and `offset`, and how far back each looks: the window is (T − range, T]. */
export interface WindowSpec {
  readonly grid: Grid;
  readonly rangeMs: number;
  readonly offsetMs: number;
  /** The one time all steps look at. */
  readonly atMs?: number;
}

/** Samples `lo[i]` up to, not including, `hi[i]` are those of step i. */
export interface Windows {
  readonly spec: WindowSpec;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** Both edges of each window, in seconds. */
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

type Edges = Pick<Windows, "starts" | "ends">;

/** Whether any window of any step can hold one of these times. */
export function meets(times: Float64Array, spec: WindowSpec): boolean {
  const { count } = spec.grid;
  return count > 0 && times.length > 0 && times.at(-1)! > windowStart(spec, 0) &&
    times[0]! <= windowEnd(spec, count - 1);
}

/** The end of step i's window, in seconds. */
function windowEnd({ grid, offsetMs, atMs }: WindowSpec, i: number): number {
  return ((atMs ?? grid.startMs + i * grid.stepMs) - offsetMs) / 1000;
}

/** The start of step i's window, in seconds; a sample exactly there is outside. */
function windowStart({ grid, offsetMs, atMs, rangeMs }: WindowSpec, i: number): number {
  return ((atMs ?? grid.startMs + i * grid.stepMs) - offsetMs - rangeMs) / 1000;
}

/**
 * Windows by column of times. All series of a table share that column, so its windows are computed once for all of
 * them: what is left for each series is arithmetic.
 */
export class WindowCache {
  readonly #known = new WeakMap<Float64Array, Map<string, Windows>>();
  readonly #edges = new Map<string, Edges>();
  readonly #parts = new WeakMap<Float64Array, Map<string, Float64Array>>();

  windows(times: Float64Array, spec: WindowSpec): Windows {
    const { grid } = spec;
    const key = `${grid.startMs},${grid.stepMs},${grid.count},${spec.rangeMs},${spec.offsetMs},${spec.atMs}`;
    let bySpec = this.#known.get(times);
    if (bySpec === undefined) this.#known.set(times, bySpec = new Map());
    let windows = bySpec.get(key);
    if (windows === undefined) bySpec.set(key, windows = findWindows(times, spec, this.#edgesOf(key, spec)));
    return windows;
  }

  /** The edges are the same for every column of times. */
  #edgesOf(key: string, spec: WindowSpec): Edges {
    let edges = this.#edges.get(key);
    if (edges === undefined) {
      const length = spec.grid.count;
      const starts = Float64Array.from({ length }, (_, i) => windowStart(spec, i));
      const ends = Float64Array.from({ length }, (_, i) => windowEnd(spec, i));
      this.#edges.set(key, edges = { starts, ends });
    }
    return edges;
  }

  /** The part of a column of times: the same object for the same part, so that windows are shared there too. */
  part(times: Float64Array, first: number, end: number): Float64Array {
    if (first === 0 && end === times.length) return times;
    let parts = this.#parts.get(times);
    if (parts === undefined) this.#parts.set(times, parts = new Map());
    const key = `${first},${end}`;
    let part = parts.get(key);
    if (part === undefined) parts.set(key, part = times.subarray(first, end));
    return part;
  }
}

function findWindows(times: Float64Array, spec: WindowSpec, { starts, ends }: Edges): Windows {
  const { count } = spec.grid;
  const lo = new Int32Array(count);
  const hi = new Int32Array(count);
  if (count === 0) return { spec, lo, hi, starts, ends };
  // The ends of windows never go back, so after one search each cursor only moves on.
  let from = firstAfter(times, starts[0]!);
  let to = firstAfter(times, ends[0]!);
  for (let i = 0; i < count; i++) {
    const start = starts[i]!;
    const end = ends[i]!;
    while (from < times.length && times[from]! <= start) from++;
    while (to < times.length && times[to]! <= end) to++;
    lo[i] = from;
    hi[i] = to;
  }
  return { spec, lo, hi, starts, ends };
}

/** Index of the first time after `time`. */
export function firstAfter(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Steps of one subquery; more are refused. */
const MAX_SUBQUERY_STEPS = 1_000_000;

/**
 * The grid that covers the windows of all steps: it lies on whole multiples of its own step, wherever the query
 * starts, and its first time is inside the first window, which is open to the left.
 */
export function subqueryGrid({ grid, rangeMs, offsetMs, atMs }: WindowSpec, stepMs: number): Grid {
  const from = (atMs ?? grid.startMs) - offsetMs - rangeMs;
  const to = (atMs ?? grid.startMs + (grid.count - 1) * grid.stepMs) - offsetMs;
  const startMs = (Math.floor(from / stepMs) + 1) * stepMs;
  const count = Math.max(0, Math.floor((to - startMs) / stepMs) + 1);
  if (count > MAX_SUBQUERY_STEPS) {
    throw new EvaluationError(`subquery has ${count} steps, at most ${MAX_SUBQUERY_STEPS} are evaluated`);
  }
  return { startMs, stepMs, count };
}
