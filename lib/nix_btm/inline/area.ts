/**
 * The lines below the log: erased, the log gone on with, and drawn again, as one synchronized update. There is no other
 * screen and no cursor that is hidden: whatever ends this process, the terminal is left as a program that prints leaves
 * it. Pure.
 * @module
 */
import { type ColourDepth, spansWidth } from "../../tui/mod.ts";
import { type Line, lineText } from "./_text.ts";

const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";
const ERASE_BELOW = "\x1b[J";

/** What is shown below the log, and how it is replaced. */
export class LiveArea {
  readonly #depth: ColourDepth;
  #shown: readonly Line[] = [];

  constructor(depth: ColourDepth) {
    this.#depth = depth;
  }

  /** Whether anything is shown below the log. */
  get isEmpty(): boolean {
    return this.#shown.length === 0;
  }

  /** Somebody else has written: what was drawn stays where it is, and drawing begins below. */
  forget(): void {
    this.#shown = [];
  }

  /**
   * The bytes that put `log`, whole lines, above what is shown, and `lines` in its place; empty when nothing changes.
   * @param width Columns of the terminal now: what was drawn for a wider one has been wrapped by it.
   */
  draw(log: string, lines: readonly Line[], width: number): string {
    if (log === "" && isSame(lines, this.#shown)) return "";
    const rows = this.#shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(spansWidth(line) / width)), 0);
    const up = rows === 0 ? "" : `\x1b[${rows}A`;
    const erase = rows === 0 ? "" : `\r${up}${ERASE_BELOW}`;
    this.#shown = lines;
    return BEGIN + erase + log + lines.map((line) => `${lineText(line, this.#depth)}\n`).join("") + END;
  }
}

function isSame(lines: readonly Line[], others: readonly Line[]): boolean {
  return lines.length === others.length && lines.every((line, at) => {
    const other = others[at]!;
    return line.length === other.length &&
      line.every(({ text, style }, index) => text === other[index]!.text && style === other[index]!.style);
  });
}
