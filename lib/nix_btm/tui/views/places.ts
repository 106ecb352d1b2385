/** What lies where, for the mouse. Pure. @module */
import { columnWidths, contains, textWidth } from "../../../tui/mod.ts";
import { tableRows } from "../builder_rows.ts";
import { builderColumns, layoutOf, ROW_MAX } from "../layout.ts";
import { type Model, type Sort, type Tab, TABS, TITLES } from "../model.ts";
import { rowsOf } from "../rows.ts";
import { jobColumns } from "./jobs.ts";

/** Fewer columns than this have but the numbers of the tabs that are not seen. */
const TITLES_FROM = 72;

/** A tab with its number, as the bar of tabs has it. */
export function tabText({ tab, width }: Model, at: number): string {
  const each = TABS[at]!;
  return width < TITLES_FROM && each !== tab ? ` ${at + 1} ` : ` ${at + 1} ${TITLES[each]} `;
}

/** The tab at a column of the first row. */
export function tabAt(model: Model, x: number): Tab | undefined {
  let from = 0;
  for (const [at, tab] of TABS.entries()) {
    from += textWidth(tabText(model, at));
    if (x < from) return tab;
  }
  return undefined;
}

/** The row of the view's list at a cell. */
export function rowAt(model: Model, x: number, y: number): number | undefined {
  const { body } = layoutOf(model);
  const { tab } = model;
  if (tab === "build") return undefined;
  if (tab === "builders" && !contains(builderColumns(body)[0], x, y)) return undefined;
  const head = tab === "eagle" || tab === "builders" ? 1 : 2;
  return rowIn(model.lists[tab].top, y - body.y - head, body.height - 1 - head, rowsOf(model, tab).count);
}

/** The row of the table of processes at a cell. */
export function processAt(model: Model, x: number, y: number): number | undefined {
  const { body } = layoutOf(model);
  if (model.tab !== "builders" || !contains(builderColumns(body)[1], x, y)) return undefined;
  return rowIn(model.table.top, y - body.y - 2, body.height - 3, tableRows(model).length);
}

/** By what a click on the heading of the jobs sorts. */
export function sortAt(model: Model, x: number, y: number): Sort | undefined {
  const { body } = layoutOf(model);
  if (model.tab !== "jobs" || y !== body.y + 1) return undefined;
  let from = body.x + 2;
  const columns = jobColumns(model);
  for (const [at, width] of columnWidths(columns, Math.min(ROW_MAX, body.width - 4)).entries()) {
    if (width === 0) continue;
    if (x >= from && x < from + width) return columns[at]!.sort;
    from += width + 1;
  }
  return undefined;
}

function rowIn(top: number, y: number, height: number, count: number): number | undefined {
  return y >= 0 && y < height && top + y < count ? top + y : undefined;
}
