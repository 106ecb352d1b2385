/** Tells records of Nix from what else stands on a command's standard error. @module */

/** How a record begins; JSON of Nix has no space before its first key. */
const BEGIN = new TextEncoder().encode("@nix {");
const PREFIX_BYTES = "@nix ".length;
const NEWLINE = 10;
const RETURN = 13;

/** A longer record is dropped and counted: Nix' longest are error messages. */
export const RECORD_LIMIT_BYTES = 4 * 1024 * 1024;

/** Who hears what was found, in its order. */
export interface SplitSink {
  /** Other text, as soon as it comes: a question without a newline is not held back. Bytes of the piece, not a copy. */
  readonly text?: (bytes: Uint8Array) => void;
  /** A record without `@nix ` and without its newline; the bytes are the hearer's own. */
  readonly record?: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/**
 * Takes standard error in pieces of any size. A record may follow text on the same line, as when a program's question
 * stood there: it ends with the line, the text does not get a newline.
 */
export class RecordSplitter {
  readonly #sink: SplitSink;
  /** Bytes of `BEGIN` that stood at the end of the piece before; or of the record in which we are. */
  #held: Uint8Array<ArrayBuffer>[] = [];
  #heldBytes = 0;
  #inRecord = false;
  #dropped = 0;

  constructor(sink: SplitSink) {
    this.#sink = sink;
  }

  /** Records that were longer than `RECORD_LIMIT_BYTES`. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes what comes next. */
  take(piece: Uint8Array): void {
    let rest = piece;
    if (!this.#inRecord && this.#heldBytes > 0) rest = joined([...this.#release(), piece]);
    while (rest.length > 0) rest = this.#inRecord ? this.#takeRecord(rest) : this.#takeText(rest);
  }

  /** Nothing more comes. A record without its end is none: it is shown as text. */
  end(): void {
    const held = this.#release();
    this.#inRecord = false;
    if (held.length > 0) this.#sink.text?.(joined(held));
  }

  #takeText(rest: Uint8Array): Uint8Array {
    const found = beginIn(rest);
    if (found > 0) this.#sink.text?.(rest.subarray(0, found));
    const begun = rest.subarray(found);
    if (begun.length < BEGIN.length) {
      if (begun.length > 0) this.#hold(begun);
      return NOTHING;
    }
    const end = begun.indexOf(NEWLINE);
    if (end < 0 || end > RECORD_LIMIT_BYTES) {
      this.#inRecord = true;
      return begun;
    }
    // Nearly always the whole record is there: nothing has to be put together.
    this.#tell(begun.subarray(0, end));
    return begun.subarray(end + 1);
  }

  #takeRecord(rest: Uint8Array): Uint8Array {
    const end = rest.indexOf(NEWLINE);
    this.#hold(end < 0 ? rest : rest.subarray(0, end));
    if (end < 0) return NOTHING;
    this.#inRecord = false;
    const tooLong = this.#heldBytes > RECORD_LIMIT_BYTES;
    const held = this.#release();
    if (tooLong) this.#dropped++;
    else this.#tell(joined(held));
    return rest.subarray(end + 1);
  }

  #tell(line: Uint8Array): void {
    this.#sink.record?.(line.slice(PREFIX_BYTES, line.at(-1) === RETURN ? -1 : line.length));
  }

  /** Of a record that is too long only the length is kept. */
  #hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > RECORD_LIMIT_BYTES) this.#held = [];
    else this.#held.push(bytes.slice());
  }

  #release(): Uint8Array<ArrayBuffer>[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}

const NOTHING = new Uint8Array(0);

/** Where a record begins, or may begin at the very end; the length when it does not. */
function beginIn(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(BEGIN[0]!); at >= 0; at = bytes.indexOf(BEGIN[0]!, at + 1)) {
    const length = Math.min(BEGIN.length, bytes.length - at);
    if (BEGIN.subarray(0, length).every((byte, index) => byte === bytes[at + index])) return at;
  }
  return bytes.length;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
