/** The next state: what keys, the mouse, the daemon and the clock do to the model. Pure. @module */
import { select, type TerminalEvent } from "../../tui/mod.ts";
import { processKey, tableRows } from "./builder_rows.ts";
import { onInput } from "./input.ts";
import { bodyRows } from "./layout.ts";
import { continued, joined, lineCount, openedLog } from "./log_lines.ts";
import { type Effect, type Model, type Tab, type TimedNews, type TuiEvent, worldOf } from "./model.ts";
import { keyed, rowsOf } from "./rows.ts";
import { themeOf } from "./themes.ts";

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
      return [{
        ...model,
        background: event,
        theme: themeOf(model.themeName, { ...model, background: event }),
      }, []];
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
      const [next, effects] = moreOfLog({ ...model, source: news.source, host: known ? model.host : "" });
      const seen = keepSeen(next);
      return [seen, [...effects, ...environmentsOf(seen)]];
    }
    case "logRead": {
      if (news.job !== model.job || model.log === undefined) return [model, []];
      const read = joined(news.lines, linesNow(model, news.job));
      const log = { job: news.job, ...read, isReading: false, failure: undefined };
      return [toEnd({ ...model, log, match: undefined }), []];
    }
    case "logFailed":
      if (news.job !== model.job || model.log === undefined) return [model, []];
      return [{ ...model, log: { ...model.log, isReading: false, failure: news.reason } }, []];
    case "environmentsRead":
      return [{ ...model, environments: withFound(model.environments, news.found) }, []];
    case "historyRead":
      return [keepSeen({ ...model, history: news.rows, historyFailure: undefined }), []];
    case "historyFailed":
      return [{ ...model, historyFailure: news.reason }, []];
    case "told":
      return [{ ...model, message: news.text }, []];
    default:
      return news satisfies never;
  }
}

/** What the build that is looked at has printed since; where that is more than is told it is read anew, here. */
function moreOfLog(model: Model): Step {
  const { log, job } = model;
  if (log === undefined || log.job !== job || log.isReading) return [model, []];
  const next = continued(log, linesNow(model, job));
  if (next === log) return [model, []];
  if (next !== undefined) return [{ ...model, log: next }, []];
  if (model.host !== "") return [{ ...model, log: openedLog(model, job) }, []];
  const derivation = worldOf(model).jobs.get(job)?.subject;
  return [{ ...model, log: { ...log, isReading: true } }, [{ kind: "readLog", job, derivation }]];
}

function linesNow(model: Model, job: number): { readonly tail: readonly string[]; readonly count: number } {
  const world = worldOf(model);
  return { tail: world.tails.get(job) ?? [], count: world.jobs.get(job)?.lineCount ?? 0 };
}

/**
 * The view that is seen keeps its row selected where rows came and went: the row that somebody went to, or else the first
 * one, whichever it is. Others are looked at when they are seen.
 */
export function keepSeen(model: Model): Model {
  const { tab, lists, keys } = model;
  if (tab === "build") return toEnd(scrollLog(model, lists.build.top));
  const rows = rowsOf(model, tab);
  const wanted = keys[tab];
  const at = wanted === undefined ? -1 : rows.indexOf(wanted);
  const list = select(lists[tab], at >= 0 ? at : lists[tab].selected, rows.count, bodyRows(model, tab));
  const next = { ...model, lists: { ...lists, [tab]: list } };
  return tab === "builders" ? keepProcess(next) : next;
}

/** The same for the table of processes. */
function keepProcess(model: Model): Model {
  const rows = tableRows(model);
  const at = model.process === undefined ? -1 : keyed(rows, processKey).indexOf(model.process);
  const selected = at >= 0 ? at : model.table.selected;
  return { ...model, table: select(model.table, selected, rows.length, bodyRows(model, "builders") - 1) };
}

/** A log that is followed is seen at its end. */
export function toEnd(model: Model): Model {
  if (!model.follows || model.tab !== "build") return model;
  return scrollLog(model, Infinity);
}

/** The log with another line first. */
export function scrollLog(model: Model, top: number): Model {
  const last = Math.max(0, lineCount(model) - bodyRows(model, "build"));
  const list = { selected: 0, top: Math.max(0, Math.min(top, last)) };
  return { ...model, lists: { ...model.lists, build: list } };
}

/** Somebody goes to another row of a view. Who goes to the first one wants whatever is first. */
export function selectRow(model: Model, tab: Tab, selected: number): Model {
  const rows = rowsOf(model, tab);
  const list = select(model.lists[tab], selected, rows.count, bodyRows(model, tab));
  const key = list.selected === 0 ? undefined : rows.keyAt(list.selected);
  return { ...model, lists: { ...model.lists, [tab]: list }, keys: { ...model.keys, [tab]: key } };
}

/** The same in the table of processes. */
export function selectProcess(model: Model, selected: number): Model {
  const rows = tableRows(model);
  const table = select(model.table, selected, rows.length, bodyRows(model, "builders") - 1);
  const process = table.selected === 0 ? undefined : rows[table.selected];
  return { ...model, table, process: process === undefined ? undefined : processKey(process) };
}

/** Asks for what is not known of the processes that are seen, where somebody wants to know. */
export function environmentsOf(model: Model): readonly Effect[] {
  const { environments, showsEnvironments, tab } = model;
  if (!showsEnvironments || tab !== "builders") return [];
  const processes = tableRows(model).slice(0, READ_MAX).filter((each) => !environments.has(processKey(each)));
  if (processes.length === 0) return [];
  return [{
    kind: "readEnvironments",
    processes: processes.map(({ pid, startTicks }) => ({ pid, startTicks })),
  }];
}

/** They do not change while a process runs; those of processes that have long ended are forgotten. */
function withFound(
  known: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([...known, ...found].slice(-KNOWN_MAX));
}

/** Processes whose environment is read at a time, and is known. */
const READ_MAX = 200;
const KNOWN_MAX = 1_000;
