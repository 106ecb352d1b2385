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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
      unpack(view, { from: at, skip: 0, stride: bitWidth, bitWidth }, out.subarray(done), wanted);
      at += length * bitWidth;
      done += wanted;
    }
  }
  return Math.min(at, bytes.length);
}

/**
 * Unpacks `count` numbers of `bitWidth` (at most 32) bits into `out`, which lie `stride` bits apart from bit `skip` (at
 * most 31) behind byte `from` on.
 */
function unpack(
  view: DataView,
  { from, skip, stride, bitWidth }: { from: number; skip: number; stride: number; bitWidth: number },
  out: Uint8Array | Uint32Array,
  count: number,
): void {
  if (bitWidth === 0) {
    out.fill(0, 0, count);
    return;
  }
  const mask = -1 >>> (32 - bitWidth);
  // 32 bits from any bit on lie in five bytes. Only the last numbers have fewer behind them.
  const last = view.byteLength - 5;
  let [at, bit, index] = [from + (skip >>> 3), skip & 7, 0];
  for (; index < count && at <= last; index++) {
    out[index] = ((view.getUint32(at, true) >>> bit) | (view.getUint8(at + 4) << 1 << (31 - bit))) & mask;
    bit += stride;
    at += bit >>> 3;
    bit &= 7;
  }
  for (; index < count; index++) {
    out[index] = bits(view, at, bit, bitWidth);
    bit += stride;
    at += bit >>> 3;
    bit &= 7;
  }
}

/** Returns `bitWidth` (at most 32) bits from bit `skip` (at most 7) of byte `from` on. */
function bits(view: DataView, from: number, skip: number, bitWidth: number): number {
  let value = 0;
  for (let done = -skip, at = from; done < bitWidth && at < view.byteLength; done += 8, at++) {
    value += view.getUint8(at) * 2 ** done;
  }
  return Math.floor(value) % 2 ** bitWidth;
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

const WORD = 4_294_967_296;

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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lows = new Uint32Array(perMiniblock);
  const highs = new Uint32Array(perMiniblock);
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
      unpack(view, { from: cursor.at, skip: 0, stride: width, bitWidth: lowWidth }, lows, here);
      if (width > 32) {
        unpack(view, { from: cursor.at, skip: 32, stride: width, bitWidth: width - 32 }, highs, here);
      } else highs.fill(0);
      for (let index = 0; index < here; index++, done++) {
        const sum = low + leastLow + lows[index]!; // three words: up to two carries
        high = (high + leastHigh + highs[index]! + (sum < WORD ? 0 : sum < 2 * WORD ? 1 : 2)) >>> 0;
        low = sum >>> 0;
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
  return cursor.high * WORD + cursor.low;
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
