/** Columns that share a width by how much each is needed. Pure. @module */
import type { Span } from "./ansi.ts";
import type { Area } from "./frame.ts";
import { putSpans, spansWidth } from "./panel.ts";

/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Fewest columns of the terminal; with less room the column is left out. */
  readonly min: number;
  /** Most that it takes; it takes what is left when this is absent. */
  readonly max?: number;
  /** Columns with a higher number are left out first; 0 stays. */
  readonly rank: number;
}

/** Blanks between columns. */
const GAP = 1;

/** The width of each column in `width`, 0 for those that are left out. */
export function columnWidths(columns: readonly Column[], width: number): number[] {
  const kept = new Set(columns);
  const needed = () => [...kept].reduce((sum, { min }) => sum + min + GAP, -GAP);
  while (needed() > width) {
    const last = [...kept].filter(({ rank }) => rank > 0).sort((one, other) => one.rank - other.rank).at(-1);
    if (last === undefined) break;
    kept.delete(last);
  }
  let spare = Math.max(0, width - needed());
  const widths = columns.map((column) => kept.has(column) ? column.min : 0);
  // First those that have a limit, then the others share the rest.
  for (const [at, column] of columns.entries()) {
    if (!kept.has(column) || column.max === undefined) continue;
    const more = Math.min(spare, column.max - column.min);
    widths[at]! += more;
    spare -= more;
  }
  const open = columns.flatMap((column, at) => kept.has(column) && column.max === undefined ? [at] : []);
  open.forEach((at, turn) =>
    widths[at]! += Math.floor(spare / open.length) + (turn < spare % open.length ? 1 : 0)
  );
  return widths;
}

/** Draws one row of a table. */
export function drawRow(
  area: Area,
  y: number,
  columns: readonly Column[],
  widths: readonly number[],
  cells: readonly (readonly Span[])[],
): void {
  let x = 0;
  for (const [at, width] of widths.entries()) {
    if (width === 0) continue;
    const cell = cells[at] ?? [];
    const indent = columns[at]!.align === "right" ? Math.max(0, width - spansWidth(cell)) : 0;
    putSpans(area, x + indent, y, cell, width - indent);
    x += width + GAP;
  }
}
