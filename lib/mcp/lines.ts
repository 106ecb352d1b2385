/** Cuts a stream of bytes into lines of text of bounded length. @module */

/** Lines of one stream. */
export class Lines {
  readonly #limitBytes: number;
  #parts: Uint8Array[] = [];
  #lengthBytes = 0;
  #skipping = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Takes bytes and returns the lines that they end, without their newline; `undefined` stands for a line that was
   * longer than the limit, and whose bytes are dropped.
   */
  push(bytes: Uint8Array): (string | undefined)[] {
    const lines: (string | undefined)[] = [];
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      this.#keep(bytes.subarray(start, end));
      lines.push(this.#skipping ? undefined : this.#text());
      [this.#parts, this.#lengthBytes, this.#skipping] = [[], 0, false];
      start = end + 1;
    }
    this.#keep(bytes.slice(start));
    return lines;
  }

  /** What is left at the end of the stream: a line without its newline. */
  rest(): (string | undefined)[] {
    if (this.#skipping) return [undefined];
    return this.#lengthBytes === 0 ? [] : [this.#text()];
  }

  #keep(bytes: Uint8Array): void {
    if (this.#skipping || bytes.length === 0) return;
    this.#lengthBytes += bytes.length;
    if (this.#lengthBytes > this.#limitBytes) [this.#parts, this.#skipping] = [[], true];
    else this.#parts.push(bytes);
  }

  #text(): string {
    const decoder = new TextDecoder();
    return this.#parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  }
}
