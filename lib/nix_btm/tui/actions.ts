/** What actions do. Pure. @module */
import { builderRows, processKey, tableRows } from "./builder_rows.ts";
import { copyText } from "./copy.ts";
import { eagleRows, jobAt, keyOf } from "./eagle_rows.ts";
import { explained } from "./explain.ts";
import { typing } from "./input.ts";
import { jobRows } from "./job_rows.ts";
import type { Action } from "./keymap.ts";
import { bodyRows } from "./layout.ts";
import { matches, openedLog } from "./log_lines.ts";
import {
  type Effect,
  KINDS,
  type Model,
  PROCESS_SORTS,
  PRUNES,
  SORTS,
  STATES,
  type Tab,
  TABS,
  worldOf,
} from "./model.ts";
import { buildAt, selectedJob } from "./selected.ts";
import { THEMES } from "./theme_names.ts";
import { themeOf } from "./themes.ts";
import { environmentsOf, keepSeen, scrollLog, selectProcess, selectRow, type Step } from "./update.ts";

/** Columns of the table of processes that can be left. */
const COLUMNS_MAX = 9;
/** Columns by which a log moves to the side. */
const SHIFT_COLUMNS = 16;
const SHIFT_MAX = 4_096;

/** The model after an action, and the effects of it. */
export function act(model: Model, action: Action): Step {
  if (action.startsWith("tab ")) return goTo(model, action.slice(4) as Tab);
  switch (action) {
    case "down":
      return moved(model, 1);
    case "up":
      return moved(model, -1);
    case "pageDown":
      return moved(model, half(model));
    case "pageUp":
      return moved(model, -half(model));
    case "first":
      return moved(model, -Infinity);
    case "last":
      return moved(model, Infinity);
    case "nextTab":
      return goTo(model, neighbour(TABS, model.tab, 1));
    case "previousTab":
      return goTo(model, neighbour(TABS, model.tab, -1));
    case "toggle":
      return [toggled(model), []];
    case "toggleAll": {
      const folding = model.folding === "open" ? "closed" : "open";
      return [keepSeen({ ...model, folding, folds: new Map() }), []];
    }
    case "left":
      return [{ ...model, side: "tree" }, []];
    case "right":
      return [{ ...model, side: "table" }, []];
    case "columnLeft":
      return [shifted(model, -1), []];
    case "columnRight":
      return [shifted(model, 1), []];
    case "prune":
      return [keepSeen({ ...model, prune: neighbour(PRUNES, model.prune, 1) }), []];
    case "sort":
      return model.tab === "jobs"
        ? [keepSeen({ ...model, sort: neighbour(SORTS, model.sort, 1) }), []]
        : [keepSeen({ ...model, processSort: neighbour(PROCESS_SORTS, model.processSort, 1) }), []];
    case "reverse":
      return [keepSeen({ ...model, isReversed: !model.isReversed }), []];
    case "kinds":
      return [keepSeen({ ...model, kinds: neighbour(KINDS, model.kinds, 1) }), []];
    case "states":
      return narrowed(model);
    case "open":
      return opened(model);
    case "filter":
      return [typing(model), []];
    case "unfilter": {
      const next = model.tab === "build" ? { ...model, search: "", match: undefined } : keepSeen(
        model.filter !== "" ? { ...model, filter: "" } : { ...model, kinds: "everything", states: "all" },
      );
      return [next, next.tab === "history" ? [readHistory(next)] : []];
    }
    case "nextMatch":
      return [toMatch(model, 1), []];
    case "previousMatch":
      return [toMatch(model, -1), []];
    case "nextUrgent":
      return [toUrgent(model, 1), []];
    case "previousUrgent":
      return [toUrgent(model, -1), []];
    case "follow": {
      const follows = !model.follows;
      return [follows ? scrollLog({ ...model, follows }, Infinity) : { ...model, follows }, []];
    }
    case "explain":
      return [explained(model), []];
    case "environment":
      return ofProcess(model);
    case "environments": {
      const next = { ...model, showsEnvironments: !model.showsEnvironments };
      return [next, environmentsOf(next)];
    }
    case "pause":
    case "resume":
    case "kill":
      return steered(model, action);
    case "copy":
      return copied(model);
    case "mouse":
      return [{ ...model, mouse: !model.mouse }, [{ kind: "mouse", on: !model.mouse }]];
    case "theme": {
      const themeName = neighbour(THEMES, model.themeName, 1);
      return [{ ...model, themeName, theme: themeOf(themeName, model), message: `theme: ${themeName}` }, []];
    }
    case "host": {
      const host = hosts(model)[model.lists.hosts.selected];
      return host === undefined ? [model, []] : goTo({ ...model, host }, "builders");
    }
    case "nextHost":
      return [toHost(model, 1), []];
    case "previousHost":
      return [toHost(model, -1), []];
    case "refresh":
      return [model, [readHistory(model)]];
    case "help":
      return [{ ...model, overlay: { kind: "help", top: 0 } }, []];
    case "close":
      return goTo(model, model.from);
    case "quit":
      return [{ ...model, ended: true }, []];
    default:
      return [model, []];
  }
}

/** What the history is asked for. */
export function readHistory({ filter, states }: Model): Effect {
  return { kind: "readHistory", name: filter, outcome: states === "failed" ? "failed" : undefined };
}

function hosts({ source }: Model): string[] {
  return [...source.worlds.keys()];
}

/** Numbers of jobs are each host's own: the build that was looked at is not there. */
function toHost(model: Model, by: 1 | -1): Model {
  const host = neighbour(hosts(model), model.host, by);
  const tab = model.tab === "build" ? "jobs" : model.tab;
  return keepSeen({ ...model, host, tab, job: undefined, log: undefined });
}

function goTo(model: Model, tab: Tab): Step {
  const next = keepSeen({ ...model, tab, message: undefined });
  return [next, tab === "history" ? [readHistory(next)] : environmentsOf(next)];
}

function half(model: Model): number {
  return Math.max(1, Math.floor(bodyRows(model, model.tab) / 2));
}

function moved(model: Model, by: number): Step {
  const { tab, lists } = model;
  if (tab === "build") {
    const next = scrollLog({ ...model, follows: false }, lists.build.top + by);
    return [by === Infinity ? { ...next, follows: true } : next, []];
  }
  const steps = Math.max(-1e9, Math.min(1e9, by));
  if (tab !== "builders") return [selectRow(model, tab, lists[tab].selected + steps), []];
  if (model.side === "table") return [selectProcess(model, model.table.selected + steps), []];
  const next = selectProcess(selectRow(model, tab, lists[tab].selected + steps), 0);
  return [next, environmentsOf(next)];
}

function neighbour<T>(all: readonly T[], one: T, by: number): T {
  return all[(all.indexOf(one) + by + all.length) % all.length] ?? one;
}

function toggled(model: Model): Model {
  if (model.tab === "eagle") {
    const row = eagleRows(model)[model.lists.eagle.selected];
    return row === undefined ? model : folded(model, keyOf(row), row.isOpen);
  }
  const row = builderRows(model)[model.lists.builders.selected];
  return row === undefined || row.kind === "process" ? model : folded(model, row.key, row.isOpen);
}

function folded(model: Model, key: string, isOpen: boolean): Model {
  return keepSeen({ ...model, folds: new Map(model.folds).set(key, !isOpen) });
}

function shifted(model: Model, by: 1 | -1): Model {
  if (model.tab === "build") {
    return { ...model, shift: Math.max(0, Math.min(SHIFT_MAX, model.shift + by * SHIFT_COLUMNS)) };
  }
  return { ...model, firstColumn: Math.max(0, Math.min(COLUMNS_MAX, model.firstColumn + by)) };
}

/** In the history whatever has not failed has ended too. */
function narrowed(model: Model): Step {
  if (model.tab === "jobs") return [keepSeen({ ...model, states: neighbour(STATES, model.states, 1) }), []];
  const next: Model = { ...model, states: model.states === "failed" ? "all" : "failed" };
  return [next, [readHistory(next)]];
}

function opened(model: Model): Step {
  const from = model.tab;
  const seen = { ...model, tab: "build", from, search: "", match: undefined, shift: 0 } as const;
  if (from === "history") {
    const past = model.history[model.lists.history.selected];
    if (past === undefined) return [model, []];
    // Numbers of jobs are positive: what is over long since has none.
    const job = -past.id;
    const log = { job, lines: past.tail, more: [], count: 0, isReading: true, failure: undefined };
    return [
      scrollLog({ ...seen, job, past, log, follows: false }, 0),
      [{ kind: "readLog", job, file: past.log }],
    ];
  }
  const job = selectedJob(model);
  if (job === undefined) return [model, []];
  const next = scrollLog({ ...seen, job, log: openedLog(model, job), follows: true }, Infinity);
  if (model.host !== "") return [next, []];
  return [next, [{ kind: "readLog", job, derivation: worldOf(model).jobs.get(job)?.subject }]];
}

/** From the line that was gone to, where it is seen, else from the first or last one that is. */
function toMatch(model: Model, by: 1 | -1): Model {
  const found = matches(model);
  if (found.length === 0) return { ...model, message: `no line has "${model.search}"`, match: undefined };
  const rows = bodyRows(model, "build");
  const { top } = model.lists.build;
  const isSeen = model.match !== undefined && model.match >= top && model.match < top + rows;
  const from = isSeen ? model.match! : by === 1 ? top - 1 : top + rows;
  const match = by === 1
    ? found.find((at) => at > from) ?? found[0]!
    : found.findLast((at) => at < from) ?? found.at(-1)!;
  return { ...scrollLog({ ...model, follows: false }, match - Math.floor(rows / 2)), match };
}

/** Those that failed, run or wait: what somebody looks for. */
function toUrgent(model: Model, by: 1 | -1): Model {
  const { tab, lists } = model;
  const states = tab === "jobs"
    ? jobRows(model).map(({ state }) => state.kind)
    : eagleRows(model).map((row) => jobAt(row)?.state.kind);
  for (let step = 1; step <= states.length; step++) {
    const at = (lists[tab].selected + by * step + states.length * 2) % states.length;
    const kind = states[at];
    if (kind === "failed" || kind === "running" || kind === "waiting") return selectRow(model, tab, at);
  }
  return { ...model, message: "nothing runs, waits or has failed" };
}

function ofProcess(model: Model): Step {
  const process = tableRows(model)[model.side === "table" ? model.table.selected : 0];
  if (process === undefined) return [model, []];
  const { pid, startTicks } = process;
  const effect = { kind: "readEnvironments", processes: [{ pid, startTicks }] } as const;
  return [
    { ...model, overlay: { kind: "process", key: processKey(process), process, top: 0 } },
    model.environments.has(processKey(process)) ? [] : [effect],
  ];
}

function steered(model: Model, steer: "pause" | "resume" | "kill"): Step {
  const build = buildAt(model);
  if (build === undefined) return [model, []];
  const name = build.name ?? build.id;
  if (steer === "kill") return [{ ...model, overlay: { kind: "confirm", steer, build: build.id, name } }, []];
  return [model, [{ kind: "steer", steer, build: build.id, name }]];
}

function copied(model: Model): Step {
  const text = copyText(model);
  if (text === undefined) return [{ ...model, message: "there is nothing to copy" }, []];
  const lines = text.split("\n").length;
  const name = text.slice(text.lastIndexOf("/") + 1);
  const message = lines === 1 ? `copied …${name}` : `copied ${lines} lines`;
  return [{ ...model, message }, [{ kind: "copy", text }]];
}
