/** Cuts a stream of bytes into lines of text of bounded length. @module */

/** So many bytes of the beginning and of the end of a line that was dropped are looked at for its id. */
const LOOKED_AT_BYTES = 512;

/** Lines of one stream. */
export class Lines {
  readonly #limitBytes: number;
  #head = new Uint8Array();
  #tail = new Uint8Array();
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

  /** The number that is the id in the message of JSON-RPC that was dropped last, where it begins or ends with it. */
  get droppedId(): number | undefined {
    const [head, tail] = [this.#head, this.#tail].map((bytes) => new TextDecoder().decode(bytes));
    const digits = /^\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d+)\s*,/.exec(head!)?.[1] ??
      /,\s*"id"\s*:\s*(\d+)\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail!)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }

  /** What is left at the end of the stream: a line without its newline. */
  rest(): (string | undefined)[] {
    if (this.#skipping) return [undefined];
    return this.#lengthBytes === 0 ? [] : [this.#text()];
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#skipping) return this.#drop([this.#tail, bytes]);
    this.#lengthBytes += bytes.length;
    this.#parts.push(bytes);
    if (this.#lengthBytes <= this.#limitBytes) return;
    this.#head = joined(this.#parts.map((part) => part.subarray(0, LOOKED_AT_BYTES)))
      .slice(0, LOOKED_AT_BYTES);
    this.#drop(this.#parts);
    [this.#parts, this.#skipping] = [[], true];
  }

  #drop(parts: readonly Uint8Array[]): void {
    this.#tail = joined(parts.map((part) => part.subarray(-LOOKED_AT_BYTES))).slice(-LOOKED_AT_BYTES);
  }

  #text(): string {
    const decoder = new TextDecoder();
    return this.#parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
