/** What is looked back at: put together from what was asked for and what was told meanwhile, and drawn by time. Pure. @module */

/** Values over the times of the last looks, oldest first; null where there was none. */
export type Column = readonly (number | null)[];

/** Charts go back so far at most. */
export const SPAN_MS = 180_000;
/** And at least: what has just begun is not drawn as if it were long. */
const LEAST_SPAN_MS = 24_000;
/** Longer than between two looks while nobody watches: in between nobody has looked. */
const GAP_MS = 45_000;
const EVENTS_SHOWN = 1_000;
const HEIGHT = 100;

/** Each once, by its number, newest first; the oldest are let go of. */
export function mergedEvents<E extends { readonly number: number }>(
  some: readonly E[],
  others: readonly E[],
): readonly E[] {
  const all = new Map([...some, ...others].map((event) => [event.number, event]));
  return [...all.values()].sort((a, b) => b.number - a.number).slice(0, EVENTS_SHOWN);
}

/** The times that charts show: those not too long before the last one. */
export function shownTimes(times: readonly number[]): readonly number[] {
  const first = times.findIndex((time) => times.at(-1)! - time <= SPAN_MS);
  return times.slice(Math.max(0, first));
}

/** Milliseconds from the left to the right of all charts. */
export function spanOf(times: readonly number[]): number {
  const ms = times.length === 0 ? 0 : times.at(-1)! - times[0]!;
  return Math.min(SPAN_MS, Math.max(LEAST_SPAN_MS, ms));
}

/**
 * The line of a column in a box that is a second wide per second, and the area below it: the newest time at the right,
 * gaps where there is no value or nobody has looked. @param most What is at the top.
 */
export function pathOf(
  column: Column,
  times: readonly number[],
  most: number,
): { readonly line: string; readonly area: string } {
  const begin = (times.at(-1) ?? 0) - spanOf(times);
  // A column may have begun later than the times.
  const first = times.length - column.length;
  let [line, area, last] = ["", "", undefined as number | undefined];
  const end = () => {
    if (last !== undefined) area += `L${xText(last - begin)} ${HEIGHT}Z`;
    last = undefined;
  };
  for (const [index, value] of column.entries()) {
    const time = times[first + index];
    if (time === undefined || value === null) {
      end();
      continue;
    }
    if (last !== undefined && time - last > GAP_MS) end();
    const [x, y] = [xText(time - begin), (HEIGHT * (1 - Math.min(1, value / most))).toFixed(1)];
    line += `${last === undefined ? "M" : "L"}${x} ${y}`;
    area += last === undefined ? `M${x} ${HEIGHT}L${x} ${y}` : `L${x} ${y}`;
    last = time;
  }
  end();
  return { line, area };
}

function xText(ms: number): string {
  return `${Math.round(ms / 100) / 10}`;
}
