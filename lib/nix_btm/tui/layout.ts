/** Where everything is on the screen. Pure. @module */
import { type Rect, splitColumns, splitRows } from "../../tui/mod.ts";
import type { Model, Tab } from "./model.ts";

/** Rows above the body: tabs, and a summary where there is room. */
const HEAD_ROWS = 1;
const SUMMARY_ROWS = 1;
/** Fewer rows than this have no summary. */
const SUMMARY_FROM = 16;
/** Of the Build view: what it is, and its phases. */
export const BUILD_HEAD_ROWS = 4;
/** The tree takes a fifth, as the original's, but names have to fit. */
const TREE_COLUMNS = 34;
/** Columns of a list's rows: farther to the right of a name nobody would find what belongs to it. */
export const ROW_MAX = 160;

export interface Layout {
  readonly tabs: Rect;
  readonly summary: Rect;
  /** With its frame. */
  readonly body: Rect;
  readonly keys: Rect;
}

export function layoutOf({ width, height }: Pick<Model, "width" | "height">): Layout {
  const summaryRows = height >= SUMMARY_FROM ? SUMMARY_ROWS : 0;
  const [tabs, summary, body, keys] = splitRows({ x: 0, y: 0, width, height }, [HEAD_ROWS, summaryRows, {
    share: 1,
  }, 1]);
  return { tabs: tabs!, summary: summary!, body: body!, keys: keys! };
}

/** The tree of builders and the table beside it. */
export function builderColumns(body: Rect): readonly [tree: Rect, table: Rect] {
  const tree = Math.max(16, Math.min(TREE_COLUMNS, Math.floor(body.width * 0.4)));
  const [left, right] = splitColumns(body, [tree, { share: 1 }]);
  return [left!, right!];
}

/** Rows of a view's list that are seen: without frame and heading. */
export function bodyRows(model: Pick<Model, "width" | "height">, tab: Tab): number {
  const inside = Math.max(0, layoutOf(model).body.height - 2);
  switch (tab) {
    case "builders":
    case "eagle":
      return inside;
    case "jobs":
    case "history":
    case "hosts":
      return Math.max(0, inside - 1);
    case "build":
      return Math.max(0, inside - BUILD_HEAD_ROWS);
    default:
      return tab satisfies never;
  }
}
