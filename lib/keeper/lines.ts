/** Lines from the records of a keeper's log. Pure. @module */
import { KEEPER_RECORDS } from "../../ffi/keeper/mod.ts";
import type { Records } from "../ring/mod.ts";

/** Bytes of the time stamp before each record's content. */
export const STAMP_BYTES = 8;

/** A line without its end is told in pieces of this size, so that no program makes a reader hold gigabytes. */
export const LINE_BYTES = 65_536;

export const STREAMS = ["stdout", "stderr"] as const;
export type Stream = (typeof STREAMS)[number];

/** One line of output, without its newline. */
export interface Line {
  /** Unix milliseconds at which its first byte was read, with fractions. */
  readonly timeMs: number;
  readonly stream: Stream;
  readonly text: string;
}

/** What a log tells beside lines. */
export type LogEntry =
  | { readonly kind: "line"; readonly line: Line }
  /** A datagram of `sd_notify(3)`: variables by name. */
  | { readonly kind: "notify"; readonly timeMs: number; readonly values: Readonly<Record<string, string>> }
  /** The keeper's own words. */
  | { readonly kind: "event"; readonly timeMs: number; readonly text: string };

/** What stands before a line's end, so far. */
interface Fragment {
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
  timeMs: number;
}

/**
 * Puts lines together, stream by stream. Invalid UTF-8 becomes U+FFFD, each byte order mark stays; a carriage return
 * before a line's end is dropped. Lines over `LINE_BYTES` are told in pieces that break no character.
 */
export class LineAssembler {
  readonly #fragments: Record<Stream, Fragment> = { stdout: fragment(), stderr: fragment() };
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /**
   * Tells everything that the record at which `records` stands completes.
   * @param skipBytes So much of a stream's output in it was taken before.
   */
  take(records: Records, tell: (entry: LogEntry) => void, skipBytes = 0): void {
    const payload = records.payload();
    const timeMs = timeOf(payload);
    const bytes = payload.subarray(STAMP_BYTES + skipBytes);
    switch (records.kind) {
      case KEEPER_RECORDS.stdout:
        return this.#take("stdout", timeMs, bytes, tell);
      case KEEPER_RECORDS.stderr:
        return this.#take("stderr", timeMs, bytes, tell);
      case KEEPER_RECORDS.notify:
        return tell({ kind: "notify", timeMs, values: variables(this.#decoder.decode(bytes)) });
      case KEEPER_RECORDS.event:
        return tell({ kind: "event", timeMs, text: this.#decoder.decode(bytes) });
    }
  }

  /** Tells what was begun and not ended by a newline; for the end of a log. */
  flush(tell: (entry: LogEntry) => void): void {
    this.peek(tell);
    this.reset();
  }

  /** The same, and goes on with it: it is told again when it is longer. */
  peek(tell: (entry: LogEntry) => void): void {
    for (const stream of STREAMS) {
      const { used, bytes, timeMs } = this.#fragments[stream];
      if (used > 0) this.#tell(stream, timeMs, bytes.subarray(0, used), tell);
    }
  }

  /** How many bytes of a line have come that has not ended. */
  partBytes(stream: Stream): number {
    return this.#fragments[stream].used;
  }

  /** Forgets what was begun: its end was overwritten. Returns how many bytes that were. */
  reset(): number {
    let forgotten = 0;
    for (const rest of Object.values(this.#fragments)) {
      forgotten += rest.used;
      rest.used = 0;
    }
    return forgotten;
  }

  #take(
    stream: Stream,
    timeMs: number,
    bytes: Uint8Array<ArrayBuffer>,
    tell: (entry: LogEntry) => void,
  ): void {
    const rest = this.#fragments[stream];
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      const piece = bytes.subarray(at, end);
      if (rest.used === 0 && piece.length <= LINE_BYTES) this.#tell(stream, timeMs, piece, tell);
      else {
        this.#append(stream, rest, timeMs, piece, tell);
        this.#tell(stream, rest.timeMs, rest.bytes.subarray(0, rest.used), tell);
        rest.used = 0;
      }
      at = end + 1;
    }
    this.#append(stream, rest, timeMs, bytes.subarray(at), tell);
  }

  #append(
    stream: Stream,
    rest: Fragment,
    timeMs: number,
    piece: Uint8Array<ArrayBuffer>,
    tell: (entry: LogEntry) => void,
  ): void {
    for (let at = 0; at < piece.length;) {
      // More comes of a line that is as long as they are told.
      if (rest.used === LINE_BYTES) this.#tellPiece(stream, rest, tell);
      if (rest.used === 0) rest.timeMs = timeMs;
      const part = piece.subarray(at, at + LINE_BYTES - rest.used);
      grow(rest, rest.used + part.length);
      rest.bytes.set(part, rest.used);
      rest.used += part.length;
      at += part.length;
    }
  }

  #tellPiece(stream: Stream, rest: Fragment, tell: (entry: LogEntry) => void): void {
    const whole = wholeCharacters(rest.bytes.subarray(0, rest.used));
    const text = this.#decoder.decode(rest.bytes.subarray(0, whole));
    tell({ kind: "line", line: { timeMs: rest.timeMs, stream, text } });
    rest.bytes.copyWithin(0, whole, rest.used);
    rest.used -= whole;
  }

  #tell(
    stream: Stream,
    timeMs: number,
    bytes: Uint8Array<ArrayBuffer>,
    tell: (entry: LogEntry) => void,
  ): void {
    const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
    tell({ kind: "line", line: { timeMs, stream, text: this.#decoder.decode(bytes.subarray(0, end)) } });
  }
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NS_PER_MS = 1e6;

function fragment(): Fragment {
  return { bytes: new Uint8Array(0), used: 0, timeMs: 0 };
}

function grow(rest: Fragment, bytes: number): void {
  if (bytes <= rest.bytes.length) return;
  const larger = new Uint8Array(Math.min(LINE_BYTES, Math.max(256, 2 * bytes)));
  larger.set(rest.bytes.subarray(0, rest.used));
  rest.bytes = larger;
}

/** How many bytes come before a character of UTF-8 that is cut off at the end; all of them when none is. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back < bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Nanoseconds as two words, low first; a double holds them to a quarter of a microsecond. */
function timeOf(payload: Uint8Array<ArrayBuffer>): number {
  if (payload.length < STAMP_BYTES) return 0;
  const [low, high] = new Uint32Array(payload.buffer, payload.byteOffset, 2);
  return (high! * 2 ** 32 + low!) / NS_PER_MS;
}

function variables(text: string): Record<string, string> {
  const pairs = text.split("\n").map((line) => line.split(/=(.*)/s, 2)).filter(([name]) => name !== "");
  return Object.fromEntries(pairs.map(([name, value = ""]) => [name!, value]));
}
