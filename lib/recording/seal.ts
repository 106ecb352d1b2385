/** Turns rows of a journal into segments, and finishes a recording. Slow: for a worker, or when nothing else waits. @module */
import type { DatabaseSync } from "node:sqlite";
import { GroupRows } from "./group_rows.ts";
import { encodeArrowSchema } from "./parquet/mod.ts";
import { insertSegment, liveRows, markComplete, pruneWal, readRecordings, readTableNames } from "./rez_db.ts";
import { encodeSegment } from "./segment.ts";

/** Seals the unsealed rows of a table up to `untilNs` into one segment. Returns its number of rows, perhaps 0. */
export function sealTable(db: DatabaseSync, recordingId: number, table: string, untilNs?: bigint): number {
  const rows = new GroupRows();
  let wallOffsetNs = 0n;
  for (const row of liveRows(db, recordingId, table, untilNs)) {
    rows.add(row.timestampNs, row.wallOffsetNs, row.bytes);
    wallOffsetNs = row.wallOffsetNs;
  }
  const { span } = rows;
  if (span === undefined) return 0;
  insertSegment(db, recordingId, {
    table,
    rowCount: rows.rowCount,
    ...span,
    bytes: encodeSegment(rows),
    arrowSchema: encodeArrowSchema(rows.fields),
    wallOffsetNs,
  });
  pruneWal(db, recordingId, table, span.lastNs);
  return rows.rowCount;
}

/** Seals all that is left, marks all recordings finished and makes it one file, without `-wal` beside it. */
export function finishJournal(db: DatabaseSync): void {
  for (const { id } of readRecordings(db)) {
    for (const table of readTableNames(db, id)) {
      if (table.includes("/")) sealTable(db, id, table);
    }
    markComplete(db, id);
  }
  db.prepare("PRAGMA incremental_vacuum").all(); // gives back one page a step: it must be stepped to its end
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  leaveWalMode(db);
}

/** A reader that may not write would leave `-wal` and `-shm` behind; one that is there now keeps the mode as it is. */
function leaveWalMode(db: DatabaseSync): void {
  db.exec("PRAGMA busy_timeout = 0");
  try {
    db.prepare("PRAGMA journal_mode = DELETE").get();
  } catch (error) {
    if (!/database is locked/.test((error as Error).message)) throw error;
  }
}

/** Syncs what was appended and moves it from the `-wal` file into the main one, without making anyone wait. */
export function checkpoint(db: DatabaseSync): void {
  db.exec("PRAGMA wal_checkpoint(PASSIVE)");
}
