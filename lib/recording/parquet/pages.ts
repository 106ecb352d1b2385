/**
 * A column chunk's pages, decoded straight into typed arrays.
 * Source: `parquet.thrift` and `README.md` (data pages v1 and v2) of Apache Parquet.
 * @module
 */
import type { ByteSource } from "./byte_source.ts";
import { CODEC, decompress } from "./codecs.ts";
import { decodeDelta, decodeHybrid, decodePlain, ENCODING } from "./encodings.ts";
import { ParquetError } from "./error.ts";
import { type Footer, type ParquetColumn, PHYSICAL } from "./footer.ts";
import { ThriftReader } from "./thrift.ts";

/** Values of a column over some rows. */
export interface ColumnData {
  readonly rowCount: number;
  /** Two words a value, zero where it is missing. For a list, the elements of all rows one behind the other. */
  readonly words: Uint32Array;
  /** 1 in the place of each row without a value; absent when all have one. */
  readonly missing?: Uint8Array;
  /** For a list: row i has the elements from `offsets[i]` to `offsets[i+1]`. */
  readonly offsets?: Uint32Array;
}

/** A page is believed to hold at most this much: a histogram column of 7,424 buckets and 1,800 rows takes 107 MB. */
const MAX_PAGE_BYTES = 1 << 30;

/** Decodes one column of one row group. @throws {ParquetError} When it is damaged or of an unknown kind. */
export function readChunk(source: ByteSource, footer: Footer, group: number, column: number): ColumnData {
  const leaf = footer.columns[column]!;
  try {
    if (leaf.physicalType !== PHYSICAL.int64) {
      throw new ParquetError(
        `it holds values of physical type ${leaf.physicalType}, expected 64-bit integers`,
      );
    }
    return new ChunkDecoder(source, footer, group, column).decode();
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error;
    throw new ParquetError(`column "${leaf.field.name}", row group ${group}: ${error.message}`);
  }
}

interface PageHeader {
  readonly kind: number;
  readonly sizeBytes: number;
  readonly compressedBytes: number;
  readonly valueCount: number;
  readonly encoding: number;
  /** Bytes of the levels, stored before the values and never compressed; v2 only. */
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly compressed: boolean;
}

const PAGE = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

const scratch = { definition: new Uint8Array(1 << 12), repetition: new Uint8Array(1 << 12) };

/** Levels are gone once a chunk is decoded: the same memory serves the next one, zeroed by nobody since all is written. */
function scratchLevels(kind: keyof typeof scratch, count: number): Uint8Array {
  if (scratch[kind].length < count) scratch[kind] = new Uint8Array(count);
  return scratch[kind].subarray(0, count);
}

class ChunkDecoder {
  readonly #leaf: ParquetColumn;
  readonly #codec: number;
  readonly #valueCount: number;
  readonly #rowCount: number;
  readonly #chunk: Uint8Array;
  #dictionary: Uint32Array | undefined;
  /** Per value slot, over the whole chunk. */
  readonly #definition: Uint8Array | undefined;
  readonly #repetition: Uint8Array | undefined;
  /** The values that are there, packed. */
  readonly #present: Uint32Array;
  #slots = 0;
  #presentCount = 0;

  constructor(source: ByteSource, footer: Footer, group: number, column: number) {
    const index = group * footer.columns.length + column;
    this.#leaf = footer.columns[column]!;
    this.#codec = footer.chunks.codec[index]!;
    this.#valueCount = footer.chunks.valueCount[index]!;
    this.#rowCount = footer.rowsOfGroup[group]!;
    if (!(this.#valueCount >= 0 && this.#valueCount <= MAX_PAGE_BYTES / 8)) {
      throw new ParquetError(`it claims ${this.#valueCount} values`);
    }
    this.#chunk = source.read(footer.chunks.offset[index]!, footer.chunks.compressedBytes[index]!);
    if (this.#leaf.maxDefinition > 0) this.#definition = scratchLevels("definition", this.#valueCount);
    if (this.#leaf.maxRepetition > 0) this.#repetition = scratchLevels("repetition", this.#valueCount);
    this.#present = new Uint32Array(2 * this.#valueCount);
  }

  decode(): ColumnData {
    const reader = new ThriftReader(this.#chunk);
    while (this.#slots < this.#valueCount) {
      if (reader.at >= this.#chunk.length) {
        throw new ParquetError(`its pages end after ${this.#slots} of ${this.#valueCount} values`);
      }
      const header = readPageHeader(reader);
      const end = reader.at + header.compressedBytes;
      if (end > this.#chunk.length) throw new ParquetError("a page reaches beyond its column chunk");
      const body = this.#chunk.subarray(reader.at, end);
      reader.at = end;
      if (header.kind === PAGE.dictionary) this.#readDictionary(header, body);
      else if (header.kind === PAGE.data) {
        this.#readPageV1(header, decompress(this.#codec, body, header.sizeBytes));
      } else if (header.kind === PAGE.dataV2) this.#readPageV2(header, body);
      else if (header.kind !== PAGE.index) throw new ParquetError(`a page is of unknown kind ${header.kind}`);
    }
    return this.#leaf.maxRepetition > 0 ? this.#lists() : this.#numbers();
  }

  #readDictionary(header: PageHeader, body: Uint8Array): void {
    if (header.valueCount > header.sizeBytes / 8) throw new ParquetError("its dictionary is cut off");
    this.#dictionary = new Uint32Array(2 * header.valueCount);
    decodePlain(decompress(this.#codec, body, header.sizeBytes), 0, this.#dictionary, header.valueCount);
  }

  #readPageV1(header: PageHeader, bytes: Uint8Array): void {
    let at = 0;
    for (const [levels, max] of this.#levels()) {
      if (levels === undefined) continue;
      if (at + 4 > bytes.length) throw new ParquetError("a page's levels are cut off");
      const size = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
      at += 4;
      if (at + size > bytes.length) throw new ParquetError("a page's levels are cut off");
      this.#readLevels(bytes.subarray(at, at + size), levels, max, header.valueCount);
      at += size;
    }
    this.#readValues(header, bytes, at);
  }

  #readPageV2(header: PageHeader, body: Uint8Array): void {
    const levelBytes = header.repetitionBytes + header.definitionBytes;
    if (levelBytes > body.length) throw new ParquetError("a page's levels are cut off");
    const sizes = [header.repetitionBytes, header.definitionBytes];
    let at = 0;
    this.#levels().forEach(([levels, max], index) => {
      if (levels !== undefined) {
        this.#readLevels(body.subarray(at, at + sizes[index]!), levels, max, header.valueCount);
      }
      at += sizes[index]!;
    });
    const codec = header.compressed ? this.#codec : CODEC.none;
    this.#readValues(header, decompress(codec, body.subarray(levelBytes), header.sizeBytes - levelBytes), 0);
  }

  /** Repetition levels come first. */
  #levels(): [Uint8Array | undefined, number][] {
    return [[this.#repetition, this.#leaf.maxRepetition], [this.#definition, this.#leaf.maxDefinition]];
  }

  #readLevels(bytes: Uint8Array, levels: Uint8Array, max: number, count: number): void {
    if (this.#slots + count > this.#valueCount) {
      throw new ParquetError("its pages hold more values than it claims");
    }
    decodeHybrid(bytes, 0, 32 - Math.clz32(max), levels.subarray(this.#slots), count);
  }

  #readValues(header: PageHeader, bytes: Uint8Array, from: number): void {
    const count = header.valueCount;
    if (this.#slots + count > this.#valueCount) {
      throw new ParquetError("its pages hold more values than it claims");
    }
    const present = this.#definition === undefined
      ? count
      : countOf(this.#definition.subarray(this.#slots, this.#slots + count), this.#leaf.maxDefinition);
    const out = this.#present.subarray(2 * this.#presentCount);
    if (header.encoding === ENCODING.plain) decodePlain(bytes, from, out, present);
    else if (header.encoding === ENCODING.delta) decodeDelta(bytes, from, out, present);
    else if (header.encoding === ENCODING.dictionary || header.encoding === ENCODING.plainDictionary) {
      this.#readIndexes(bytes, from, out, present);
    } else throw new ParquetError(`a page has encoding ${header.encoding}, which this build does not read`);
    this.#slots += count;
    this.#presentCount += present;
  }

  #readIndexes(bytes: Uint8Array, from: number, out: Uint32Array, count: number): void {
    const dictionary = this.#dictionary;
    if (dictionary === undefined) throw new ParquetError("a page refers to a dictionary that is not there");
    if (count === 0) return;
    const indexes = new Uint32Array(count);
    decodeHybrid(bytes, from + 1, bytes[from] ?? 0, indexes, count);
    const size = dictionary.length >>> 1;
    for (let index = 0; index < count; index++) {
      const entry = indexes[index]!;
      if (entry >= size) throw new ParquetError(`a page refers to entry ${entry} of a dictionary of ${size}`);
      out[2 * index] = dictionary[2 * entry]!;
      out[2 * index + 1] = dictionary[2 * entry + 1]!;
    }
  }

  #numbers(): ColumnData {
    const rowCount = this.#rowCount;
    if (this.#valueCount !== rowCount) {
      throw new ParquetError(`it has ${this.#valueCount} values for ${rowCount} rows`);
    }
    if (this.#presentCount === rowCount) return { rowCount, words: this.#present };
    const words = new Uint32Array(2 * rowCount);
    const missing = new Uint8Array(rowCount);
    for (let row = 0, from = 0; row < rowCount; row++) {
      if (this.#definition![row] !== this.#leaf.maxDefinition) {
        missing[row] = 1;
        continue;
      }
      words[2 * row] = this.#present[from++]!;
      words[2 * row + 1] = this.#present[from++]!;
    }
    return { rowCount, words, missing };
  }

  /** Elements that are null count as zero: no recorder writes them. */
  #lists(): ColumnData {
    const { elementDefinition, maxDefinition } = this.#leaf;
    const rowCount = this.#rowCount;
    const [definition, repetition] = [this.#definition!, this.#repetition!];
    if (this.#presentCount === this.#valueCount) return this.#wholeLists(repetition);
    const offsets = new Uint32Array(rowCount + 1);
    let missing: Uint8Array | undefined;
    let [row, elements] = [-1, 0];
    for (let slot = 0; slot < this.#valueCount; slot++) {
      if (repetition[slot] === 0) {
        row++;
        if (row >= rowCount) throw new ParquetError(`it has more lists than its ${rowCount} rows`);
        offsets[row] = elements;
      } else if (row < 0) throw new ParquetError("its first list has no beginning");
      const level = definition[slot]!;
      if (level >= elementDefinition) elements++;
      else if (level < elementDefinition - 1) { // below an empty list: no list at all
        missing ??= new Uint8Array(rowCount);
        missing[row] = 1;
      }
    }
    if (row !== rowCount - 1) throw new ParquetError(`it has ${row + 1} lists for ${rowCount} rows`);
    offsets[rowCount] = elements;
    let words = this.#present.subarray(0, 2 * elements);
    if (elements !== this.#presentCount) { // some elements are null
      words = new Uint32Array(2 * elements);
      for (let slot = 0, from = 0, to = 0; slot < this.#valueCount; slot++) {
        if (definition[slot]! < elementDefinition) continue;
        if (definition[slot] === maxDefinition) {
          words[to] = this.#present[from++]!;
          words[to + 1] = this.#present[from++]!;
        }
        to += 2;
      }
    }
    return missing === undefined ? { rowCount, words, offsets } : { rowCount, words, offsets, missing };
  }

  /** The usual case: no list is missing or empty, no element null. A list begins where the repetition level is 0. */
  #wholeLists(repetition: Uint8Array): ColumnData {
    const rowCount = this.#rowCount;
    const offsets = new Uint32Array(rowCount + 1);
    let row = 0;
    for (let slot = repetition.indexOf(0); slot >= 0; slot = repetition.indexOf(0, slot + 1)) {
      if (row === rowCount) throw new ParquetError(`it has more lists than its ${rowCount} rows`);
      offsets[row++] = slot;
    }
    if (row !== rowCount) throw new ParquetError(`it has ${row} lists for ${rowCount} rows`);
    if (offsets[0] !== 0) throw new ParquetError("its first list has no beginning");
    offsets[rowCount] = this.#valueCount;
    return { rowCount, words: this.#present, offsets };
  }
}

/** How many levels are `max`; searching for a lower one is many times faster than counting. */
function countOf(levels: Uint8Array, max: number): number {
  let isWhole = true;
  for (let lower = 0; lower < max && isWhole; lower++) isWhole = !levels.includes(lower);
  return isWhole ? levels.length : levels.reduce((count, level) => count + (level === max ? 1 : 0), 0);
}

function readPageHeader(reader: ThriftReader): PageHeader {
  let [kind, sizeBytes, compressedBytes, valueCount, encoding] = [-1, 0, 0, 0, -1];
  let [definitionBytes, repetitionBytes, compressed] = [0, 0, true];
  reader.struct((id) => {
    if (id === 1) kind = reader.zigzag();
    else if (id === 2) sizeBytes = reader.zigzag();
    else if (id === 3) compressedBytes = reader.zigzag();
    else if (id === 5 || id === 7) {
      reader.struct((field) => {
        if (field === 1) valueCount = reader.zigzag();
        else if (field === 2) encoding = reader.zigzag();
        else reader.skip();
      });
    } else if (id === 8) {
      reader.struct((field) => {
        if (field === 1) valueCount = reader.zigzag();
        else if (field === 4) encoding = reader.zigzag();
        else if (field === 5) definitionBytes = reader.zigzag();
        else if (field === 6) repetitionBytes = reader.zigzag();
        else if (field === 7) compressed = reader.boolean();
        else reader.skip();
      });
    } else reader.skip();
  });
  for (const size of [sizeBytes, compressedBytes, valueCount, definitionBytes, repetitionBytes]) {
    if (!(size >= 0 && size <= MAX_PAGE_BYTES)) {
      throw new ParquetError(`a page's header has a size of ${size}`);
    }
  }
  return {
    kind,
    sizeBytes,
    compressedBytes,
    valueCount,
    encoding,
    definitionBytes,
    repetitionBytes,
    compressed,
  };
}
