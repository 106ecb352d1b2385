/** Which service and which lines are seen. Pure. @module */
import { LIST_START, select } from "../tui/mod.ts";
import { layoutOf, listRows, outputSize } from "./layout.ts";
import { isMatch, type Search } from "./log_lines.ts";
import {
  activeProject,
  type Effect,
  type Found,
  logKey,
  type LogView,
  type Model,
  NOT_SEARCHED,
  seenLines,
  seenLog,
  wantedLog,
  withProject,
} from "./model.ts";
import { anchorAround, bottomIndex, type RowOptions, scrolled, seenUpTo } from "./scroll.ts";

/** Columns before each line: the mark of standard error. */
export const GUTTER = 2;

/** The model with the service at an index of the list selected, and its newest log to be seen. */
export function selectService(model: Model, index: number): Model {
  const project = activeProject(model);
  const services = project.overview?.services ?? [];
  if (services.length === 0) return model;
  const list = select(project.list, index, services.length, listRows(layoutOf(model)));
  const selected = services[list.selected]!.name;
  const changed = withProject(model, model.active, { list, selected });
  return selected === project.selected ? changed : refind({ ...changed, index: -1 });
}

/** The list scrolled so that the selected service, wherever it is now, is seen; the first when it has gone. */
export function keepSelectionSeen(model: Model): Model {
  const { overview, selected } = activeProject(model);
  if (overview === undefined) return model;
  if (overview.services.length === 0) {
    const empty = { ...activeProject(model), list: LIST_START };
    delete empty.selected;
    return { ...model, projects: model.projects.map((each, at) => at === model.active ? empty : each) };
  }
  const at = overview.services.findIndex(({ name }) => name === selected);
  return selectService(model, Math.max(0, at));
}

/** How the lines of the log become rows in the output. */
export function rowOptions(model: Model): RowOptions {
  const { width, height } = outputSize(layoutOf(model));
  // One column at the right is the scroll bar's.
  return { width: Math.max(2, width - GUTTER - 1), height, wrap: model.wrap };
}

/** The size that the terminal of the service has while somebody is attached to it; undefined where none can be told. */
export function attachedSize(
  model: Model,
): { readonly rows: number; readonly columns: number } | undefined {
  const { overlay } = model;
  const { abilities, overview } = activeProject(model);
  if (overlay?.kind !== "attach" || !abilities.window) return undefined;
  if (overview?.services.find(({ name }) => name === overlay.service)?.tty !== true) return undefined;
  const { width: columns, height: rows } = outputSize(layoutOf(model));
  return columns > 0 && rows > 0 ? { rows, columns } : undefined;
}

/** Tells the service that somebody is attached to how large its terminal is, when it is another than before. */
export function windowEffects(before: Model, model: Model): Effect[] {
  const [last, size] = [attachedSize(before), attachedSize(model)];
  if (size === undefined || model.overlay?.kind !== "attach") return [];
  if (last?.rows === size.rows && last.columns === size.columns) return [];
  return [{ kind: "window", project: model.active, service: model.overlay.service, ...size }];
}

/** The model with the log that is seen changed. */
export function withSeenLog(model: Model, change: (view: LogView) => LogView): Model {
  const target = wantedLog(model);
  const view = seenLog(model);
  if (target === undefined || view === undefined) return model;
  const logs = new Map(activeProject(model).logs).set(logKey(target), change(view));
  return withProject(model, model.active, { logs });
}

/** A log whose last line that is seen is at a place; without one its end is followed. */
export function anchored(view: LogView, anchor: number | undefined): LogView {
  const { anchor: _before, ...rest } = view;
  return anchor === undefined ? rest : { ...rest, anchor };
}

/** The output scrolled by lines. */
export function scrollBy(model: Model, lines: number): Model {
  return withSeenLog(
    model,
    (view) => anchored(view, scrolled(seenLines(model, view), view.anchor, lines, rowOptions(model))),
  );
}

/** The output scrolled by pages. */
export function scrollPages(model: Model, pages: number): Model {
  const view = seenLog(model);
  if (view === undefined) return model;
  const lines = seenLines(model, view);
  const options = rowOptions(model);
  const seen = seenUpTo(lines, bottomIndex(lines, view.anchor), options).length;
  return scrollBy(model, pages * Math.max(1, Math.min(seen, options.height) - 1));
}

/** A search in the log that is seen: with its matches. */
export function find(model: Model, search: Search): Found {
  if (search.text === "") return NOT_SEARCHED;
  return { search, lines: (seenLog(model)?.log.lines ?? []).filter((line) => isMatch(line, search)) };
}

/** The same search in what is seen now. */
export function refind(model: Model): Model {
  return model.found === NOT_SEARCHED ? model : { ...model, found: find(model, model.found.search) };
}

/** The output at the next match above (−1) or below (+1) the one that was gone to last. */
export function goToMatch(model: Model, step: 1 | -1): Model {
  const view = seenLog(model);
  const found = model.found.lines.filter(({ seq }) => seq >= (view?.clearedTo ?? 0));
  if (view === undefined || found.length === 0) return model;
  const lines = seenLines(model, view);
  const from = view.match ?? (lines[bottomIndex(lines, view.anchor)]?.seq ?? 0) + 1;
  const next = step > 0
    ? found.find(({ seq }) => seq > from) ?? found[0]!
    : found.findLast(({ seq }) => seq < from) ?? found.at(-1)!;
  return withSeenLog(model, (each) => ({
    ...anchored(each, anchorAround(lines, next.seq, rowOptions(model))),
    match: next.seq,
  }));
}
