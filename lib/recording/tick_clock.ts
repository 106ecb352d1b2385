/**
 * The axis of time of a recording. A tick's time is the agent's own wall clock reading, which is when the values were
 * read; but a wall clock can be set, and a recording's time must not jump or go back: rates are differences by it. So a
 * step of the wall clock against the monotonic one is taken out of the tick's time, kept beside it as its wall offset,
 * and told, so that it is marked in the recording.
 * @module
 */
import type { TickTime } from "./_journal_recording.ts";

/** A difference between the two clocks from tick to tick that counts as a step, not as jitter. */
const STEP_NS = 500_000_000n;

/** A tick's time, and whether the wall clock was set before it. */
export interface ClockedTick extends TickTime {
  /** By how much the wall clock was set since the tick before, forward or (negative) back; absent when it was not. */
  readonly steppedNs?: bigint;
}

/** Turns agents' wall clock readings into times that ascend. */
export class TickClock {
  #offsetNs = 0n;
  #last: { readonly wallNs: bigint; readonly timestampNs: bigint; readonly monotonicNs: bigint } | undefined;

  /**
   * Returns the time of a snapshot taken at `wallNs` and received at `monotonicNs`; `undefined` when it is the one before
   * once more, which an agent's cache can give.
   */
  tick(wallNs: bigint, monotonicNs: bigint): ClockedTick | undefined {
    const last = this.#last;
    if (last === undefined) {
      this.#last = { wallNs, timestampNs: wallNs, monotonicNs };
      return { timestampNs: wallNs, wallOffsetNs: 0n };
    }
    if (wallNs === last.wallNs) return undefined;
    const drift = wallNs - last.wallNs - (monotonicNs - last.monotonicNs);
    // No cache gives what is older than what it gave before: a clock that went back, however little, was set.
    const stepped = drift > STEP_NS || drift < -STEP_NS || wallNs < last.wallNs;
    const wallOffsetNs = stepped ? this.#offsetNs + drift : this.#offsetNs;
    const timestampNs = wallNs - wallOffsetNs;
    if (timestampNs <= last.timestampNs) return undefined; // two answers at one instant
    this.#offsetNs = wallOffsetNs;
    this.#last = { wallNs, timestampNs, monotonicNs };
    return { timestampNs, wallOffsetNs, ...(stepped ? { steppedNs: drift } : {}) };
  }
}
