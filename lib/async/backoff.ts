/** Waits before restarts. Pure. @module */

/** How long to wait before restart number n, counted from 1. */
export interface Backoff {
  /** Wait before the first restart, and the base of the later ones. */
  readonly firstMs: number;
  /** Wait number n is `firstMs · factor^(n − 1)`. */
  readonly factor: number;
  readonly maxMs: number;
  /** Waits are rounded down to multiples of this; 1 unless given. */
  readonly stepMs?: number;
  /** Another wait before the first restart alone. */
  readonly onceMs?: number;
  /** Up to this part of a wait is taken off by chance, so that services that fail together do not come back together. */
  readonly jitterRatio?: number;
}

/** Milliseconds before restart number `failures`; `chance` is in [0, 1) and matters only with jitter. */
export function backoffMs(backoff: Backoff, failures: number, chance = 0): number {
  const { firstMs, factor, maxMs, stepMs = 1, onceMs, jitterRatio = 0 } = backoff;
  if (failures === 1 && onceMs !== undefined) return onceMs;
  const grown = Math.min(maxMs, firstMs * factor ** (failures - 1));
  return Math.floor(grown / stepMs) * stepMs * (1 - jitterRatio * chance);
}
