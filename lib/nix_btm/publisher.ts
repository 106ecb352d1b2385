/**
 * Tells any number of clients what changes, through a ring: a snapshot names the position at which the ring goes on.
 * @module
 */
import { existsSync } from "node:fs";
import { encodeMessage, MESSAGE_KIND, RingWriter } from "../ring/mod.ts";
import { snapshotOf, type Update, type World } from "./world.ts";

/** A client that is further behind takes a new snapshot. */
const RING_BYTES = 4 * 2 ** 20;

/** One message of the ring: what changed on a host, the daemon's own being the empty name. */
export interface HostUpdate {
  readonly host: string;
  /** What was known of it before is not true any more. */
  readonly isNew?: boolean;
  readonly update: Update;
}

/** What a client begins with. */
export interface Snapshot {
  /** Path of the ring. */
  readonly ring: string;
  readonly epoch: number;
  readonly position: bigint;
  readonly hosts: readonly HostUpdate[];
}

/** The one writer of the ring at a path. */
export class Publisher implements Disposable {
  readonly #path: string;
  readonly #gid: number | undefined;
  readonly #followers = new Set<(message: HostUpdate) => void>();
  #writer: RingWriter;
  #dropped = 0;

  /**
   * @param gid Of a group whose members read the ring as well; nobody but this user writes to it.
   * @throws {RingError} When another daemon writes there. @throws {SystemError} When it cannot be made.
   */
  constructor(path: string, { gid }: { readonly gid?: number | undefined } = {}) {
    this.#path = path;
    this.#gid = gid;
    this.#writer = this.#open();
  }

  /** Rows that were too large for a record of the ring. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Hands an update to all who follow. */
  publish(message: HostUpdate): void {
    this.#write(message, rowsOf(message.update));
    this.#writer.flush();
    for (const tell of this.#followers) tell(message);
  }

  /** Calls `tell` with each update that is published; returns how to stop it. */
  follow(tell: (message: HostUpdate) => void): () => void {
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }

  /**
   * Says that the daemon lives, though nothing happens. Where somebody has tidied the ring's file away there is a new one
   * then, which those who follow find.
   * @throws {Error} When it cannot be made.
   */
  beat(): void {
    if (!existsSync(this.#path)) {
      const gone = this.#writer;
      this.#writer = this.#open();
      gone[Symbol.dispose]();
    }
    this.#writer.beat();
  }

  /** Everything as of now; what is published from now on comes after it. */
  snapshot(worlds: ReadonlyMap<string, World>): Snapshot {
    this.#writer.flush();
    return {
      ring: this.#writer.path,
      epoch: this.#writer.epoch,
      position: this.#writer.position,
      hosts: [...worlds].map(([host, world]) => ({ host, isNew: true, update: snapshotOf(world) })),
    };
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }

  #open(): RingWriter {
    const writer = RingWriter.open(this.#path, { dataBytes: RING_BYTES });
    try {
      // A file of an earlier daemon may be another group's.
      if (this.#gid === undefined) Deno.chmodSync(this.#path, 0o600);
      else {
        Deno.chownSync(this.#path, null, this.#gid);
        Deno.chmodSync(this.#path, 0o640);
      }
      return writer;
    } catch (error) {
      writer[Symbol.dispose]();
      throw error;
    }
  }

  /** In as many records as it takes; a single row that fits in none is left out and counted: nobody could read it. */
  #write(message: HostUpdate, rows: readonly Row[]): void {
    const bytes = encodeMessage({ ...message, update: updateOf(rows) });
    if (bytes.length <= this.#writer.maxPayloadBytes) return this.#writer.write(MESSAGE_KIND, bytes);
    if (rows.length < 2) {
      this.#dropped += rows.length;
      return;
    }
    const half = rows.length >> 1;
    this.#write(message, rows.slice(0, half));
    this.#write({ host: message.host, update: {} }, rows.slice(half));
  }
}

/** A row with the name of its kind. */
type Row = readonly [kind: string, row: unknown];

function rowsOf(update: Update): Row[] {
  return Object.entries(update).flatMap(([kind, rows]) => rows.map((row: unknown): Row => [kind, row]));
}

function updateOf(rows: readonly Row[]): Update {
  const update: Record<string, unknown[]> = {};
  for (const [kind, row] of rows) (update[kind] ??= []).push(row);
  return update;
}
