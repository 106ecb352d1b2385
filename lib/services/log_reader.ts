/** One instance's log, read on from a position that can be kept, also in mid-line. @module */
import { isPassing, LineAssembler, type LogEntry, STAMP_BYTES, type Stream, STREAMS } from "../keeper/mod.ts";
import { KEEPER_RECORDS } from "../../ffi/keeper/mod.ts";
import { recordBytes, type Records, SegmentReader } from "../ring/mod.ts";

/** Where a log is read on: behind all that was told of it. */
export interface LogPosition {
  /** Of the next record. */
  readonly at: bigint;
  /** Where lines begin that had not ended then. */
  readonly parts?: Readonly<Partial<Record<Stream, LinePart>>>;
}

/** The record with a line's begin, and how much of its stream's output from there on was told. */
export interface LinePart {
  readonly at: bigint;
  readonly skip: number;
}

/** What is told of a log: what was said, and what was overwritten before it was read. */
export type LogNews = LogEntry | { readonly kind: "lost"; readonly bytes: number };

/** Where a line stands in its log; the same for all who read it. */
export interface LogPlace {
  /** Behind the record that ends the line; of one without an end behind all records. */
  readonly end: number;
  /** Which of those that the record ends. */
  readonly nth: number;
}

type Tell<T> = (news: T, place: LogPlace) => void;

/** Whether there may be more at once, only later, or never. */
export type ReadEnd = "more" | "later" | "never";

/** Output of a stream since the record with the begin of its unfinished line. */
interface Begun {
  readonly at: bigint;
  bytes: number;
}

/** Reads what is there and never waits. */
export class LogReader implements Disposable {
  readonly #reader: SegmentReader;
  readonly #lines = new LineAssembler();
  /** What was told before; nothing when the log is read from its oldest record. */
  readonly #told: {
    readonly at: bigint;
    readonly parts: Record<Stream, { readonly at: bigint; skip: number }>;
  };
  readonly #begun: Partial<Record<Stream, Begun>> = {};
  #lostBytes: number;

  /**
   * Undefined when no keeper has come yet.
   * @throws {RingError} When the log is damaged. @throws {RangeError} When `from` lies behind the end.
   */
  static open(folder: string, from?: LogPosition): LogReader | undefined {
    try {
      return new LogReader(folder, from);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  private constructor(folder: string, { at, parts = {} }: LogPosition = { at: 0n }) {
    const whole = { at, skip: 0 };
    this.#told = {
      at,
      parts: { stdout: { ...parts.stdout ?? whole }, stderr: { ...parts.stderr ?? whole } },
    };
    const from = STREAMS.map((stream) => this.#told.parts[stream].at).reduce((a, b) => a < b ? a : b, at);
    this.#reader = SegmentReader.open(folder, { from: from === 0n ? "oldest" : from });
    this.#lostBytes = from === 0n ? 0 : Number(this.#reader.position - from);
  }

  /** Where another reader goes on. */
  get position(): LogPosition {
    const parts = STREAMS.flatMap((stream): [Stream, LinePart][] => {
      const begun = this.#begun[stream];
      if (begun === undefined) return [];
      return [[stream, { at: begun.at, skip: begun.bytes - this.#lines.partBytes(stream) }]];
    });
    const at = this.#reader.position;
    return parts.length === 0 ? { at } : { at, parts: Object.fromEntries(parts) };
  }

  /** Whether more was said than whole lines. */
  hasPart(stream: Stream): boolean {
    return this.#lines.partBytes(stream) > 0;
  }

  /**
   * Tells what has come since; of a log that has ended the unfinished lines, too.
   * @param most About so many at once. @throws {RingError | SystemError} When the log is damaged.
   */
  read(tell: Tell<LogNews>, most = Infinity): ReadEnd {
    let count = 0;
    const take: Tell<LogNews> = (news, place) => {
      count++;
      tell(news, place);
    };
    if (this.#lostBytes > 0) this.#lost(0, take);
    for (let wasDead = false; count < most;) {
      const result = this.#reader.read();
      if (result.kind === "records") this.#take(result.records, take);
      else if (result.kind === "lapped") this.#lost(Number(result.lostBytes), take);
      else if (result.kind === "ended" || (result.kind === "empty" && wasDead)) {
        this.flush(take);
        return "never";
      } else if (result.kind === "empty") {
        // What a killed keeper wrote last may have come since it was looked.
        wasDead = !this.#reader.status().writer.alive;
        if (!wasDead) return "later";
      }
    }
    return "more";
  }

  /** The same for what goes on without this log: it is told why it cannot be read, and no more comes. */
  readOrEnd(tell: Tell<LogNews>, most = Infinity): ReadEnd {
    try {
      return this.read(tell, most);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (isPassing(error)) return "later";
      tell({ kind: "event", timeMs: Date.now(), text: error.message }, this.#behind);
      return "never";
    }
  }

  /** Tells lines that have not ended, as if they had. */
  flush(tell: Tell<LogEntry>): void {
    this.peek(tell);
    this.#lines.reset();
    for (const stream of STREAMS) delete this.#begun[stream];
  }

  /** Tells lines that have not ended; they are told again when they have. */
  peek(tell: Tell<LogEntry>): void {
    const { end } = this.#behind;
    let nth = 0;
    this.#lines.peek((entry) => tell(entry, { end, nth: nth++ }));
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }

  /** Between the last record and the next. */
  get #behind(): LogPlace {
    return { end: Number(this.#reader.position) + 1, nth: 0 };
  }

  #lost(bytes: number, tell: Tell<LogNews>): void {
    for (const stream of STREAMS) delete this.#begun[stream];
    tell({ kind: "lost", bytes: bytes + this.#lostBytes + this.#lines.reset() }, this.#behind);
    this.#lostBytes = 0;
  }

  #take(records: Records, tell: Tell<LogEntry>): void {
    const behind = this.#reader.position;
    while (records.next()) {
      const recordEnd = behind - BigInt(records.remainingBytes);
      const at = recordEnd - BigInt(recordBytes(records.length));
      const end = Number(recordEnd);
      let nth = 0;
      const take = (entry: LogEntry) => tell(entry, { end, nth: nth++ });
      const stream = STREAM_OF[records.kind];
      if (stream !== undefined) this.#takeOutput(stream, at, records, take);
      else if (at >= this.#told.at) this.#lines.take(records, take);
    }
  }

  #takeOutput(stream: Stream, at: bigint, records: Records, tell: (entry: LogEntry) => void): void {
    const told = this.#told.parts[stream];
    if (at < told.at) return;
    const bytes = Math.max(0, records.length - STAMP_BYTES);
    const skip = Math.min(told.skip, bytes);
    told.skip -= skip;
    this.#lines.take(records, tell, skip);
    const unfinished = this.#lines.partBytes(stream);
    const begun = this.#begun[stream];
    if (unfinished === 0) delete this.#begun[stream];
    else if (begun === undefined || unfinished <= bytes - skip) this.#begun[stream] = { at, bytes };
    else begun.bytes += bytes;
  }
}

const STREAM_OF: Readonly<Record<number, Stream>> = {
  [KEEPER_RECORDS.stdout]: "stdout",
  [KEEPER_RECORDS.stderr]: "stderr",
};
