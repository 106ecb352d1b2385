/** When agents are asked: at whole multiples of an interval, so that all who ask do it together. @module */
import { LONGEST_WAIT_MS } from "../async/mod.ts";

/** A shorter interval is refused: an agent's answer takes milliseconds. */
export const MIN_INTERVAL_MS = 10;

/** @throws {RangeError} When the interval is too short to be kept, or longer than a timer holds. */
export function checkInterval(intervalMs: number, doing: string): void {
  if (intervalMs >= MIN_INTERVAL_MS && intervalMs <= LONGEST_WAIT_MS) return;
  throw new RangeError(
    `Cannot ${doing} every ${intervalMs} ms: expected ${MIN_INTERVAL_MS} to ${LONGEST_WAIT_MS} ms`,
  );
}

/** Returns the next multiple of the interval behind `nowMs`, in Unix milliseconds. */
export function nextTickMs(nowMs: number, intervalMs: number): number {
  return (Math.floor(nowMs / intervalMs) + 1) * intervalMs;
}

/** Resolves at the Unix time `atMs`, at once when that is over, or when the signal fires; leaves no timer behind. */
export function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => resolve();
  const timer = setTimeout(done, Math.min(LONGEST_WAIT_MS, Math.max(0, atMs - Date.now())));
  signal.addEventListener("abort", done);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", done);
  });
}

/** Waits for the next whole multiple of the interval, so that ticks do not drift. */
export function untilNextTick(intervalMs: number, signal: AbortSignal): Promise<void> {
  return sleepUntil(nextTickMs(Date.now(), intervalMs), signal);
}
