/** The writing end of a ring. @module */
import { createRing, type Handle, ring, type RingMode, writeRecords } from "../../ffi/ring/mod.ts";
import { Batch, recordBytes } from "./records.ts";

/** A record takes at most one slice of the data. */
const SLICES = 8;

/** Records wait here for one native call; a batch that is full is written at once. A longer record makes it grow. */
export const BATCH_BYTES = 64 * 1024;

/** How a ring is opened for writing. */
export interface RingWriterOptions {
  /** Bytes of records that the ring keeps: a power of two from 4 KiB to 16 GiB; a record has at most an eighth. */
  readonly dataBytes: number;
  /** `continue` (the default) goes on where an earlier writer ended; `replace` begins an empty file. */
  readonly mode?: RingMode;
}

/**
 * Writes records that any number of readers in other processes follow. A slow reader is overtaken, never waited for.
 *
 * `write` only collects: `flush` hands everything over in one native call and wakes whoever sleeps, so call it when
 * there is nothing more to write for now.
 */
export class RingWriter implements Disposable {
  readonly path: string;
  /** The longest payload that fits. */
  readonly maxPayloadBytes: number;
  #handle: Handle | undefined;
  #batch = new Batch(BATCH_BYTES);

  /**
   * Makes the ring, or goes on with the one at `path`.
   * @throws {RingError} When another process writes to it, or when what stands there is no ring of this format.
   * @throws {SystemError} When the system refuses, for example because the disk is full.
   */
  static open(path: string, options: RingWriterOptions): RingWriter {
    return new RingWriter(path, options);
  }

  private constructor(path: string, { dataBytes, mode = "continue" }: RingWriterOptions) {
    checkDataBytes("ring", path, dataBytes);
    this.path = path;
    this.maxPayloadBytes = dataBytes / SLICES - recordBytes(0);
    this.#handle = createRing(path, dataBytes, mode);
  }

  /** Position after the last record that was flushed: a snapshot of what was flushed goes on here. */
  get position(): bigint {
    return ring().ring_writer_position(this.#open());
  }

  /** One more than that of the writer before. */
  get epoch(): number {
    return Number(ring().ring_writer_epoch(this.#open()));
  }

  /** Adds a record to the batch. @throws {RangeError} On a payload that is too long, or a kind outside 1..2³²-2. */
  write(kind: number, payload: Uint8Array): void {
    this.#open();
    if (payload.length > this.maxPayloadBytes) {
      throw new RangeError(
        `Cannot write to ring "${this.path}": payload has ${payload.length} bytes, at most ${this.maxPayloadBytes} fit`,
      );
    }
    if (this.#batch.add(kind, payload)) return;
    this.flush();
    if (this.#batch.add(kind, payload)) return;
    this.#batch = new Batch(recordBytes(payload.length));
    this.#batch.add(kind, payload);
  }

  /** Commits what was written and wakes the readers. */
  flush(): void {
    const handle = this.#open();
    if (this.#batch.bytes === 0) return;
    writeRecords("ring", handle, this.#batch.buffer, this.#batch.bytes);
    this.#batch.clear();
  }

  /** Says that this writer is well; call it once a second where readers look at the heartbeat. */
  beat(): void {
    ring().ring_beat(this.#open());
  }

  /** Flushes and tells the readers that no more comes. The file stays. */
  [Symbol.dispose](): void {
    if (this.#handle === undefined) return;
    this.flush();
    ring().ring_writer_free(this.#handle);
    this.#handle = undefined;
  }

  #open(): Handle {
    if (this.#handle === undefined) throw new TypeError(`Cannot use ring "${this.path}": it is closed`);
    return this.#handle;
  }
}

/** @throws {RangeError} When the size is not one that a ring or segment can have. */
export function checkDataBytes(what: string, path: string, dataBytes: number): void {
  if (!Number.isInteger(Math.log2(dataBytes)) || dataBytes < 4096 || dataBytes > 2 ** 34) {
    throw new RangeError(
      `Cannot create ${what} "${path}": data size is ${dataBytes}, it must be a power of two from 4096 to 2^34`,
    );
  }
}
