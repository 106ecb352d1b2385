/** Lines from the records of a keeper's log. Pure. @module */
import { KEEPER_RECORDS } from "../../ffi/keeper/mod.ts";
import type { Records } from "../ring/mod.ts";

/** Bytes of the time stamp before each record's content. */
const STAMP_BYTES = 8;

/** A line without its end is told in pieces of this size, so that no program makes a reader hold gigabytes. */
export const LINE_BYTES = 65_536;

export type Stream = "stdout" | "stderr";

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

interface Partial {
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
  timeMs: number;
}

/** Puts lines together, stream by stream. Invalid UTF-8 becomes U+FFFD; a carriage return at the end is dropped. */
export class LineAssembler {
  readonly #partials: Record<Stream, Partial> = { stdout: partial(), stderr: partial() };
  readonly #decoder = new TextDecoder();

  /** Tells everything that the record at which `records` stands completes. */
  take(records: Records, tell: (entry: LogEntry) => void): void {
    const payload = records.payload();
    const timeMs = timeOf(payload);
    const bytes = payload.subarray(STAMP_BYTES);
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
    for (const stream of ["stdout", "stderr"] as const) {
      const rest = this.#partials[stream];
      if (rest.used > 0) this.#tell(stream, rest.timeMs, rest.bytes.subarray(0, rest.used), tell);
      rest.used = 0;
    }
  }

  /** Forgets what was begun: its end was overwritten. */
  reset(): void {
    for (const rest of Object.values(this.#partials)) rest.used = 0;
  }

  #take(
    stream: Stream,
    timeMs: number,
    bytes: Uint8Array<ArrayBuffer>,
    tell: (entry: LogEntry) => void,
  ): void {
    const rest = this.#partials[stream];
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      const piece = bytes.subarray(at, end);
      if (rest.used === 0) this.#tell(stream, timeMs, piece, tell);
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
    rest: Partial,
    timeMs: number,
    piece: Uint8Array<ArrayBuffer>,
    tell: (entry: LogEntry) => void,
  ): void {
    for (let at = 0; at < piece.length;) {
      if (rest.used === LINE_BYTES) {
        this.#tell(stream, rest.timeMs, rest.bytes, tell);
        rest.used = 0;
      }
      if (rest.used === 0) rest.timeMs = timeMs;
      const part = piece.subarray(at, at + LINE_BYTES - rest.used);
      grow(rest, rest.used + part.length);
      rest.bytes.set(part, rest.used);
      rest.used += part.length;
      at += part.length;
    }
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

function partial(): Partial {
  return { bytes: new Uint8Array(0), used: 0, timeMs: 0 };
}

function grow(rest: Partial, bytes: number): void {
  if (bytes <= rest.bytes.length) return;
  const larger = new Uint8Array(Math.min(LINE_BYTES, Math.max(256, 2 * bytes)));
  larger.set(rest.bytes.subarray(0, rest.used));
  rest.bytes = larger;
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
