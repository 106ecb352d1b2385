/**
 * A terminal inside the terminal: what a program that believes in one has drawn. Pure: bytes as text in, a frame out.
 *
 * It knows what shells, editors and progress bars use of xterm: the cursor, erasing, inserting and deleting, scroll
 * regions, colours, the alternate screen. What it does not know is left out, as terminals do.
 * Sources: ECMA-48, xterm's ctlseqs, DEC STD 070 for the pending wrap.
 * @module
 */
import { applySgr } from "./ansi.ts";
import { Frame, glyphText, TAIL } from "./frame.ts";
import { PLAIN, type Style, style, type StyleId } from "./style.ts";
import { clusters, textWidth } from "./width.ts";

const TAB_COLUMNS = 8;
const SPACE = 0x20;

/** Control sequences, strings, other escapes, controls, and text between them. */
const TOKENS =
  // deno-lint-ignore no-control-regex
  /\x1b\[([<=>?]?)([\d;:]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[ -/]+[0-~]|\x1b([0-~])|[\x00-\x1f\x7f]|[^\x00-\x1f\x7f]+/g;

interface Saved {
  readonly x: number;
  readonly y: number;
  readonly look: Style;
}

/** A screen of a size. */
export class Emulator {
  readonly width: number;
  readonly height: number;
  #screen: Frame;
  /** The main screen while the alternate one is shown. */
  #main: Frame | undefined;
  #x = 0;
  #y = 0;
  /** The last column was written: the next character begins a row. */
  #pending = false;
  #look: Style = {};
  #style: StyleId = PLAIN;
  #top = 0;
  #bottom: number;
  #cursorShown = true;
  #saved: Saved = { x: 0, y: 0, look: {} };
  #savedMain: Saved = this.#saved;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#screen = new Frame(width, height);
    this.#bottom = height - 1;
  }

  /** What is seen, with the cursor where it is shown. The frame changes with the next text. */
  get frame(): Frame {
    this.#screen.cursor = this.#cursorShown
      ? { x: Math.min(this.#x, this.width - 1), y: this.#y }
      : undefined;
    return this.#screen;
  }

  /** Takes text; sequences have to be whole. */
  write(text: string): void {
    for (const match of text.matchAll(TOKENS)) {
      const [token, mark, parameters, final, escape] = match;
      if (final !== undefined) this.#sequence(mark!, parameters!, final);
      else if (escape !== undefined) this.#escape(escape);
      else if (token < " " || token === "\x7f") this.#control(token);
      else if (!token.startsWith("\x1b")) this.#print(token);
    }
  }

  #print(text: string): void {
    for (const { text: char, width } of clusters(text)) {
      if (this.#pending || this.#x + width > this.width) {
        this.#x = 0;
        this.#lineFeed();
      }
      this.#screen.area().put(this.#x, this.#y, char, this.#style);
      this.#pending = this.#x + width >= this.width;
      this.#x = this.#pending ? this.width - 1 : this.#x + width;
    }
  }

  #control(char: string): void {
    if (char !== "\x07") this.#pending = false;
    if (char === "\n" || char === "\v" || char === "\f") this.#lineFeed();
    else if (char === "\r") this.#x = 0;
    else if (char === "\b") this.#x = Math.max(0, this.#x - 1);
    else if (char === "\t") {
      this.#x = Math.min(this.width - 1, (Math.floor(this.#x / TAB_COLUMNS) + 1) * TAB_COLUMNS);
    }
  }

  #escape(final: string): void {
    this.#pending = false;
    if (final === "7") this.#saved = { x: this.#x, y: this.#y, look: this.#look };
    else if (final === "8") this.#restore(this.#saved);
    else if (final === "D") this.#lineFeed();
    else if (final === "E") {
      this.#x = 0;
      this.#lineFeed();
    } else if (final === "M") {
      if (this.#y === this.#top) this.#shift(this.#top, this.#bottom, -1);
      else this.#y = Math.max(0, this.#y - 1);
    } else if (final === "c") this.#reset();
  }

  #sequence(mark: string, parameters: string, final: string): void {
    if (final === "m" && mark === "") {
      this.#look = applySgr(this.#look, parameters);
      this.#style = style(this.#look);
      return;
    }
    const numbers = parameters.split(";").map((part) => Math.min(0xffff, Number(part) || 0));
    if (mark === "?") return this.#mode(numbers, final);
    if (mark !== "") return;
    const first = numbers[0]!;
    const count = Math.max(1, first);
    this.#pending = false;
    const { width, height } = this;
    switch (final) {
      case "A":
        return void (this.#y = Math.max(this.#y >= this.#top ? this.#top : 0, this.#y - count));
      case "B":
      case "e":
        return void (this.#y = Math.min(
          this.#y <= this.#bottom ? this.#bottom : height - 1,
          this.#y + count,
        ));
      case "C":
      case "a":
        return void (this.#x = Math.min(width - 1, this.#x + count));
      case "D":
        return void (this.#x = Math.max(0, this.#x - count));
      case "E":
      case "F":
        this.#x = 0;
        return void (this.#y = Math.max(0, Math.min(height - 1, this.#y + (final === "E" ? count : -count))));
      case "G":
      case "`":
        return void (this.#x = Math.min(width, count) - 1);
      case "d":
        return void (this.#y = Math.min(height, count) - 1);
      case "H":
      case "f":
        this.#y = Math.min(height, count) - 1;
        return void (this.#x = Math.min(width, Math.max(1, numbers[1] ?? 1)) - 1);
      case "J":
        return this.#eraseScreen(first);
      case "K":
        return this.#eraseRow(first);
      case "X":
        return this.#erase(this.#y, this.#x, Math.min(width, this.#x + count));
      case "@":
      case "P":
        return this.#shiftRow(final === "@" ? -count : count);
      case "L":
      case "M":
        if (this.#y < this.#top || this.#y > this.#bottom) return;
        return this.#shift(this.#y, this.#bottom, final === "L" ? -count : count);
      case "S":
      case "T":
        return this.#shift(this.#top, this.#bottom, final === "S" ? count : -count);
      case "r": {
        const [top, bottom] = [count - 1, Math.min(height, numbers[1] || height) - 1];
        if (top < bottom) [this.#top, this.#bottom, this.#x, this.#y] = [top, bottom, 0, 0];
        return;
      }
      case "s":
        return void (this.#saved = { x: this.#x, y: this.#y, look: this.#look });
      case "u":
        return this.#restore(this.#saved);
    }
  }

  #mode(numbers: readonly number[], final: string): void {
    if (final !== "h" && final !== "l") return;
    for (const number of numbers) {
      if (number === 25) this.#cursorShown = final === "h";
      else if (number === 47 || number === 1047 || number === 1049) this.#alternate(final === "h");
    }
  }

  #alternate(on: boolean): void {
    if (on === (this.#main !== undefined)) return;
    if (on) {
      this.#savedMain = { x: this.#x, y: this.#y, look: this.#look };
      this.#main = this.#screen;
      this.#screen = new Frame(this.width, this.height);
    } else {
      this.#screen = this.#main!;
      this.#main = undefined;
      this.#restore(this.#savedMain);
    }
    [this.#top, this.#bottom] = [0, this.height - 1];
  }

  #restore({ x, y, look }: Saved): void {
    [this.#x, this.#y, this.#look, this.#style] = [x, y, look, style(look)];
  }

  #reset(): void {
    this.#main = undefined;
    this.#screen.clear();
    this.#restore({ x: 0, y: 0, look: {} });
    [this.#top, this.#bottom, this.#cursorShown] = [0, this.height - 1, true];
  }

  #lineFeed(): void {
    this.#pending = false;
    if (this.#y === this.#bottom) this.#shift(this.#top, this.#bottom, 1);
    else this.#y = Math.min(this.height - 1, this.#y + 1);
  }

  #eraseScreen(how: number): void {
    if (how === 0) this.#eraseRow(0);
    if (how === 1) this.#eraseRow(1);
    const [from, to] = how === 0 ? [this.#y + 1, this.height] : how === 1 ? [0, this.#y] : [0, this.height];
    for (let y = from; y < to; y++) this.#erase(y, 0, this.width);
  }

  #eraseRow(how: number): void {
    this.#erase(this.#y, how === 0 ? this.#x : 0, how === 1 ? this.#x + 1 : this.width);
  }

  /** Erased cells keep the background that is set. */
  #erase(y: number, from: number, to: number): void {
    const blank = this.#blank();
    const row = this.#screen.area().part({ x: from, y, width: to - from, height: 1 });
    row.fill(blank);
  }

  #blank(): StyleId {
    return this.#look.bg === undefined ? PLAIN : style({ bg: this.#look.bg });
  }

  /** Moves rows up by `by`, or down when it is negative; rows that come in are blank. */
  #shift(top: number, bottom: number, by: number): void {
    const { width } = this;
    const rows = bottom - top + 1;
    const count = Math.min(rows, Math.abs(by));
    const [start, end] = [top * width, (bottom + 1) * width];
    for (const cells of [this.#screen.glyphs, this.#screen.styles]) {
      if (by > 0) cells.copyWithin(start, start + count * width, end);
      else cells.copyWithin(start + count * width, start, end - count * width);
    }
    const first = by > 0 ? bottom - count + 1 : top;
    for (let y = first; y < first + count; y++) this.#erase(y, 0, width);
  }

  /** Deletes cells at the cursor, or inserts blanks when `by` is negative. */
  #shiftRow(by: number): void {
    const { width } = this;
    const count = Math.min(width - this.#x, Math.abs(by));
    const at = this.#y * width + this.#x;
    const end = (this.#y + 1) * width;
    for (const cells of [this.#screen.glyphs, this.#screen.styles]) {
      if (by > 0) cells.copyWithin(at, at + count, end);
      else cells.copyWithin(at + count, at, end - count);
    }
    if (by > 0) this.#erase(this.#y, width - count, width);
    else this.#erase(this.#y, this.#x, this.#x + count);
    this.#mend(this.#y);
  }

  /** Halves of wide characters that were torn apart become blanks. */
  #mend(y: number): void {
    const { glyphs } = this.#screen;
    const [start, end] = [y * this.width, (y + 1) * this.width];
    for (let at = start; at < end; at++) {
      const glyph = glyphs[at]!;
      if (glyph === TAIL) {
        if (at === start || !isWide(glyphs[at - 1]!)) glyphs[at] = SPACE;
      } else if (isWide(glyph) && (at + 1 === end || glyphs[at + 1] !== TAIL)) glyphs[at] = SPACE;
    }
  }
}

function isWide(glyph: number): boolean {
  return glyph !== TAIL && glyph >= 0x1100 && textWidth(glyphText(glyph)) === 2;
}
