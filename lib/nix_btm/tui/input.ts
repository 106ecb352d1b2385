/** What keys, pasted text and the mouse do. Pure. @module */
import {
  actionFor,
  contains,
  editField,
  field,
  fieldText,
  type KeyEvent,
  keyLabel,
  type MouseEvent,
  offered,
  openPalette,
  type PasteEvent,
  scrollPage,
  updatePalette,
} from "../../tui/mod.ts";
import { act, readHistory } from "./actions.ts";
import { type Action, KEYMAP } from "./keymap.ts";
import { layoutOf } from "./layout.ts";
import type { Model, Overlay } from "./model.ts";
import { pageOf, type PageOverlay } from "./pages.ts";
import { environmentsOf, keepSeen, scrollLog, selectProcess, selectRow, type Step } from "./update.ts";
import { processAt, rowAt, sortAt, tabAt } from "./views/places.ts";

type Input = KeyEvent | PasteEvent | MouseEvent;

/** Rows that the wheel scrolls. */
const WHEEL_ROWS = 3;

/** The model after input. */
export function onInput(model: Model, event: Input): Step {
  if (model.overlay !== undefined) return onOverlay(model, model.overlay, event);
  if (event.kind === "mouse") return onMouse(model, event);
  if (event.kind !== "key") return [model, []];
  const action = actionFor(KEYMAP, event, model);
  const quiet = model.message === undefined ? model : { ...model, message: undefined };
  return action === undefined ? [quiet, []] : onAction(quiet, action);
}

function onAction(model: Model, action: Action): Step {
  if (action !== "palette") return act(model, action);
  const choices = offered(KEYMAP, model).filter(({ action: each }) => each !== "palette")
    .map(({ keys, help, action: value }) => ({ label: help, note: keys.map(keyLabel).join(" "), value }));
  return [{ ...model, overlay: { kind: "palette", palette: openPalette("what to do", choices) } }, []];
}

function onOverlay(model: Model, overlay: Overlay, event: Input): Step {
  const closed: Model = { ...model, overlay: undefined };
  switch (overlay.kind) {
    case "help":
    case "text":
    case "process":
      return onPage(model, overlay, event);
    case "palette": {
      const step = updatePalette(overlay.palette, event, model);
      if (step.kind === "closed") return [closed, []];
      if (step.kind === "chosen") return act(closed, step.value);
      return [{ ...model, overlay: { kind: "palette", palette: step.palette } }, []];
    }
    case "field":
      return onField(model, overlay, event);
    case "confirm": {
      if (event.kind !== "key") return [model, []];
      if (event.name !== "y" && event.name !== "Y") return [{ ...closed, message: "nothing was done" }, []];
      const { steer, build, name } = overlay;
      return [closed, [{ kind: "steer", steer, build, name }]];
    }
    default:
      return overlay satisfies never;
  }
}

function onPage(model: Model, overlay: PageOverlay, event: Input): Step {
  const { lines: { length: count } } = pageOf(model, overlay);
  const top = scrollPage(overlay.top, event, { count, height: model.height });
  return [{ ...model, overlay: top === undefined ? undefined : { ...overlay, top } }, []];
}

/** What is typed is looked for at once; Escape takes it back. */
function onField(model: Model, overlay: Extract<Overlay, { kind: "field" }>, event: Input): Step {
  if (event.kind === "mouse") return [model, []];
  if (event.kind === "key" && event.name === "enter") {
    return finished(model, overlay, fieldText(overlay.field));
  }
  if (event.kind === "key" && ["escape", "ctrl+c", "ctrl+g"].includes(event.name)) {
    const before = withText({ ...model, overlay: undefined }, overlay.of, overlay.before);
    return [before, before.tab === "history" ? [readHistory(before)] : []];
  }
  const edited = editField(overlay.field, event);
  if (edited === undefined) return [model, []];
  return [withText({ ...model, overlay: { ...overlay, field: edited } }, overlay.of, fieldText(edited)), []];
}

function finished(model: Model, { of }: Extract<Overlay, { kind: "field" }>, text: string): Step {
  const closed = withText({ ...model, overlay: undefined }, of, text);
  if (of === "search" && text !== "") return act(closed, "nextMatch");
  return [closed, model.tab === "history" ? [readHistory(closed)] : []];
}

function withText(model: Model, of: "filter" | "search", text: string): Model {
  return of === "filter"
    ? keepSeen({ ...model, filter: text })
    : { ...model, search: text, match: undefined };
}

/** Opens the field for a filter, or in a log for a search. */
export function typing(model: Model): Model {
  const of = model.tab === "build" ? "search" : "filter";
  const before = of === "search" ? model.search : model.filter;
  return { ...model, overlay: { kind: "field", of, field: field(before), before } };
}

function onMouse(model: Model, event: MouseEvent): Step {
  const { tabs, body } = layoutOf(model);
  const process = processAt(model, event.x, event.y);
  if (event.action === "wheelup" || event.action === "wheeldown") {
    const by = event.action === "wheelup" ? -WHEEL_ROWS : WHEEL_ROWS;
    if (model.tab === "build") {
      return [scrollLog({ ...model, follows: false }, model.lists.build.top + by), []];
    }
    if (process !== undefined) return [selectProcess(model, model.table.selected + by), []];
    return selected(model, model.lists[model.tab].selected + by);
  }
  if (event.action !== "press" || event.button !== "left") return [model, []];
  if (contains(tabs, event.x, event.y)) {
    const tab = tabAt(model, event.x);
    return tab === undefined ? [model, []] : act(model, `tab ${tab}`);
  }
  if (!contains(body, event.x, event.y)) return [model, []];
  const sort = sortAt(model, event.x, event.y);
  if (sort !== undefined) {
    return [keepSeen({ ...model, sort, isReversed: sort === model.sort && !model.isReversed }), []];
  }
  if (process !== undefined) return onProcess(model, process);
  const row = rowAt(model, event.x, event.y);
  if (row === undefined) return [model, []];
  const inTree: Model = { ...model, side: "tree" };
  return row === model.lists[model.tab].selected && model.side === "tree"
    ? entered(inTree)
    : selected(inTree, row);
}

/** A click on a process that is selected opens it. */
function onProcess(model: Model, process: number): Step {
  const inTable: Model = { ...model, side: "table" };
  return model.side === "table" && process === model.table.selected
    ? entered(inTable)
    : [selectProcess(inTable, process), []];
}

function selected(model: Model, row: number): Step {
  const next = selectRow(model, model.tab, row);
  if (model.tab !== "builders") return [next, []];
  const table = selectProcess(next, 0);
  return [table, environmentsOf(table)];
}

function entered(model: Model): Step {
  const action = actionFor(KEYMAP, { kind: "key", name: "enter" }, model);
  return action === undefined ? [model, []] : act(model, action);
}
