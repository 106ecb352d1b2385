/** Colours that programs write for terminals. Pure. @module */

/** A piece of a line that looks the same. */
export interface Piece {
  readonly text: string;
  /** Names of classes, parted by spaces. */
  readonly look: string;
}

// deno-lint-ignore no-control-regex -- Escape sequences begin with a control character.
const SEQUENCE = /\x1b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

/** The pieces of a line: sixteen colours, bold and dim are kept, all other sequences are left out. */
export function piecesOf(line: string): Piece[] {
  if (!line.includes("\x1b")) return [{ text: line, look: "" }];
  const pieces: Piece[] = [];
  const style = { color: "", isBold: false, isDim: false };
  let from = 0;
  const add = (until: number) => {
    if (until === from) return;
    const look = [style.color, style.isBold ? "bold" : "", style.isDim ? "dim" : ""].filter((each) =>
      each !== ""
    );
    pieces.push({ text: line.slice(from, until), look: look.join(" ") });
  };
  for (const { 0: all, 1: numbers = "", 2: final, index } of line.matchAll(SEQUENCE)) {
    add(index);
    from = index + all.length;
    if (final === "m") apply(style, numbers);
  }
  add(line.length);
  return pieces;
}

function apply(style: { color: string; isBold: boolean; isDim: boolean }, numbers: string): void {
  const codes = numbers.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    if (code === 0) Object.assign(style, { color: "", isBold: false, isDim: false });
    else if (code === 1) style.isBold = true;
    else if (code === 2) style.isDim = true;
    else if (code === 22) style.isBold = style.isDim = false;
    else if (code === 39) style.color = "";
    else if (code >= 30 && code <= 37) style.color = `color-${code - 30}`;
    else if (code >= 90 && code <= 97) style.color = `color-${code - 90}`;
    else if (code === 38 || code === 48) {
      // Of 256 colours the first sixteen have names here.
      const isNamed = code === 38 && codes[at + 1] === 5 && codes[at + 2]! < 16;
      if (isNamed) style.color = `color-${codes[at + 2]! % 8}`;
      at += codes[at + 1] === 5 ? 2 : 4;
    }
  }
}

/** The line as one reads it. */
export function plainText(line: string): string {
  return line.includes("\x1b") ? line.replaceAll(SEQUENCE, "") : line;
}
