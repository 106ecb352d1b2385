/** Frames around parts of the screen, and lines of several styles. Pure. @module */
import type { Span } from "./ansi.ts";
import type { Area } from "./frame.ts";
import { PLAIN, type StyleId } from "./style.ts";
import { fitText, textWidth } from "./width.ts";

/** How a panel looks. */
export interface PanelOptions {
  readonly title: readonly Span[];
  /** At the right end of the upper edge, when there is room. */
  readonly note?: readonly Span[];
  /** At the right end of the lower edge. */
  readonly footer?: readonly Span[];
  readonly border: StyleId;
}

/** Draws a frame with its title and returns the area inside. */
export function drawPanel(area: Area, { title, note = [], footer = [], border }: PanelOptions): Area {
  const { width, height } = area;
  if (width < 2 || height < 2) return area.part({ x: 0, y: 0, width: 0, height: 0 });
  const bar = "─".repeat(width - 2);
  area.put(0, 0, `╭${bar}╮`, border);
  for (let y = 1; y < height - 1; y++) {
    area.put(0, y, "│", border);
    area.put(width - 1, y, "│", border);
  }
  area.put(0, height - 1, `╰${bar}╯`, border);
  const end = title.length === 0 ? 1 : putOnEdge(area, 2, 0, title, width - 4);
  const room = width - 3 - end;
  const noteWidth = spansWidth(note);
  if (noteWidth > 0 && noteWidth + 3 <= room) putOnEdge(area, width - 4 - noteWidth, 0, note, noteWidth + 2);
  const footerWidth = spansWidth(footer);
  if (footerWidth > 0 && footerWidth + 4 <= width) {
    putOnEdge(area, width - 4 - footerWidth, height - 1, footer, footerWidth + 2);
  }
  return area.inset(1);
}

/** Spans with a blank on both sides, on an edge; returns the column behind. */
function putOnEdge(area: Area, x: number, y: number, spans: readonly Span[], room: number): number {
  if (room < 3) return x;
  area.put(x, y, " ");
  const end = putSpans(area, x + 1, y, spans, room - 2);
  return area.put(end, y, " ");
}

/** Columns of spans. */
export function spansWidth(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + textWidth(text), 0);
}

/** Writes spans, cut with an ellipsis to `room` columns; returns the column behind. */
export function putSpans(
  area: Area,
  x: number,
  y: number,
  spans: readonly Span[],
  room = area.width - x,
): number {
  let column = x;
  const end = x + room;
  let left = spansWidth(spans);
  for (const { text, style } of spans) {
    const width = textWidth(text);
    // What just fits is cut too when more would follow.
    const more = column + width === end && left > width ? " " : "";
    if (column + width > end || more !== "") {
      return area.put(column, y, fitText(text + more, end - column), style);
    }
    column = area.put(column, y, text, style);
    left -= width;
  }
  return column;
}

/** A span. */
export function span(text: string, style: StyleId = PLAIN): Span {
  return { text, style };
}
