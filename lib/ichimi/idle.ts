/** Ends what nobody needs any more: one timer, which runs while there is no reason to stay. @module */

/** Runs something later; returns how not to. */
export type Later = (run: () => void, ms: number) => () => void;

/** What is waited for, and how. */
export interface IdleOptions {
  /** Without a reason to stay for so long it is over. */
  readonly forMs: number;
  /** Whether there is a reason to stay right now. */
  readonly isNeeded: () => boolean;
  readonly later?: Later;
}

/** Fires its signal when there was no reason to stay for long enough, unless it is disposed before. */
export class Idle implements Disposable {
  readonly #options: Required<IdleOptions>;
  readonly #over = new AbortController();
  /** How not to end; undefined while there is a reason to stay. */
  #stay: (() => void) | undefined;
  #isDisposed = false;

  constructor({ later = afterwards, ...options }: IdleOptions) {
    this.#options = { later, ...options };
    this.look();
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** To be called whenever a reason to stay may have come or gone. */
  look(): void {
    if (this.#isDisposed || this.signal.aborted) return;
    const { forMs, isNeeded, later } = this.#options;
    if (!isNeeded()) {
      this.#stay ??= later(() => this.#over.abort(), forMs);
      return;
    }
    this.#stay?.();
    this.#stay = undefined;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#stay?.();
    this.#stay = undefined;
  }
}

function afterwards(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
