/** Opens a `.rez`: sealed segments, and the rows behind them that are not sealed yet. @module */
import type { DatabaseSync } from "node:sqlite";
import { type ArrowField, decodeArrowSchema, memorySource, ParquetFile } from "./parquet/mod.ts";
import { FlatRows } from "./_flat_row.ts";
import { GroupRows } from "./group_rows.ts";
import type { Opened } from "./recording.ts";
import {
  liveRows,
  openRezToRead,
  readDurations,
  readRecordings,
  readSegmentBytes,
  readSegments,
  readTableNames,
  type SegmentRow,
} from "./rez_db.ts";
import { checkSegmentFormat } from "./segment.ts";
import { RecordedTable, type TablePart } from "./table.ts";

/** Segments kept in memory while their columns are read; a segment has about 1 MiB. */
const MAX_SEGMENT_BYTES = 64 << 20;

/** Opens the container; `recordingId` selects one of several recordings. */
export function openRez(path: string, recordingId: number | undefined): Opened {
  const db = openRezToRead(path);
  try {
    // One transaction, so that a row which is being sealed meanwhile is seen once.
    db.exec("BEGIN");
    const opened = readContainer(db, recordingId);
    db.exec("COMMIT");
    return opened;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Reads an open container, which the result owns. */
export function readContainer(db: DatabaseSync, recordingId: number | undefined): Opened {
  const recordings = readRecordings(db);
  const recording = recordingId === undefined
    ? recordings[0]
    : recordings.find(({ id }) => id === recordingId);
  if (recording === undefined) {
    const there = recordings.map(({ id }) => id).join(", ") || "none";
    throw new RangeError(`it has no recording ${recordingId ?? ""}, there are: ${there}`);
  }
  const notes: string[] = [];
  if (recordingId === undefined && recordings.length > 1) {
    notes.push(
      `it holds ${recordings.length} recordings, this is the first; others: ${
        recordings.slice(1).map(({ id }) => id)
      }`,
    );
  }
  const segments = new Segments(db, recording.id);
  const byTable = Map.groupBy(readSegments(db, recording.id), ({ table }) => table);
  const tables: RecordedTable[] = [];
  for (const name of readTableNames(db, recording.id)) {
    const parts: TablePart[] = (byTable.get(name) ?? []).map((segment) => segments.part(segment));
    const tail = new GroupRows();
    const flat = name.includes("/") ? undefined : new FlatRows(name);
    for (const { timestampNs, wallOffsetNs, bytes } of liveRows(db, recording.id, name)) {
      tail.add(timestampNs, wallOffsetNs, flat === undefined ? bytes : flat.convert(bytes));
    }
    if (tail.rowCount > 0) parts.push(tail);
    if (tail.unanchoredCount > 0) {
      notes.push(`${tail.unanchoredCount} rows of "${name}" are left out: the row with their schema is gone`);
    }
    if (parts.length > 0) tables.push(new RecordedTable(name, parts));
  }
  return {
    format: "rez",
    complete: recording.complete,
    metadata: recording.metadata,
    labels: recording.labels,
    tables,
    durations: readDurations(db, recording.id),
    notes,
    [Symbol.dispose]: () => db.isOpen && db.close(),
  };
}

/** Segments read when a column of theirs is asked for. */
class Segments {
  readonly #files = new Map<string, { readonly file: ParquetFile; readonly byteCount: number }>();
  readonly #fields = new Map<string, readonly ArrowField[]>();
  #byteCount = 0;

  constructor(readonly db: DatabaseSync, readonly recordingId: number) {}

  part(segment: SegmentRow): TablePart {
    return {
      rowCount: segment.rowCount,
      fields: this.#fieldsOf(segment),
      span: segment,
      read: (column) => this.#open(segment).read(column),
    };
  }

  /** Equal columns are one array: a table's segments seldom differ. */
  #fieldsOf(segment: SegmentRow): readonly ArrowField[] {
    const { arrowSchema } = segment;
    return arrowSchema === undefined ? this.#open(segment).fields : this.#decode(arrowSchema);
  }

  #decode(arrowSchema: string): readonly ArrowField[] {
    let fields = this.#fields.get(arrowSchema);
    if (fields === undefined) {
      fields = decodeArrowSchema(arrowSchema);
      this.#fields.set(arrowSchema, fields);
    }
    return fields;
  }

  #open({ table, seq, rowCount }: SegmentRow): ParquetFile {
    const key = `${seq} ${table}`;
    const known = this.#files.get(key);
    if (known !== undefined) {
      this.#files.delete(key);
      this.#files.set(key, known);
      return known.file;
    }
    const bytes = readSegmentBytes(this.db, this.recordingId, table, seq);
    if (bytes === undefined) {
      throw new RangeError(`segment ${seq} of "${table}" is gone: retention has removed it`);
    }
    let file: ParquetFile;
    try {
      file = new ParquetFile(memorySource(bytes), (schema) => this.#decode(schema));
      checkSegmentFormat(file);
    } catch (error) {
      throw new SyntaxError(`segment ${seq} of "${table}": ${(error as Error).message}`, { cause: error });
    }
    if (file.rowCount !== rowCount) {
      throw new SyntaxError(
        `segment ${seq} of "${table}" has ${file.rowCount} rows, its entry says ${rowCount}`,
      );
    }
    this.#files.set(key, { file, byteCount: bytes.length });
    this.#byteCount += bytes.length;
    for (const [oldest, { byteCount }] of this.#files) {
      if (this.#byteCount <= MAX_SEGMENT_BYTES || oldest === key) break;
      this.#files.delete(oldest);
      this.#byteCount -= byteCount;
    }
    return file;
  }
}
