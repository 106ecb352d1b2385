/** The next state: what keys, the mouse, the servers and the clock do to the model. Pure. @module */
import type { TerminalEvent } from "../tui/mod.ts";
import {
  activeProject,
  type Effect,
  logKey,
  type Model,
  type TuiEvent,
  wantedLog,
  withBackground,
  withProject,
} from "./model.ts";
import { listenToSeen } from "./changes.ts";
import { onInput } from "./input.ts";
import { onServer, READ_ON_LINES } from "./news.ts";
import { keepSelectionSeen, windowEffects } from "./select.ts";

/** A model and what is to be done. */
export type Step = readonly [Model, readonly Effect[]];

/** Lines of a log that are read at first, and while it is searched. */
export const FIRST_LINES = 1_000;
export const SEARCH_LINES = 10_000;

/** The model after an event, and the effects of it. */
export function update(model: Model, event: TuiEvent): Step {
  const timed = "nowMs" in event ? event.nowMs : model.nowMs;
  const [next, effects] = isTerminal(event) ? onTerminal(model, event) : onServer(model, event);
  const [last, more] = readWanted(next, timed);
  const [listening, listens] = listenToSeen(last, timed);
  return [listening, [...effects, ...windowEffects(model, last), ...more, ...listens]];
}

function isTerminal(event: TuiEvent): event is TerminalEvent {
  return !("nowMs" in event);
}

function onTerminal(model: Model, event: TerminalEvent): Step {
  switch (event.kind) {
    case "resize":
      return [keepSelectionSeen({ ...model, width: event.width, height: event.height }), []];
    case "background":
      return [withBackground(model, event), []];
    case "focus":
      return [model, []];
    default:
      return onInput(model, event);
  }
}

/** Asks for the log that is to be seen, one at a time: the newest again and again, those before it once. */
function readWanted(model: Model, nowMs: number): Step {
  const project = activeProject(model);
  const target = wantedLog(model);
  if (target === undefined || project.reading !== undefined || project.link.kind !== "online") {
    return [model, []];
  }
  const key = logKey(target);
  const view = project.logs.get(key);
  const searched = model.found.search.pattern !== undefined || model.overlay?.kind === "search";
  const wanted = searched ? SEARCH_LINES : FIRST_LINES;
  const fresh = view === undefined || (view.depth < wanted && view.failure === undefined);
  if (!fresh && (target.index !== -1 || nowMs < project.readDueMs)) return [model, []];
  const effect: Effect = {
    kind: "readLog",
    project: model.active,
    key,
    target,
    // What was read once so far back is only read on.
    depth: fresh ? wanted : view.behind === true ? FIRST_LINES : READ_ON_LINES,
  };
  return [withProject(model, model.active, { reading: key }), [effect]];
}
