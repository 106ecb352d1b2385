/**
 * A parquet file's footer: its columns, row groups and key-values.
 *
 * A day of three thousand columns has half a million column chunks; what is needed of each goes into flat arrays of
 * numbers instead of objects. Source: `parquet.thrift` of Apache Parquet.
 * @module
 */
import { type ArrowField, decodeArrowSchema } from "./arrow_schema.ts";
import type { ByteSource } from "./byte_source.ts";
import { ParquetError } from "./error.ts";
import { ThriftReader } from "./thrift.ts";

/** Physical types of parquet. */
export const PHYSICAL = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  bytes: 6,
  fixed: 7,
} as const;

/** A leaf column. */
export interface ParquetColumn {
  readonly field: ArrowField;
  /** One of `PHYSICAL`. */
  readonly physicalType: number;
  /** Definition level of a value that is there; levels below stand for nulls (and empty lists). */
  readonly maxDefinition: number;
  /** 1 for lists. */
  readonly maxRepetition: number;
  /** Lowest definition level at which a list has an element, be it null. */
  readonly elementDefinition: number;
}

/** What is known of a column chunk without reading it; index is `rowGroup * columns.length + column`. */
export interface ChunkTable {
  /** Number of a compression codec. */
  readonly codec: Uint8Array;
  readonly valueCount: Float64Array;
  readonly offset: Float64Array;
  readonly compressedBytes: Float64Array;
}

/** A footer. */
export interface Footer {
  readonly columns: readonly ParquetColumn[];
  readonly rowCount: number;
  readonly rowsOfGroup: readonly number[];
  readonly chunks: ChunkTable;
  readonly keyValues: ReadonlyMap<string, string>;
  readonly createdBy: string;
}

const MAGIC = 0x3152_4150; // "PAR1", little-endian
const ENCRYPTED_MAGIC = 0x4552_4150; // "PARE"

/** Bytes read at first from the end: holds the footers of most files, saves a second read. */
const TAIL_BYTES = 256 * 1024;

/** A footer larger than this is refused: it would be a file of tens of millions of column chunks. */
const MAX_FOOTER_BYTES = 1 << 30;

/** Turns the text of `ARROW:schema` into fields; files that share it can share the fields. */
export type SchemaDecoder = (base64: string) => readonly ArrowField[];

/** Reads the footer of a file. @throws {ParquetError} When there is none or it is damaged. */
export function readFooter(source: ByteSource, decode: SchemaDecoder = decodeArrowSchema): Footer {
  if (source.sizeBytes < 12) {
    throw new ParquetError(`it has ${source.sizeBytes} bytes, too few for a parquet file`);
  }
  let tail = source.read(Math.max(0, source.sizeBytes - TAIL_BYTES), Math.min(TAIL_BYTES, source.sizeBytes));
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const magic = view.getUint32(tail.length - 4, true);
  if (magic === ENCRYPTED_MAGIC) throw new ParquetError("its footer is encrypted");
  if (magic !== MAGIC) {
    throw new ParquetError("it does not end in PAR1: cut short while it was written, or no parquet");
  }
  const footerBytes = view.getUint32(tail.length - 8, true);
  if (footerBytes > source.sizeBytes - 12 || footerBytes > MAX_FOOTER_BYTES) {
    throw new ParquetError(`its footer claims ${footerBytes} bytes of a file of ${source.sizeBytes}`);
  }
  if (footerBytes + 8 > tail.length) tail = source.read(source.sizeBytes - 8 - footerBytes, footerBytes + 8);
  return parseFooter(tail.subarray(tail.length - 8 - footerBytes, tail.length - 8), source.sizeBytes, decode);
}

interface SchemaElement {
  readonly name: string;
  readonly physicalType: number;
  /** 0 required, 1 optional, 2 repeated. */
  readonly repetition: number;
  readonly childCount: number;
  /** True for UINT_64. */
  readonly unsigned: boolean;
}

function parseFooter(bytes: Uint8Array, fileBytes: number, decode: SchemaDecoder): Footer {
  const reader = new ThriftReader(bytes);
  const elements: SchemaElement[] = [];
  const keyValues = new Map<string, string>();
  let [rowCount, createdBy, groupsAt] = [0, "", -1];
  reader.struct((id) => {
    if (id === 2) {
      for (let left = reader.listHeader(); left > 0; left--) elements.push(readElement(reader));
    } else if (id === 3) rowCount = reader.zigzag();
    else if (id === 4) {
      groupsAt = reader.at; // read below, when the number of columns is known
      reader.skip();
    } else if (id === 5) {
      for (let left = reader.listHeader(); left > 0; left--) readKeyValue(reader, keyValues);
    } else if (id === 6) createdBy = reader.text();
    else reader.skip();
  });
  const schema = keyValues.get("ARROW:schema");
  const columns = leavesOf(elements, schema === undefined ? undefined : decode(schema));
  const groups = groupsAt < 0 ? { rowsOfGroup: [], chunks: emptyChunks(0) } : readGroups(
    new ThriftReader(bytes, groupsAt),
    columns.length,
    fileBytes,
  );
  const sum = groups.rowsOfGroup.reduce((total, rows) => total + rows, 0);
  if (sum !== rowCount) {
    throw new ParquetError(`its footer says ${rowCount} rows, its row groups have ${sum}`);
  }
  return { columns, rowCount, ...groups, keyValues, createdBy };
}

function readElement(reader: ThriftReader): SchemaElement {
  let [name, physicalType, repetition, childCount, converted] = ["", -1, 0, 0, -1];
  reader.struct((id) => {
    if (id === 1) physicalType = reader.zigzag();
    else if (id === 3) repetition = reader.zigzag();
    else if (id === 4) name = reader.text();
    else if (id === 5) childCount = reader.zigzag();
    else if (id === 6) converted = reader.zigzag();
    else reader.skip();
  });
  return { name, physicalType, repetition, childCount, unsigned: converted === 14 };
}

function readKeyValue(reader: ThriftReader, into: Map<string, string>): void {
  let [key, value] = ["", ""];
  reader.struct((id) => {
    if (id === 1) key = reader.text();
    else if (id === 2) value = reader.text();
    else reader.skip();
  });
  into.set(key, value);
}

/** Walks the schema's tree. A top-level field is a plain column or a list; what is nested deeper is refused. */
function leavesOf(
  elements: readonly SchemaElement[],
  arrow: readonly ArrowField[] | undefined,
): ParquetColumn[] {
  const root = elements[0];
  if (root === undefined) throw new ParquetError("its footer has no schema");
  if (arrow !== undefined && arrow.length !== root.childCount) {
    throw new ParquetError(`its ARROW:schema has ${arrow.length} fields, its schema ${root.childCount}`);
  }
  const columns: ParquetColumn[] = [];
  let next = 1;
  for (let top = 0; top < root.childCount; top++) {
    const first = elements[next]?.name ?? "?";
    let [definition, repetition, elementDefinition, nullable] = [0, 0, 0, false];
    for (let depth = 0;; depth++) {
      const element = elements[next++];
      if (element === undefined) throw new ParquetError(`its schema ends inside column "${first}"`);
      if (depth === 0) nullable = element.repetition === 1;
      definition += element.repetition === 0 ? 0 : 1;
      if (element.repetition === 2) {
        repetition++;
        elementDefinition = definition;
      }
      if (element.childCount > 1 || repetition > 1) {
        throw new ParquetError(`its column "${first}" is nested deeper than a list of numbers`);
      }
      if (element.childCount === 1) continue;
      const isInteger = element.physicalType === PHYSICAL.int64;
      const type = !isInteger ? "other" : repetition === 1 ? "list<u64>" : element.unsigned ? "u64" : "i64";
      const field = arrow?.[top] ?? { name: first, type, nullable, metadata: {} };
      columns.push({
        field: { ...field, type },
        physicalType: element.physicalType,
        maxDefinition: definition,
        maxRepetition: repetition,
        elementDefinition,
      });
      break;
    }
  }
  return columns;
}

function emptyChunks(count: number): ChunkTable {
  return {
    codec: new Uint8Array(count),
    valueCount: new Float64Array(count),
    offset: new Float64Array(count),
    compressedBytes: new Float64Array(count),
  };
}

function readGroups(
  reader: ThriftReader,
  columnCount: number,
  fileBytes: number,
): { rowsOfGroup: number[]; chunks: ChunkTable } {
  const groupCount = reader.listHeader();
  const rowsOfGroup: number[] = [];
  const chunks = emptyChunks(groupCount * columnCount);
  for (let group = 0; group < groupCount; group++) {
    let [rows, chunkCount] = [0, 0];
    reader.struct((id) => {
      if (id === 3) rows = reader.zigzag();
      else if (id === 1) {
        chunkCount = reader.listHeader();
        if (chunkCount !== columnCount) {
          throw new ParquetError(
            `its row group ${group} has ${chunkCount} columns, its schema ${columnCount}`,
          );
        }
        for (let column = 0; column < chunkCount; column++) {
          readChunk(reader, chunks, group * columnCount + column);
        }
      } else reader.skip();
    });
    if (chunkCount !== columnCount) throw new ParquetError(`its row group ${group} has no columns`);
    rowsOfGroup.push(rows);
  }
  for (let index = 0; index < chunks.offset.length; index++) {
    const end = chunks.offset[index]! + chunks.compressedBytes[index]!;
    if (!(chunks.offset[index]! >= 4 && chunks.compressedBytes[index]! >= 0 && end <= fileBytes)) {
      throw new ParquetError(
        `its column chunk ${index} lies at bytes ${chunks.offset[index]} to ${end} of ${fileBytes}`,
      );
    }
  }
  return { rowsOfGroup, chunks };
}

function readChunk(reader: ThriftReader, chunks: ChunkTable, index: number): void {
  reader.struct((id) => {
    if (id !== 3) {
      if (id === 1) throw new ParquetError("its columns lie in another file");
      reader.skip();
      return;
    }
    let [dataAt, dictionaryAt] = [0, 0];
    reader.struct((meta) => {
      if (meta === 4) chunks.codec[index] = reader.zigzag();
      else if (meta === 5) chunks.valueCount[index] = reader.zigzag();
      else if (meta === 7) chunks.compressedBytes[index] = reader.zigzag();
      else if (meta === 9) dataAt = reader.zigzag();
      else if (meta === 11) dictionaryAt = reader.zigzag();
      else reader.skip();
    });
    // Some writers leave 0 where there is no dictionary.
    chunks.offset[index] = dictionaryAt > 0 && dictionaryAt < dataAt ? dictionaryAt : dataAt;
  });
}
