/**
 * The encodings of integers into pages, the counterpart of `encodings.ts`.
 * Source: `Encodings.md` of Apache Parquet.
 * @module
 */

/** A buffer of bytes that grows, with the two number forms that pages need. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacityBytes = 4096) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Returns what was written; valid until the next write. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.#bytes[this.length++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.length++] = value >>> shift;
  }

  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.length++] = rest;
  }

  /** Writes a signed 64-bit integer, given in words, as zigzag varint. */
  zigzagWords(low: number, high: number): void {
    const sign = high >> 31;
    let zigLow = ((low << 1) ^ sign) >>> 0;
    let zigHigh = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
    this.reserve(10);
    while (zigHigh !== 0 || zigLow >= 128) {
      this.#bytes[this.length++] = (zigLow & 127) | 128;
      zigLow = ((zigLow >>> 7) | (zigHigh << 25)) >>> 0;
      zigHigh >>>= 7;
    }
    this.#bytes[this.length++] = zigLow;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  reserve(byteCount: number): void {
    if (this.length + byteCount <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + byteCount, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

/** Collects numbers of few bits into bytes, lowest bit first. */
class BitPacker {
  #pool = 0;
  #held = 0;

  constructor(readonly out: ByteWriter) {}

  /** Adds the lowest `width` bits (at most 32) of `value`. */
  push(value: number, width: number): void {
    if (width > 16) {
      this.#add(value & 0xffff, 16);
      this.#add(value >>> 16, width - 16);
    } else this.#add(value, width);
  }

  flush(): void {
    while (this.#held > 0) this.#emit();
  }

  #add(value: number, width: number): void {
    this.#pool |= value << this.#held; // at most 7 + 16 bits
    this.#held += width;
    while (this.#held >= 8) this.#emit();
  }

  #emit(): void {
    this.out.byte(this.#pool & 255);
    this.#pool >>>= 8;
    this.#held = Math.max(0, this.#held - 8);
  }
}

/** A run shorter than this is packed: its header costs more than it saves. */
const SHORTEST_RUN = 8;

/** Writes numbers of `bitWidth` bits as runs and bit-packed groups of eight. */
export function encodeHybrid(numbers: Uint8Array | Uint32Array, bitWidth: number, out: ByteWriter): void {
  const count = numbers.length;
  const byteWidth = (bitWidth + 7) >>> 3;
  let packedFrom = 0;
  const pack = (to: number): void => {
    if (to === packedFrom) return;
    out.varint(2 * Math.ceil((to - packedFrom) / 8) + 1);
    const packer = new BitPacker(out);
    const end = packedFrom + 8 * Math.ceil((to - packedFrom) / 8);
    for (let index = packedFrom; index < end; index++) {
      packer.push(index < to ? numbers[index]! : 0, bitWidth);
    }
    packer.flush();
  };
  for (let at = 0; at < count;) {
    let end = at + 1;
    while (end < count && numbers[end] === numbers[at]) end++;
    // Groups of packed numbers are of eight, so a run gives its first ones to an unfinished group.
    const start = at + ((8 - ((at - packedFrom) % 8)) % 8);
    if (end - start >= SHORTEST_RUN) {
      pack(start);
      out.varint(2 * (end - start));
      for (let index = 0; index < byteWidth; index++) out.byte((numbers[at]! >>> (8 * index)) & 255);
      packedFrom = end;
    }
    at = end;
  }
  pack(count);
}

/** Values in a delta-encoded block, and the parts of it that share a width: the sizes of every known writer. */
const DELTA_BLOCK = 128;
const DELTA_MINIBLOCKS = 4;
const PER_MINIBLOCK = DELTA_BLOCK / DELTA_MINIBLOCKS;

/** Writes 64-bit integers as DELTA_BINARY_PACKED, differences modulo 2⁶⁴. */
export function encodeDelta(words: Uint32Array, out: ByteWriter): void {
  const count = words.length >>> 1;
  out.varint(DELTA_BLOCK);
  out.varint(DELTA_MINIBLOCKS);
  out.varint(count);
  out.zigzagWords(words[0] ?? 0, words[1] ?? 0);
  const low = new Uint32Array(DELTA_BLOCK);
  const high = new Uint32Array(DELTA_BLOCK);
  for (let from = 1; from < count; from += DELTA_BLOCK) {
    const here = Math.min(DELTA_BLOCK, count - from);
    let [leastLow, leastHigh] = [0xffff_ffff, 0x7fff_ffff];
    for (let index = 0; index < here; index++) {
      const at = 2 * (from + index);
      const difference = words[at]! - words[at - 2]!;
      low[index] = difference;
      high[index] = words[at + 1]! - words[at - 1]! - (difference < 0 ? 1 : 0);
      const signed = high[index]! | 0;
      if (signed < leastHigh || (signed === leastHigh && low[index]! < leastLow)) {
        [leastLow, leastHigh] = [low[index]!, signed];
      }
    }
    out.zigzagWords(leastLow, leastHigh);
    for (let index = 0; index < here; index++) {
      const above = low[index]! - leastLow;
      low[index] = above;
      high[index] = high[index]! - leastHigh - (above < 0 ? 1 : 0);
    }
    encodeMiniblocks(low, high, here, out);
  }
}

function encodeMiniblocks(low: Uint32Array, high: Uint32Array, count: number, out: ByteWriter): void {
  const widths: number[] = [];
  for (let mini = 0; mini < DELTA_MINIBLOCKS; mini++) {
    let [anyLow, anyHigh] = [0, 0];
    for (let index = mini * PER_MINIBLOCK; index < Math.min(count, (mini + 1) * PER_MINIBLOCK); index++) {
      anyLow |= low[index]!;
      anyHigh |= high[index]!;
    }
    const width = anyHigh !== 0 ? 64 - Math.clz32(anyHigh) : 32 - Math.clz32(anyLow);
    widths.push(width);
    out.byte(width);
  }
  const packer = new BitPacker(out);
  for (let mini = 0; mini * PER_MINIBLOCK < count; mini++) {
    const width = widths[mini]!;
    for (let index = mini * PER_MINIBLOCK; index < (mini + 1) * PER_MINIBLOCK; index++) {
      const [valueLow, valueHigh] = index < count ? [low[index]!, high[index]!] : [0, 0];
      if (width > 0) packer.push(valueLow, Math.min(32, width));
      if (width > 32) packer.push(valueHigh, width - 32);
    }
  }
  packer.flush();
}
