/**
 * The Arrow schema that parquet files carry under the key `ARROW:schema`: the only place where a column's own metadata
 * stands. It is a base64 Arrow IPC message holding a flatbuffer.
 * Source: `Message.fbs` and `Schema.fbs` of Apache Arrow.
 * @module
 */
import { ParquetError } from "./error.ts";
import { type FlatField, flatRoot, FlatTable, FlatWriter } from "./flatbuffer.ts";

/** Types of columns that recordings have. */
export type ArrowType = "u64" | "i64" | "list<u64>" | "other";

/** A column as Arrow describes it. */
export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

const CONTINUATION = 0xffff_ffff;
const METADATA_V5 = 4;
const HEADER_SCHEMA = 1;
const TYPE_INT = 2;
const TYPE_LIST = 12;

/** Returns the fields of an `ARROW:schema` value. @throws {ParquetError} When it is not one. */
export function decodeArrowSchema(base64: string): ArrowField[] {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw new ParquetError(`ARROW:schema is not base64: ${(cause as Error).message}`);
  }
  if (bytes.length < 8) throw new ParquetError(`ARROW:schema has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(0, true) === CONTINUATION ? 8 : 4; // before Arrow 0.15 there was no continuation
  const message = flatRoot(bytes.subarray(start));
  const schema = message.uint8(1) === HEADER_SCHEMA ? message.table(2) : undefined;
  if (schema === undefined) throw new ParquetError("ARROW:schema holds no schema message");
  return schema.tables(1).map(readField);
}

function readField(field: FlatTable): ArrowField {
  const pairs = field.tables(6).map((pair): [string, string] => [pair.text(0), pair.text(1)]);
  return {
    name: field.text(0),
    nullable: field.uint8(1) !== 0,
    type: readType(field),
    metadata: Object.fromEntries(pairs),
  };
}

function readType(field: FlatTable): ArrowType {
  const kind = field.uint8(2);
  const type = field.table(3);
  if (kind === TYPE_INT && type?.int32(0) === 64) return type.uint8(1) === 0 ? "u64" : "i64";
  if (kind === TYPE_LIST && field.tables(5).map(readType)[0] === "u64") return "list<u64>";
  return "other";
}

/** Returns the `ARROW:schema` value for `fields`. @throws {RangeError} For a type that is not written. */
export function encodeArrowSchema(fields: readonly ArrowField[]): string {
  const writer = new FlatWriter();
  const positions = fields.map((field) => writeField(writer, field));
  const schema = writer.table([undefined, offset(writer.tables(positions))]);
  const message = writer.table([
    { kind: "int16", value: METADATA_V5 },
    { kind: "uint8", value: HEADER_SCHEMA },
    offset(schema),
    { kind: "int64", value: 0 },
  ]);
  const flat = writer.finish(message);
  const bytes = new Uint8Array(8 + flat.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CONTINUATION, true);
  view.setUint32(4, flat.length, true);
  bytes.set(flat, 8);
  return bytes.toBase64();
}

function writeField(writer: FlatWriter, field: ArrowField): number {
  if (field.type === "other") {
    throw new RangeError(`Cannot write column "${field.name}": its type is not known`);
  }
  const pairs = Object.entries(field.metadata).map(([key, value]) =>
    writer.table([offset(writer.text(key)), offset(writer.text(value))])
  );
  const isList = field.type === "list<u64>";
  const children = isList
    ? writer.tables([writeField(writer, { name: "item", type: "u64", nullable: true, metadata: {} })])
    : writer.tables([]);
  const type = isList ? writer.table([]) : writeInteger(writer, field.type === "i64");
  const metadata = pairs.length === 0 ? undefined : offset(writer.tables(pairs));
  const name = offset(writer.text(field.name));
  return writer.table([
    name,
    { kind: "uint8", value: field.nullable ? 1 : 0 },
    { kind: "uint8", value: isList ? TYPE_LIST : TYPE_INT },
    offset(type),
    undefined,
    offset(children),
    metadata,
  ]);
}

function writeInteger(writer: FlatWriter, signed: boolean): number {
  return writer.table([{ kind: "int32", value: 64 }, signed ? { kind: "uint8", value: 1 } : undefined]);
}

function offset(value: number): FlatField {
  return { kind: "offset", value };
}
