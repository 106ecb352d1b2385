/** Lists of any length of which only what is visible is drawn. Pure. @module */
import type { Area } from "./frame.ts";
import type { StyleId } from "./style.ts";

/** Which row is selected and which is the first that is seen. */
export interface ListState {
  readonly selected: number;
  readonly top: number;
}

/** A list at its beginning. */
export const LIST_START: ListState = { selected: 0, top: 0 };

/** Rows that stay visible around the selected one, where the list is long enough. */
const MARGIN = 2;

/** The list with another row selected, kept within its `count` rows and, `height` of them seen, visible. */
export function select(list: ListState, selected: number, count: number, height: number): ListState {
  const chosen = Math.max(0, Math.min(selected, count - 1));
  const margin = Math.max(0, Math.min(MARGIN, Math.floor((height - 1) / 2)));
  const lowest = chosen - Math.max(0, height - 1 - margin);
  const highest = chosen - margin;
  const top = Math.max(lowest, Math.min(highest, list.top));
  return { selected: chosen, top: Math.max(0, Math.min(top, count - height)) };
}

/** Draws the rows that are seen: `draw` is given a line of its own for each. Returns how many were drawn. */
export function drawList(
  area: Area,
  { top }: ListState,
  count: number,
  draw: (row: Area, index: number) => void,
): number {
  const visible = Math.max(0, Math.min(area.height, count - top));
  for (let y = 0; y < visible; y++) draw(area.part({ x: 0, y, width: area.width, height: 1 }), top + y);
  return visible;
}

/** Where a scroll bar's thumb stands, in rows; `undefined` when all is seen. */
export function thumb(
  top: number,
  count: number,
  height: number,
): { readonly at: number; readonly length: number } | undefined {
  if (count <= height || height < 1) return undefined;
  const length = Math.max(1, Math.round(height * height / count));
  const at = Math.round((height - length) * top / (count - height));
  return { at: Math.max(0, Math.min(at, height - length)), length };
}

/** Draws a scroll bar's thumb in a column as high as the rows that are seen; nothing when all are. */
export function drawScrollBar(column: Area, top: number, count: number, style: StyleId): void {
  const { at, length } = thumb(top, count, column.height) ?? { at: 0, length: 0 };
  for (let y = at; y < at + length; y++) column.put(0, y, "┃", style);
}
