/**
 * The axis of time of a recording. A tick's time is the agent's own wall clock reading, which is when the values were
 * read; but a wall clock can be set, and a recording's time must not jump or go back. So a step of the wall clock
 * against the monotonic one is taken out of the tick's time and kept beside it.
 * @module
 */
import type { TickTime } from "./_journal_recording.ts";

/** A difference between the two clocks from tick to tick that counts as a step, not as jitter. */
const STEP_NS = 500_000_000n;

/** Turns agents' wall clock readings into times that ascend. */
export class TickClock {
  #offsetNs = 0n;
  #last: { readonly timestampNs: bigint; readonly monotonicNs: bigint } | undefined;

  /**
   * Returns the time of a snapshot taken at `wallNs` and received at `monotonicNs`; `undefined` when it is not newer than
   * the one before, which an agent's cache can give twice.
   */
  tick(wallNs: bigint, monotonicNs: bigint): TickTime | undefined {
    const last = this.#last;
    if (last !== undefined) {
      const drift = wallNs - this.#offsetNs - last.timestampNs - (monotonicNs - last.monotonicNs);
      if (drift > STEP_NS || drift < -STEP_NS) this.#offsetNs += drift;
    }
    const timestampNs = wallNs - this.#offsetNs;
    if (last !== undefined && timestampNs <= last.timestampNs) return undefined;
    this.#last = { timestampNs, monotonicNs };
    return { timestampNs, wallOffsetNs: this.#offsetNs };
  }
}
