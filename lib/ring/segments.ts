/** A stream in files of a fixed size: logs that outlive their writer, read as one ring that nothing overtakes. @module */
import { type Handle, openSegments, ring, type SegmentSizes, writeRecords } from "../../ffi/ring/mod.ts";
import type { Doorbell } from "./doorbell.ts";
import { type ReadResult, RingReader, type RingReaderOptions, type RingStatus } from "./reader.ts";
import { Batch, recordBytes } from "./records.ts";
import { BATCH_BYTES, checkDataBytes } from "./writer.ts";

const SLICES = 8;
const NAME = /^([0-9a-f]{16})\.seg$/;

/** Retention may remove a file between listing and opening; after so many times the folder is given up. */
const OPEN_ATTEMPTS = 8;

/** Writes a log; see `SegmentSizes` for what happens when retention is reached. */
export class SegmentWriter implements Disposable {
  readonly folder: string;
  /** The longest payload that fits. */
  readonly maxPayloadBytes: number;
  #handle: Handle | undefined;
  #batch: Batch;

  /**
   * Goes on in the folder's newest segment, or begins the first.
   * @throws {RangeError} When the sizes are out of bounds: retention holds at least two files (data and 8 KiB each).
   * @throws {RingError} When another process writes there or the newest segment is damaged.
   */
  static open(folder: string, sizes: SegmentSizes): SegmentWriter {
    return new SegmentWriter(folder, sizes);
  }

  private constructor(folder: string, sizes: SegmentSizes) {
    checkDataBytes("segments", folder, sizes.dataBytes);
    if (sizes.retainBytes < 2 * (sizes.dataBytes + 8192)) {
      throw new RangeError(
        `Cannot open segments "${folder}": retention is ${sizes.retainBytes} bytes, two files have ${
          2 * (sizes.dataBytes + 8192)
        }`,
      );
    }
    this.folder = folder;
    this.maxPayloadBytes = sizes.dataBytes / SLICES - recordBytes(0);
    this.#batch = new Batch(Math.min(BATCH_BYTES, sizes.dataBytes / SLICES));
    this.#handle = openSegments(folder, sizes);
  }

  /** Position after the last record that was flushed. */
  get position(): bigint {
    return ring().segments_position(this.#open());
  }

  /** What retention removed so far. */
  get droppedBytes(): bigint {
    return ring().segments_dropped_bytes(this.#open());
  }

  /**
   * Adds a record; false, and nothing is added, when the log is full and may not drop anything.
   * @throws {RangeError} On a payload that is too long.
   */
  write(kind: number, payload: Uint8Array): boolean {
    this.#open();
    if (payload.length > this.maxPayloadBytes) {
      throw new RangeError(
        `Cannot write to segments "${this.folder}": payload has ${payload.length} bytes, at most ${this.maxPayloadBytes} fit`,
      );
    }
    if (this.#batch.add(kind, payload)) return true;
    const whole = this.flush();
    if (this.#batch.add(kind, payload)) return true;
    if (!whole) return false;
    this.#batch = new Batch(recordBytes(payload.length));
    return this.#batch.add(kind, payload);
  }

  /** Commits what was written and wakes readers; false when some of it has to wait for room. */
  flush(): boolean {
    const handle = this.#open();
    if (this.#batch.bytes === 0) return true;
    this.#batch.clear(writeRecords("segments", handle, this.#batch.buffer, this.#batch.bytes));
    return this.#batch.bytes === 0;
  }

  /** Says that this writer is well. */
  beat(): void {
    ring().segments_beat(this.#open());
  }

  /** Names the process whose output this is: pid and start time in clock ticks since boot. */
  childStarted(pid: number, startTicks: bigint): void {
    ring().segments_child_started(this.#open(), pid, startTicks);
  }

  /** Keeps how the child ended, as `waitpid(2)` gives it. */
  childExited(waitStatus: number): void {
    ring().segments_child_exited(this.#open(), waitStatus);
  }

  /** Flushes what fits and closes. @throws {Error} When records had to be left out because the log is full. */
  [Symbol.dispose](): void {
    if (this.#handle === undefined) return;
    const whole = this.flush();
    ring().segments_free(this.#handle);
    this.#handle = undefined;
    if (!whole) {
      throw new Error(
        `Cannot close segments "${this.folder}": the log is full, ${this.#batch.bytes} bytes were not written`,
      );
    }
  }

  #open(): Handle {
    if (this.#handle === undefined) {
      throw new TypeError(`Cannot use segments "${this.folder}": they are closed`);
    }
    return this.#handle;
  }
}

/** Reads a log from file to file. What retention took away before it was read is told as a lap. */
export class SegmentReader implements Disposable {
  readonly folder: string;
  #reader: RingReader;
  readonly #buffer: Pick<RingReaderOptions, "buffer">;

  /**
   * Opens the folder's log.
   * @throws {RingError} When a segment is damaged. @throws {SystemError} When there is none.
   * @throws {RangeError} When `from` lies behind the end.
   */
  static open(folder: string, options: RingReaderOptions = {}): SegmentReader {
    return new SegmentReader(folder, options);
  }

  private constructor(folder: string, { from = "oldest", ...buffer }: RingReaderOptions) {
    this.folder = folder;
    this.#buffer = buffer;
    this.#reader = openAt(folder, from, buffer);
  }

  /** Position of the next record to be read. */
  get position(): bigint {
    return this.#reader.position;
  }

  /** Status of the file that is being read; of the whole log once the end is reached. */
  status(): RingStatus {
    return this.#reader.status();
  }

  /** Takes what is there; never waits. `ended` is told for the log, not for each file of it. */
  read(): ReadResult {
    const result = this.#reader.read();
    if (result.kind !== "ended" || result.how !== "sealed") return result;
    return this.#advance() ?? this.read();
  }

  /** Yields what `read` finds and sleeps in between; ends after `ended`. @throws The signal's reason. */
  async *follow(doorbell: Doorbell, signal: AbortSignal): AsyncGenerator<ReadResult, void, void> {
    for (;;) {
      let sealed = false;
      for await (const result of this.#reader.follow(doorbell, signal)) {
        sealed = result.kind === "ended" && result.how === "sealed";
        if (!sealed) yield result;
      }
      if (!sealed) return;
      const change = this.#advance();
      if (change !== undefined) yield change;
    }
  }

  /** The same with a function that is called before anything else can happen, as a shared buffer needs it. */
  async each(
    doorbell: Doorbell,
    signal: AbortSignal,
    take: (result: Exclude<ReadResult, { kind: "empty" }>) => void,
  ): Promise<void> {
    for (let sealed = true; sealed;) {
      sealed = false;
      await this.#reader.each(doorbell, signal, (result) => {
        sealed = result.kind === "ended" && result.how === "sealed";
        if (!sealed) take(result);
      });
      const change = sealed ? this.#advance() : undefined;
      if (change !== undefined && change.kind !== "empty") take(change);
    }
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }

  /** Moves to the file that begins where this one ends, or to the oldest that is left. */
  #advance(): ReadResult | undefined {
    const { position, epoch } = this.#reader;
    const next = openAt(this.folder, position, { ...this.#buffer, atStart: true });
    this.#reader[Symbol.dispose]();
    this.#reader = next;
    if (next.position !== position) {
      return { kind: "lapped", lostBytes: next.position - position, position: next.position };
    }
    return next.epoch === epoch ? undefined : { kind: "restarted", epoch: next.epoch };
  }
}

/** Positions at which the folder's segments begin, ascending; reading can begin at any of them. */
export function segmentStarts(folder: string): bigint[] {
  const starts: bigint[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    const digits = NAME.exec(name)?.[1];
    if (digits !== undefined) starts.push(BigInt(`0x${digits}`));
  }
  return starts.sort((a, b) => (a < b ? -1 : 1));
}

/** Opens the segment that holds `from`; the oldest one when that is gone. */
function openAt(
  folder: string,
  from: "oldest" | "end" | bigint,
  { atStart = false, ...buffer }: Pick<RingReaderOptions, "buffer"> & { readonly atStart?: boolean },
): RingReader {
  for (let attempt = 1;; attempt++) {
    const starts = segmentStarts(folder);
    const first = from === "oldest"
      ? starts[0]
      : from === "end"
      ? starts.at(-1)
      : starts.findLast((start) => start <= from) ?? starts[0];
    if (first === undefined) {
      throw new Deno.errors.NotFound(`Cannot open segments "${folder}": no segment is there`);
    }
    const path = `${folder}/${first.toString(16).padStart(16, "0")}.seg`;
    const inside = typeof from === "bigint" && from > first && !atStart ? from : undefined;
    try {
      return RingReader.open(path, { ...buffer, from: inside ?? (from === "end" ? "end" : "oldest") });
    } catch (error) {
      // Removed since it was listed: what is left is looked at again.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      if (attempt >= OPEN_ATTEMPTS) throw error;
    }
  }
}
