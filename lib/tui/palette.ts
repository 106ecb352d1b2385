/** A list of things to do that is searched by typing. Pure. @module */
import type { TerminalEvent } from "./event.ts";
import type { Area, Rect } from "./frame.ts";
import { drawField, editField, type Field, field, fieldText } from "./field.ts";
import { fuzzyFilter, type FuzzyMatch } from "./fuzzy.ts";
import { centre, contains } from "./layout.ts";
import { drawList, LIST_START, type ListState, select } from "./list.ts";
import { drawPanel, putSpans, span } from "./panel.ts";
import { blend } from "./style.ts";
import type { Theme } from "./theme.ts";
import { textWidth } from "./width.ts";

/** One thing that can be chosen. */
export interface Choice<T> {
  readonly label: string;
  /** At the right, for example its key. */
  readonly note?: string;
  readonly value: T;
}

/** A palette that is open. */
export interface Palette<T> {
  readonly title: string;
  readonly field: Field;
  readonly choices: readonly Choice<T>[];
  readonly list: ListState;
}

/** Rows of choices that are seen at a time. */
export const PALETTE_ROWS = 12;
const PALETTE_COLUMNS = 64;

/** Opens a palette. */
export function openPalette<T>(title: string, choices: readonly Choice<T>[]): Palette<T> {
  return { title, choices, field: field(), list: LIST_START };
}

/** What a key does to a palette: it changes, something is chosen, or it closes. */
export type PaletteStep<T> =
  | { readonly kind: "open"; readonly palette: Palette<T> }
  | { readonly kind: "chosen"; readonly value: T }
  | { readonly kind: "closed" };

/** The palette after an event, on a screen of a size. A click chooses; one beside the palette closes it. */
export function updatePalette<T>(
  palette: Palette<T>,
  event: TerminalEvent,
  size: { readonly width: number; readonly height: number },
): PaletteStep<T> {
  const found = matches(palette);
  const move = (selected: number): PaletteStep<T> => ({
    kind: "open",
    palette: { ...palette, list: select(palette.list, selected, found.length, PALETTE_ROWS) },
  });
  if (event.kind === "mouse") {
    if (event.action === "wheelup") return move(palette.list.selected - 1);
    if (event.action === "wheeldown") return move(palette.list.selected + 1);
    if (event.action === "press") {
      const box = boxOf(palette, size);
      if (!contains(box, event.x, event.y)) return { kind: "closed" };
      const chosen = found[palette.list.top + event.y - box.y - LIST_ROW];
      if (event.y >= box.y + LIST_ROW && event.y < box.y + box.height - 1 && chosen !== undefined) {
        return { kind: "chosen", value: chosen.item.value };
      }
    }
  }
  if (event.kind === "key") {
    const { selected } = palette.list;
    switch (event.name) {
      case "escape":
      case "ctrl+c":
      case "ctrl+g":
        return { kind: "closed" };
      case "enter": {
        const chosen = found[selected];
        return chosen === undefined ? { kind: "closed" } : { kind: "chosen", value: chosen.item.value };
      }
      case "up":
      case "ctrl+p":
      case "shift+tab":
        return move(selected - 1);
      case "down":
      case "ctrl+n":
      case "tab":
        return move(selected + 1);
      case "pageup":
        return move(selected - PALETTE_ROWS);
      case "pagedown":
        return move(selected + PALETTE_ROWS);
    }
  }
  const edited = editField(palette.field, event);
  return {
    kind: "open",
    palette: edited === undefined ? palette : { ...palette, field: edited, list: LIST_START },
  };
}

/** Rows above the first choice: the frame, the field, a line. */
const LIST_ROW = 3;

function boxOf<T>({ choices }: Palette<T>, { width, height }: { width: number; height: number }): Rect {
  const rows = Math.max(1, Math.min(PALETTE_ROWS, choices.length));
  return centre({ x: 0, y: 0, width, height }, PALETTE_COLUMNS, rows + LIST_ROW + 1);
}

function matches<T>({ choices, field }: Palette<T>): { item: Choice<T>; match: FuzzyMatch }[] {
  return fuzzyFilter(choices, fieldText(field), ({ label }) => label);
}

/** Draws a palette in the middle of an area, over what is there. */
export function drawPalette<T>(area: Area, palette: Palette<T>, theme: Theme): void {
  const found = matches(palette);
  const box = area.part(boxOf(palette, area));
  box.fill(theme.text);
  const count = span(`${found.length}/${palette.choices.length}`, theme.muted);
  const inside = drawPanel(box, {
    title: [span(palette.title, theme.strong)],
    note: [count],
    border: theme.focus,
  });
  inside.put(1, 0, "›", theme.key);
  drawField(inside.part({ x: 3, y: 0, width: inside.width - 4, height: 1 }), palette.field);
  inside.put(0, 1, "─".repeat(inside.width), theme.border);
  const list = inside.part({ x: 0, y: 2, width: inside.width, height: inside.height - 2 });
  if (found.length === 0) list.put(1, 0, "nothing is called so", theme.muted);
  drawList(list, palette.list, found.length, (row, index) => {
    const { item, match } = found[index]!;
    const note = item.note ?? "";
    const marked = new Set(match.at);
    const spans = [...item.label].map((char, at) => span(char, marked.has(at) ? theme.key : theme.text));
    putSpans(row, 1, 0, spans, row.width - 3 - textWidth(note));
    row.put(row.width - 1 - textWidth(note), 0, note, theme.muted);
    if (index === palette.list.selected) row.restyle(0, (id) => blend(id, theme.selected));
  });
}
