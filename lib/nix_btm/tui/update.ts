/** The next state: what keys, the mouse, the daemon and the clock do to the model. Pure. @module */
import { makeTheme, select, type TerminalEvent } from "../../tui/mod.ts";
import { onInput } from "./input.ts";
import { bodyRows } from "./layout.ts";
import type { Effect, Model, Tab, TimedNews, TuiEvent } from "./model.ts";
import { TABS } from "./model.ts";
import { buildLines, keysOf } from "./rows.ts";

/** A model and what is to be done. */
export type Step = readonly [Model, readonly Effect[]];

/** The model after an event, and the effects of it. */
export function update(model: Model, event: TuiEvent): Step {
  return "nowMs" in event ? onNews({ ...model, nowMs: event.nowMs }, event) : onTerminal(model, event);
}

function onTerminal(model: Model, event: TerminalEvent): Step {
  switch (event.kind) {
    case "resize":
      return [keepSeen({ ...model, width: event.width, height: event.height }), []];
    case "background":
      return [{ ...model, theme: makeTheme(model.depth, event) }, []];
    case "focus":
      return [model, []];
    default:
      return onInput(model, event);
  }
}

function onNews(model: Model, news: TimedNews): Step {
  switch (news.kind) {
    case "tick":
      return [model, []];
    case "changed": {
      const known = news.source.worlds.has(model.host);
      return [keepSeen({ ...model, source: news.source, host: known ? model.host : "" }), []];
    }
    case "logRead":
      if (news.job !== model.job) return [model, []];
      return [toEnd({ ...model, log: { job: news.job, lines: news.lines, failure: undefined } }), []];
    case "logFailed":
      if (news.job !== model.job) return [model, []];
      return [{ ...model, log: { job: news.job, lines: [], failure: news.reason } }, []];
    case "historyRead":
      return [keepSeen({ ...model, history: news.rows, historyFailure: undefined }), []];
    case "historyFailed":
      return [{ ...model, historyFailure: news.reason }, []];
    case "steered":
      return [{ ...model, message: news.text }, []];
    default:
      return news satisfies never;
  }
}

/** Every view keeps its row selected where rows came and went, and within what is seen. */
export function keepSeen(model: Model): Model {
  const lists = { ...model.lists };
  const keys = { ...model.keys };
  for (const tab of TABS) {
    if (tab === "build") continue;
    // Others are looked at again when they are seen.
    if (tab !== model.tab && tab !== "builders") continue;
    const rows = keysOf(model, tab);
    const wanted = keys[tab];
    const at = wanted === undefined ? -1 : rows.indexOf(wanted);
    const selected = at >= 0 ? at : lists[tab].selected;
    lists[tab] = select(lists[tab], selected, rows.length, bodyRows(model, tab));
    const key = rows[lists[tab].selected];
    if (key !== undefined) keys[tab] = key;
  }
  return toEnd({ ...model, lists, keys });
}

/** A log that is followed is seen at its end. */
export function toEnd(model: Model): Model {
  if (!model.follows || model.tab !== "build") return model;
  return scrollLog(model, Infinity);
}

/** The log with another line first. */
export function scrollLog(model: Model, top: number): Model {
  const last = Math.max(0, buildLines(model).length - bodyRows(model, "build"));
  const list = { selected: 0, top: Math.max(0, Math.min(top, last)) };
  return { ...model, lists: { ...model.lists, build: list } };
}

/** Another row of a view selected. */
export function selectRow(model: Model, tab: Tab, selected: number): Model {
  const rows = keysOf(model, tab);
  const list = select(model.lists[tab], selected, rows.length, bodyRows(model, tab));
  const key = rows[list.selected];
  return {
    ...model,
    lists: { ...model.lists, [tab]: list },
    keys: key === undefined ? model.keys : { ...model.keys, [tab]: key },
  };
}
