/**
 * Writes parquet, one row group after the other: what is held is one column of one row group and the footer.
 *
 * Numbers are DELTA_BINARY_PACKED, under ZSTD where that pays, lists PLAIN under ZSTD. On upstream's own recordings that
 * takes 47 % and 65 % of what upstream's dictionaries take (`deno task bench` has the figures): a counter's increase is
 * small where its values are all different, and a histogram's row repeats the row before it, which ZSTD finds and a
 * dictionary hides. Every reader of Arrow's family reads both.
 * @module
 */
import { type ArrowField, encodeArrowSchema } from "./arrow_schema.ts";
import { CODEC, compressZstd } from "./codecs.ts";
import { ByteWriter, encodeDelta, encodeHybrid } from "./encode.ts";
import { ENCODING } from "./encodings.ts";
import { PHYSICAL } from "./footer.ts";
import type { ColumnData } from "./pages.ts";
import { THRIFT, ThriftWriter } from "./thrift.ts";

/** A page holds about this much before compression: readers take a page at a time into memory. */
const PAGE_BYTES = 8 << 20;

/**
 * ZSTD's levels for numbers and for lists. `small` is for files that are kept: 13 % smaller lists than `fast`, at four
 * times its time, still 1.3 ms a histogram and minute. `fast` is for what is made while a host is being watched.
 */
const LEVELS = { small: { numbers: 3, lists: 6 }, fast: { numbers: 1, lists: 1 } } as const;

/**
 * Numbers are compressed where that leaves at most this much of them. Their differences are packed tightly already:
 * of 100 columns 80 shrink by less, which costs 4 % of the bytes of numbers and saves a reader of short chunks 40 % of
 * its time, the call of ZSTD being most of what a chunk of 300 rows takes.
 */
const WORTHWHILE_RATIO = 0.75;

/** How much time is given to compression. */
export type Effort = keyof typeof LEVELS;

const PAR1 = Uint8Array.of(0x50, 0x41, 0x52, 0x31);
const CREATED_BY = "hostkit version 0.1.0";
const FORMAT_VERSION = 1;

/** A page before compression: one buffer for all writers of this thread, since each is used in one go. */
const body = new ByteWriter(1 << 16);

/** Where a file's bytes go; they are taken at once. */
export type ByteSink = (bytes: Uint8Array) => void;

/** What a finished file is. */
export interface WrittenFile {
  readonly rowCount: number;
  readonly sizeBytes: number;
}

/** A parquet file being written. Not finished, it is no parquet file. */
export class ParquetWriter {
  readonly #fields: readonly ArrowField[];
  readonly #keyValues: readonly (readonly [string, string])[];
  readonly #sink: ByteSink;
  readonly #levels: typeof LEVELS[Effort];
  /** The footer's row groups so far, already encoded: 50 bytes a chunk instead of objects. */
  readonly #groups = new ThriftWriter();
  #groupCount = 0;
  #rowCount = 0;
  #offset = 0;

  /** @throws {RangeError} When a column's type is not one that is written. */
  constructor(
    fields: readonly ArrowField[],
    keyValues: readonly (readonly [string, string])[],
    sink: ByteSink,
    effort: Effort = "small",
  ) {
    this.#levels = LEVELS[effort];
    this.#fields = fields;
    this.#keyValues = [...keyValues, ["ARROW:schema", encodeArrowSchema(fields)]];
    this.#sink = sink;
    this.#write(PAR1);
  }

  /** Writes a row group; `column` is asked for each column's values in order. @throws {RangeError} On a wrong count. */
  writeRowGroup(rowCount: number, column: (index: number) => ColumnData): void {
    if (rowCount === 0) return;
    const start = this.#offset;
    const chunks = new ThriftWriter();
    this.#fields.forEach((field, index) => {
      const data = column(index);
      if (data.rowCount !== rowCount || (data.offsets === undefined) === (field.type === "list<u64>")) {
        throw new RangeError(
          `Cannot write column "${field.name}": it has ${data.rowCount} rows of ${rowCount}`,
        );
      }
      this.#writeChunk(field, data, chunks);
    });
    this.#groups.struct(() => {
      this.#groups.listField(1, THRIFT.struct, this.#fields.length);
      this.#groups.raw(chunks.bytes());
      this.#groups.i64Field(2, this.#offset - start);
      this.#groups.i64Field(3, rowCount);
    });
    this.#groupCount++;
    this.#rowCount += rowCount;
  }

  /** Writes the footer. */
  finish(): WrittenFile {
    const footer = new ThriftWriter();
    footer.struct(() => {
      footer.i32Field(1, FORMAT_VERSION);
      this.#writeSchema(footer);
      footer.i64Field(3, this.#rowCount);
      footer.listField(4, THRIFT.struct, this.#groupCount);
      footer.raw(this.#groups.bytes());
      footer.listField(5, THRIFT.struct, this.#keyValues.length);
      for (const [key, value] of this.#keyValues) {
        footer.struct(() => {
          footer.textField(1, key);
          footer.textField(2, value);
        });
      }
      footer.textField(6, CREATED_BY);
    });
    this.#write(footer.bytes());
    const end = new ByteWriter(8);
    end.uint32(footer.length);
    end.raw(PAR1);
    this.#write(end.bytes());
    return { rowCount: this.#rowCount, sizeBytes: this.#offset };
  }

  #writeSchema(footer: ThriftWriter): void {
    const elementCount = this.#fields.reduce(
      (count, field) => count + (field.type === "list<u64>" ? 3 : 1),
      1,
    );
    footer.listField(2, THRIFT.struct, elementCount);
    footer.struct(() => {
      footer.textField(4, "arrow_schema");
      footer.i32Field(5, this.#fields.length);
    });
    for (const field of this.#fields) {
      if (field.type === "list<u64>") {
        footer.struct(() => {
          footer.i32Field(3, field.nullable ? 1 : 0);
          footer.textField(4, field.name);
          footer.i32Field(5, 1);
          footer.i32Field(6, 3); // converted type LIST
          footer.structField(10, () => footer.structField(3, () => {})); // logical type LIST
        });
        footer.struct(() => {
          footer.i32Field(3, 2); // repeated
          footer.textField(4, "list");
          footer.i32Field(5, 1);
        });
        writeIntegerElement(footer, "item", true, false);
      } else writeIntegerElement(footer, field.name, field.nullable, field.type === "i64");
    }
  }

  #writeChunk(field: ArrowField, data: ColumnData, chunks: ThriftWriter): void {
    const [start, isList] = [this.#offset, field.type === "list<u64>"];
    let [plainBytes, valueCount] = [0, 0];
    let codec: number = CODEC.zstd;
    const rowsPerPage = Math.max(1, Math.floor(PAGE_BYTES / (data.words.length * 4 / data.rowCount + 8)));
    for (let row = 0; row < data.rowCount; row += rowsPerPage) {
      const end = Math.min(data.rowCount, row + rowsPerPage);
      body.reset();
      const count = isList ? encodeLists(field, data, row, end, body) : encodeNumbers(
        field,
        data,
        row,
        end,
        body,
      );
      const plain = body.bytes();
      let packed = codec === CODEC.none
        ? plain
        : compressZstd(plain, isList ? this.#levels.lists : this.#levels.numbers);
      // A chunk has one codec for all its pages; only one of a million numbers has a second page.
      if (!isList && row === 0 && packed.length > plain.length * WORTHWHILE_RATIO) {
        [codec, packed] = [CODEC.none, plain];
      }
      const header = pageHeader(
        body.length,
        packed.length,
        count,
        isList ? ENCODING.plain : ENCODING.delta,
      );
      plainBytes += header.length + body.length;
      valueCount += count;
      this.#write(header);
      this.#write(packed);
    }
    chunks.struct(() => {
      chunks.i64Field(2, 0);
      chunks.structField(3, () => {
        chunks.i32Field(1, PHYSICAL.int64);
        chunks.listField(2, THRIFT.i32, 2);
        chunks.integer(isList ? ENCODING.plain : ENCODING.delta);
        chunks.integer(ENCODING.rle);
        const path = isList ? [field.name, "list", "item"] : [field.name];
        chunks.listField(3, THRIFT.binary, path.length);
        for (const part of path) chunks.text(part);
        chunks.i32Field(4, codec);
        chunks.i64Field(5, valueCount);
        chunks.i64Field(6, plainBytes);
        chunks.i64Field(7, this.#offset - start);
        chunks.i64Field(9, start);
      });
    });
  }

  #write(bytes: Uint8Array): void {
    this.#sink(bytes);
    this.#offset += bytes.length;
  }
}

function writeIntegerElement(footer: ThriftWriter, name: string, nullable: boolean, signed: boolean): void {
  footer.struct(() => {
    footer.i32Field(1, PHYSICAL.int64);
    footer.i32Field(3, nullable ? 1 : 0);
    footer.textField(4, name);
    if (signed) return;
    footer.i32Field(6, 14); // converted type UINT_64
    footer.structField(10, () => {
      footer.structField(10, () => { // logical type INTEGER
        footer.byteField(1, 64);
        footer.booleanField(2, false);
      });
    });
  });
}

function pageHeader(
  plainBytes: number,
  packedBytes: number,
  valueCount: number,
  encoding: number,
): Uint8Array {
  const header = new ThriftWriter();
  header.struct(() => {
    header.i32Field(1, 0); // data page, v1
    header.i32Field(2, plainBytes);
    header.i32Field(3, packedBytes);
    header.structField(5, () => {
      header.i32Field(1, valueCount);
      header.i32Field(2, encoding);
      header.i32Field(3, ENCODING.rle);
      header.i32Field(4, ENCODING.rle);
    });
  });
  return header.bytes();
}

/** Levels of a v1 page: their size, then the numbers. */
function writeLevels(levels: Uint8Array, max: number, out: ByteWriter): void {
  const encoded = new ByteWriter(64);
  encodeHybrid(levels, 32 - Math.clz32(max), encoded);
  out.uint32(encoded.length);
  out.raw(encoded.bytes());
}

function encodeNumbers(
  field: ArrowField,
  data: ColumnData,
  from: number,
  to: number,
  out: ByteWriter,
): number {
  let words = data.words.subarray(2 * from, 2 * to);
  if (field.nullable) {
    const present = new Uint8Array(to - from).fill(1);
    if (data.missing !== undefined) {
      for (let row = from; row < to; row++) if (data.missing[row] === 1) present[row - from] = 0;
      words = packPresent(words, present);
    }
    writeLevels(present, 1, out);
  } else if (data.missing?.includes(1)) {
    throw new RangeError(`Cannot write column "${field.name}": a value is missing where none may be`);
  }
  encodeDelta(words, out);
  return to - from;
}

function packPresent(words: Uint32Array, present: Uint8Array): Uint32Array {
  const packed = new Uint32Array(words.length);
  let at = 0;
  for (let index = 0; index < present.length; index++) {
    if (present[index] === 0) continue;
    packed[at++] = words[2 * index]!;
    packed[at++] = words[2 * index + 1]!;
  }
  return packed.subarray(0, at);
}

const scratch = [new Uint8Array(1 << 12), new Uint8Array(1 << 12)];

/** Levels are gone once a page is encoded: the same memory serves the next one. */
function scratchLevels(which: 0 | 1, count: number): Uint8Array {
  if (scratch[which]!.length < count) scratch[which] = new Uint8Array(count);
  return scratch[which]!.subarray(0, count);
}

/** Lists: an optional group of optional items. A list that is missing or empty takes one place in the levels. */
function encodeLists(field: ArrowField, data: ColumnData, from: number, to: number, out: ByteWriter): number {
  const offsets = data.offsets!;
  const base = field.nullable ? 1 : 0;
  const [full, empty] = [base + 2, base];
  let slots = 0;
  for (let row = from; row < to; row++) slots += Math.max(1, offsets[row + 1]! - offsets[row]!);
  const repetition = scratchLevels(0, slots).fill(1);
  const definition = scratchLevels(1, slots).fill(full);
  for (let row = from, slot = 0; row < to; row++) {
    const size = offsets[row + 1]! - offsets[row]!;
    repetition[slot] = 0;
    if (size === 0) definition[slot] = data.missing?.[row] === 1 ? 0 : empty;
    slot += Math.max(1, size);
  }
  writeLevels(repetition, 1, out);
  writeLevels(definition, full, out);
  const words = data.words.subarray(2 * offsets[from]!, 2 * offsets[to]!);
  out.raw(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  return slots;
}
