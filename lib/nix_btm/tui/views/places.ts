/** What lies where, for the mouse. Pure. @module */
import { contains, textWidth } from "../../../tui/mod.ts";
import { builderColumns, layoutOf } from "../layout.ts";
import { type Model, type Tab, TABS, TITLES } from "../model.ts";
import { keysOf } from "../rows.ts";

/** A tab with its number, as the bar of tabs has it. */
export function tabText(tab: Tab, at: number): string {
  return ` ${at + 1} ${TITLES[tab]} `;
}

/** The tab at a column of the first row. */
export function tabAt(_: Model, x: number): Tab | undefined {
  let from = 0;
  for (const [at, tab] of TABS.entries()) {
    from += textWidth(tabText(tab, at));
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
  const row = model.lists[tab].top + y - body.y - head;
  return y >= body.y + head && y < body.y + body.height - 1 && row < keysOf(model, tab).length
    ? row
    : undefined;
}
