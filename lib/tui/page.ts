/** Pages that lie over a screen: lines in a box in the middle, which are scrolled until another key closes it. Pure. @module */
import type { Span } from "./ansi.ts";
import type { TerminalEvent } from "./event.ts";
import type { Area } from "./frame.ts";
import { type Binding, helpLines } from "./keymap.ts";
import { centre } from "./layout.ts";
import { drawList, drawScrollBar } from "./list.ts";
import { drawPanel, putSpans, span } from "./panel.ts";
import type { Theme } from "./theme.ts";
import { padText, textWidth } from "./width.ts";
import { wrapText } from "./wrap.ts";

/** What a page shows. */
export interface Page {
  readonly title: string;
  readonly lines: readonly (readonly Span[])[];
  /** With its frame; fewer where the screen has not so many. */
  readonly columns: number;
}

/** Columns of a page that its lines cannot have: the frame, and a blank on both sides. */
const PAGE_EDGES = 4;

/** Rows of a screen that a page's lines cannot have: one above and one below the box, and its frame. */
const OTHER_ROWS = 4;

/** Rows that the wheel scrolls. */
const WHEEL_ROWS = 3;

/** Draws a page over what is there, from the line `top` on, or from the last one that still fills the box. */
export function drawPage(area: Area, { title, lines, columns }: Page, top: number, theme: Theme): void {
  const whole = { x: 0, y: 0, width: area.width, height: area.height };
  const box = area.part(centre(whole, columns, Math.min(area.height - 2, lines.length + 2)));
  box.fill(theme.text);
  const footer = [span("j k scroll, any other key closes", theme.muted)];
  const inside = drawPanel(box, { title: [span(title, theme.strong)], footer, border: theme.focus });
  const first = Math.max(0, Math.min(top, lines.length - inside.height));
  drawList(inside, { selected: 0, top: first }, lines.length, (row, index) => {
    putSpans(row, 1, 0, lines[index]!, row.width - 2);
  });
  const edge = box.part({ x: box.width - 1, y: 1, width: 1, height: inside.height });
  drawScrollBar(edge, first, lines.length, theme.muted);
}

/**
 * The line that a page begins with after an event, where it began with `top`; `undefined` when the event closes it.
 * `count` is how many lines it has, `height` the rows of the whole screen.
 */
export function scrollPage(
  top: number,
  event: TerminalEvent,
  { count, height }: { readonly count: number; readonly height: number },
): number | undefined {
  const rows = Math.max(1, height - OTHER_ROWS);
  const move = (by: number) => Math.max(0, Math.min(top + by, count - rows));
  if (event.kind === "mouse") {
    if (event.action === "wheelup") return move(-WHEEL_ROWS);
    if (event.action === "wheeldown") return move(WHEEL_ROWS);
    return event.action === "press" ? undefined : top;
  }
  if (event.kind !== "key") return top;
  const page = Math.max(1, rows - 1);
  switch (event.name) {
    case "j":
    case "down":
      return move(1);
    case "k":
    case "up":
      return move(-1);
    case "pagedown":
    case "space":
    case "ctrl+d":
      return move(page);
    case "pageup":
    case "ctrl+u":
      return move(-page);
    case "g":
    case "home":
      return move(-Infinity);
    case "G":
    case "end":
      return move(Infinity);
    default:
      return undefined;
  }
}

/** The lines of a page of help: every key that does something in a state, by group. */
export function helpPage<A, S>(keymap: readonly Binding<A, S>[], state: S, theme: Theme): Span[][] {
  const lines = helpLines(keymap, state);
  const columns = Math.max(0, ...lines.map((line) => line.kind === "binding" ? textWidth(line.keys) : 0));
  return lines.flatMap((line, at): Span[][] => {
    if (line.kind === "heading") {
      const heading = [span(line.text, theme.strong)];
      return at === 0 ? [heading] : [[], heading];
    }
    return [[span("  "), span(padText(line.keys, columns + 2), theme.key), span(line.help)]];
  });
}

/** The lines of a page of text, wrapped to the columns of the page with its frame. */
export function textPage(text: string, columns: number): Span[][] {
  return wrapText(text, Math.max(1, columns - PAGE_EDGES)).map((line) => [span(line)]);
}
