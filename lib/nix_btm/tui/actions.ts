/** What actions do. Pure. @module */
import { isOver, plainText } from "../../nix/mod.ts";
import { waitingText, whyWaiting } from "../waiting.ts";
import { typing } from "./input.ts";
import { type Action, selectedJob } from "./keymap.ts";
import { bodyRows } from "./layout.ts";
import { type Model, PRUNES, SORTS, type Tab, TABS, worldOf } from "./model.ts";
import { buildAt, builderRows, buildLines, eagleRows } from "./rows.ts";
import { keepSeen, scrollLog, selectRow, type Step } from "./update.ts";

/** Columns of the table of processes that can be left. */
const COLUMNS_MAX = 9;

/** The model after an action, and the effects of it. */
export function act(model: Model, action: Action): Step {
  if (action.startsWith("tab ")) return goTo(model, action.slice(4) as Tab);
  switch (action) {
    case "down":
      return [moved(model, 1), []];
    case "up":
      return [moved(model, -1), []];
    case "pageDown":
      return [moved(model, half(model)), []];
    case "pageUp":
      return [moved(model, -half(model)), []];
    case "first":
      return [moved(model, -Infinity), []];
    case "last":
      return [moved(model, Infinity), []];
    case "nextTab":
      return goTo(model, neighbour(TABS, model.tab, 1));
    case "previousTab":
      return goTo(model, neighbour(TABS, model.tab, -1));
    case "toggle":
      return [toggled(model), []];
    case "toggleAll":
      return [keepSeen({ ...model, allFolded: !model.allFolded, toggled: new Set() }), []];
    case "left":
      return [{ ...model, side: "tree" }, []];
    case "right":
      return [{ ...model, side: "table" }, []];
    case "columnLeft":
      return [{ ...model, firstColumn: Math.max(0, model.firstColumn - 1) }, []];
    case "columnRight":
      return [{ ...model, firstColumn: Math.min(COLUMNS_MAX, model.firstColumn + 1) }, []];
    case "prune":
      return [keepSeen({ ...model, prune: neighbour(PRUNES, model.prune, 1) }), []];
    case "sort":
      return [keepSeen({ ...model, sort: neighbour(SORTS, model.sort, 1) }), []];
    case "reverse":
      return [keepSeen({ ...model, isReversed: !model.isReversed }), []];
    case "over":
      return [keepSeen({ ...model, showsOver: !model.showsOver }), []];
    case "open":
      return opened(model);
    case "filter":
      return [typing(model), []];
    case "nextMatch":
      return [toMatch(model, 1), []];
    case "previousMatch":
      return [toMatch(model, -1), []];
    case "follow": {
      const follows = !model.follows;
      return [follows ? scrollLog({ ...model, follows }, Infinity) : { ...model, follows }, []];
    }
    case "explain":
      return [explained(model), []];
    case "pause":
    case "resume":
    case "kill":
      return steered(model, action);
    case "copy":
      return copied(model);
    case "mouse":
      return [{ ...model, mouse: !model.mouse }, [{ kind: "mouse", on: !model.mouse }]];
    case "nextHost":
      return [keepSeen({ ...model, host: neighbour([...model.source.worlds.keys()], model.host, 1) }), []];
    case "previousHost":
      return [keepSeen({ ...model, host: neighbour([...model.source.worlds.keys()], model.host, -1) }), []];
    case "refresh":
      return [model, [{ kind: "readHistory", name: model.filter }]];
    case "help":
      return [{ ...model, overlay: { kind: "help", top: 0 } }, []];
    case "close":
      return goTo(model, "jobs");
    case "quit":
      return [{ ...model, ended: true }, []];
    default:
      return [model, []];
  }
}

function goTo(model: Model, tab: Tab): Step {
  const next = keepSeen({ ...model, tab, message: undefined });
  return [next, tab === "history" ? [{ kind: "readHistory", name: model.filter }] : []];
}

function half(model: Model): number {
  return Math.max(1, Math.floor(bodyRows(model, model.tab) / 2));
}

function moved(model: Model, by: number): Model {
  const { tab, lists } = model;
  if (tab !== "build") return selectRow(model, tab, Math.max(-1e9, Math.min(1e9, lists[tab].selected + by)));
  const next = scrollLog({ ...model, follows: false }, lists.build.top + by);
  return by === Infinity ? { ...next, follows: true } : next;
}

function neighbour<T>(all: readonly T[], one: T, by: number): T {
  return all[(all.indexOf(one) + by + all.length) % all.length] ?? one;
}

function toggled(model: Model): Model {
  const key = model.tab === "eagle"
    ? eagleRows(model)[model.lists.eagle.selected]?.key
    : builderRows(model)[model.lists.builders.selected]?.key;
  if (key === undefined) return model;
  const next = new Set(model.toggled);
  if (!next.delete(key)) next.add(key);
  return keepSeen({ ...model, toggled: next });
}

function opened(model: Model): Step {
  if (model.tab === "history") {
    const past = model.history[model.lists.history.selected];
    if (past === undefined) return [model, []];
    // Numbers of jobs are positive: what is over long since has none.
    const job = -past.id;
    return [
      { ...model, tab: "build", job, log: undefined, follows: false },
      [{ kind: "readLog", job, file: past.log }],
    ];
  }
  const job = selectedJob(model);
  if (job === undefined) return [model, []];
  const next = scrollLog(
    { ...model, tab: "build", job, log: undefined, follows: true, search: "" },
    Infinity,
  );
  return [next, [{ kind: "readLog", job }]];
}

function toMatch(model: Model, by: 1 | -1): Model {
  const wanted = model.search.toLowerCase();
  const lines = buildLines(model);
  if (wanted === "") return { ...model, message: "nothing is searched; / begins" };
  const from = model.lists.build.selected;
  for (let step = 1; step <= lines.length; step++) {
    const at = (from + by * step + lines.length * 2) % lines.length;
    if (!lines[at]!.toLowerCase().includes(wanted)) continue;
    const next = scrollLog({ ...model, follows: false }, at - Math.floor(bodyRows(model, "build") / 2));
    return { ...next, lists: { ...next.lists, build: { ...next.lists.build, selected: at } } };
  }
  return { ...model, message: `no line has "${model.search}"` };
}

function explained(model: Model): Model {
  const text = model.tab === "history" ? pastText(model) : jobText(model);
  if (text === undefined) return model;
  return { ...model, overlay: { kind: "text", title: "why", text, top: 0 } };
}

function pastText({ history, lists }: Model): string | undefined {
  const past = history[lists.history.selected];
  if (past === undefined) return undefined;
  return [past.derivation, past.failure ?? `it has ${past.outcome}`, "", ...past.tail].join("\n");
}

function jobText(model: Model): string | undefined {
  const world = worldOf(model);
  const job = world.jobs.get(selectedJob(model) ?? 0);
  if (job === undefined) return undefined;
  const waiting = whyWaiting(world, job);
  const lines = [job.subject, ""];
  if (job.state.kind === "failed") lines.push(plainText(job.state.failure.text));
  else if (waiting !== undefined) {
    lines.push(waitingText(waiting));
    if ("jobs" in waiting) lines.push("", ...waiting.jobs.map(({ name, state }) => `${state.kind}  ${name}`));
  } else lines.push(isOver(job) ? `it is over: ${job.state.kind}` : "it runs");
  const path = world.estimates.get(job.command)?.estimate?.criticalPath ?? [];
  if (path.includes(job.subject)) {
    lines.push("", "Its command's end waits for it: it is on the critical path.");
  }
  return [...lines, "", ...(world.tails.get(job.id) ?? []).slice(-20)].join("\n").trimEnd();
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
  if (text === undefined) return [model, []];
  const lines = text.split("\n").length;
  return [{ ...model, message: lines === 1 ? `copied ${text}` : `copied ${lines} lines` }, [{
    kind: "copy",
    text,
  }]];
}

function copyText(model: Model): string | undefined {
  switch (model.tab) {
    case "build":
      return buildLines(model).map(plainText).join("\n");
    case "history":
      return model.history[model.lists.history.selected]?.derivation;
    case "builders":
      return buildAt(model)?.drvPath ?? buildAt(model)?.name;
    case "eagle":
      return eagleRows(model)[model.lists.eagle.selected]?.path;
    case "jobs":
      return worldOf(model).jobs.get(selectedJob(model) ?? 0)?.subject;
    case "hosts":
      return undefined;
    default:
      return model.tab satisfies never;
  }
}
