/**
 * How many columns text takes: East Asian wide, emoji, combining and other characters without width, and what must not
 * reach a terminal at all. Pure.
 *
 * Sources: Unicode 16 EastAsianWidth.txt (classes W and F), UAX #11, and the runtime's own tables for marks, format
 * characters and emoji. Ambiguous characters take one column.
 * @module
 */

/** Wide ranges beside those of `Emoji_Presentation`; unassigned code points inside a block count as the block. */
// deno-fmt-ignore
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f], [0x2329, 0x232a], [0x2630, 0x2637], [0x268a, 0x268f], [0x2e80, 0x303e], [0x3041, 0x3247],
  [0x3250, 0xa4cf], [0xa960, 0xa97c], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfe10, 0xfe19], [0xfe30, 0xfe6b],
  [0xff01, 0xff60], [0xffe0, 0xffe6], [0x16fe0, 0x16fff], [0x17000, 0x18dff], [0x1aff0, 0x1b2ff],
  [0x1d300, 0x1d376], [0x1f200, 0x1f265], [0x20000, 0x2fffd], [0x30000, 0x3fffd],
];

const REPLACEMENT = "\u{fffd}";
const SOFT_HYPHEN = 0xad;
const EMOJI_VARIATION = 0xfe0f;
const REGIONAL_A = 0x1f1e6;
const REGIONAL_Z = 0x1f1ff;

/** Below this code point every character that is no control takes one column and stands alone. */
const SIMPLE_BELOW = 0x300;

const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7fb]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
/** Lone surrogates, line and paragraph separators, and marks that would turn the direction of the whole line. */
const HARMFUL = /^[\p{Cs}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]$/u;
/**
 * What is not one column a code unit, whatever stands beside it: beyond these (ASCII, Latin, Greek, Cyrillic,
 * punctuation, arrows, signs of clocks and players, box drawing, flags, check marks, braille) characters may be wide,
 * join others or do harm.
 */
const NOT_SIMPLE =
  /[^\x20-\x7e\u00a0-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u2319\u23f1\u23f2\u23f8-\u23fa\u2500-\u25fc\u2690-\u2692\u2713-\u2718\u2800-\u28ff]/;

/** Widths that were asked for, plus one; pages that nobody asks for take no memory. */
const known = new Uint8Array(0x11_0000);

/** Whether every code unit of a text is a character of one column. */
export function isSimple(text: string): boolean {
  return !NOT_SIMPLE.test(text);
}

/** Columns of one code point: 0, 1 or 2. Controls count as the one column of what is shown in their place. */
export function charWidth(codePoint: number): 0 | 1 | 2 {
  if (codePoint < SIMPLE_BELOW) return 1;
  const before = known[codePoint];
  if (before !== undefined && before > 0) return before - 1 as 0 | 1 | 2;
  const width = findWidth(codePoint);
  known[codePoint] = width + 1;
  return width;
}

function findWidth(codePoint: number): 0 | 1 | 2 {
  const char = String.fromCodePoint(codePoint);
  if (HARMFUL.test(char)) return 1;
  if (NO_WIDTH.test(char) && codePoint !== SOFT_HYPHEN) return 0;
  if (codePoint >= REGIONAL_A && codePoint <= REGIONAL_Z) return 1;
  if (EMOJI.test(char)) return 2;
  return WIDE.some(([first, last]) => codePoint >= first && codePoint <= last) ? 2 : 1;
}

/** One user-perceived character and its columns. */
export interface Cluster {
  readonly text: string;
  readonly width: 1 | 2;
}

let segmenter: Intl.Segmenter | undefined;

/**
 * The characters of a text as a terminal may be given them: controls become their pictures, other harm U+FFFD, marks
 * without a base stand on a space. Lines and tabs are no characters; whoever has them splits or expands first.
 */
export function* clusters(text: string): Generator<Cluster> {
  if (isSimple(text)) {
    for (const char of text) yield { text: char, width: 1 };
    return;
  }
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  for (const { segment } of segmenter.segment(text)) yield cluster(segment);
}

function cluster(segment: string): Cluster {
  const first = segment.codePointAt(0)!;
  const single = segment.length === (first > 0xffff ? 2 : 1);
  if (single) {
    const shown = visible(first, segment);
    const width = charWidth(shown.codePointAt(0)!);
    return width === 0 ? { text: ` ${shown}`, width: 1 } : { text: shown, width };
  }
  const chars = [...segment];
  if (chars.some((char) => isControl(char.codePointAt(0)!))) {
    return { text: visible(first, chars[0]!), width: 1 };
  }
  const safe = chars.map((char) => HARMFUL.test(char) ? REPLACEMENT : char);
  const widths = safe.map((char) => charWidth(char.codePointAt(0)!));
  const wide = widths.includes(2) || safe.some((char) => char.codePointAt(0) === EMOJI_VARIATION) ||
    (first >= REGIONAL_A && first <= REGIONAL_Z);
  return { text: (widths[0] === 0 ? " " : "") + safe.join(""), width: wide ? 2 : 1 };
}

function isControl(codePoint: number): boolean {
  return codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0);
}

/** U+2400 and the following picture the controls of ASCII. */
function visible(codePoint: number, char: string): string {
  if (codePoint < 0x20) return String.fromCodePoint(0x2400 + codePoint);
  if (codePoint === 0x7f) return "\u2421";
  return isControl(codePoint) || (codePoint >= SIMPLE_BELOW && HARMFUL.test(char)) ? REPLACEMENT : char;
}

/** Columns of a text. */
export function textWidth(text: string): number {
  if (isSimple(text)) return text.length;
  let columns = 0;
  for (const { width } of clusters(text)) columns += width;
  return columns;
}

/** The text cut to `columns`, with an ellipsis where something is missing. */
export function fitText(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (isSimple(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  let kept = "";
  let used = 0;
  for (const { text: char, width } of clusters(text)) {
    if (used + width > columns) return `${cutLast(kept, used, columns - 1)}…`;
    kept += char;
    used += width;
  }
  return kept;
}

/** Cut so that the ellipsis fits; a wide character in the way leaves a space. */
function cutLast(kept: string, used: number, columns: number): string {
  if (used <= columns) return kept + " ".repeat(columns - used);
  let result = "";
  let width = 0;
  for (const each of clusters(kept)) {
    if (width + each.width > columns) break;
    result += each.text;
    width += each.width;
  }
  return result + " ".repeat(columns - width);
}

/** The text with spaces up to `columns`, or cut to them. */
export function padText(text: string, columns: number, align: "left" | "right" = "left"): string {
  const fitted = fitText(text, columns);
  const space = " ".repeat(Math.max(0, columns - textWidth(fitted)));
  return align === "left" ? fitted + space : space + fitted;
}
