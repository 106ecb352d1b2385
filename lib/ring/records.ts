/** Records as bytes: `u32 length, u32 kind, payload`, padded to 8, in the machine's own byte order. @module */

/** Bytes before each payload. */
export const RECORD_HEADER_BYTES = 8;

/** Kind of what only fills the end of a ring; `Records` steps over it. Kind 0 is not a record either. */
export const PAD_KIND = 0xffff_ffff;

/** Bytes that a record with a payload of `length` bytes takes. */
export function recordBytes(length: number): number {
  return RECORD_HEADER_BYTES + Math.ceil(length / 8) * 8;
}

/** Collects records to be written at once. The buffer is made once and used again. */
export class Batch {
  /** The records; the first `bytes` of it are set. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;
  #bytes = 0;

  constructor(capacityBytes: number) {
    const rounded = Math.ceil(capacityBytes / 8) * 8;
    this.buffer = new Uint8Array(rounded);
    this.#words = new Uint32Array(this.buffer.buffer);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Appends a record; false, and nothing is appended, when it does not fit. @throws {RangeError} On a bad kind. */
  add(kind: number, payload: Uint8Array): boolean {
    if (!Number.isInteger(kind) || kind <= 0 || kind >= PAD_KIND) {
      throw new RangeError(`Cannot add record: kind is ${kind}, it must lie in 1..0xfffffffe`);
    }
    const end = this.#bytes + recordBytes(payload.length);
    if (end > this.buffer.length) return false;
    const word = this.#bytes / 4;
    this.#words[word] = payload.length;
    this.#words[word + 1] = kind;
    this.buffer.set(payload, this.#bytes + RECORD_HEADER_BYTES);
    // What an earlier batch left there is no one's business.
    this.buffer.fill(0, this.#bytes + RECORD_HEADER_BYTES + payload.length, end);
    this.#bytes = end;
    return true;
  }

  /** Forgets the first `bytes`, by default all; what remains moves to the front. */
  clear(bytes: number = this.#bytes): void {
    this.buffer.copyWithin(0, bytes, this.#bytes);
    this.#bytes -= bytes;
  }
}

/**
 * Walks over records that lie one after the other. `next` moves to the first one and then on; `kind`, `length` and
 * `payload` belong to the record it stopped at.
 *
 * ```ts
 * import { Batch, Records } from "./records.ts";
 * const batch = new Batch(64);
 * batch.add(1, new Uint8Array([104, 105]));
 * const records = new Records(batch.buffer);
 * records.reset(batch.bytes);
 * while (records.next()) console.assert(records.kind === 1 && records.payload().length === 2);
 * ```
 */
export class Records {
  kind = 0;
  /** Bytes of the payload. */
  length = 0;
  /** Where the payload begins in `buffer`. */
  start = 0;
  /** The memory that all records of one read share. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;
  #at = 0;
  #end = 0;

  constructor(buffer: Uint8Array<ArrayBuffer>) {
    this.buffer = buffer;
    this.#words = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2);
  }

  /** Bytes that have not been walked over. */
  get remainingBytes(): number {
    return this.#end - this.#at;
  }

  /** Begins again, with the first `bytes` of the buffer; padding at their front is stepped over at once. */
  reset(bytes: number): void {
    this.#at = 0;
    this.#end = bytes;
    if (bytes > 0 && this.#words[1] === PAD_KIND) this.#at = recordBytes(this.#words[0]!);
  }

  /** Moves to the next record; false when there is none. @throws {SyntaxError} When the bytes are no records. */
  next(): boolean {
    while (this.#at < this.#end) {
      const at = this.#at;
      const length = this.#words[at >>> 2]!;
      const kind = this.#words[(at >>> 2) + 1]!;
      const end = at + RECORD_HEADER_BYTES + (length > 0x7fff_fff8 ? length : (length + 7) & ~7);
      if (end > this.#end || kind === 0) {
        throw new SyntaxError(
          `Cannot read record at byte ${at} of ${this.#end}: length is ${length}, kind is ${kind}`,
        );
      }
      this.#at = end;
      if (kind === PAD_KIND) continue;
      this.kind = kind;
      this.length = length;
      this.start = at + RECORD_HEADER_BYTES;
      return true;
    }
    return false;
  }

  /** A view of the payload; it is overwritten by the reader's next read. */
  payload(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(this.start, this.start + this.length);
  }
}
