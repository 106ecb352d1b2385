/** Time as an argument: the machine's, or that of a simulation. @module */
import { sleep } from "../async/mod.ts";

/** What tells the time and lets it pass. */
export interface Clock {
  /** Milliseconds that only go on, whatever is done to the wall clock; their zero means nothing. */
  now(): number;
  /** Unix milliseconds, as people read them; they may jump. */
  wallMs(): number;
  /** Resolves after so long. @throws The signal's reason when it fires first. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** That of this machine. */
export const MACHINE_CLOCK: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  sleep,
};
