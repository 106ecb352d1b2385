/** Lines of styled text. Pure. @module */
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
export function unstyledText(line: Line): string {
  return line.map(({ text }) => text).join("");
}

/** As a terminal understands it. */
export function lineText(line: Line, depth: ColourDepth): string {
  if (depth === "none") return unstyledText(line);
  let text = "";
  let last = PLAIN;
  for (const { text: part, style } of line) {
    text += style === last ? part : `${styleSequence(style, depth)}${part}`;
    last = style;
  }
  return last === PLAIN ? text : `${text}\x1b[0m`;
}
