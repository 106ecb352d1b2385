/** Counts the native calls that wait, because each holds one of the few threads that file reads need too. @module */

/**
 * Waits at one time. A process has 32 threads for non-blocking native calls and asynchronous file reads together, and
 * the 33rd call silently waits for one of them to end; half of them stay free for files. At the limit a wait is refused
 * by name: a wait that is not waiting would be found much later.
 */
export const NATIVE_WAIT_LIMIT = 16;

/** The waits of one process. */
export class NativeWaits {
  readonly #limit: number;
  readonly #names = new Map<symbol, string>();

  constructor(limit: number = NATIVE_WAIT_LIMIT) {
    this.#limit = limit;
  }

  /** What is being waited for now, in the order in which the waits began. */
  get names(): string[] {
    return [...this.#names.values()];
  }

  /**
   * Runs one native call that blocks its thread, in slices short enough that an abort is noticed.
   * @throws {RangeError} When the limit is reached; the message lists what is being waited for.
   */
  async run<T>(name: string, call: () => Promise<T>): Promise<T> {
    if (this.#names.size >= this.#limit) {
      throw new RangeError(
        `Cannot wait for ${name}: all ${this.#limit} native waits are taken by ${this.names.join(", ")}`,
      );
    }
    const key = Symbol(name);
    this.#names.set(key, name);
    try {
      return await call();
    } finally {
      this.#names.delete(key);
    }
  }
}

/** The count of this process; use it for every `nonblocking` native call that waits. */
export const nativeWaits: NativeWaits = new NativeWaits();
