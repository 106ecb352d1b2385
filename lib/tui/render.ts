/**
 * From one frame to the next: the bytes that change a terminal's picture, and no more of them than needed. Pure.
 *
 * Each picture is one synchronized update (mode 2026): a terminal that knows it shows all or nothing.
 * @module
 */
import { type ColourDepth, styleSequence } from "./colour_depth.ts";
import { CLUSTER, Frame, glyphText, TAIL } from "./frame.ts";
import { PLAIN, type StyleId } from "./style.ts";

const BEGIN = "\x1b[?2026h\x1b[?25l";
const END = "\x1b[?2026l";
const ERASE_SCREEN = "\x1b[0m\x1b[2J";
const ERASE_LINE_END = "\x1b[K";
const SPACE = 0x20;

/** So many unchanged cells are written again rather than jumped over. */
const GAP_CELLS = 4;
/** From so many blanks on the end of a row is erased instead of written. */
const ERASE_FROM = 6;

/** Keeps the picture that the terminal shows. */
export class Renderer {
  readonly #depth: ColourDepth;
  readonly #sequences = new Map<StyleId, string>();
  #shown: Frame | undefined;

  constructor(depth: ColourDepth) {
    this.#depth = depth;
  }

  /** What is shown is not known any more: the next picture is drawn whole. */
  forget(): void {
    this.#shown = undefined;
  }

  /**
   * The text that turns what is shown into `frame`; empty when nothing changes. The renderer keeps a copy: the frame can
   * be drawn in again.
   */
  render(frame: Frame): string {
    const before = this.#shown;
    const fresh = before === undefined || before.width !== frame.width || before.height !== frame.height;
    const from = fresh ? new Frame(frame.width, frame.height) : before;
    const pen = new Pen((id) => this.#sequence(id));
    for (let y = 0; y < frame.height; y++) drawRow(pen, from, frame, y);
    const sameCursor = from.cursor?.x === frame.cursor?.x && from.cursor?.y === frame.cursor?.y;
    if (!fresh && pen.text === "" && sameCursor) return "";
    from.glyphs.set(frame.glyphs);
    from.styles.set(frame.styles);
    from.cursor = frame.cursor;
    this.#shown = from;
    const style = pen.style === PLAIN ? "" : "\x1b[0m";
    const cursor = frame.cursor === undefined ? "" : `${moveTo(frame.cursor.x, frame.cursor.y)}\x1b[?25h`;
    return BEGIN + (fresh ? ERASE_SCREEN : "") + pen.text + style + cursor + END;
  }

  #sequence(id: StyleId): string {
    const known = this.#sequences.get(id);
    if (known !== undefined) return known;
    const sequence = styleSequence(id, this.#depth);
    this.#sequences.set(id, sequence);
    return sequence;
  }
}

/** Collects text and knows where the terminal's cursor stands. */
class Pen {
  text = "";
  style: StyleId = PLAIN;
  #x = -1;
  #y = -1;
  readonly #sequence: (id: StyleId) => string;

  constructor(sequence: (id: StyleId) => string) {
    this.#sequence = sequence;
  }

  at(x: number, y: number): void {
    if (this.#x === x && this.#y === y) return;
    this.text += moveTo(x, y);
    this.#x = x;
    this.#y = y;
  }

  wear(style: StyleId): void {
    if (style === this.style) return;
    this.text += this.#sequence(style);
    this.style = style;
  }

  /** Writes a glyph. Terminals differ in how far emoji and clusters reach, so the place behind them is not trusted. */
  glyph(glyph: number, wide: boolean): void {
    this.text += glyphText(glyph);
    this.#x = wide || glyph >= CLUSTER ? -1 : this.#x + 1;
  }

  eraseLineEnd(): void {
    this.wear(PLAIN);
    this.text += ERASE_LINE_END;
  }
}

function drawRow(pen: Pen, from: Frame, to: Frame, y: number): void {
  const start = y * to.width;
  const end = start + to.width;
  const last = lastChange(from, to, start, end);
  const blankFrom = blanksFrom(to, start, end);
  const erase = last >= blankFrom && last - blankFrom + 1 >= ERASE_FROM;
  const until = erase ? blankFrom : last + 1;
  let written = -1;
  for (let at = start; at < until; at++) {
    if (isSame(from, to, at)) continue;
    let first = written >= 0 && at - written <= GAP_CELLS ? written + 1 : at;
    // Never begin with the right half of a wide character.
    if (to.glyphs[first] === TAIL && first > start) first--;
    for (; first <= at; first++) drawCell(pen, to, first, start, end, y);
    written = at;
    if (to.glyphs[at + 1] === TAIL && at + 1 < end) written = ++at;
  }
  if (erase) {
    pen.at(blankFrom - start, y);
    pen.eraseLineEnd();
  }
}

function drawCell(pen: Pen, to: Frame, at: number, start: number, end: number, y: number): void {
  const glyph = to.glyphs[at]!;
  if (glyph === TAIL) return;
  const wide = at + 1 < end && to.glyphs[at + 1] === TAIL;
  pen.at(at - start, y);
  pen.wear(to.styles[at]!);
  pen.glyph(glyph, wide);
}

function isSame(from: Frame, to: Frame, at: number): boolean {
  return from.glyphs[at] === to.glyphs[at] && from.styles[at] === to.styles[at];
}

/** Index of the last cell of a row that changes; before its start when none does. */
function lastChange(from: Frame, to: Frame, start: number, end: number): number {
  let at = end - 1;
  while (at >= start && isSame(from, to, at)) at--;
  return at;
}

/** Where the plain blanks at the end of a row begin. */
function blanksFrom(frame: Frame, start: number, end: number): number {
  let at = end;
  while (at > start && frame.glyphs[at - 1] === SPACE && frame.styles[at - 1] === PLAIN) at--;
  return at;
}

function moveTo(x: number, y: number): string {
  return `\x1b[${y + 1};${x + 1}H`;
}
