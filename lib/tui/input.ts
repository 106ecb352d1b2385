/**
 * A terminal's bytes as events: keys, mouse, pasted text, answers. A pure state machine: whatever the bytes are and
 * however they are cut, it holds a bounded rest and never throws.
 *
 * Sources: ECMA-48 5.4 (control sequences), xterm's ctlseqs (modifiers, SGR mouse, bracketed paste), the kitty keyboard
 * protocol (CSI u).
 * @module
 */
import type { InputEvent } from "./event.ts";
import { controlKey, csiEvent, keyEvent, oscEvent, ss3Event } from "./_sequences.ts";

/** Pasted text beyond so many characters is told in several events. */
export const MAX_PASTE = 65_536;
/** A control sequence or answer that is longer is dropped. */
export const MAX_SEQUENCE = 1_024;

/** How a rest of input that could go on as a sequence is read when nothing more comes for so long, in milliseconds. */
export const ESCAPE_TIMEOUT_MS = 50;

const ESC = "\x1b";
const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** Bytes in, events out. */
export class InputParser {
  readonly #decoder = new TextDecoder();
  /** What could be the beginning of more. */
  #rest = "";
  #paste: string | undefined;

  /** Whether something waits that `flush` would tell: the escape key, or a sequence that was cut short. */
  get waiting(): boolean {
    return this.#rest !== "" && this.#paste === undefined;
  }

  /** Takes bytes as they were read. */
  feed(bytes: Uint8Array): InputEvent[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const events: InputEvent[] = [];
    while (this.#rest !== "" && this.#step(events));
    return events;
  }

  /** Nothing more has come for `ESCAPE_TIMEOUT_MS`: tells what waits as it is. */
  flush(): InputEvent[] {
    if (!this.waiting) return [];
    const rest = this.#rest;
    this.#rest = "";
    if (rest === ESC) return [keyEvent("escape")];
    // Alt and a key that begins sequences.
    if (rest.length === 2 && /[[O\]PX^_]/.test(rest[1]!)) return [keyEvent(rest[1]!, { alt: true })];
    if (rest === `${ESC}${ESC}`) return [keyEvent("escape", { alt: true })];
    return []; // A sequence without its end means nothing.
  }

  /** Reads one event off the rest; false when more has to come first. */
  #step(events: InputEvent[]): boolean {
    if (this.#paste !== undefined) return this.#pasted(events);
    const rest = this.#rest;
    if (rest[0] !== ESC) {
      const char = String.fromCodePoint(rest.codePointAt(0)!);
      this.#rest = rest.slice(char.length);
      events.push(controlKey(char) ?? keyEvent(char));
      return true;
    }
    if (rest.startsWith(PASTE_BEGIN)) {
      this.#rest = rest.slice(PASTE_BEGIN.length);
      this.#paste = "";
      return true;
    }
    const found = readSequence(rest);
    if (found === undefined) {
      if (rest.length <= MAX_SEQUENCE) return false;
      this.#rest = "";
      return false;
    }
    this.#rest = rest.slice(found.length);
    if (found.event !== undefined) events.push(found.event);
    return true;
  }

  #pasted(events: InputEvent[]): boolean {
    const end = this.#rest.indexOf(PASTE_END);
    // What could be the beginning of the end stays.
    const until = end >= 0 ? end : this.#rest.length - endingWith(this.#rest, PASTE_END);
    this.#paste += this.#rest.slice(0, until);
    this.#rest = this.#rest.slice(end >= 0 ? end + PASTE_END.length : until);
    if (end >= 0 || this.#paste!.length >= MAX_PASTE) {
      if (this.#paste !== "") events.push({ kind: "paste", text: this.#paste!.replaceAll(/\r\n?/g, "\n") });
      this.#paste = end >= 0 ? undefined : "";
    }
    return end >= 0;
  }
}

/** How many characters at the end of `text` are a beginning of `wanted`. */
function endingWith(text: string, wanted: string): number {
  for (let length = Math.min(wanted.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(wanted.slice(0, length))) return length;
  }
  return 0;
}

interface Sequence {
  readonly length: number;
  /** Absent for sequences that mean nothing here. */
  readonly event?: InputEvent | undefined;
}

// deno-lint-ignore no-control-regex
const CSI = /^\x1b\[([<=>?]?[\d;:]*)([ -/]*)([@-~])/;
// deno-lint-ignore no-control-regex
const CSI_PART = /^\x1b\[[0-?]*[ -/]*$/;
// deno-lint-ignore no-control-regex
const STRING = /^\x1b([\]PX^_])([^\x07\x1b]*)(?:\x07|\x1b\\)/;
// deno-lint-ignore no-control-regex
const STRING_PART = /^\x1b[\]PX^_][^\x07\x1b]*\x1b?$/;

/** The sequence at the beginning; `undefined` when it could go on. */
function readSequence(rest: string): Sequence | undefined {
  if (rest.length === 1) return undefined;
  const csi = CSI.exec(rest);
  if (csi !== null) return { length: csi[0].length, event: csiEvent(csi[1]!, csi[3]!) };
  if (CSI_PART.test(rest)) return undefined;
  // Not a sequence after all: its beginning is dropped, so that its rest is not read as typed text.
  if (rest[1] === "[") return { length: 2 };
  if (rest[1] === "O") {
    if (rest.length === 2) return undefined;
    return { length: 3, event: ss3Event(rest[2]!) };
  }
  const string = STRING.exec(rest);
  if (string !== null) {
    return { length: string[0].length, event: string[1] === "]" ? oscEvent(string[2]!) : undefined };
  }
  if (STRING_PART.test(rest)) return undefined;
  const char = String.fromCodePoint(rest.codePointAt(1)!);
  if (char === ESC) {
    // ESC ESC [ …: the first is a key of its own, or alt for what follows.
    if (rest.length === 2) return undefined;
    const next = readSequence(rest.slice(1));
    if (next === undefined) return undefined;
    const { event } = next;
    const alt = event?.kind === "key" ? keyEvent(event.name, { alt: true }) : event;
    return { length: 1 + next.length, event: alt };
  }
  return { length: 1 + char.length, event: controlKey(char, true) ?? keyEvent(char, { alt: true }) };
}
