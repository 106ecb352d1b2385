/**
 * Thrift's compact protocol, as far as parquet's footers and page headers use it.
 * Source: `thrift-compact-protocol.md` of Apache Thrift.
 * @module
 */
import { ParquetError } from "./error.ts";

/** Types of fields in the compact protocol. */
export const THRIFT = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** Structs nested deeper than this are refused: parquet's own go to 6. */
const MAX_DEPTH = 32;

const utf8 = new TextDecoder();

/** A cursor over thrift bytes. */
export class ThriftReader {
  at: number;
  /** Type and id of the field read last by `nextField`. */
  fieldType = 0;
  fieldId = 0;

  constructor(readonly bytes: Uint8Array, at = 0) {
    this.at = at;
  }

  /** Calls `onField` for every field of a struct; fields that it does not read must be left with `skip()`. */
  struct(onField: (id: number) => void): void {
    let id = 0;
    for (;;) {
      const head = this.byte();
      if (head === 0) return;
      id = head >>> 4 === 0 ? this.zigzag() : id + (head >>> 4);
      this.fieldType = head & 15;
      onField(id);
    }
  }

  /** Reads a list's header; returns its length and leaves the type of its elements in `fieldType`. */
  listHeader(): number {
    const head = this.byte();
    const count = head >>> 4 === 15 ? this.varint() : head >>> 4;
    this.fieldType = head & 15;
    if (count > this.bytes.length - this.at) {
      throw new ParquetError(`a list claims ${count} elements, ${this.bytes.length - this.at} bytes remain`);
    }
    return count;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new ParquetError(`thrift data ends at byte ${this.bytes.length}`);
    this.at++;
    return byte;
  }

  /** Reads an unsigned integer; exact below 2⁵³. */
  varint(): number {
    let byte = this.byte();
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let weight = 128;; weight *= 128) {
      byte = this.byte();
      value += (byte & 127) * weight;
      if (byte < 128) return value;
      if (weight > 2 ** 63) throw new ParquetError(`a number at byte ${this.at} has more than 64 bits`);
    }
  }

  /** Reads a signed integer; exact within ±2⁵³. */
  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Reads a boolean field, whose value is its type. */
  boolean(): boolean {
    return this.fieldType === THRIFT.true;
  }

  text(): string {
    const size = this.varint();
    if (size > this.bytes.length - this.at) {
      throw new ParquetError(`a text claims ${size} bytes, ${this.bytes.length - this.at} remain`);
    }
    this.at += size;
    return utf8.decode(this.bytes.subarray(this.at - size, this.at));
  }

  /** Skips the value of the field or element whose type is in `fieldType`. */
  skip(type = this.fieldType, depth = 0): void {
    if (depth > MAX_DEPTH) throw new ParquetError(`thrift data is nested deeper than ${MAX_DEPTH}`);
    switch (type) {
      case THRIFT.true:
      case THRIFT.false:
        return;
      case THRIFT.byte:
        this.at++;
        return;
      case THRIFT.i16:
      case THRIFT.i32:
      case THRIFT.i64:
        while (this.byte() >= 128);
        return;
      case THRIFT.double:
        this.at += 8;
        return;
      case THRIFT.binary: {
        const size = this.varint();
        this.at += size;
        return;
      }
      case THRIFT.list:
      case THRIFT.set: {
        const count = this.listHeader();
        const element = this.fieldType;
        if (element === THRIFT.true || element === THRIFT.false) this.at += count;
        else for (let left = count; left > 0; left--) this.skip(element, depth + 1);
        return;
      }
      case THRIFT.map: {
        const count = this.varint();
        const types = count === 0 ? 0 : this.byte();
        if (count > this.bytes.length) throw new ParquetError(`a map claims ${count} pairs`);
        for (let left = count; left > 0; left--) {
          this.skip(types >>> 4, depth + 1);
          this.skip(types & 15, depth + 1);
        }
        return;
      }
      case THRIFT.struct:
        this.struct(() => this.skip(this.fieldType, depth + 1));
        return;
      default:
        throw new ParquetError(`a field at byte ${this.at} has unknown thrift type ${type}`);
    }
  }
}

/** Writes thrift into a buffer that grows. Fields of a struct must come in ascending order. */
export class ThriftWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #lastId = 0;
  readonly #outerIds: number[] = [];

  get length(): number {
    return this.#length;
  }

  /** Returns what was written; valid until the next write. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes a struct whose fields `write` writes. */
  struct(write: () => void): void {
    this.#outerIds.push(this.#lastId);
    this.#lastId = 0;
    write();
    this.#byte(0);
    this.#lastId = this.#outerIds.pop()!;
  }

  structField(id: number, write: () => void): void {
    this.#field(id, THRIFT.struct);
    this.struct(write);
  }

  i32Field(id: number, value: number): void {
    this.#field(id, THRIFT.i32);
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  i64Field(id: number, value: number): void {
    this.#field(id, THRIFT.i64);
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  byteField(id: number, value: number): void {
    this.#field(id, THRIFT.byte);
    this.#byte(value);
  }

  booleanField(id: number, value: boolean): void {
    this.#field(id, value ? THRIFT.true : THRIFT.false);
  }

  textField(id: number, text: string): void {
    this.#field(id, THRIFT.binary);
    this.text(text);
  }

  listField(id: number, type: number, count: number): void {
    this.#field(id, THRIFT.list);
    if (count < 15) this.#byte((count << 4) | type);
    else {
      this.#byte(0xf0 | type);
      this.#varint(count);
    }
  }

  /** Writes an element of a list of texts. */
  text(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.#varint(encoded.length);
    this.raw(encoded);
  }

  /** Writes an element of a list of integers. */
  integer(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Writes bytes that are thrift already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastId;
    this.#byte(((delta > 0 && delta < 16 ? delta : 0) << 4) | type);
    if (delta <= 0 || delta >= 16) this.#varint(2 * id);
    this.#lastId = id;
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(byteCount: number): void {
    if (this.#length + byteCount <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + byteCount, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
