/**
 * The encodings of integers in pages. Levels come out as bytes, values as pairs of `u32`.
 * Source: `Encodings.md` of Apache Parquet.
 * @module
 */
import { ParquetError } from "./error.ts";

/** Numbers of the encodings. */
export const ENCODING = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  bitPacked: 4,
  delta: 5,
  dictionary: 8,
} as const;

/**
 * Decodes a run-length / bit-packed hybrid of `count` numbers of `bitWidth` bits into `out` from `outAt`.
 * Returns where it stopped reading.
 */
export function decodeHybrid(
  bytes: Uint8Array,
  from: number,
  bitWidth: number,
  out: Uint8Array | Uint32Array,
  count: number,
): number {
  if (bitWidth > 32) throw new ParquetError(`numbers of ${bitWidth} bits in a dictionary's index`);
  const byteWidth = (bitWidth + 7) >>> 3;
  let [at, done] = [from, 0];
  while (done < count) {
    let header = 0;
    for (let weight = 1;; weight *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || weight > 2 ** 35) throw new ParquetError("run lengths end too early");
      header += (byte & 127) * weight;
      if (byte < 128) break;
    }
    const length = Math.floor(header / 2);
    if (header % 2 === 0) {
      if (at + byteWidth > bytes.length) throw new ParquetError("a run's value is cut off");
      let value = 0;
      for (let index = byteWidth - 1; index >= 0; index--) value = value * 256 + bytes[at + index]!;
      at += byteWidth;
      if (length === 0) throw new ParquetError("a run of no values");
      const end = Math.min(count, done + length);
      out.fill(value, done, end);
      done = end;
    } else {
      // Groups of eight; the last may be padded beyond the count, and may be cut off there.
      const wanted = Math.min(count - done, 8 * length);
      if (length === 0 || at + Math.ceil((wanted * bitWidth) / 8) > bytes.length) {
        throw new ParquetError("bit-packed numbers are cut off");
      }
      unpack(bytes, at, bitWidth, out, done, wanted);
      at += length * bitWidth;
      done += wanted;
    }
  }
  return Math.min(at, bytes.length);
}

function unpack(
  bytes: Uint8Array,
  from: number,
  bitWidth: number,
  out: Uint8Array | Uint32Array,
  outAt: number,
  count: number,
): void {
  if (bitWidth > 24) {
    for (let index = 0; index < count; index++) {
      out[outAt + index] = bits(bytes, from, index * bitWidth, bitWidth);
    }
    return;
  }
  // Up to 24 bits and 7 left over from the byte before fit into 32.
  const mask = 2 ** bitWidth - 1;
  let [at, held, pool] = [from, 0, 0];
  for (let index = 0; index < count; index++) {
    while (held < bitWidth) {
      pool |= bytes[at++]! << held;
      held += 8;
    }
    out[outAt + index] = pool & mask;
    pool >>>= bitWidth;
    held -= bitWidth;
  }
}

/** Returns `bitWidth` (at most 32) bits from bit `bitAt` behind byte `from`. */
function bits(bytes: Uint8Array, from: number, bitAt: number, bitWidth: number): number {
  let [value, weight, left, at, skip] = [0, 1, bitWidth, from + (bitAt >>> 3), bitAt & 7];
  while (left > 0) {
    const taken = Math.min(left, 8 - skip);
    value += (((bytes[at] ?? 0) >>> skip) & (2 ** taken - 1)) * weight;
    weight *= 2 ** taken;
    left -= taken;
    at++;
    skip = 0;
  }
  return value;
}

/** Copies `count` plain 64-bit integers. Returns where it stopped reading. */
export function decodePlain(bytes: Uint8Array, from: number, out: Uint32Array, count: number): number {
  const end = from + 8 * count;
  if (end > bytes.length) {
    throw new ParquetError(`${count} plain values do not fit into ${bytes.length - from} bytes`);
  }
  new Uint8Array(out.buffer, out.byteOffset, 8 * count).set(bytes.subarray(from, end)); // both little-endian
  return end;
}

/** Limits of a delta-encoded block, beyond which the data is damaged. */
const MAX_DELTA_BLOCK = 1 << 20;

/** Decodes DELTA_BINARY_PACKED 64-bit integers, arithmetic modulo 2⁶⁴. Returns where it stopped reading. */
export function decodeDelta(bytes: Uint8Array, from: number, out: Uint32Array, count: number): number {
  const cursor = { bytes, at: from, low: 0, high: 0 };
  const blockSize = varintNumber(cursor);
  const miniblocks = varintNumber(cursor);
  const total = varintNumber(cursor);
  zigzagWords(cursor);
  if (total !== count) throw new ParquetError(`${total} delta-encoded values, expected ${count}`);
  const perMiniblock = blockSize / miniblocks;
  if (blockSize > MAX_DELTA_BLOCK || perMiniblock < 1 || perMiniblock % 32 !== 0) {
    throw new ParquetError(`delta-encoded blocks of ${blockSize} values in ${miniblocks} parts`);
  }
  if (count === 0) return cursor.at;
  const deltas = new Uint32Array(perMiniblock);
  let [low, high, done] = [cursor.low, cursor.high, 1];
  out[0] = low;
  out[1] = high;
  while (done < count) {
    zigzagWords(cursor);
    const [leastLow, leastHigh] = [cursor.low, cursor.high];
    const widthsAt = cursor.at;
    cursor.at += miniblocks;
    for (let mini = 0; mini < miniblocks && done < count; mini++) {
      const width = bytes[widthsAt + mini];
      const size = (perMiniblock / 8) * (width ?? 0);
      if (width === undefined || width > 64 || cursor.at + size > bytes.length) {
        throw new ParquetError("delta-encoded values are cut off");
      }
      const here = Math.min(perMiniblock, count - done);
      const lowWidth = Math.min(width, 32);
      if (width <= 32) unpack(bytes, cursor.at, width, deltas, 0, here);
      for (let index = 0; index < here; index++, done++) {
        const bitAt = index * width;
        const deltaLow = width <= 32 ? deltas[index]! : bits(bytes, cursor.at, bitAt, lowWidth);
        const deltaHigh = width <= 32 ? 0 : bits(bytes, cursor.at, bitAt + 32, width - 32);
        const sumLow = low + leastLow + deltaLow; // three words: up to two carries
        high = (high + leastHigh + deltaHigh + Math.floor(sumLow / 4_294_967_296)) >>> 0;
        low = sumLow >>> 0;
        out[2 * done] = low;
        out[2 * done + 1] = high;
      }
      cursor.at += size;
    }
  }
  return cursor.at;
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  low: number;
  high: number;
}

function varintNumber(cursor: Cursor): number {
  varintWords(cursor);
  return cursor.high * 4_294_967_296 + cursor.low;
}

function varintWords(cursor: Cursor): void {
  let [low, high] = [0, 0];
  for (let shift = 0;; shift += 7) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined || shift > 63) throw new ParquetError("delta-encoded values are cut off");
    const part = byte & 127;
    if (shift < 28) low |= part << shift;
    else if (shift === 28) {
      low |= part << 28;
      high |= part >>> 4;
    } else high |= part << (shift - 32);
    if (byte < 128) break;
  }
  cursor.low = low >>> 0;
  cursor.high = high >>> 0;
}

function zigzagWords(cursor: Cursor): void {
  varintWords(cursor);
  const sign = -(cursor.low & 1);
  const low = (cursor.low >>> 1) | (cursor.high << 31);
  cursor.low = (low ^ sign) >>> 0;
  cursor.high = ((cursor.high >>> 1) ^ sign) >>> 0;
}
