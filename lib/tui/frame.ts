/** A picture of the terminal as two grids, and areas of it to draw in. Pure. @module */
import { PLAIN, type StyleId } from "./style.ts";
import { clusters, isSimple } from "./width.ts";

/** A rectangle in cells. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Glyph of the right half of a wide character. */
export const TAIL = 0xffff_ffff;
/** Glyphs from here on are numbers of clusters of several code points. */
export const CLUSTER = 0x8000_0000;
/** So many different clusters are told apart in a process; of those beyond the first code point is shown. */
export const MAX_CLUSTERS = 65_536;

const SPACE = 0x20;
const clusterTexts: string[] = [];
const clusterIds = new Map<string, number>();

/** The number that stands for a character in a cell. */
export function glyphOf(text: string): number {
  const first = text.codePointAt(0) ?? SPACE;
  if (text.length <= (first > 0xffff ? 2 : 1)) return first;
  const known = clusterIds.get(text);
  if (known !== undefined) return known;
  if (clusterTexts.length === MAX_CLUSTERS) return first;
  const id = CLUSTER + clusterTexts.push(text) - 1;
  clusterIds.set(text, id);
  return id;
}

/** The character of a cell; nothing for the right half of a wide one. */
export function glyphText(glyph: number): string {
  if (glyph === TAIL) return "";
  return glyph >= CLUSTER ? clusterTexts[glyph - CLUSTER] ?? " " : String.fromCodePoint(glyph);
}

/** One picture. Cells are in rows; a wide character is a glyph and a `TAIL`, both always there. */
export class Frame {
  readonly width: number;
  readonly height: number;
  readonly glyphs: Uint32Array;
  readonly styles: Uint32Array;
  /** Where the cursor is shown; nowhere by default. */
  cursor: { readonly x: number; readonly y: number } | undefined;

  /** @throws {RangeError} When a side is no whole number from 0 to `MAX_SIDE`. */
  constructor(width: number, height: number) {
    for (const side of [width, height]) {
      if (!Number.isInteger(side) || side < 0 || side > MAX_SIDE) {
        throw new RangeError(`Cannot make a frame of ${width}x${height} cells: a side has 0 to ${MAX_SIDE}`);
      }
    }
    this.width = width;
    this.height = height;
    this.glyphs = new Uint32Array(width * height).fill(SPACE);
    this.styles = new Uint32Array(width * height);
  }

  /** All of it, to draw in. */
  area(): Area {
    return new Area(this, { x: 0, y: 0, width: this.width, height: this.height });
  }

  /** Makes every cell blank and hides the cursor. */
  clear(): void {
    this.glyphs.fill(SPACE);
    this.styles.fill(PLAIN);
    this.cursor = undefined;
  }

  /** The text of a row without blanks at its end. */
  rowText(y: number): string {
    let text = "";
    for (let at = y * this.width; at < (y + 1) * this.width; at++) text += glyphText(this.glyphs[at]!);
    return text.trimEnd();
  }

  /** All rows, as golden files keep them. */
  text(): string {
    return Array.from({ length: this.height }, (_, y) => `${this.rowText(y)}\n`).join("");
  }
}

/** No terminal is larger. */
export const MAX_SIDE = 4_096;

/** A part of a frame with its own origin. What does not fit is cut off. */
export class Area {
  readonly frame: Frame;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;

  constructor(frame: Frame, rect: Rect) {
    this.frame = frame;
    this.x = Math.max(0, Math.min(rect.x, frame.width));
    this.y = Math.max(0, Math.min(rect.y, frame.height));
    this.width = Math.max(0, Math.min(rect.x + rect.width, frame.width) - this.x);
    this.height = Math.max(0, Math.min(rect.y + rect.height, frame.height) - this.y);
  }

  /** A part of this area; `rect` is relative to it. */
  part(rect: Rect): Area {
    const [x, y] = [Math.max(0, rect.x), Math.max(0, rect.y)];
    const width = Math.min(rect.x + rect.width, this.width) - x;
    const height = Math.min(rect.y + rect.height, this.height) - y;
    return new Area(this.frame, { x: this.x + x, y: this.y + y, width, height });
  }

  /** The area without so many cells at each side. */
  inset(columns: number, rows = columns): Area {
    return this.part({
      x: columns,
      y: rows,
      width: this.width - 2 * columns,
      height: this.height - 2 * rows,
    });
  }

  /** Whether a cell of the frame lies in it. */
  holds(x: number, y: number): boolean {
    return x >= this.x && x < this.x + this.width && y >= this.y && y < this.y + this.height;
  }

  /**
   * Writes text from a cell on, to the right end at most. `x` may be negative: what lies left of the area is left out.
   * Returns the column behind the text.
   */
  put(x: number, y: number, text: string, style: StyleId = PLAIN): number {
    if (y < 0 || y >= this.height) return x;
    if (isSimple(text)) return this.#putSimple(x, y, text, style);
    let column = x;
    for (const { text: char, width } of clusters(text)) {
      if (column >= this.width) break;
      if (column + width > this.width || (column < 0 && column + width > 0)) {
        // Half of a wide character is a blank.
        for (let at = Math.max(0, column); at < Math.min(this.width, column + width); at++) {
          this.#set(at, y, SPACE, style);
        }
      } else if (column >= 0) {
        this.#set(column, y, glyphOf(char), style);
        if (width === 2) this.#setTail(column + 1, y, style);
      }
      column += width;
    }
    return column;
  }

  /** The way of most text: a code unit is a cell. */
  #putSimple(x: number, y: number, text: string, style: StyleId): number {
    const end = Math.min(this.width, x + text.length);
    for (let column = Math.max(0, x); column < end; column++) {
      this.#set(column, y, text.charCodeAt(column - x), style);
    }
    return Math.max(x, end);
  }

  /** Fills all cells with one narrow character. */
  fill(style: StyleId, char = " "): void {
    const glyph = glyphOf(char);
    for (let y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) this.#set(x, y, glyph, style);
    }
  }

  /** Changes how the cells of a row look, from column `x` on, and leaves their characters. */
  restyle(y: number, change: (style: StyleId) => StyleId, x = 0, width = this.width): void {
    if (y < 0 || y >= this.height) return;
    const { styles } = this.frame;
    // Most cells look like the one before.
    let [before, after]: [StyleId | undefined, StyleId] = [undefined, PLAIN];
    for (let column = Math.max(0, x); column < Math.min(this.width, x + width); column++) {
      const at = this.#at(column, y);
      if (styles[at] !== before) {
        before = styles[at]!;
        after = change(before);
      }
      styles[at] = after;
    }
  }

  /** Shows the cursor in a cell. */
  showCursor(x: number, y: number): void {
    if (x >= 0 && x < this.width && y >= 0 && y < this.height) {
      this.frame.cursor = { x: this.x + x, y: this.y + y };
    }
  }

  #at(x: number, y: number): number {
    return (this.y + y) * this.frame.width + this.x + x;
  }

  #set(x: number, y: number, glyph: number, style: StyleId): void {
    const { glyphs, styles, width } = this.frame;
    const at = this.#at(x, y);
    // Whoever overwrites half of a wide character leaves a blank for the other half.
    if (glyphs[at] === TAIL) glyphs[at - 1] = SPACE;
    if ((at + 1) % width !== 0 && glyphs[at + 1] === TAIL) glyphs[at + 1] = SPACE;
    glyphs[at] = glyph;
    styles[at] = style;
  }

  #setTail(x: number, y: number, style: StyleId): void {
    const { glyphs, styles } = this.frame;
    const at = this.#at(x, y);
    if ((at + 1) % this.frame.width !== 0 && glyphs[at + 1] === TAIL) glyphs[at + 1] = SPACE;
    glyphs[at] = TAIL;
    styles[at] = style;
  }
}
