/** The reading end of a ring. @module */
import { check, errnoOf } from "../../ffi/errno.ts";
import { type Handle, openRing, ring, RING_LAPPED, RING_RESTARTED } from "../../ffi/ring/mod.ts";
import type { Doorbell } from "./doorbell.ts";
import { Records } from "./records.ts";

/** Bytes that one read takes at most, so that many readers stay small. A longer record makes the buffer grow. */
const BUFFER_BYTES = 64 * 1024;

/** How long a reader sleeps before it looks whether its writer still lives. */
const LIVENESS_MS = 1_000;

const ENDINGS = { 2: "closed", 3: "sealed", 4: "replaced" } as const;
const CHILD_STATES = ["none", "running", "exited"] as const;
const STATUS_WORDS = 16;
const NO_WHOLE_RECORD = -BigInt(errnoOf("ENOBUFS"));

/** Where a reader begins. */
export interface RingReaderOptions {
  /** `oldest` (the default), `end`, or the position that a snapshot named. */
  readonly from?: "oldest" | "end" | bigint;
  /** A buffer for many readers, from `readBuffer`: what one of them read is valid until the next read of any. */
  readonly buffer?: Uint8Array<ArrayBuffer>;
}

/** Makes a buffer that readers can share, for processes that follow hundreds of rings. */
export function readBuffer(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BUFFER_BYTES);
}

/** What a read found. All but `ended` leave the reader ready for the next read. */
export type ReadResult =
  /** Records, valid until the next read. */
  | { readonly kind: "records"; readonly records: Records }
  /** Nothing new. */
  | { readonly kind: "empty" }
  /** The writer came round and overwrote `lostBytes` that had not been read. Reading goes on at `position`. */
  | { readonly kind: "lapped"; readonly lostBytes: bigint; readonly position: bigint }
  /** Everything of the writer before has been read; what follows is from a new one. */
  | { readonly kind: "restarted"; readonly epoch: number }
  /** No more comes into this file: its writer closed it, died, sealed it (a segment) or began another file. */
  | { readonly kind: "ended"; readonly how: "closed" | "sealed" | "replaced" | "dead" };

/** What the header of a ring says now. Positions count bytes. */
export interface RingStatus {
  readonly position: bigint;
  readonly head: bigint;
  readonly epoch: number;
  readonly state: "live" | "closed" | "sealed" | "replaced";
  readonly writer: { readonly pid: number; readonly alive: boolean; readonly heartbeatNs: bigint };
  /** What this reader lost to all laps so far. */
  readonly lostBytes: bigint;
  readonly laps: number;
  /** The process whose output a log carries; its wait status as `waitpid(2)` gives it. */
  readonly child: {
    readonly state: "none" | "running" | "exited";
    readonly pid: number;
    readonly startTicks: bigint;
    readonly waitStatus: number;
    readonly exitNs: bigint;
  };
  /** What retention removed from a log so far. */
  readonly droppedBytes: bigint;
}

const EMPTY: ReadResult = { kind: "empty" };
const DEAD: Exclude<ReadResult, { kind: "empty" }> = { kind: "ended", how: "dead" };

/** Follows a ring from a position of its own. The ring's file is mapped read-only; nothing is consumed. */
export class RingReader implements Disposable {
  readonly path: string;
  #handle: Handle | undefined;
  #records: Records;
  #found: ReadResult;
  #lostBytes = 0n;

  /**
   * Opens a ring or segment.
   * @throws {RingError} When the file is foreign, cut short or of a newer format; the message names it.
   * @throws {SystemError} When there is none, or it cannot be read.
   * @throws {RangeError} When `from` lies behind the end.
   */
  static open(path: string, options: RingReaderOptions = {}): RingReader {
    const { from = "oldest", buffer } = options;
    const reader = new RingReader(path, buffer);
    try {
      if (from === "end") ring().ring_seek_back(reader.handle, 0n);
      else if (from !== "oldest") reader.seek(from);
      return reader;
    } catch (error) {
      reader[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(path: string, buffer: Uint8Array<ArrayBuffer> | undefined) {
    this.path = path;
    this.#handle = openRing(path);
    this.#records = new Records(buffer ?? new Uint8Array(Math.min(2 * this.#sliceBytes, BUFFER_BYTES)));
    this.#found = { kind: "records", records: this.#records };
  }

  /** For `Doorbell`. @throws {TypeError} When the reader is closed. */
  get handle(): Handle {
    if (this.#handle === undefined) throw new TypeError(`Cannot use ring "${this.path}": it is closed`);
    return this.#handle;
  }

  /** Position of the next record to be read. */
  get position(): bigint {
    return ring().ring_reader_position(this.handle);
  }

  /** Which writer the next record is from. */
  get epoch(): number {
    return Number(ring().ring_reader_epoch(this.handle));
  }

  /** Whether `read` would find anything but `empty`. */
  get pending(): boolean {
    return ring().ring_pending(this.handle) !== 0;
  }

  /** Goes to a position that a snapshot named. @throws {RangeError} When it lies behind the end. */
  seek(position: bigint): void {
    if (ring().ring_seek(this.handle, position) < 0) {
      throw new RangeError(
        `Cannot seek in ring "${this.path}": position is ${position}, the end is ${this.status().head}`,
      );
    }
  }

  /** Goes to the oldest record that begins at most `bytes` before the end. */
  seekBack(bytes: number): void {
    ring().ring_seek_back(this.handle, BigInt(bytes));
  }

  /** Takes what is there; never waits. @throws {SystemError} When the file's records are damaged. */
  read(): ReadResult {
    const result = this.#take();
    if (result.kind !== "empty") return result;
    const how = ENDINGS[ring().ring_reader_state(this.handle) as keyof typeof ENDINGS];
    if (how === undefined) return result;
    // The last records were committed before the state changed, perhaps after they were looked for.
    const last = this.#take();
    return last.kind === "empty" ? { kind: "ended", how } : last;
  }

  /** Yields what `read` finds and sleeps in between; ends after `ended`. @throws The signal's reason. */
  async *follow(doorbell: Doorbell, signal: AbortSignal): AsyncGenerator<ReadResult, void, void> {
    using _ = doorbell.add(this);
    for (;;) {
      signal.throwIfAborted();
      const result = this.read();
      if (result.kind !== "empty") {
        yield result;
        if (result.kind === "ended") return;
      } else if (!(await this.#wait(doorbell, signal))) {
        yield DEAD;
        return;
      }
    }
  }

  /**
   * The same with a function that is called before anything else can happen, as a shared buffer needs it. Resolves
   * after `ended`. @throws The signal's reason.
   */
  async each(
    doorbell: Doorbell,
    signal: AbortSignal,
    take: (result: Exclude<ReadResult, { kind: "empty" }>) => void,
  ): Promise<void> {
    using _ = doorbell.add(this);
    for (;;) {
      signal.throwIfAborted();
      const result = this.read();
      if (result.kind !== "empty") {
        take(result);
        if (result.kind === "ended") return;
      } else if (!(await this.#wait(doorbell, signal))) {
        return take(DEAD);
      }
    }
  }

  /** What the header says; looks in `/proc` whether the writer lives. */
  status(): RingStatus {
    const words = new BigUint64Array(STATUS_WORDS);
    ring().ring_reader_status(this.handle, words);
    const number = (index: number) => Number(words[index]!);
    return {
      position: words[0]!,
      head: words[1]!,
      epoch: number(3),
      state: ENDINGS[number(4) as keyof typeof ENDINGS] ?? "live",
      writer: { pid: number(5), alive: number(6) !== 0, heartbeatNs: words[7]! },
      lostBytes: words[8]!,
      laps: number(9),
      child: {
        state: CHILD_STATES[number(10)] ?? "none",
        pid: number(11),
        startTicks: words[12]!,
        waitStatus: Number(BigInt.asIntN(32, words[13]!)),
        exitNs: words[14]!,
      },
      droppedBytes: words[15]!,
    };
  }

  /** Unmaps the ring. A doorbell has to be told first (`follow` does). */
  [Symbol.dispose](): void {
    if (this.#handle === undefined) return;
    ring().ring_reader_free(this.#handle);
    this.#handle = undefined;
  }

  /** A record is never longer. */
  get #sliceBytes(): number {
    return Number(ring().ring_reader_slice(this.handle));
  }

  /** Sleeps until there may be something to read; false when the writer is dead. */
  async #wait(doorbell: Doorbell, signal: AbortSignal): Promise<boolean> {
    const rung = await doorbell.ready(this, { signal, limitMs: LIVENESS_MS });
    return rung || this.pending || this.status().writer.alive || this.pending;
  }

  #take(): ReadResult {
    const { buffer } = this.#records;
    const result = ring().ring_read(this.handle, buffer, BigInt(buffer.length));
    if (result > 0n) {
      this.#records.reset(Number(result));
      return this.#records.remainingBytes > 0 ? this.#found : this.#take();
    }
    if (result === 0n) return EMPTY;
    if (result === RING_RESTARTED) return { kind: "restarted", epoch: this.epoch };
    if (result === RING_LAPPED) {
      const { lostBytes, position } = this.status();
      const before = this.#lostBytes;
      this.#lostBytes = lostBytes;
      return { kind: "lapped", lostBytes: lostBytes - before, position };
    }
    if (result === NO_WHOLE_RECORD && buffer.length < this.#sliceBytes) {
      this.#records = new Records(new Uint8Array(this.#sliceBytes));
      this.#found = { kind: "records", records: this.#records };
      return this.#take();
    }
    check(`read ring "${this.path}" at position ${this.position}`, Number(result));
    return EMPTY;
  }
}
