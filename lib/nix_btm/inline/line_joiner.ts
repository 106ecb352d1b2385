/** Lines out of bytes that come in pieces. Pure. @module */

/** Characters of a line, about; what is longer comes in several. */
export const LINE_MAX = 2 ** 20;

/** Bytes to lines; what has no end yet is kept. */
export class LineJoiner {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** What stands without a newline. */
  get rest(): string {
    return this.#rest;
  }

  /** The lines that are whole now, without their newlines. */
  take(bytes: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    if (this.#rest.length > LINE_MAX) {
      lines.push(this.#rest);
      this.#rest = "";
    }
    return lines;
  }

  /** What is left, which is nobody's any more. */
  drain(): string {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return rest;
  }
}
