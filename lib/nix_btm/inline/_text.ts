/** Lines of styled text, and figures for people. Pure. @module */
import {
  type ColourDepth,
  fitText,
  PLAIN,
  type Span,
  spansWidth,
  styleSequence,
  textWidth,
} from "../../tui/mod.ts";

/** A row of what is shown. */
export type Line = readonly Span[];

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `340 B`, `1.4 KiB`, `12.0 MiB`. */
export function bytesText(bytes: number): string {
  const [value, unit] = scaled(bytes, bytes);
  return `${value} ${unit}`;
}

/** `1.4 of 12.0 MiB`; only what is there while nobody knows the whole. */
export function partText(done: number, whole: number): string {
  if (whole <= 0) return bytesText(done);
  const [value] = scaled(Math.min(done, whole), whole);
  return `${value} of ${bytesText(whole)}`;
}

/** In the unit of another number. */
function scaled(bytes: number, like: number): readonly [value: string, unit: string] {
  let at = 0;
  while (at < UNITS.length - 1 && like >= 1_000 * 1_024 ** at) at++;
  return [at === 0 ? String(Math.round(bytes)) : (bytes / 1_024 ** at).toFixed(1), UNITS[at]!];
}

/** `■■■◧□□□□`. */
export function barText(ratio: number, columns: number): string {
  const halves = Math.round(Math.min(1, Math.max(0, ratio)) * columns * 2);
  const full = halves >> 1;
  return "■".repeat(full) + (halves & 1 ? "◧" : "") + "□".repeat(columns - full - (halves & 1));
}

/** The line cut to `columns`, with an ellipsis where something is missing. */
export function fitLine(line: Line, columns: number): Line {
  if (spansWidth(line) <= columns) return line;
  const kept: Span[] = [];
  let left = columns;
  for (const { text, style } of line) {
    const width = textWidth(text);
    if (width >= left) {
      // What follows is missing: the ellipsis has to be seen.
      kept.push({ text: fitText(width === left ? `${text}…` : text, left), style });
      break;
    }
    kept.push({ text, style });
    left -= width;
  }
  return kept;
}

/** Without any look. */
export function plainLine(line: Line): string {
  return line.map(({ text }) => text).join("");
}

/** As a terminal understands it. */
export function lineText(line: Line, depth: ColourDepth): string {
  if (depth === "none") return plainLine(line);
  let text = "";
  let last = PLAIN;
  for (const { text: part, style } of line) {
    text += style === last ? part : `${styleSequence(style, depth)}${part}`;
    last = style;
  }
  return last === PLAIN ? text : `${text}\x1b[0m`;
}
