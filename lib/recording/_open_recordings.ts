/** Opens a `.rez`: the recording that is asked for, or all as one; of a damaged file what can be read. @module */
import type { DatabaseSync } from "node:sqlite";
import { MsgpackError } from "../metrics/mod.ts";
import { combineRecordings } from "./_combined.ts";
import { FileSource } from "./_file_source.ts";
import { openRez, readContainer } from "./_open_rez.ts";
import type { Opened } from "./recording.ts";
import { openRezToRead, readRecordings } from "./rez_db.ts";
import { DamageError, isDamage, salvageRez } from "./_salvage.ts";

/** Opens the container; `recordingId` selects one of several recordings. @throws {Error} When nothing can be read. */
export function openRecordings(path: string, recordingId: number | undefined): Opened {
  try {
    checkLength(path);
    return together(recordingIds(path), recordingId, (id) => openRez(path, id));
  } catch (error) {
    if (!isDamage(error) && !(error instanceof MsgpackError)) throw error;
    const salvaged = salvageRez(path, (error as Error).message);
    if (salvaged === undefined) throw error;
    const { db, notes } = salvaged;
    try {
      const opened = together(idsOf(db), recordingId, (id) => readContainer(db, id));
      return { ...opened, notes: [...notes, ...opened.notes ?? []] };
    } catch (failure) {
      if (db.isOpen) db.close();
      throw failure;
    }
  }
}

/** Opens one recording, or each and all of them as one. */
function together(ids: readonly number[], wanted: number | undefined, open: (id?: number) => Opened): Opened {
  if (wanted !== undefined || ids.length < 2) return open(wanted);
  const opened: Opened[] = [];
  try {
    for (const id of ids) opened.push(open(id));
    return combineRecordings(opened, ids);
  } catch (error) {
    for (const each of opened) each[Symbol.dispose]();
    throw error;
  }
}

/** Where the first page has the pages' size, its own version and number of pages; and the version that this is of. */
const PAGE_SIZE_AT = 16;
const CHANGE_COUNTER_AT = 24;
const PAGE_COUNT_AT = 28;
const VALID_FOR_AT = 92;
const HEADER_BYTES = 100;

/**
 * A file that was cut may open all the same, with nothing where the end was.
 * @throws {DamageError} When it is shorter than it says, and no `-wal` file is beside it from which the end may come.
 */
function checkLength(path: string): void {
  using file = new FileSource(path);
  if (file.sizeBytes < HEADER_BYTES || hasLog(path)) return; // SQLite has its own words for what is no file of its
  const header = new DataView(file.read(0, HEADER_BYTES).buffer);
  if (header.getUint32(CHANGE_COUNTER_AT) !== header.getUint32(VALID_FOR_AT)) return;
  const pageBytes = header.getUint16(PAGE_SIZE_AT) === 1 ? 65_536 : header.getUint16(PAGE_SIZE_AT);
  const expected = pageBytes * header.getUint32(PAGE_COUNT_AT);
  if (file.sizeBytes < expected) {
    throw new DamageError(`it was cut short: ${file.sizeBytes} of ${expected} bytes are there`);
  }
}

function hasLog(path: string): boolean {
  try {
    return Deno.statSync(`${path}-wal`).size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Numbers of the recordings in a container. */
function recordingIds(path: string): number[] {
  const db = openRezToRead(path);
  try {
    return idsOf(db);
  } finally {
    db.close();
  }
}

function idsOf(db: DatabaseSync): number[] {
  return readRecordings(db).map(({ id }) => id);
}
