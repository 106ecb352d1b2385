/**
 * A stream of Nix' log, cut into records. With `-vvv` nineteen lines of twenty tell what nobody looks at: they are
 * counted by their first bytes and not decoded. Pure.
 * @module
 */
import { LEVEL, type NixRecord, parseRecord } from "./record.ts";

/** A longer line is cut off; Nix prints whole environments at its most talkative. */
const LINE_MAX_BYTES = 4 * 2 ** 20;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BRACE = 0x7b;
const MARK = bytesOf("@nix ");
/** Keys are sorted: a message's level follows this. */
const MESSAGE = bytesOf('{"action":"msg","level":');
/** And its text this, after the level and a comma; those of errors have keys between. */
const TEXT = bytesOf('"msg":"');
const TEXT_AT = MESSAGE.length + 2;
const CHATTY_TEXT = bytesOf("instantiated '");
const DEBUG_TEXT = bytesOf("building of '");
/** How a goal's word ends that tells what it waited for. */
const DEBUG_END = bytesOf('left"}');

/** What went through a reader. */
export interface ReaderCounts {
  lines: number;
  bytes: number;
  /** Messages by level, those included that were not decoded. */
  readonly messages: number[];
  plain: number;
  /** Marked as records, and none: given on as plain lines. */
  broken: number;
  /** Records of kinds that are not known. */
  unknown: number;
  /** Lines above 4 MiB, of which the rest was dropped. */
  tooLong: number;
  /** The stream ended within a line. */
  truncated: number;
}

/** Reads records in both framings, with `@nix ` before them and without, and plain lines between them. */
export class LogReader {
  readonly counts: ReaderCounts = {
    lines: 0,
    bytes: 0,
    messages: [],
    plain: 0,
    broken: 0,
    unknown: 0,
    tooLong: 0,
    truncated: 0,
  };
  readonly #sink: (record: NixRecord) => void;
  readonly #decoder = new TextDecoder();
  /** A line whose end has not come. */
  #rest: Uint8Array = new Uint8Array(0);
  #restLength = 0;
  /** The line was cut off, and goes on. */
  #isDropping = false;

  constructor(sink: (record: NixRecord) => void) {
    this.#sink = sink;
  }

  /** Reads what has come; the bytes are not kept. */
  push(chunk: Uint8Array): void {
    this.counts.bytes += chunk.length;
    let from = 0;
    if (this.#isDropping || this.#restLength > 0) {
      const end = chunk.indexOf(NEWLINE);
      this.#keep(chunk.subarray(0, end < 0 ? chunk.length : end));
      if (end < 0) return;
      const line = this.#takeRest();
      this.#line(line, 0, line.length);
      from = end + 1;
    }
    for (let end = chunk.indexOf(NEWLINE, from); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#line(chunk, from, end);
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** The stream is over: a line without an end is half a line, and only a plain one still means something. */
  end(): void {
    const line = this.#takeRest();
    if (line.length === 0) return;
    this.counts.truncated++;
    if (line[0] !== BRACE && !startsWith(line, 0, line.length, MARK)) this.#line(line, 0, line.length);
  }

  #keep(part: Uint8Array): void {
    const room = LINE_MAX_BYTES - this.#restLength;
    if (this.#isDropping || part.length > room) {
      if (!this.#isDropping) this.counts.tooLong++;
      this.#isDropping = true;
    }
    if (room <= 0 || part.length === 0) return;
    const taken = part.subarray(0, room);
    const length = this.#restLength + taken.length;
    if (length > this.#rest.length) {
      // A line may come byte by byte.
      const larger = new Uint8Array(this.#restLength === 0 ? length : 2 * length);
      larger.set(this.#rest);
      this.#rest = larger;
    }
    this.#rest.set(taken, this.#restLength);
    this.#restLength = length;
  }

  #takeRest(): Uint8Array {
    const rest = this.#rest.subarray(0, this.#restLength);
    this.#rest = new Uint8Array(0);
    this.#restLength = 0;
    this.#isDropping = false;
    return rest;
  }

  #line(bytes: Uint8Array, begin: number, end: number): void {
    this.counts.lines++;
    const isMarked = startsWith(bytes, begin, end, MARK);
    const from = isMarked ? begin + MARK.length : begin;
    if (bytes[from] !== BRACE) return this.#plain(bytes, begin, end);
    if (startsWith(bytes, from, end, MESSAGE)) {
      const level = bytes[from + MESSAGE.length]! - 0x30;
      if (level >= LEVEL.chatty && level <= LEVEL.vomit && !isOfInterest(bytes, { from, end, level })) {
        return this.#count(level);
      }
    }
    this.#record(bytes, { begin, from, end, isMarked });
  }

  #record(
    bytes: Uint8Array,
    { begin, from, end, isMarked }: { begin: number; from: number; end: number; isMarked: boolean },
  ): void {
    let record: NixRecord | undefined;
    try {
      record = parseRecord(this.#decoder.decode(bytes.subarray(from, end)));
    } catch {
      // Whatever it is, it is a line that somebody printed.
      if (isMarked) this.counts.broken++;
      return this.#plain(bytes, begin, end);
    }
    if (record === undefined) {
      this.counts.unknown++;
      return;
    }
    if (record.kind === "message") this.#count(record.level);
    this.#sink(record);
  }

  #count(level: number): void {
    this.counts.messages[level] = (this.counts.messages[level] ?? 0) + 1;
  }

  #plain(bytes: Uint8Array, begin: number, end: number): void {
    this.counts.plain++;
    const last = end > begin && bytes[end - 1] === RETURN ? end - 1 : end;
    this.#sink({ kind: "plain", text: this.#decoder.decode(bytes.subarray(begin, last)) });
  }
}

/** Of all that is said at the talkative levels: which derivation was made, and what a goal waited for. */
function isOfInterest(
  bytes: Uint8Array,
  { from, end, level }: { from: number; end: number; level: number },
): boolean {
  const at = from + TEXT_AT;
  if (!startsWith(bytes, at, end, TEXT)) return level === LEVEL.chatty;
  if (level === LEVEL.chatty) return startsWith(bytes, at + TEXT.length, end, CHATTY_TEXT);
  return level === LEVEL.debug && startsWith(bytes, end - DEBUG_END.length, end, DEBUG_END) &&
    startsWith(bytes, at + TEXT.length, end, DEBUG_TEXT);
}

function startsWith(bytes: Uint8Array, from: number, end: number, prefix: Uint8Array): boolean {
  if (end - from < prefix.length || from < 0) return false;
  for (let at = 0; at < prefix.length; at++) {
    if (bytes[from + at] !== prefix[at]) return false;
  }
  return true;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
