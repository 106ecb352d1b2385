/** Which lines of a log are seen. Pure: only those that are seen are looked at. @module */
import { ansiSpans, type Span, wrapSpans } from "../tui/mod.ts";
import type { LogLine } from "./log_lines.ts";

/** How lines become rows. */
export interface RowOptions {
  /** Columns for text. */
  readonly width: number;
  readonly height: number;
  readonly wrap: boolean;
}

/** A line with its rows. */
export interface SeenLine {
  readonly line: LogLine;
  readonly rows: readonly (readonly Span[])[];
}

/** Index of the last line at or before a place; the last of all without one; −1 when there is none. */
export function bottomIndex(lines: readonly LogLine[], anchor: number | undefined): number {
  if (anchor === undefined) return lines.length - 1;
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.seq <= anchor) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The lines that fill the height upwards from a bottom line; the first of them may be cut at its top. */
export function seenUpTo(lines: readonly LogLine[], bottom: number, options: RowOptions): SeenLine[] {
  const seen: SeenLine[] = [];
  let rows = 0;
  for (let at = bottom; at >= 0 && rows < options.height; at--) {
    const each = rowsOf(lines[at]!, options);
    seen.unshift({ line: lines[at]!, rows: each });
    rows += each.length;
  }
  return seen;
}

/** The lowest bottom line: that with which the first page is full. */
export function firstBottom(lines: readonly LogLine[], options: RowOptions): number {
  let rows = 0;
  for (let at = 0; at < lines.length; at++) {
    rows += rowsOf(lines[at]!, options).length;
    if (rows >= options.height) return at;
  }
  return lines.length - 1;
}

/** The anchor after scrolling by so many lines; none when the end is reached. */
export function scrolled(
  lines: readonly LogLine[],
  anchor: number | undefined,
  by: number,
  options: RowOptions,
): number | undefined {
  const before = bottomIndex(lines, anchor);
  const bottom = Math.max(firstBottom(lines, options), Math.min(before + by, lines.length - 1));
  return bottom >= lines.length - 1 ? undefined : lines[bottom]!.seq;
}

/** The anchor with which a line stands in the middle. */
export function anchorAround(
  lines: readonly LogLine[],
  seq: number,
  options: RowOptions,
): number | undefined {
  const at = bottomIndex(lines, seq);
  return scrolled(lines, lines[at]?.seq, Math.floor(options.height / 2), options);
}

function rowsOf(line: LogLine, { width, wrap }: RowOptions): readonly (readonly Span[])[] {
  const spans = ansiSpans(line.raw);
  return wrap ? wrapSpans(spans, width) : [spans];
}
