/**
 * The `.rez` v3 container: an SQLite file, and the only module that knows its SQL.
 *
 * Established from upstream's sources (rezolus `rez_sqlite.rs`, `rez_v3_writer.rs`; metriken `wal.rs`, `table.rs`): the
 * tables `recordings`, `segments`, `wal`, `clock_offsets`, `schema_version` (= 3) with their columns and index; labels
 * and metadata as JSON objects of strings; page size 4096, incremental auto-vacuum, WAL mode; `wal.row` as in
 * `group_row.ts`; `segments.bytes` as parquet with `timestamp`, `:wall_offset`, `:window_begin` (relative to the
 * timestamp), `:window_width` and the members' columns; a row of `wal` counts only when its `ts` is past the last sealed
 * segment of its table; a table of groups is named `<sampler>/<group>`.
 *
 * Ours, in tables that upstream's readers pass over: `hostkit_ticks` (how long each look took, which upstream's parquet
 * has and its `.rez` has not) and `hostkit_fields` with `hostkit_segment_fields` (each segment's columns, so that opening
 * a long recording need not read its segments). A file without them is read all the same. Segments are compressed by
 * ZSTD where upstream takes LZ4: both are read by both.
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** Version of the container, written once at its creation. */
export const REZ_VERSION = 3;

const SCHEMA = `
CREATE TABLE recordings(id INTEGER PRIMARY KEY, labels TEXT NOT NULL, metadata TEXT NOT NULL,
  complete INTEGER NOT NULL DEFAULT 0, clock_anchor_wall_ns INTEGER NOT NULL);
CREATE TABLE segments(recording_id INTEGER NOT NULL REFERENCES recordings(id), sampler TEXT NOT NULL,
  seq INTEGER NOT NULL, rows INTEGER NOT NULL, first_ts INTEGER NOT NULL, last_ts INTEGER NOT NULL,
  bytes BLOB NOT NULL, PRIMARY KEY (recording_id, sampler, seq));
CREATE INDEX segments_by_time ON segments(recording_id, sampler, last_ts);
CREATE TABLE wal(recording_id INTEGER NOT NULL, sampler TEXT NOT NULL, ts INTEGER NOT NULL,
  wall_offset INTEGER NOT NULL, row BLOB NOT NULL, PRIMARY KEY (recording_id, sampler, ts));
CREATE TABLE clock_offsets(recording_id INTEGER NOT NULL, ts INTEGER NOT NULL, offset_ns INTEGER NOT NULL);
CREATE TABLE schema_version(version INTEGER NOT NULL);
CREATE TABLE hostkit_ticks(recording_id INTEGER NOT NULL, ts INTEGER NOT NULL, duration_ns INTEGER NOT NULL,
  PRIMARY KEY (recording_id, ts)) WITHOUT ROWID;
CREATE TABLE hostkit_fields(id INTEGER PRIMARY KEY, arrow_schema TEXT NOT NULL UNIQUE);
CREATE TABLE hostkit_segment_fields(recording_id INTEGER NOT NULL, sampler TEXT NOT NULL, seq INTEGER NOT NULL,
  fields_id INTEGER NOT NULL, PRIMARY KEY (recording_id, sampler, seq)) WITHOUT ROWID;
INSERT INTO schema_version(version) VALUES (${REZ_VERSION});
`;

/** How long a statement waits for another connection's transaction before it fails. */
const BUSY_TIMEOUT_MS = 5_000;

/** Page cache of a connection; a writer never reads its segments back. */
const CACHE_KIB = 4_096;

/** Pages of the `-wal` file at which the appending connection itself moves them, if the sealer did not: 64 MiB. */
const CHECKPOINT_PAGES = 16_384;

/** A row of `recordings`. */
export interface RecordingRow {
  readonly id: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether it was finished, not cut off. */
  readonly complete: boolean;
}

/** A row of `segments`, without its bytes. */
export interface SegmentRow {
  readonly table: string;
  readonly seq: number;
  readonly rowCount: number;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** Its columns as `ARROW:schema`, where they are stored apart. */
  readonly arrowSchema: string | undefined;
}

/** A row of `wal`. */
export interface WalRow {
  readonly timestampNs: bigint;
  readonly wallOffsetNs: bigint;
  readonly bytes: Uint8Array;
}

/** Creates a container at `path`, which must not exist, and returns a connection. */
export function createRez(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  // These two take effect only before the first page is written.
  db.exec("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;");
  applyPragmas(db);
  db.exec(`BEGIN; ${SCHEMA} COMMIT;`);
  return db;
}

/**
 * Creates a container without a name, which goes away when it is closed or the process ends. Not by SQLite's own way to
 * ask for one, the empty path: Deno allows that only to those who have all permissions.
 */
export function createTemporaryRez(): DatabaseSync {
  const path = Deno.makeTempFileSync({ prefix: "hostkit-salvage-" });
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // Nobody else opens it, and after a crash it is gone: no file beside it, no sync.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}; BEGIN; ${SCHEMA} COMMIT;`);
    return db;
  } catch (error) {
    db?.close();
    throw error;
  } finally {
    Deno.removeSync(path);
  }
}

/** Opens a container to go on writing. */
export function openRezToWrite(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  applyPragmas(db);
  return db;
}

/**
 * Opens what is left of a damaged container: also one that is shorter than its own header says.
 * @throws {Error} When not even its first page can be read.
 */
export function openRezToSalvage(path: string): DatabaseSync {
  const options = { readOnly: true, timeout: BUSY_TIMEOUT_MS, defensive: false };
  const db = new DatabaseSync(path, options);
  try {
    // Without this SQLite refuses every page of a file that was cut. Nothing is written: the file is open to read only.
    db.exec("PRAGMA writable_schema = ON");
    db.prepare("SELECT count(*) AS n FROM sqlite_master").get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens a container to read. @throws {RangeError} When it is no container of a version that is read. */
export function openRezToRead(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    const hasVersion = db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'schema_version'")
      .get();
    if (hasVersion?.["n"] !== 1) {
      throw new RangeError("it is an SQLite database, but no .rez: it has no schema_version");
    }
    const version = db.prepare("SELECT version FROM schema_version").get()?.["version"];
    if (version !== REZ_VERSION) {
      throw new RangeError(`its .rez version is ${version}, this build reads ${REZ_VERSION}`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function applyPragmas(db: DatabaseSync): void {
  // A commit is in the kernel's hands when it returns, which outlives a kill; what outlives a power cut is what the
  // sealer has synced (`SYNC_NS` in `journal.ts`). FULL would sync at every tick: seen to take 290 ms on a busy disk.
  db.exec("PRAGMA synchronous = NORMAL");
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
}

/** Runs `work` as one transaction. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** Adds a recording and returns its id. */
export function insertRecording(
  db: DatabaseSync,
  labels: Readonly<Record<string, string>>,
  metadata: Readonly<Record<string, string>>,
  clockAnchorNs: bigint,
): number {
  const { lastInsertRowid } = db
    .prepare("INSERT INTO recordings(labels, metadata, complete, clock_anchor_wall_ns) VALUES (?, ?, 0, ?)")
    .run(JSON.stringify(labels), JSON.stringify(metadata), clockAnchorNs);
  return Number(lastInsertRowid);
}

/** Replaces a recording's labels or metadata. */
export function updateRecording(
  db: DatabaseSync,
  id: number,
  { labels, metadata }: Partial<Pick<RecordingRow, "labels" | "metadata">>,
): void {
  if (labels !== undefined) {
    db.prepare("UPDATE recordings SET labels = ? WHERE id = ?").run(JSON.stringify(labels), id);
  }
  if (metadata !== undefined) {
    db.prepare("UPDATE recordings SET metadata = ? WHERE id = ?").run(JSON.stringify(metadata), id);
  }
}

/** Lists the recordings of a container. @throws {SyntaxError} When labels or metadata are no JSON of texts. */
export function readRecordings(db: DatabaseSync): RecordingRow[] {
  return db.prepare("SELECT id, labels, metadata, complete FROM recordings ORDER BY id").all().map((row) => ({
    id: row["id"] as number,
    labels: textMap(row["labels"], "labels"),
    metadata: textMap(row["metadata"], "metadata"),
    complete: row["complete"] !== 0,
  }));
}

function textMap(json: unknown, what: string): Record<string, string> {
  const parsed: unknown = JSON.parse(String(json));
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new SyntaxError(`the recording's ${what} are ${JSON.stringify(parsed)}, expected names with texts`);
  }
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === "string"));
}

/** The statements of a tick, prepared once. */
export interface TickStatements {
  readonly wal: StatementSync;
  readonly tick: StatementSync;
}

/** Prepares the statements of a tick. */
export function prepareTick(db: DatabaseSync): TickStatements {
  return {
    wal: db.prepare("INSERT INTO wal(recording_id, sampler, ts, wall_offset, row) VALUES (?, ?, ?, ?, ?)"),
    tick: db.prepare("INSERT INTO hostkit_ticks(recording_id, ts, duration_ns) VALUES (?, ?, ?)"),
  };
}

/** Names of all tables of a recording, sealed or not. */
export function readTableNames(db: DatabaseSync, recordingId: number): string[] {
  const sql = "SELECT sampler FROM segments WHERE recording_id = ?1 UNION SELECT sampler FROM wal " +
    "WHERE recording_id = ?1 ORDER BY sampler";
  return db.prepare(sql).all(recordingId).map((row) => row["sampler"] as string);
}

/** Lists the segments of a recording in order, without reading their bytes. */
export function readSegments(db: DatabaseSync, recordingId: number): SegmentRow[] {
  const hasFields =
    db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'hostkit_segment_fields'").get() !== undefined;
  // Thousands of segments share a few schemas: each is read once.
  const schemas = new Map(
    hasFields
      ? db.prepare("SELECT id, arrow_schema FROM hostkit_fields").all().map(
        (row) => [row["id"] as number, row["arrow_schema"] as string],
      )
      : [],
  );
  const statement = db.prepare(
    hasFields
      ? "SELECT s.sampler, s.seq, s.rows, s.first_ts, s.last_ts, fields_id FROM segments s " +
        "LEFT JOIN hostkit_segment_fields USING (recording_id, sampler, seq) " +
        "WHERE s.recording_id = ? ORDER BY s.sampler, s.seq"
      : "SELECT sampler, seq, rows, first_ts, last_ts, NULL AS fields_id FROM segments " +
        "WHERE recording_id = ? ORDER BY sampler, seq",
  );
  statement.setReadBigInts(true);
  return statement.all(recordingId).map((row) => ({
    table: row["sampler"] as string,
    seq: Number(row["seq"]),
    rowCount: Number(row["rows"]),
    firstNs: row["first_ts"] as bigint,
    lastNs: row["last_ts"] as bigint,
    arrowSchema: schemas.get(Number(row["fields_id"])),
  }));
}

/** Returns a segment's bytes; `undefined` when retention has removed it. */
export function readSegmentBytes(
  db: DatabaseSync,
  recordingId: number,
  table: string,
  seq: number,
): Uint8Array | undefined {
  const sql = "SELECT bytes FROM segments WHERE recording_id = ? AND sampler = ? AND seq = ?";
  return db.prepare(sql).get(recordingId, table, seq)?.["bytes"] as Uint8Array | undefined;
}

/** Rows of a journal held at once: of the largest tables 4 MB. */
const ROWS_AT_ONCE = 64;

/** Walks the rows of a table that no segment covers, in order of time, up to `untilNs` when given. */
export function* liveRows(
  db: DatabaseSync,
  recordingId: number,
  table: string,
  untilNs = (1n << 63n) - 1n,
): Generator<WalRow> {
  const sealed = db.prepare("SELECT MAX(last_ts) AS ts FROM segments WHERE recording_id = ? AND sampler = ?");
  sealed.setReadBigInts(true);
  const statement = db.prepare(
    "SELECT ts, wall_offset, row FROM wal WHERE recording_id = ?1 AND sampler = ?2 AND ts <= ?3 AND ts > ?4 " +
      `ORDER BY ts LIMIT ${ROWS_AT_ONCE}`,
  );
  statement.setReadBigInts(true);
  let afterNs = sealed.get(recordingId, table)?.["ts"] as bigint | null ?? 0n;
  for (;;) {
    // Not `iterate()`: it ends at a damaged page as if there were no more rows.
    const rows = statement.all(recordingId, table, untilNs, afterNs);
    for (const row of rows) {
      yield {
        timestampNs: row["ts"] as bigint,
        wallOffsetNs: row["wall_offset"] as bigint,
        bytes: row["row"] as Uint8Array,
      };
    }
    if (rows.length < ROWS_AT_ONCE) return;
    afterNs = rows.at(-1)!["ts"] as bigint;
  }
}

/** How long each look took, by its time in nanoseconds; empty where that was not recorded. */
export function readDurations(db: DatabaseSync, recordingId: number): Map<bigint, bigint> {
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'hostkit_ticks'").get() === undefined) {
    return new Map();
  }
  const statement = db.prepare("SELECT ts, duration_ns FROM hostkit_ticks WHERE recording_id = ?");
  statement.setReadBigInts(true);
  return new Map(
    statement.all(recordingId).map((row) => [row["ts"] as bigint, row["duration_ns"] as bigint]),
  );
}

/** A segment to be stored. */
export interface NewSegment {
  readonly table: string;
  readonly rowCount: number;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  readonly bytes: Uint8Array;
  readonly arrowSchema: string;
  readonly wallOffsetNs: bigint;
}

/** Stores a segment as one transaction: from then on the rows that it covers no longer count. */
export function insertSegment(db: DatabaseSync, recordingId: number, segment: NewSegment): void {
  transaction(db, () => {
    const last = db.prepare("SELECT MAX(seq) AS seq FROM segments WHERE recording_id = ? AND sampler = ?")
      .get(recordingId, segment.table)?.["seq"] as number | null;
    const seq = last === null ? 0 : last + 1;
    db.prepare(
      "INSERT INTO segments(recording_id, sampler, seq, rows, first_ts, last_ts, bytes) VALUES (?,?,?,?,?,?,?)",
    )
      .run(recordingId, segment.table, seq, segment.rowCount, segment.firstNs, segment.lastNs, segment.bytes);
    db.prepare("INSERT OR IGNORE INTO hostkit_fields(arrow_schema) VALUES (?)").run(segment.arrowSchema);
    db.prepare(
      "INSERT INTO hostkit_segment_fields(recording_id, sampler, seq, fields_id) " +
        "SELECT ?, ?, ?, id FROM hostkit_fields WHERE arrow_schema = ?",
    ).run(recordingId, segment.table, seq, segment.arrowSchema);
    db.prepare("INSERT INTO clock_offsets(recording_id, ts, offset_ns) VALUES (?, ?, ?)")
      .run(recordingId, segment.lastNs, segment.wallOffsetNs);
  });
}

/** Rows removed per transaction, so that an append never waits for long. */
const PRUNED_ROWS = 100;

/** Removes rows that a segment covers. It may be left undone at any point: such rows do not count. */
export function pruneWal(db: DatabaseSync, recordingId: number, table: string, untilNs: bigint): void {
  const statement = db.prepare(
    "DELETE FROM wal WHERE rowid IN (SELECT rowid FROM wal WHERE recording_id = ? AND sampler = ? AND ts <= ? " +
      `LIMIT ${PRUNED_ROWS})`,
  );
  while (statement.run(recordingId, table, untilNs).changes === PRUNED_ROWS);
}

/** Marks a recording finished. */
export function markComplete(db: DatabaseSync, recordingId: number): void {
  db.prepare("UPDATE recordings SET complete = 1 WHERE id = ?").run(recordingId);
}
