/** What is said beside the protocol, to whoever may read it: one that does not holds nobody up. @module */

/** Bytes that may wait to be read. What is said beyond is left out, and that is told. */
const MOST_BYTES = 2 ** 20;
/** How long what waits may take to be read at the end. */
const END_MS = 200;

export class Aside {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  #waitingBytes = 0;
  #leftOut = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(output: WritableStream<Uint8Array>) {
    this.#writer = output.getWriter();
  }

  /** Says it, unless too much waits already; never waits. */
  say(text: string): void {
    if (this.#waitingBytes > MOST_BYTES) {
      this.#leftOut++;
      return;
    }
    const before = this.#leftOut === 0 ? "" : `(${this.#leftOut} pieces were left out here)\n`;
    this.#leftOut = 0;
    const bytes = this.#encoder.encode(before + text);
    this.#waitingBytes += bytes.length;
    this.#last = this.#writer.write(bytes).then(() => void (this.#waitingBytes -= bytes.length), () => {
      // Nobody reads it any more, and nothing waits for that.
    });
  }

  /** Waits a moment for what was said to be read. */
  async end(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, END_MS);
    await Promise.race([this.#last, promise]);
    clearTimeout(timer);
    this.#writer.releaseLock();
  }
}
