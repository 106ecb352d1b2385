/** One recording in a journal: its rows, and when they are due to be sealed. @module */
import type { DatabaseSync } from "node:sqlite";
import type { Schema, Snapshot } from "../metrics/mod.ts";
import { encodeGroupRow } from "./group_row.ts";
import { JournalError } from "./journal_error.ts";
import { insertRecording, prepareTick, type TickStatements, transaction, updateRecording } from "./rez_db.ts";
import type { SealJob } from "./sealer.ts";

/** Rows of a table after which they are sealed: five minutes at one a second. Twice as many take twice the memory. */
const SEGMENT_ROWS = 300;

/** Bytes of a table's rows after which they are sealed; they are held in memory while that is done. */
const SEGMENT_BYTES = 4 << 20;

/**
 * Time of the recording after which the sealer syncs what was appended: what a power cut, not a kill, can take. A sync
 * at each tick would make ticks late and disturb the disk that is being watched.
 */
const SYNC_NS = 10_000_000_000n;

/** What is said of a recording as a whole. */
export interface RecordingInfo {
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Where a tick stands on the recording's axis of time. */
export interface TickTime {
  /** Unix time in nanoseconds; ascends from tick to tick. */
  readonly timestampNs: bigint;
  /** What the wall clock said more than that. */
  readonly wallOffsetNs: bigint;
}

/** What the recordings of one journal share. */
export interface JournalShared {
  readonly path: string;
  readonly db: DatabaseSync;
  readonly segmentRows?: number;
  /** Begins a job in the background; `doing` is for its error. */
  start(job: SealJob, doing: string): void;
}

interface TableState {
  /** The schema that stands before the rows not sealed yet. */
  schema: Schema | undefined;
  rows: number;
  bytes: number;
}

/** A recording that ticks are appended to, as long as its journal is open. */
export class JournalRecording {
  readonly #journal: JournalShared;
  readonly #id: number;
  readonly #statements: TickStatements;
  readonly #tables = new Map<string, TableState>();
  #ticks = 0;
  #syncedNs: bigint;

  constructor(journal: JournalShared, clockAnchorNs: bigint, { labels = {}, metadata = {} }: RecordingInfo) {
    this.#journal = journal;
    this.#syncedNs = clockAnchorNs;
    this.#id = this.#named("add to", () => insertRecording(journal.db, labels, metadata, clockAnchorNs));
    this.#statements = prepareTick(journal.db);
  }

  /** Ticks appended so far. */
  get ticks(): number {
    return this.#ticks;
  }

  /** Appends a tick. When it fails nothing of the tick is kept and all before it stays. @throws {JournalError} */
  append(snapshot: Snapshot, { timestampNs, wallOffsetNs }: TickTime): void {
    this.#named("append to", () => {
      const seen = new Set<string>();
      const rows = snapshot.groups.map((group) => {
        const table = tableName(group.name);
        if (seen.has(table)) throw new RangeError(`the snapshot has two groups named "${table}"`);
        seen.add(table);
        const anchored = this.#tables.get(table)?.schema !== group.schema;
        return { table, schema: group.schema, bytes: encodeGroupRow(group, anchored) };
      });
      transaction(this.#journal.db, () => {
        this.#statements.tick.run(this.#id, timestampNs, snapshot.durationNs);
        for (const { table, bytes } of rows) {
          this.#statements.wal.run(this.#id, table, timestampNs, wallOffsetNs, bytes);
        }
      });
      this.#ticks++;
      for (const { table, schema, bytes } of rows) this.#account(table, schema, bytes.length, timestampNs);
      if (timestampNs - this.#syncedNs >= SYNC_NS) {
        this.#syncedNs = timestampNs;
        this.#journal.start({ kind: "sync", path: this.#journal.path }, "sync");
      }
    });
  }

  /** Replaces the recording's metadata. @throws {JournalError} */
  setMetadata(metadata: Readonly<Record<string, string>>): void {
    this.#named("describe", () => updateRecording(this.#journal.db, this.#id, { metadata }));
  }

  /** Replaces the recording's labels. @throws {JournalError} */
  setLabels(labels: Readonly<Record<string, string>>): void {
    this.#named("describe", () => updateRecording(this.#journal.db, this.#id, { labels }));
  }

  #named<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new JournalError(doing, this.#journal.path, error);
    }
  }

  #account(table: string, schema: Schema, byteCount: number, timestampNs: bigint): void {
    let state = this.#tables.get(table);
    if (state === undefined) this.#tables.set(table, state = { schema, rows: 0, bytes: 0 });
    state.schema = schema;
    state.rows++;
    state.bytes += byteCount;
    if (state.rows < (this.#journal.segmentRows ?? SEGMENT_ROWS) && state.bytes < SEGMENT_BYTES) return;
    // The next row stands at the beginning of a segment and carries its schema.
    Object.assign(state, { schema: undefined, rows: 0, bytes: 0 });
    const { path } = this.#journal;
    this.#journal.start(
      { kind: "seal", path, recordingId: this.#id, table, untilNs: timestampNs },
      `seal "${table}" of`,
    );
  }
}

/** Upstream tells tables of groups by the slash; groups made of flat snapshots have none. */
function tableName(group: string): string {
  return group.includes("/") ? group : `${group}/all`;
}
