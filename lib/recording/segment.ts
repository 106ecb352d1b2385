/**
 * Segments: parquet files inside a journal, each holding some hundred rows of one group. @module
 */
import { type ParquetFile, ParquetWriter } from "./parquet/mod.ts";
import type { TablePart } from "./table.ts";

/** Upstream's segments carry their format's number under this key. */
const FORMAT_KEY = "metriken.format";
const FORMAT_VERSION = 1;

/** Returns a segment with the rows of `part`. */
export function encodeSegment(part: TablePart): Uint8Array {
  const pieces: Uint8Array[] = [];
  const keyValues: [string, string][] = [[FORMAT_KEY, String(FORMAT_VERSION)]];
  const writer = new ParquetWriter(part.fields, keyValues, (bytes) => pieces.push(bytes.slice()), "fast");
  writer.writeRowGroup(part.rowCount, (column) => part.read(column));
  const { sizeBytes } = writer.finish();
  const segment = new Uint8Array(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    segment.set(piece, at);
    at += piece.length;
  }
  return segment;
}

/** @throws {RangeError} When a segment is of a newer format. */
export function checkSegmentFormat(file: ParquetFile): void {
  const format = file.footer.keyValues.get(FORMAT_KEY) ?? String(FORMAT_VERSION);
  if (!(Number(format) <= FORMAT_VERSION)) {
    throw new RangeError(`its format is ${format}, this build reads up to ${FORMAT_VERSION}`);
  }
}

/** Returns the row groups of a parquet file as parts of a table. */
export function partsOf(file: ParquetFile): TablePart[] {
  return file.footer.rowsOfGroup.map((rowCount, group) => ({
    rowCount,
    fields: file.fields,
    read: (column) => file.readGroup(group, column),
  }));
}
