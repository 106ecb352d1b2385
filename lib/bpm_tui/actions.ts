/** What each action does. Pure. @module */
import { field, keyLabel, offered, openPalette } from "../tui/mod.ts";
import { type Action, KEYMAP } from "./keymap.ts";
import { layoutOf } from "./layout.ts";
import {
  activeProject,
  type Job,
  type Model,
  NOT_SEARCHED,
  type Overlay,
  seenLines,
  seenLog,
  withProject,
} from "./model.ts";
import { withNotice } from "./news.ts";
import {
  anchored,
  goToMatch,
  keepSelectionSeen,
  refind,
  rowOptions,
  scrollBy,
  scrollPages,
  selectService,
  withSeenLog,
} from "./select.ts";
import { bottomIndex, firstBottom, seenUpTo } from "./scroll.ts";
import type { Step } from "./update.ts";

/** The model after an action. */
export function act(model: Model, action: Action): Step {
  const change = CHANGES[action as keyof typeof CHANGES];
  if (change !== undefined) return [change(model), []];
  const { active } = model;
  const { selected: service } = activeProject(model);
  switch (action) {
    case "restart":
    case "start":
    case "stop":
      return service === undefined ? [model, []] : job(model, action, service);
    case "explain":
      return [model, service === undefined ? [] : [{ kind: "explain", project: active, service }]];
    case "refresh": {
      const due = withProject(model, active, { pollDueMs: model.nowMs, readDueMs: model.nowMs });
      return [due, [{ kind: "redraw" }]];
    }
    case "copy":
      return copy(model);
    case "mouse": {
      const on = !model.mouse;
      const told = on
        ? "the mouse is taken"
        : "the mouse is the terminal's: select text with it; m takes it back";
      return [withNotice({ ...model, mouse: on }, "info", told), [{ kind: "mouse", on }]];
    }
    default:
      return [named(model, action), []];
  }
}

/** Actions that change nothing but the model. */
const CHANGES: Partial<Record<Action, (model: Model) => Model>> = {
  down: (model) => moved(model, 1),
  up: (model) => moved(model, -1),
  first: toBeginning,
  last: toEnd,
  pageDown: (model) => scrollPages(model, 1),
  pageUp: (model) => scrollPages(model, -1),
  focusNext: (model) => ({ ...model, focus: model.focus === "list" ? "output" : "list" }),
  open,
  back,
  log: (model) => refind({ ...model, tab: "log", index: -1 }),
  build: (model) => refind({ ...model, tab: "build", index: -1 }),
  graph: (model) => ({ ...model, tab: "graph", graphTop: 0 }),
  older: (model) => refind({ ...model, index: model.index - 1 }),
  newer: (model) => refind({ ...model, index: Math.min(-1, model.index + 1) }),
  clear: (model) =>
    withSeenLog(model, (view) => ({ ...anchored(view, undefined), clearedTo: view.log.next })),
  follow,
  search: (model) =>
    withOverlay(model, { kind: "search", field: field(model.found.search.text), before: model.found }),
  nextMatch: (model) => goToMatch(model, 1),
  previousMatch: (model) => goToMatch(model, -1),
  onlyMatches: (model) => ({ ...model, onlyMatches: !model.onlyMatches }),
  wrap: (model) => ({ ...model, wrap: !model.wrap }),
  zoom: (model) => ({ ...model, zoom: !model.zoom, focus: model.zoom ? model.focus : "output" }),
  nextProject: (model) => toProject(model, model.active + 1),
  previousProject: (model) => toProject(model, model.active - 1),
  palette: (model) => {
    const choices = offered(KEYMAP, model).filter(({ action }) => action !== "palette")
      .map(({ keys, action, help }) => ({ label: help, note: keyLabel(keys[0]!), value: action }));
    const services = (activeProject(model).overview?.services ?? []).map(({ name, state }) => ({
      label: `go to ${name}`,
      note: state,
      value: `service ${name}` as const,
    }));
    const projects = model.projects.length < 2 ? [] : model.projects.map(({ url }, at) => ({
      label: `project ${url}`,
      note: String(at + 1),
      value: `project${at + 1}` as const,
    }));
    return withOverlay(model, {
      kind: "palette",
      palette: openPalette("do", [...choices, ...services, ...projects]),
    });
  },
  help: (model) => withOverlay(model, { kind: "help", top: 0 }),
  input: (model) => {
    const { selected } = activeProject(model);
    return selected === undefined
      ? model
      : withOverlay(model, { kind: "input", field: field(), service: selected });
  },
  attach: (model) => {
    const { selected } = activeProject(model);
    if (selected === undefined) return model;
    const shown = withSeenLog(
      { ...model, tab: "log", index: -1, focus: "output" },
      (view) => anchored(view, undefined),
    );
    return withOverlay(shown, { kind: "attach", service: selected });
  },
  quit: (model) => ({ ...model, ended: true }),
};

/** Actions that name a project or a service. */
function named(model: Model, action: Action): Model {
  if (action.startsWith("project")) return toProject(model, Number(action.slice("project".length)) - 1);
  const services = activeProject(model).overview?.services ?? [];
  const at = services.findIndex(({ name }) => action === `service ${name}`);
  return at < 0 ? model : selectService({ ...model, focus: "list" }, at);
}

function withOverlay(model: Model, overlay: Overlay): Model {
  return { ...model, overlay };
}

function moved(model: Model, by: number): Model {
  if (model.focus === "list") return selectService(model, activeProject(model).list.selected + by);
  if (model.tab === "graph") return { ...model, graphTop: Math.max(0, model.graphTop + by) };
  return scrollBy(model, by);
}

function toBeginning(model: Model): Model {
  if (model.focus === "list") return selectService(model, 0);
  return withSeenLog(model, (view) => {
    const lines = seenLines(model, view);
    const bottom = firstBottom(lines, rowOptions(model));
    return anchored(view, bottom >= lines.length - 1 ? undefined : lines[bottom]?.seq);
  });
}

function toEnd(model: Model): Model {
  if (model.focus === "list") return selectService(model, Infinity);
  return withSeenLog(model, (view) => anchored(view, undefined));
}

/** Upstream's Enter: the log of the service, read now. Where there is no room for it beside the list it gets it all. */
function open(model: Model): Model {
  const tab = model.tab === "graph" ? "log" : model.tab;
  const next: Model = {
    ...model,
    tab,
    focus: "output",
    zoom: model.zoom || layoutOf(model).output.width === 0,
  };
  const due = withProject(next, next.active, { readDueMs: next.nowMs });
  return withSeenLog(due, (view) => anchored(view, undefined));
}

/** Esc takes back one thing at a time; from the list it quits, as upstream. */
function back(model: Model): Model {
  if (model.found !== NOT_SEARCHED) return { ...model, found: NOT_SEARCHED, onlyMatches: false };
  if (model.zoom) return { ...model, zoom: false, focus: "list" };
  if (model.focus === "output") return { ...model, focus: "list" };
  return { ...model, ended: true };
}

function follow(model: Model): Model {
  return withSeenLog(model, (view) => {
    if (view.anchor !== undefined) return anchored(view, undefined);
    const lines = seenLines(model, view);
    return anchored(view, lines[bottomIndex(lines, undefined)]?.seq);
  });
}

function toProject(model: Model, at: number): Model {
  const count = model.projects.length;
  if (Number.isNaN(at) || at > count || (at === count && model.active !== count - 1)) return model;
  const active = (at + count) % count;
  const next = withProject({ ...model, active, index: -1 }, active, { pollDueMs: model.nowMs });
  return refind(keepSelectionSeen(next));
}

function job(model: Model, verb: Job["verb"], service: string): Step {
  const made: Job = { id: model.lastJob + 1, project: model.active, service, verb, startedMs: model.nowMs };
  const outcomes = new Map(model.outcomes);
  outcomes.delete(`${made.project} ${service}`);
  return [{ ...model, jobs: [...model.jobs, made], lastJob: made.id, outcomes }, [{
    kind: "act",
    job: made,
  }]];
}

function copy(model: Model): Step {
  const view = seenLog(model);
  if (view === undefined) return [model, []];
  const lines = seenLines(model, view);
  const seen = seenUpTo(lines, bottomIndex(lines, view.anchor), rowOptions(model)).map(({ line }) =>
    line.plain
  );
  if (seen.length === 0) return [model, []];
  return [withNotice(model, "info", `${seen.length} lines copied`), [{
    kind: "copy",
    text: seen.join("\n"),
  }]];
}
