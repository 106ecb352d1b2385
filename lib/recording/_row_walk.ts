/** Walks the rows of damaged tables: around each page that SQLite cannot read, to the next one that it can. @module */
import type { DatabaseSync } from "node:sqlite";

/** A row by its columns; `row_id` is its place in the table. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows are looked for in this many places behind the last one, each twice as far off: no table has 2⁴⁰ rows. */
const MAX_DOUBLINGS = 40;

/** Reads tables row by row, without their indexes, which may be damaged too. */
export class RowWalk {
  constructor(readonly db: DatabaseSync) {}

  /** Returns each row that can be read, in the table's order. A table that is lost has none. */
  *rows(table: string, columns: string): Generator<Row> {
    let next: (after: bigint) => Row | undefined;
    try {
      const statement = this.db.prepare(
        `SELECT rowid AS row_id, ${columns} FROM ${table} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT 1`,
      );
      statement.setReadBigInts(true);
      next = (after) => statement.get(after);
    } catch (error) {
      if (isSqliteError(error)) return; // The file has no such table any more.
      throw error;
    }
    const reads = (after: bigint) => {
      const found = attempt(() => ({ row: next(after) }));
      // A damaged tree can lead back to where one was, for ever.
      return found?.row === undefined || found.row["row_id"] as bigint > after ? found : undefined;
    };
    for (let after: bigint | undefined = 0n; after !== undefined;) {
      const found = reads(after);
      if (found === undefined) after = firstReadable(after, (each) => reads(each) !== undefined);
      else if (found.row === undefined) return;
      else {
        yield found.row;
        after = found.row["row_id"] as bigint;
      }
    }
  }

  /** Returns a column of bytes; `undefined` when it cannot be read, or is none. */
  blob(table: string, column: string, rowId: bigint): Uint8Array | undefined {
    const row = attempt(() =>
      this.db.prepare(`SELECT ${column} AS bytes FROM ${table} NOT INDEXED WHERE rowid = ?`).get(rowId)
    );
    return row?.["bytes"] instanceof Uint8Array ? row["bytes"] : undefined;
  }

  /** How long each look took, up to the first that cannot be read. */
  *durations(recordingId: number): Generator<[timestampNs: bigint, durationNs: bigint]> {
    const statement = attempt(() =>
      this.db.prepare(
        "SELECT ts, duration_ns FROM hostkit_ticks WHERE recording_id = ? AND ts > ? ORDER BY ts LIMIT 1",
      )
    );
    statement?.setReadBigInts(true);
    for (let after = 0n; statement !== undefined;) {
      const row = attempt(() => statement.get(recordingId, after));
      const [ts, durationNs] = [row?.["ts"], row?.["duration_ns"]];
      // A damaged tree can lead back to where one was, for ever.
      if (typeof ts !== "bigint" || typeof durationNs !== "bigint" || ts <= after) return;
      yield [ts, durationNs];
      after = ts;
    }
  }
}

/** The first place behind `after` that can be read; `undefined` when there is none. */
function firstReadable(after: bigint, readable: (place: bigint) => boolean): bigint | undefined {
  let [bad, step] = [after, 1n];
  for (let doubling = 0; doubling < MAX_DOUBLINGS; doubling++, step *= 2n) {
    let good = after + step;
    if (!readable(good)) {
      bad = good;
      continue;
    }
    while (good - bad > 1n) {
      const middle = (good + bad) / 2n;
      if (readable(middle)) good = middle;
      else bad = middle;
    }
    return good;
  }
  return undefined;
}

/** Returns what `read` gives; `undefined` when SQLite finds damage. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSqliteError(error)) return undefined; // told by what is missing in the end
    throw error;
  }
}

function isSqliteError(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";
}
