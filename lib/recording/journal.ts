/**
 * The journal that a recording is written to: a `.rez` to which each tick is added as one transaction, written when
 * `append` returns. Killed at any instant it has every tick but perhaps the one being written; a power cut can take what
 * was not synced yet.
 *
 * Rows become compressed segments in the background, so that memory stays flat and the file small. Several sources
 * recorded together are several recordings of one journal, as upstream has it.
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { Snapshot } from "../metrics/mod.ts";
import { describeFailure, JournalError } from "./journal_error.ts";
import {
  JournalRecording,
  type JournalShared,
  type RecordingInfo,
  type TickTime,
} from "./_journal_recording.ts";
import { createRez } from "./rez_db.ts";
import type { Sealer, SealJob } from "./sealer.ts";

/** How to keep a journal. */
export interface JournalOptions extends RecordingInfo {
  readonly sealer: Sealer;
  /** Told in one line when rows could not be sealed; they stay as they are, and are tried again at the end. */
  readonly onProblem?: (text: string) => void;
  readonly segmentRows?: number;
}

/** A journal open for appending. Disposing of it without `finish` leaves it as a kill would. */
export class Journal implements Disposable {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #options: JournalOptions;
  readonly #sealing = new Set<Promise<void>>();
  readonly #first: JournalRecording;

  private constructor(path: string, db: DatabaseSync, clockAnchorNs: bigint, options: JournalOptions) {
    this.path = path;
    this.#db = db;
    this.#options = options;
    this.#first = this.addRecording(clockAnchorNs, options);
  }

  /** Creates the journal with its first recording. @throws {JournalError} When `path` exists already or cannot be written. */
  static create(path: string, clockAnchorNs: bigint, options: JournalOptions): Journal {
    let db: DatabaseSync | undefined;
    let isOurs = false;
    try {
      Deno.openSync(path, { write: true, createNew: true }).close(); // SQLite would go on with a file that is there
      isOurs = true;
      db = createRez(path);
      return new Journal(path, db, clockAnchorNs, options);
    } catch (error) {
      db?.close();
      // Nothing is in it, and the next recording would take it for an earlier one's.
      if (isOurs) removeJournal(path);
      throw new JournalError("create", path, error instanceof JournalError ? error.cause : error);
    }
  }

  /** Adds a recording beside the first: of another source, with times of its own. @throws {JournalError} */
  addRecording(clockAnchorNs: bigint, info: RecordingInfo = {}): JournalRecording {
    const shared: JournalShared = {
      path: this.path,
      db: this.#db,
      start: (job, doing) => this.#start(job, doing),
      ...(this.#options.segmentRows === undefined ? {} : { segmentRows: this.#options.segmentRows }),
    };
    return new JournalRecording(shared, clockAnchorNs, info);
  }

  /** The first recording. */
  get first(): JournalRecording {
    return this.#first;
  }

  /** Ticks appended to the first recording so far. */
  get ticks(): number {
    return this.#first.ticks;
  }

  /** Appends a tick to the first recording. @throws {JournalError} */
  append(snapshot: Snapshot, time: TickTime): void {
    this.#first.append(snapshot, time);
  }

  /** Replaces the first recording's metadata. @throws {JournalError} */
  setMetadata(metadata: Readonly<Record<string, string>>): void {
    this.#first.setMetadata(metadata);
  }

  /** Seals what is left and marks all recordings finished. @throws {JournalError} When that fails; nothing is lost. */
  async finish(): Promise<void> {
    await Promise.all(this.#sealing);
    this[Symbol.dispose]();
    try {
      await this.#options.sealer.run({ kind: "finish", path: this.path });
    } catch (error) {
      throw new JournalError("finish", this.path, error);
    }
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #start(job: SealJob, doing: string): void {
    const running: Promise<void> = this.#options.sealer.run(job).then(
      () => {},
      (error) => this.#options.onProblem?.(`Cannot ${doing} ${this.path}: ${describeFailure(error)}`),
    ).finally(() => this.#sealing.delete(running));
    this.#sealing.add(running);
  }
}

/** Removes a journal and what SQLite has beside it. @throws {JournalError} When one of them cannot be removed. */
export function removeJournal(path: string): void {
  for (const each of [path, `${path}-wal`, `${path}-shm`]) {
    try {
      Deno.removeSync(each);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw new JournalError("remove", each, error);
    }
  }
}
