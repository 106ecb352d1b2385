/**
 * Writes MessagePack as the Rezolus tools do (Rust's `rmp-serde`, compact): structs as arrays, every integer in its
 * shortest form, absent options as nil. 64-bit integers come as pairs of `u32`, so no bigint is made on the way.
 * Source: the MessagePack specification.
 * @module
 */
const utf8 = new TextEncoder();

/** A buffer that grows as it is written. Reused between messages by `reset`. */
export class MsgpackWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = 1024) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written and keeps the memory. */
  reset(): void {
    this.#length = 0;
  }

  /** Returns a copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  nil(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = 0xc0;
  }

  arrayHeader(count: number): void {
    this.#header(count, 0x90, 15, 0xdc);
  }

  mapHeader(count: number): void {
    this.#header(count, 0x80, 15, 0xde);
  }

  string(text: string): void {
    this.#reserve(5 + 3 * text.length);
    const start = this.#length;
    // The header's width depends on the encoded length; a short ASCII text, the usual case, needs no second look.
    const guess = text.length < 32 ? 1 : text.length < 256 ? 2 : text.length < 65536 ? 3 : 5;
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(start + guess));
    const needed = written < 32 ? 1 : written < 256 ? 2 : written < 65536 ? 3 : 5;
    if (needed !== guess) this.#bytes.copyWithin(start + needed, start + guess, start + guess + written);
    if (needed === 1) this.#bytes[start] = 0xa0 | written;
    else if (needed === 2) {
      this.#bytes[start] = 0xd9;
      this.#bytes[start + 1] = written;
    } else if (needed === 3) {
      this.#bytes[start] = 0xda;
      this.#view.setUint16(start + 1, written);
    } else {
      this.#bytes[start] = 0xdb;
      this.#view.setUint32(start + 1, written);
    }
    this.#length = start + needed + written;
  }

  /** Writes a map of strings in the order of the keys' UTF-8 bytes, as Rust's `BTreeMap` has them. */
  stringMap(map: Readonly<Record<string, string>>): void {
    const keys = Object.keys(map).sort(compareByCodePoint);
    this.mapHeader(keys.length);
    for (const key of keys) {
      this.string(key);
      this.string(map[key]!);
    }
  }

  /** Writes an unsigned integer below 2⁵³. */
  unsigned(value: number): void {
    this.unsignedWords(value >>> 0, Math.floor(value / 4_294_967_296));
  }

  /** Writes an unsigned integer of 64 bits given as bigint; for single values. */
  unsignedBigint(value: bigint): void {
    this.unsignedWords(Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
  }

  unsignedWords(low: number, high: number): void {
    this.#reserve(9);
    this.#length = putUnsigned(this.#bytes, this.#length, low, high);
  }

  signedWords(low: number, high: number): void {
    this.#reserve(9);
    this.#length = putSigned(this.#bytes, this.#length, low, high);
  }

  /** Writes an array of unsigned integers, nil where `missing` is 1. */
  unsignedArray(words: Uint32Array, missing?: Uint8Array): void {
    const count = words.length >>> 1;
    this.arrayHeader(count);
    this.#reserve(9 * count);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < count; index++) {
      const [low, high] = [words[2 * index]!, words[2 * index + 1]!];
      if (missing !== undefined && missing[index] === 1) bytes[at++] = 0xc0;
      else if (high === 0 && low < 128) bytes[at++] = low; // nine buckets of ten are small
      else at = putUnsigned(bytes, at, low, high);
    }
    this.#length = at;
  }

  /** Writes an array of signed integers, nil where `missing` is 1. */
  signedArray(words: Uint32Array, missing?: Uint8Array): void {
    const count = words.length >>> 1;
    this.arrayHeader(count);
    this.#reserve(9 * count);
    for (let index = 0; index < count; index++) {
      if (missing !== undefined && missing[index] === 1) this.#bytes[this.#length++] = 0xc0;
      else this.#length = putSigned(this.#bytes, this.#length, words[2 * index]!, words[2 * index + 1]!);
    }
  }

  /** Writes bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes `bytes[from..to]`, MessagePack already. Short pieces are copied faster by hand than by `set`. */
  rawRange(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    const target = this.#bytes;
    let at = this.#length;
    if (to - from > 64) target.set(bytes.subarray(from, to), at);
    else for (let source = from; source < to; source++) target[at++] = bytes[source]!;
    this.#length += to - from;
  }

  #header(count: number, fixed: number, fixedMax: number, wide: number): void {
    this.#reserve(5);
    if (count <= fixedMax) this.#bytes[this.#length++] = fixed | count;
    else if (count < 65536) {
      this.#bytes[this.#length] = wide;
      this.#view.setUint16(this.#length + 1, count);
      this.#length += 3;
    } else {
      this.#bytes[this.#length] = wide + 1;
      this.#view.setUint32(this.#length + 1, count);
      this.#length += 5;
    }
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Orders strings by code point, which is the order of their UTF-8 bytes (JavaScript's own is by UTF-16 unit). */
export function compareByCodePoint(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (a === b) continue;
    const [aSurrogate, bSurrogate] = [a >= 0xd800 && a <= 0xdfff, b >= 0xd800 && b <= 0xdfff];
    // A surrogate stands for a code point above every other unit.
    return aSurrogate === bSurrogate ? a - b : aSurrogate ? 1 : -1;
  }
  return left.length - right.length;
}

function putUnsigned(bytes: Uint8Array, at: number, low: number, high: number): number {
  if (high !== 0) return putWords(bytes, at, 0xcf, low, high);
  if (low < 0x80) {
    bytes[at] = low;
    return at + 1;
  }
  if (low < 0x100) {
    bytes[at] = 0xcc;
    bytes[at + 1] = low;
    return at + 2;
  }
  if (low < 0x10000) return putShort(bytes, at, 0xcd, low);
  return putWord(bytes, at, 0xce, low);
}

/** A value from 0 takes an unsigned form, as in `rmp`. */
function putSigned(bytes: Uint8Array, at: number, low: number, high: number): number {
  if (high < 0x8000_0000) return putUnsigned(bytes, at, low, high);
  if (high !== 0xffff_ffff || low < 0x8000_0000) return putWords(bytes, at, 0xd3, low, high);
  const value = low | 0;
  if (value >= -32) {
    bytes[at] = value & 0xff;
    return at + 1;
  }
  if (value >= -128) {
    bytes[at] = 0xd0;
    bytes[at + 1] = value & 0xff;
    return at + 2;
  }
  if (value >= -32768) return putShort(bytes, at, 0xd1, value & 0xffff);
  return putWord(bytes, at, 0xd2, low);
}

function putShort(bytes: Uint8Array, at: number, format: number, value: number): number {
  bytes[at] = format;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value & 0xff;
  return at + 3;
}

function putWord(bytes: Uint8Array, at: number, format: number, value: number): number {
  bytes[at] = format;
  bytes[at + 1] = value >>> 24;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = (value >>> 8) & 0xff;
  bytes[at + 4] = value & 0xff;
  return at + 5;
}

function putWords(bytes: Uint8Array, at: number, format: number, low: number, high: number): number {
  putWord(bytes, at, format, high);
  bytes[at + 5] = low >>> 24;
  bytes[at + 6] = (low >>> 16) & 0xff;
  bytes[at + 7] = (low >>> 8) & 0xff;
  bytes[at + 8] = low & 0xff;
  return at + 9;
}
