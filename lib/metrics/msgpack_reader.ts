/**
 * Reads MessagePack by what the caller expects to find, never more than the bytes can hold: a count is believed only
 * when as many bytes remain. 64-bit integers are left as pairs of `u32` in `low` and `high`.
 * Source: the MessagePack specification.
 * @module
 */

/** Bytes that are not the MessagePack expected. `truncated` says that they end too early but were right so far. */
export class MsgpackError extends SyntaxError {
  constructor(message: string, readonly offset: number, readonly truncated: boolean) {
    super(message);
    this.name = "MsgpackError";
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A cursor over bytes. `what` in each method names the thing read, for errors. */
export class MsgpackReader {
  readonly bytes: Uint8Array;
  at: number;
  /** Words of the integer read last. */
  low = 0;
  high = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  /** Consumes a nil when one comes next. */
  takeNil(): boolean {
    if (this.bytes[this.at] !== 0xc0) return false;
    this.at++;
    return true;
  }

  /** Reads an array's count; each element takes a byte at least, so it is at most what remains. */
  arrayHeader(what: string): number {
    const format = this.#format(what);
    let count: number;
    if (format >= 0x90 && format <= 0x9f) count = format & 15;
    else if (format === 0xdc) count = this.#u16(what);
    else if (format === 0xdd) count = this.#u32(what);
    else this.#unexpected(what, "an array", format);
    return this.#bounded(count, 1, what);
  }

  /** Reads a map's count; each pair takes two bytes at least. */
  mapHeader(what: string): number {
    const format = this.#format(what);
    let count: number;
    if (format >= 0x80 && format <= 0x8f) count = format & 15;
    else if (format === 0xde) count = this.#u16(what);
    else if (format === 0xdf) count = this.#u32(what);
    else this.#unexpected(what, "a map", format);
    return this.#bounded(count, 2, what);
  }

  string(what: string): string {
    const format = this.#format(what);
    let size: number;
    if (format >= 0xa0 && format <= 0xbf) size = format & 31;
    else if (format === 0xd9) size = this.#need(1, what)[this.at++]!;
    else if (format === 0xda) size = this.#u16(what);
    else if (format === 0xdb) size = this.#u32(what);
    else this.#unexpected(what, "a string", format);
    this.#need(size, what);
    const [start, end] = [this.at, this.at + size];
    this.at = end;
    if (size <= 64) {
      let text = "";
      let at = start;
      for (; at < end && this.bytes[at]! < 0x80; at++) text += String.fromCharCode(this.bytes[at]!);
      if (at === end) return text;
    }
    try {
      return utf8.decode(this.bytes.subarray(start, end));
    } catch (cause) {
      const error = this.failure(`${what} at byte ${start} is not UTF-8`, start);
      error.cause = cause;
      throw error;
    }
  }

  /** Reads a map of strings. A repeated key keeps its last value. */
  stringMap(what: string): Record<string, string> {
    const count = this.mapHeader(what);
    const pairs: [string, string][] = [];
    for (let index = 0; index < count; index++) pairs.push([this.string(what), this.string(what)]);
    return Object.fromEntries(pairs); // unlike assignment, safe for a key like "__proto__"
  }

  /** Reads an integer from 0 to 2⁶⁴−1 into `low` and `high`. */
  unsigned(what: string): void {
    const format = this.#integer(what);
    if (format !== 0xcf && this.high >= 0x8000_0000) {
      throw this.failure(`${what} at byte ${this.at} is negative`, this.at);
    }
  }

  /** Reads an integer from −2⁶³ to 2⁶³−1 into `low` and `high`, two's complement. */
  signed(what: string): void {
    const format = this.#integer(what);
    if (format === 0xcf && this.high >= 0x8000_0000) {
      throw this.failure(`${what} at byte ${this.at} is above 2^63-1`, this.at);
    }
  }

  /** Reads an integer from 0 to 2⁵³−1. */
  count(what: string): number {
    this.unsigned(what);
    const value = this.high * 4_294_967_296 + this.low;
    if (value > Number.MAX_SAFE_INTEGER) {
      throw this.failure(`${what} at byte ${this.at} is ${value}`, this.at);
    }
    return value;
  }

  /** Reads an integer from 0 to 2⁶⁴−1 as bigint; for single values. */
  bigint(what: string): bigint {
    this.unsigned(what);
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** Reads an array of unsigned integers into words; nil is refused. */
  unsignedArray(what: string): Uint32Array {
    const count = this.arrayHeader(what);
    const words = new Uint32Array(2 * count);
    this.unsignedInto(words, count, what);
    return words;
  }

  /** Reads `count` unsigned integers, behind their array's header, into the front of `words`. */
  unsignedInto(words: Uint32Array, count: number, what: string): void {
    const bytes = this.bytes;
    for (let index = 0; index < count; index++) {
      const format = bytes[this.at];
      if (format !== undefined && format < 128) {
        words[2 * index] = format;
        words[2 * index + 1] = 0;
        this.at++;
        continue;
      }
      this.unsigned(what);
      words[2 * index] = this.low;
      words[2 * index + 1] = this.high;
    }
  }

  /** Returns an error that says where and what; the caller throws it. */
  failure(text: string, offset: number, truncated = false): MsgpackError {
    return new MsgpackError(text, offset, truncated);
  }

  #integer(what: string): number {
    const format = this.#format(what);
    this.high = 0;
    if (format < 0x80) this.low = format;
    else if (format >= 0xe0) this.#negative(format - 256);
    else if (format === 0xcc) this.low = this.#need(1, what)[this.at++]!;
    else if (format === 0xcd) this.low = this.#u16(what);
    else if (format === 0xce) this.low = this.#u32(what);
    else if (format === 0xd0) this.#sized((this.#need(1, what)[this.at++]! << 24) >> 24);
    else if (format === 0xd1) this.#sized((this.#u16(what) << 16) >> 16);
    else if (format === 0xd2) this.#sized(this.#u32(what) | 0);
    else if (format === 0xcf || format === 0xd3) {
      this.#need(8, what);
      this.high = this.#view.getUint32(this.at);
      this.low = this.#view.getUint32(this.at + 4);
      this.at += 8;
    } else this.#unexpected(what, "an integer", format);
    return format;
  }

  #sized(value: number): void {
    if (value < 0) this.#negative(value);
    else this.low = value;
  }

  #negative(value: number): void {
    this.low = value >>> 0;
    this.high = 0xffff_ffff;
  }

  #format(what: string): number {
    return this.#need(1, what)[this.at++]!;
  }

  #u16(what: string): number {
    this.#need(2, what);
    this.at += 2;
    return this.#view.getUint16(this.at - 2);
  }

  #u32(what: string): number {
    this.#need(4, what);
    this.at += 4;
    return this.#view.getUint32(this.at - 4);
  }

  #need(byteCount: number, what: string): Uint8Array {
    if (this.remaining < byteCount) {
      throw this.failure(`the data ends at byte ${this.bytes.length}, inside ${what}`, this.at, true);
    }
    return this.bytes;
  }

  #bounded(count: number, bytesEach: number, what: string): number {
    if (count * bytesEach > this.remaining) {
      throw this.failure(`${what} claims ${count} elements, ${this.remaining} bytes remain`, this.at, true);
    }
    return count;
  }

  #unexpected(what: string, expected: string, format: number): never {
    const found = `0x${format.toString(16).padStart(2, "0")}`;
    throw this.failure(
      `${what} at byte ${this.at - 1}: expected ${expected}, found format ${found}`,
      this.at - 1,
    );
  }
}
