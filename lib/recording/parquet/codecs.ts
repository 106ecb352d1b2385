/**
 * Decompression of pages: ZSTD and GZIP from `node:zlib`, SNAPPY and LZ4_RAW in full here. The size that comes out is
 * known from the page's header and is never exceeded.
 * Sources: Snappy's `format_description.txt`, LZ4's `lz4_Block_format.md`.
 * @module
 */
import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ParquetError } from "./error.ts";

/** Numbers of the codecs that are read. */
export const CODEC = { none: 0, snappy: 1, gzip: 2, zstd: 6, lz4Raw: 7 } as const;

/** Returns the bytes of a page. @throws {ParquetError} When they are damaged or the codec is not known. */
export function decompress(codec: number, bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const out = decompressAny(codec, bytes, sizeBytes);
  if (out.length !== sizeBytes) {
    throw new ParquetError(`a page has ${out.length} bytes, its header says ${sizeBytes}`);
  }
  return out;
}

function decompressAny(codec: number, bytes: Uint8Array, sizeBytes: number): Uint8Array {
  switch (codec) {
    case CODEC.none:
      return bytes;
    case CODEC.snappy:
      return decompressSnappy(bytes, sizeBytes);
    case CODEC.lz4Raw:
      return decompressLz4(bytes, sizeBytes);
    case CODEC.gzip:
    case CODEC.zstd:
      try {
        // With room for all of it and a byte more the output is one piece, and need not be put together.
        const options = { maxOutputLength: Math.max(1, sizeBytes), chunkSize: Math.max(64, sizeBytes + 1) };
        return codec === CODEC.zstd ? zstdDecompressSync(bytes, options) : gunzipSync(bytes, options);
      } catch (cause) {
        throw new ParquetError(`a compressed page is damaged: ${(cause as Error).message}`);
      }
    default:
      throw new ParquetError(`a page has compression codec ${codec}, which this build does not read`);
  }
}

/** Returns `bytes` compressed by ZSTD. */
export function compressZstd(bytes: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

function decompressSnappy(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  let [at, claimed, shift] = [0, 0, 0];
  for (;; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined || shift > 28) throw damaged("Snappy", at);
    claimed += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  if (claimed !== sizeBytes) throw damaged("Snappy", at);
  const out = new Output(sizeBytes, "Snappy");
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let size = tag >>> 2;
      if (size >= 60) {
        const width = size - 59;
        size = littleEndian(bytes, at, width);
        at += width;
      }
      at = out.literal(bytes, at, size + 1);
    } else if (kind === 1) {
      out.repeat(((tag >>> 5) << 8) | (bytes[at++] ?? 0), ((tag >>> 2) & 7) + 4);
    } else {
      const width = kind === 2 ? 2 : 4;
      out.repeat(littleEndian(bytes, at, width), (tag >>> 2) + 1);
      at += width;
    }
  }
  return out.finish();
}

function decompressLz4(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const out = new Output(sizeBytes, "LZ4");
  let at = 0;
  const longer = (nibble: number): number => {
    let size = nibble;
    if (nibble === 15) {
      for (let byte = 255; byte === 255;) {
        byte = bytes[at++] ?? 0;
        size += byte;
      }
    }
    return size;
  };
  while (at < bytes.length) {
    const token = bytes[at++]!;
    const literals = longer(token >>> 4); // moves `at`
    at = out.literal(bytes, at, literals);
    if (at >= bytes.length) break; // the last sequence has only literals
    const distance = littleEndian(bytes, at, 2);
    at += 2;
    out.repeat(distance, longer(token & 15) + 4);
  }
  return out.finish();
}

/** Output of known size; writing beyond it or copying from before it is damage. */
class Output {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(sizeBytes: number, readonly format: string) {
    this.#bytes = new Uint8Array(sizeBytes);
  }

  literal(source: Uint8Array, from: number, size: number): number {
    if (from + size > source.length || this.#at + size > this.#bytes.length) throw damaged(this.format, from);
    if (size > 32) this.#bytes.set(source.subarray(from, from + size), this.#at);
    else for (let index = 0; index < size; index++) this.#bytes[this.#at + index] = source[from + index]!;
    this.#at += size;
    return from + size;
  }

  repeat(distance: number, size: number): void {
    const from = this.#at - distance;
    if (distance === 0 || from < 0 || this.#at + size > this.#bytes.length) {
      throw damaged(this.format, this.#at);
    }
    if (distance >= size) this.#bytes.copyWithin(this.#at, from, from + size);
    else {for (let index = 0; index < size; index++) {
        this.#bytes[this.#at + index] = this.#bytes[from + index]!;
      }}
    this.#at += size;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = width - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}

function damaged(format: string, at: number): ParquetError {
  return new ParquetError(`a page's ${format} data is damaged at byte ${at}`);
}
