/** Where the panels stand. Pure. @module */
import { type Rect, splitColumns, splitRows } from "../tui/mod.ts";
import { activeProject, type Model } from "./model.ts";

/** The panels' rectangles; one without cells is not shown. */
export interface Layout {
  readonly projects: Rect;
  readonly banner: Rect;
  readonly status: Rect;
  readonly details: Rect;
  readonly list: Rect;
  readonly output: Rect;
  readonly bar: Rect;
}

/** From this width on the output stands beside the list and not below it. */
const SIDE_BY_SIDE = 100;
/** With less there is only room for the list. */
const SMALL = { width: 40, height: 12 } as const;

const NOTHING: Rect = { x: 0, y: 0, width: 0, height: 0 };

/** The layout for the model's size and state. */
export function layoutOf(model: Model): Layout {
  const all = { x: 0, y: 0, width: model.width, height: model.height };
  const [projects, banner, main, bar] = splitRows(all, [
    model.projects.length > 1 ? 1 : 0,
    activeProject(model).link.kind === "away" ? 1 : 0,
    { share: 1 },
    1,
  ]) as [Rect, Rect, Rect, Rect];
  const edges = { projects, banner, bar };
  if (model.zoom) return { ...edges, status: NOTHING, details: NOTHING, list: NOTHING, output: main };
  if (model.width < SMALL.width || model.height < SMALL.height) {
    return { ...edges, status: NOTHING, details: NOTHING, list: main, output: NOTHING };
  }
  return { ...edges, ...model.width >= SIDE_BY_SIDE ? beside(main) : below(main) };
}

type Panels = Pick<Layout, "status" | "details" | "list" | "output">;

function beside(main: Rect): Panels {
  const left = Math.max(44, Math.min(66, Math.round(main.width * 0.45)));
  const [side, output] = splitColumns(main, [left, { share: 1 }]) as [Rect, Rect];
  const details = Math.max(8, Math.min(16, Math.round(main.height * 0.4)));
  const [status, list, detailsRect] = splitRows(side, [4, { share: 1 }, details]) as [Rect, Rect, Rect];
  return { status, list, details: detailsRect, output };
}

function below(main: Rect): Panels {
  const top = Math.max(9, Math.round(main.height * 0.47));
  const [upper, output] = splitRows(main, [top, { share: 1 }]) as [Rect, Rect];
  const [side, details] = splitColumns(upper, [{ share: 1 }, { share: 1 }]) as [Rect, Rect];
  const [status, list] = splitRows(side, [4, { share: 1 }]) as [Rect, Rect];
  return { status, list, details, output };
}

/** With fewer rows the list shows services in place of the heads of its columns. */
const HEAD_FROM = 6;

/** Rows above the services: the heads of their columns, where there is room. */
export function listHead({ list }: Layout): 0 | 1 {
  return list.height - 2 >= HEAD_FROM ? 1 : 0;
}

/** Rows of services that the list shows. */
export function listRows(layout: Layout): number {
  return Math.max(0, layout.list.height - 2 - listHead(layout));
}

/** Cells inside the output's frame. */
export function outputSize({ output }: Layout): { readonly width: number; readonly height: number } {
  return { width: Math.max(0, output.width - 2), height: Math.max(0, output.height - 2) };
}
