/** The grid that follows the newest points. @module */

/** Phases are rounded to this, so that a grid does not move with each tick's jitter. */
const PHASE_MS = 100;

/**
 * Start and end of the newest `spanMs`, on a grid of `stepMs`.
 *
 * Where a step is about as long as the distance of the points, the grid is laid between the points: laid on them, the
 * milliseconds by which ticks jitter would decide whether a step sees its point or the one before. Coarser grids lie
 * on whole multiples of the step, so that a chart does not shimmer while it follows.
 */
export function followGrid(
  source: { readonly end?: number; readonly intervalSeconds: number },
  { spanMs, stepMs }: { spanMs: number; stepMs: number },
): { startMs: number; endMs: number } {
  const newest = (source.end ?? 0) * 1000;
  const intervalMs = source.intervalSeconds * 1000;
  const phase = phaseOf(newest, stepMs, intervalMs);
  // Half a quantum more, so that rounding the phase does not leave out the newest point.
  const endMs = Math.floor((newest + intervalMs / 2 + PHASE_MS / 2 - phase) / stepMs) * stepMs + phase;
  return { startMs: endMs - Math.floor(spanMs / stepMs) * stepMs, endMs };
}

/** A grid over a chosen range, laid between the points in the same way. It stays within the range. */
export function fixedGrid(
  source: { readonly start?: number; readonly intervalSeconds: number },
  { startMs, endMs, stepMs }: { startMs: number; endMs: number; stepMs: number },
): { startMs: number; endMs: number } {
  const intervalMs = source.intervalSeconds * 1000;
  const origin = (source.start ?? 0) * 1000;
  const phase = phaseOf(origin, stepMs, intervalMs);
  const first = Math.ceil((startMs - phase) / stepMs) * stepMs + phase;
  return { startMs: first, endMs: Math.max(first, Math.floor((endMs - phase) / stepMs) * stepMs + phase) };
}

/** Where between two points the steps lie. */
function phaseOf(pointMs: number, stepMs: number, intervalMs: number): number {
  return stepMs >= 2 * intervalMs ? 0 : Math.round((pointMs + intervalMs / 2) % stepMs / PHASE_MS) * PHASE_MS;
}
