/**
 * Flatbuffers, as far as an Arrow schema needs them: a reader with bounds checks and a writer that builds from the back.
 * Source: the FlatBuffers internals page.
 * @module
 */
import { ParquetError } from "./error.ts";

const utf8 = new TextDecoder();

/** A table inside a flatbuffer. */
export class FlatTable {
  readonly #vtable: number;
  readonly #vtableBytes: number;

  constructor(readonly view: DataView, readonly at: number) {
    this.#vtable = at - int32(view, at);
    this.#vtableBytes = uint16(view, this.#vtable);
  }

  /** Returns where field `index` lies; `undefined` when it has its default. */
  field(index: number): number | undefined {
    const slot = 4 + 2 * index;
    if (slot + 2 > this.#vtableBytes) return undefined;
    const offset = uint16(this.view, this.#vtable + slot);
    return offset === 0 ? undefined : this.at + offset;
  }

  uint8(index: number): number {
    const at = this.field(index);
    if (at === undefined) return 0;
    check(this.view, at, 1);
    return this.view.getUint8(at);
  }

  int32(index: number): number {
    const at = this.field(index);
    return at === undefined ? 0 : int32(this.view, at);
  }

  text(index: number): string {
    const at = this.field(index);
    if (at === undefined) return "";
    const start = at + uint32(this.view, at);
    const size = uint32(this.view, start);
    check(this.view, start + 4, size);
    return utf8.decode(new Uint8Array(this.view.buffer, this.view.byteOffset + start + 4, size));
  }

  table(index: number): FlatTable | undefined {
    const at = this.field(index);
    return at === undefined ? undefined : new FlatTable(this.view, at + uint32(this.view, at));
  }

  tables(index: number): FlatTable[] {
    const at = this.field(index);
    if (at === undefined) return [];
    const start = at + uint32(this.view, at);
    const count = uint32(this.view, start);
    check(this.view, start + 4, 4 * count);
    return Array.from({ length: count }, (_, element) => {
      const slot = start + 4 + 4 * element;
      return new FlatTable(this.view, slot + uint32(this.view, slot));
    });
  }
}

/** Returns the root table of a flatbuffer. @throws {ParquetError} When an offset points outside. */
export function flatRoot(bytes: Uint8Array): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new FlatTable(view, uint32(view, 0));
}

function check(view: DataView, at: number, byteCount: number): void {
  if (at < 0 || at + byteCount > view.byteLength) {
    throw new ParquetError(`the Arrow schema points to byte ${at} of its ${view.byteLength}`);
  }
}

function uint16(view: DataView, at: number): number {
  check(view, at, 2);
  return view.getUint16(at, true);
}

function uint32(view: DataView, at: number): number {
  check(view, at, 4);
  return view.getUint32(at, true);
}

function int32(view: DataView, at: number): number {
  check(view, at, 4);
  return view.getInt32(at, true);
}

/** A field of a table to be written. */
export type FlatField =
  | { readonly kind: "uint8" | "int16" | "int32" | "int64"; readonly value: number }
  | { readonly kind: "offset"; readonly value: number };

const SIZES = { uint8: 1, int16: 2, int32: 4, int64: 8, offset: 4 } as const;

/** Builds a flatbuffer from the back, children before parents. A position counts bytes from the buffer's end. */
export class FlatWriter {
  #bytes = new Uint8Array(4096);
  #used = 0;
  #align = 1;
  readonly #texts = new Map<string, number>();

  /** Writes a text once and returns its position. */
  text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const encoded = new TextEncoder().encode(text);
    this.#pad(4, encoded.length + 1);
    this.#push(encoded.length + 1).set(encoded);
    const position = this.#int(4, encoded.length);
    this.#texts.set(text, position);
    return position;
  }

  /** Writes a vector of tables that were written before. */
  tables(positions: readonly number[]): number {
    this.#pad(4, 4 * positions.length);
    for (const position of positions.toReversed()) this.#offset(position);
    return this.#int(4, positions.length);
  }

  /** Writes a table; a field left `undefined` keeps its default. */
  table(fields: readonly (FlatField | undefined)[]): number {
    const tableEnd = this.#used;
    const positions = new Array<number>(fields.length).fill(0);
    // Wide fields first, so that padding is small.
    const order = fields.map((field, index) => ({ field, index })).sort((a, b) =>
      (b.field ? SIZES[b.field.kind] : 0) - (a.field ? SIZES[a.field.kind] : 0)
    );
    for (const { field, index } of order) {
      if (field === undefined) continue;
      if (field.kind === "offset") {
        this.#pad(4, 0);
        positions[index] = this.#offset(field.value);
      } else {
        this.#pad(SIZES[field.kind], 0);
        positions[index] = this.#int(SIZES[field.kind], field.value);
      }
    }
    this.#pad(4, 0);
    const table = this.#int(4, 0); // the distance to the vtable, known below
    for (const position of positions.toReversed()) this.#int(2, position === 0 ? 0 : table - position);
    this.#int(2, table - tableEnd);
    const vtable = this.#int(2, 4 + 2 * fields.length);
    new DataView(this.#bytes.buffer).setInt32(this.#bytes.length - table, vtable - table, true);
    return table;
  }

  /** Returns the finished buffer with `root` as its root, padded at its end to 8 bytes. */
  finish(root: number): Uint8Array {
    this.#pad(Math.max(this.#align, 8), 4);
    this.#offset(root);
    return this.#bytes.slice(this.#bytes.length - this.#used);
  }

  #offset(position: number): number {
    this.#pad(4, 0);
    return this.#int(4, this.#used + 4 - position);
  }

  #int(size: 1 | 2 | 4 | 8, value: number): number {
    const target = this.#push(size);
    let rest = value;
    for (let index = 0; index < size; index++) {
      target[index] = rest & 255;
      rest = Math.floor(rest / 256);
    }
    return this.#used;
  }

  /** Pads so that after `following` more bytes the position is a multiple of `align`. */
  #pad(align: number, following: number): void {
    this.#align = Math.max(this.#align, align);
    this.#push((align - ((this.#used + following) % align)) % align);
  }

  #push(byteCount: number): Uint8Array {
    if (this.#used + byteCount > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#used + byteCount));
      larger.set(this.#bytes.subarray(this.#bytes.length - this.#used), larger.length - this.#used);
      this.#bytes = larger;
    }
    this.#used += byteCount;
    const start = this.#bytes.length - this.#used;
    return this.#bytes.subarray(start, start + byteCount);
  }
}
