/** Pauses and time limits that end early on an abort and leave no timer behind. @module */

/** No timer holds more milliseconds (24.8 days): the runtime would fire at once. */
export const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** A signal that fires when its parent does or when the time is over. Disposing stops the timer. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Limits a wait to `ms` milliseconds. The reason of a limit that is reached is a `TimeoutError`.
 * @throws {RangeError} When it is over `LONGEST_WAIT_MS`.
 *
 * ```ts
 * import { deadline } from "./time.ts";
 * using limit = deadline(1_000, new AbortController().signal);
 * limit.signal.throwIfAborted();
 * ```
 */
export function deadline(ms: number, parent?: AbortSignal): Deadline {
  checkWait(ms);
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException(`Time limit of ${ms} ms is over`, "TimeoutError")),
    ms,
  );
  const signal = parent === undefined ? controller.signal : AbortSignal.any([parent, controller.signal]);
  return { signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/**
 * Waits `ms` milliseconds.
 * @throws The signal's reason as soon as it fires. @throws {RangeError} When it is over `LONGEST_WAIT_MS`.
 */
export function sleep(ms: number, options: { signal?: AbortSignal } = {}): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    checkWait(ms);
    if (signal?.aborted === true) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function checkWait(ms: number): void {
  if (ms > LONGEST_WAIT_MS) {
    throw new RangeError(`Cannot wait for ${ms} ms: a timer holds at most ${LONGEST_WAIT_MS}`);
  }
}
