/** What keys, pasted text and the mouse do. Pure. @module */
import {
  actionFor,
  contains,
  editField,
  fieldText,
  type KeyEvent,
  type MouseEvent,
  type PasteEvent,
  scrollPage,
  updatePalette,
} from "../tui/mod.ts";
import { act } from "./actions.ts";
import { keyText } from "./attach.ts";
import { KEYMAP } from "./keymap.ts";
import { layoutOf, listHead } from "./layout.ts";
import { searchFor } from "./log_lines.ts";
import { activeProject, type Model, NOT_SEARCHED, type Overlay, selectedService } from "./model.ts";
import { pageOf, type PageOverlay } from "./pages.ts";
import { find, goToMatch, refind, scrollBy, selectService } from "./select.ts";
import type { Step } from "./update.ts";
import { projectAt, tabAt } from "./views/places.ts";

type Input = KeyEvent | PasteEvent | MouseEvent;

/** Lines that the wheel scrolls. */
const WHEEL_LINES = 3;

/** The model after input. */
export function onInput(model: Model, event: Input): Step {
  if (model.overlay !== undefined) return onOverlay(model, model.overlay, event);
  if (event.kind === "mouse") return onMouse(model, event);
  if (event.kind !== "key") return [model, []];
  const action = actionFor(KEYMAP, event, model);
  return action === undefined ? projectKey(model, event) : act(model, action);
}

/** `1` to `9`: the projects. */
function projectKey(model: Model, event: KeyEvent): Step {
  const number = /^[1-9]$/.test(event.name) ? Number(event.name) : 0;
  return number > 0 && model.projects.length > 1 ? act(model, `project${number}`) : [model, []];
}

function without(model: Model): Model {
  const { overlay: _closed, ...rest } = model;
  return rest;
}

function onOverlay(model: Model, overlay: Overlay, event: Input): Step {
  switch (overlay.kind) {
    case "help":
    case "text":
      return onPage(model, overlay, event);
    case "palette": {
      const step = updatePalette(overlay.palette, event, model);
      if (step.kind === "closed") return [without(model), []];
      if (step.kind === "chosen") return act(without(model), step.value);
      return [{ ...model, overlay: { kind: "palette", palette: step.palette } }, []];
    }
    case "search":
      return onSearch(model, overlay, event);
    case "input":
      return onLine(model, overlay, event);
    case "attach":
      return onAttached(model, overlay, event);
    default:
      return overlay satisfies never;
  }
}

function onPage(model: Model, overlay: PageOverlay, event: Input): Step {
  const { lines: { length: count } } = pageOf(model, overlay);
  const top = scrollPage(overlay.top, event, { count, height: model.height });
  return [top === undefined ? without(model) : { ...model, overlay: { ...overlay, top } }, []];
}

/** The log is searched while one types. */
function onSearch(model: Model, overlay: Extract<Overlay, { kind: "search" }>, event: Input): Step {
  if (event.kind === "mouse") return onMouse(model, event);
  if (event.kind === "key") {
    if (event.name === "escape" || event.name === "ctrl+c" || event.name === "ctrl+g") {
      return [refind({ ...without(model), found: overlay.before }), []];
    }
    if (event.name === "enter") {
      const text = fieldText(overlay.field);
      const closed = without(model);
      return text === ""
        ? [{ ...closed, found: NOT_SEARCHED, onlyMatches: false }, []]
        : [goToMatch(closed, -1), []];
    }
    if (event.name === "up" || event.name === "down") {
      return [goToMatch(model, event.name === "up" ? -1 : 1), []];
    }
  }
  const field = editField(overlay.field, event);
  if (field === undefined) return [model, []];
  const changed: Model = { ...model, overlay: { ...overlay, field } };
  return [{ ...changed, found: find(changed, searchFor(fieldText(field))) }, []];
}

/** A line for a service's standard input. */
function onLine(model: Model, overlay: Extract<Overlay, { kind: "input" }>, event: Input): Step {
  if (event.kind === "key") {
    if (event.name === "escape" || event.name === "ctrl+c") return [without(model), []];
    if (event.name === "enter") {
      const { service, field } = overlay;
      return [without(model), [{
        kind: "send",
        project: model.active,
        service,
        text: `${fieldText(field)}\n`,
      }]];
    }
  }
  const field = editField(overlay.field, event);
  return [field === undefined ? model : { ...model, overlay: { ...overlay, field } }, []];
}

/** All keys but `^]` go to the service. */
function onAttached(model: Model, overlay: Extract<Overlay, { kind: "attach" }>, event: Input): Step {
  if (event.kind === "mouse") {
    const by = event.action === "wheelup" ? -WHEEL_LINES : event.action === "wheeldown" ? WHEEL_LINES : 0;
    return [scrollBy(model, by), []];
  }
  if (event.kind === "key" && event.name === "ctrl+]") return [without(model), []];
  const { service } = overlay;
  const tty = selectedService(activeProject(model))?.tty === true;
  const text = event.kind === "paste" ? event.text : keyText(event, { tty });
  return [model, text === undefined ? [] : [{ kind: "send", project: model.active, service, text }]];
}

function onMouse(model: Model, event: MouseEvent): Step {
  const layout = layoutOf(model);
  const { x, y } = event;
  if (event.action === "wheelup" || event.action === "wheeldown") {
    const down = event.action === "wheeldown" ? 1 : -1;
    if (contains(layout.list, x, y)) {
      return [selectService(model, activeProject(model).list.selected + down), []];
    }
    return contains(layout.output, x, y)
      ? model.tab === "graph"
        ? [{ ...model, graphTop: Math.max(0, model.graphTop + down * WHEEL_LINES) }, []]
        : [scrollBy(model, down * WHEEL_LINES), []]
      : [model, []];
  }
  if (event.action !== "press" || event.button !== "left") return [model, []];
  const project = projectAt(model, layout, x, y);
  if (project !== undefined) return act(model, `project${project + 1}`);
  const tab = tabAt(model, layout, x, y);
  if (tab !== undefined) return act(model, tab);
  if (contains(layout.list, x, y)) {
    const first = layout.list.y + 1 + listHead(layout);
    const index = activeProject(model).list.top + y - first;
    const focused: Model = { ...model, focus: "list" };
    const count = activeProject(model).overview?.services.length ?? 0;
    return [y < first || index >= count ? focused : selectService(focused, index), []];
  }
  return [contains(layout.output, x, y) ? { ...model, focus: "output" } : model, []];
}
