/** What the keys do; the original's are all here. Pure. @module */
import type { Binding } from "../../tui/mod.ts";
import { type Model, type Tab, TABS, TITLES, worldOf } from "./model.ts";
import { buildAt, builderRows, eagleRows, jobLines } from "./rows.ts";

export type Action =
  | "down"
  | "up"
  | "first"
  | "last"
  | "pageDown"
  | "pageUp"
  | "nextTab"
  | "previousTab"
  | `tab ${Tab}`
  | "toggle"
  | "toggleAll"
  | "left"
  | "right"
  | "columnLeft"
  | "columnRight"
  | "prune"
  | "sort"
  | "reverse"
  | "over"
  | "open"
  | "filter"
  | "nextMatch"
  | "previousMatch"
  | "follow"
  | "explain"
  | "pause"
  | "resume"
  | "kill"
  | "copy"
  | "mouse"
  | "nextHost"
  | "previousHost"
  | "refresh"
  | "palette"
  | "help"
  | "close"
  | "quit";

const on = (...tabs: Tab[]) => ({ tab }: Model) => tabs.includes(tab);
const inTable = (model: Model) => model.tab === "builders";
const hasJob = (model: Model) =>
  (model.tab === "jobs" && jobLines(model).length > 0) ||
  (model.tab === "eagle" && eagleRows(model)[model.lists.eagle.selected]?.job !== undefined) ||
  (model.tab === "history" && model.history.length > 0);
const canSteer = (model: Model) =>
  model.canSteer && model.host === "" && model.tab === "builders" && buildAt(model) !== undefined;
const isPaused = (model: Model) => buildAt(model)?.isPaused === true;
const canFold = (model: Model) =>
  (model.tab === "builders" && builderRows(model)[model.lists.builders.selected]?.kind === "user") ||
  (model.tab === "eagle" && eagleRows(model)[model.lists.eagle.selected]?.canOpen === true);

/** All of them; what cannot be done in a state is not offered in it. */
export const KEYMAP: readonly Binding<Action, Model>[] = [
  { keys: ["j", "down"], action: "down", help: "down", group: "Move" },
  { keys: ["k", "up"], action: "up", help: "up", group: "Move" },
  { keys: ["ctrl+d", "pagedown"], action: "pageDown", help: "half a page down", group: "Move" },
  { keys: ["ctrl+u", "pageup"], action: "pageUp", help: "half a page up", group: "Move" },
  { keys: ["g", "home"], action: "first", help: "to the first one", group: "Move" },
  { keys: ["G", "end"], action: "last", help: "to the last one", group: "Move" },
  {
    keys: ["n"],
    action: "nextTab",
    help: "the next view",
    group: "Views",
    short: "next",
    when: (m) => m.search === "" || m.tab !== "build",
  },
  { keys: ["p"], action: "previousTab", help: "the view before", group: "Views" },
  ...TABS.map((tab, at): Binding<Action, Model> => ({
    keys: [String(at + 1)],
    action: `tab ${tab}`,
    help: `the view ${TITLES[tab]}`,
    group: "Views",
  })),
  {
    keys: ["enter"],
    action: "open",
    help: "its log and phases",
    group: "Builds",
    short: "log",
    when: (model) => hasJob(model) && !(model.tab === "eagle" && canFold(model)),
  },
  { keys: ["L"], action: "open", help: "the log and phases of the build", group: "Builds", when: hasJob },
  {
    keys: ["enter", "tab", "space"],
    action: "toggle",
    help: "fold or unfold",
    group: "Trees",
    short: "fold",
    when: canFold,
  },
  {
    keys: ["O"],
    action: "toggleAll",
    help: "fold or unfold all",
    group: "Trees",
    short: "all",
    when: on("builders", "eagle"),
  },
  {
    keys: ["A"],
    action: "prune",
    help: "show all, what is left, or what runs and failed",
    group: "Trees",
    short: "prune",
    when: on("eagle"),
  },
  {
    keys: ["s"],
    action: "sort",
    help: "sort by the next column",
    group: "Jobs",
    short: "sort",
    when: on("jobs"),
  },
  { keys: ["S"], action: "reverse", help: "the other way round", group: "Jobs", when: on("jobs") },
  {
    keys: ["o"],
    action: "over",
    help: "with or without jobs that are over",
    group: "Jobs",
    short: "over",
    when: on("jobs"),
  },
  {
    keys: ["/"],
    action: "filter",
    help: "filter, or search the log",
    group: "Find",
    short: "find",
    when: on("eagle", "jobs", "build", "history"),
  },
  { keys: ["n"], action: "nextMatch", help: "the next line that matches", group: "Find", when: on("build") },
  {
    keys: ["N"],
    action: "previousMatch",
    help: "the line before that matches",
    group: "Find",
    when: on("build"),
  },
  {
    keys: ["f"],
    action: "follow",
    help: "follow the log",
    group: "Builds",
    short: "follow",
    when: on("build"),
  },
  {
    keys: ["e"],
    action: "explain",
    help: "why it waits or failed",
    group: "Builds",
    short: "why",
    when: hasJob,
  },
  { keys: ["h"], action: "left", help: "to the tree of users", group: "Builders", when: inTable },
  { keys: ["l"], action: "right", help: "to the table of processes", group: "Builders", when: inTable },
  {
    keys: ["<", "left"],
    action: "columnLeft",
    help: "columns further left",
    group: "Builders",
    when: inTable,
  },
  {
    keys: [">", "right"],
    action: "columnRight",
    help: "columns further right",
    group: "Builders",
    when: inTable,
  },
  {
    keys: ["P"],
    action: "pause",
    help: "pause the build",
    group: "Builders",
    short: "pause",
    when: (m) => canSteer(m) && !isPaused(m),
  },
  {
    keys: ["R"],
    action: "resume",
    help: "let the build go on",
    group: "Builders",
    short: "resume",
    when: (m) => canSteer(m) && isPaused(m),
  },
  { keys: ["X"], action: "kill", help: "kill the build", group: "Builders", short: "kill", when: canSteer },
  {
    keys: ["y"],
    action: "copy",
    help: "copy its path, or the log",
    group: "Builds",
    short: "copy",
    when: (m) => m.tab !== "hosts",
  },
  {
    keys: ["}"],
    action: "nextHost",
    help: "the next host",
    group: "Views",
    when: (m) => m.source.worlds.size > 1,
  },
  {
    keys: ["{"],
    action: "previousHost",
    help: "the host before",
    group: "Views",
    when: (m) => m.source.worlds.size > 1,
  },
  { keys: ["r"], action: "refresh", help: "read the history anew", group: "Views", when: on("history") },
  { keys: ["m"], action: "mouse", help: "the mouse for this program, or for the terminal", group: "Program" },
  { keys: [":", "ctrl+p"], action: "palette", help: "find an action by its name", group: "Program" },
  { keys: ["?", "M"], action: "help", help: "these keys", group: "Program", short: "help" },
  { keys: ["escape"], action: "close", help: "back to the jobs", group: "Builds", when: on("build") },
  { keys: ["q", "escape", "ctrl+c"], action: "quit", help: "end", group: "Program", short: "quit" },
];

/** The build that is selected or looked at, by its number. */
export function selectedJob(model: Model): number | undefined {
  switch (model.tab) {
    case "jobs":
      return jobLines(model)[model.lists.jobs.selected]?.job.id;
    case "eagle":
      return eagleRows(model)[model.lists.eagle.selected]?.job?.id;
    case "build":
      return model.job !== undefined && worldOf(model).jobs.has(model.job) ? model.job : undefined;
    case "builders":
    case "history":
    case "hosts":
      return undefined;
    default:
      return model.tab satisfies never;
  }
}
