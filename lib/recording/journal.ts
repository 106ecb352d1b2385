/**
 * The journal that a recording is written to: a `.rez` to which each tick is added as one transaction, written when
 * `append` returns. Killed at any instant it has every tick but perhaps the one being written; a power cut can take what
 * was not synced yet.
 *
 * Rows become compressed segments in the background, so that memory stays flat and the file small.
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { Schema, Snapshot } from "../metrics/mod.ts";
import { encodeGroupRow } from "./group_row.ts";
import {
  createRez,
  insertRecording,
  prepareTick,
  type TickStatements,
  transaction,
  updateMetadata,
} from "./rez_db.ts";
import type { Sealer, SealJob } from "./sealer.ts";

/** Rows of a table after which they are sealed: five minutes at one a second. Twice as many take twice the memory. */
const SEGMENT_ROWS = 300;

/** Bytes of a table's rows after which they are sealed; they are held in memory while that is done. */
const SEGMENT_BYTES = 4 << 20;

/**
 * Time of the recording after which the sealer syncs what was appended: what a power cut, not a kill, can take. A sync
 * at each tick would make ticks late and disturb the disk that is being watched.
 */
const SYNC_NS = 10_000_000_000n;

/** How to keep a journal. */
export interface JournalOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly sealer: Sealer;
  /** Told in one line when rows could not be sealed; they stay as they are, and are tried again at the end. */
  readonly onProblem?: (text: string) => void;
  readonly segmentRows?: number;
}

/** Where a tick stands on the recording's axis of time. */
export interface TickTime {
  /** Unix time in nanoseconds; ascends from tick to tick. */
  readonly timestampNs: bigint;
  /** What the wall clock said more than that. */
  readonly wallOffsetNs: bigint;
}

/** A journal that could not be written, in one line that names file and finding. */
export class JournalError extends Error {
  constructor(doing: string, path: string, cause: unknown) {
    super(`Cannot ${doing} recording ${path}: ${describe(cause)}`, { cause });
    this.name = "JournalError";
  }
}

interface RecordingStart {
  readonly id: number;
  readonly clockAnchorNs: bigint;
}

interface TableState {
  /** The schema that stands before the rows not sealed yet. */
  schema: Schema | undefined;
  rows: number;
  bytes: number;
}

/** A journal open for appending. Disposing of it without `finish` leaves it as a kill would. */
export class Journal implements Disposable {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #recordingId: number;
  readonly #statements: TickStatements;
  readonly #tables = new Map<string, TableState>();
  readonly #options: JournalOptions;
  readonly #sealing = new Set<Promise<void>>();
  #ticks = 0;
  #syncedNs: bigint;

  private constructor(path: string, db: DatabaseSync, start: RecordingStart, options: JournalOptions) {
    this.path = path;
    this.#syncedNs = start.clockAnchorNs;
    this.#db = db;
    this.#recordingId = start.id;
    this.#statements = prepareTick(db);
    this.#options = options;
  }

  /** Creates the journal. @throws {JournalError} When `path` exists already or cannot be written. */
  static create(path: string, clockAnchorNs: bigint, options: JournalOptions): Journal {
    try {
      Deno.openSync(path, { write: true, createNew: true }).close(); // SQLite would go on with a file that is there
      const db = createRez(path);
      const id = insertRecording(db, options.labels ?? {}, options.metadata ?? {}, clockAnchorNs);
      return new Journal(path, db, { id, clockAnchorNs }, options);
    } catch (error) {
      throw new JournalError("create", path, error);
    }
  }

  /** @throws {JournalError} When there is a file at `path`: it would be another recording. */
  static checkFree(path: string): void {
    try {
      Deno.lstatSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw new JournalError("create", path, error);
    }
    throw new JournalError("create", path, new Deno.errors.AlreadyExists());
  }

  /** Ticks appended so far. */
  get ticks(): number {
    return this.#ticks;
  }

  /** Appends a tick. When it fails nothing of the tick is kept and all before it stays. @throws {JournalError} */
  append(snapshot: Snapshot, { timestampNs, wallOffsetNs }: TickTime): void {
    try {
      const seen = new Set<string>();
      const rows = snapshot.groups.map((group) => {
        const table = tableName(group.name);
        if (seen.has(table)) throw new RangeError(`the snapshot has two groups named "${table}"`);
        seen.add(table);
        const anchored = this.#tables.get(table)?.schema !== group.schema;
        return { table, schema: group.schema, bytes: encodeGroupRow(group, anchored) };
      });
      transaction(this.#db, () => {
        this.#statements.tick.run(this.#recordingId, timestampNs, snapshot.durationNs);
        for (const { table, bytes } of rows) {
          this.#statements.wal.run(this.#recordingId, table, timestampNs, wallOffsetNs, bytes);
        }
      });
      this.#ticks++;
      for (const { table, schema, bytes } of rows) this.#account(table, schema, bytes.length, timestampNs);
      if (timestampNs - this.#syncedNs >= SYNC_NS) {
        this.#syncedNs = timestampNs;
        this.#start({ kind: "sync", path: this.path }, "sync");
      }
    } catch (error) {
      throw new JournalError("append to", this.path, error);
    }
  }

  /** Replaces the recording's metadata. */
  setMetadata(metadata: Readonly<Record<string, string>>): void {
    updateMetadata(this.#db, this.#recordingId, metadata);
  }

  /** Seals what is left and marks the recording finished. @throws {JournalError} When that fails; nothing is lost. */
  async finish(): Promise<void> {
    await Promise.all(this.#sealing);
    this[Symbol.dispose]();
    try {
      await this.#options.sealer.run({ kind: "finish", path: this.path, recordingId: this.#recordingId });
    } catch (error) {
      throw new JournalError("finish", this.path, error);
    }
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #account(table: string, schema: Schema, byteCount: number, timestampNs: bigint): void {
    let state = this.#tables.get(table);
    if (state === undefined) this.#tables.set(table, state = { schema, rows: 0, bytes: 0 });
    state.schema = schema;
    state.rows++;
    state.bytes += byteCount;
    if (state.rows < (this.#options.segmentRows ?? SEGMENT_ROWS) && state.bytes < SEGMENT_BYTES) return;
    // The next row stands at the beginning of a segment and carries its schema.
    Object.assign(state, { schema: undefined, rows: 0, bytes: 0 });
    const { path } = this;
    this.#start(
      { kind: "seal", path, recordingId: this.#recordingId, table, untilNs: timestampNs },
      `seal "${table}" of`,
    );
  }

  #start(job: SealJob, doing: string): void {
    const running: Promise<void> = this.#options.sealer.run(job).then(
      () => {},
      (error: Error) => this.#options.onProblem?.(`Cannot ${doing} ${this.path}: ${error.message}`),
    ).finally(() => this.#sealing.delete(running));
    this.#sealing.add(running);
  }
}

/** Upstream tells tables of groups by the slash; groups made of flat snapshots have none. */
function tableName(group: string): string {
  return group.includes("/") ? group : `${group}/all`;
}

function describe(cause: unknown): string {
  if (cause instanceof Deno.errors.AlreadyExists) return "the file exists already";
  const message = cause instanceof Error ? cause.message : String(cause);
  // SQLite's own words; the error of a COMMIT carries no number.
  if (/disk is full/.test(message)) return "the disk is full; what was recorded before stays readable";
  if (/disk I\/O error/.test(message)) {
    return "the disk cannot be written; what was recorded before stays readable";
  }
  return message;
}
