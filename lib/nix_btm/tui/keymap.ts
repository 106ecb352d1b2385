/** What the keys do; the original's are all here. Pure. @module */
import type { Binding } from "../../tui/mod.ts";
import { builderRows, tableRows } from "./builder_rows.ts";
import { eagleRows } from "./eagle_rows.ts";
import { type Model, type Tab, TABS, TITLES } from "./model.ts";
import { buildAt, selectedCommand, selectedJob } from "./selected.ts";

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
  | "kinds"
  | "states"
  | "open"
  | "filter"
  | "unfilter"
  | "nextMatch"
  | "previousMatch"
  | "nextUrgent"
  | "previousUrgent"
  | "follow"
  | "explain"
  | "environment"
  | "environments"
  | "pause"
  | "resume"
  | "kill"
  | "copy"
  | "mouse"
  | "theme"
  | "host"
  | "nextHost"
  | "previousHost"
  | "refresh"
  | "palette"
  | "help"
  | "close"
  | "quit";

type When = (model: Model) => boolean;

const on = (...tabs: Tab[]): When => ({ tab }) => tabs.includes(tab);
const hasJob: When = (model) => selectedJob(model) !== undefined;
const hasLog: When = (model) =>
  model.tab === "history" ? model.history.length > 0 : model.tab !== "build" && hasJob(model);
const hasReason: When = (model) =>
  hasLog(model) || hasJob(model) || (selectedCommand(model)?.command.problems.length ?? 0) > 0;
const canSteer: When = (model) => model.canSteer && model.host === "" && buildAt(model) !== undefined;
const isPaused: When = (model) => buildAt(model)?.isPaused === true;
const hasProcess: When = (model) => model.tab === "builders" && tableRows(model).length > 0;
const inTable: When = (model) => model.side === "table" && hasProcess(model);
const severalHosts: When = ({ source }) => source.worlds.size > 1;
const canFold: When = (model) => {
  if (model.tab === "eagle") return eagleRows(model)[model.lists.eagle.selected]?.canOpen === true;
  if (model.tab !== "builders" || model.side === "table") return false;
  const row = builderRows(model)[model.lists.builders.selected];
  return row?.kind === "build" || (row?.kind === "user" && row.user.builds.length > 0);
};
const isNarrowed: When = ({ tab, search, filter, kinds, states }) => {
  if (tab === "build") return search !== "";
  if (tab === "builders" || tab === "hosts") return false;
  return filter !== "" || (tab === "jobs" && (kinds !== "everything" || states !== "all")) ||
    (tab === "history" && states === "failed");
};
const searches: When = ({ tab, search }) => tab === "build" && search !== "";

type Entry = Omit<Binding<Action, Model>, "keys" | "group">;

/** Bindings of one heading; keys are separated by blanks. */
function group(
  name: string,
  entries: readonly (readonly [keys: string, entry: Entry])[],
): Binding<Action, Model>[] {
  return entries.map(([keys, entry]) => ({ ...entry, keys: keys.split(" "), group: name }));
}

/** All of them; what cannot be done in a state is not offered in it, and of those that can the first one counts. */
export const KEYMAP: readonly Binding<Action, Model>[] = [
  ...group("Move", [
    ["j down", { action: "down", help: "down" }],
    ["k up", { action: "up", help: "up" }],
    ["ctrl+d pagedown", { action: "pageDown", help: "half a page down" }],
    ["ctrl+u pageup", { action: "pageUp", help: "half a page up" }],
    ["g home", { action: "first", help: "to the first one" }],
    ["G end", { action: "last", help: "to the last one" }],
  ]),
  ...group("Views", [
    ["n", { action: "nextMatch", help: "the next line that matches", short: "next match", when: searches }],
    ["N", { action: "previousMatch", help: "the line before that matches", when: searches }],
    ["n", { action: "nextTab", help: "the next view", short: "view", when: (model) => !searches(model) }],
    ["p", { action: "previousTab", help: "the view before" }],
    ...TABS.map((tab, at): [string, Entry] => [
      String(at + 1),
      { action: `tab ${tab}`, help: `the view ${TITLES[tab]}` },
    ]),
    ["}", { action: "nextHost", help: "the next host", when: severalHosts }],
    ["{", { action: "previousHost", help: "the host before", when: severalHosts }],
    ["enter", { action: "host", help: "look at this host", short: "look at", when: on("hosts") }],
    ["r", { action: "refresh", help: "read the history anew", when: on("history") }],
  ]),
  ...group("Trees", [
    ["enter tab space", { action: "toggle", help: "fold or unfold", short: "fold", when: canFold }],
    ["O", { action: "toggleAll", help: "unfold or fold all", short: "all", when: on("builders", "eagle") }],
    ["A", {
      action: "prune",
      help: "show all, what is left, or what runs and failed",
      short: "prune",
      when: on("eagle"),
    }],
  ]),
  ...group("Builds", [
    ["enter E", {
      action: "environment",
      help: "the process: command and environment",
      short: "process",
      when: inTable,
    }],
    ["enter L", { action: "open", help: "its log and phases", short: "log", when: hasLog }],
    ["e", {
      action: "explain",
      help: "why it waits or failed",
      short: "why",
      when: hasReason,
    }],
    ["f", { action: "follow", help: "follow the log", short: "follow", when: on("build") }],
    ["P", {
      action: "pause",
      help: "pause the build",
      short: "pause",
      when: (m) => canSteer(m) && !isPaused(m),
    }],
    ["R", {
      action: "resume",
      help: "let the build go on",
      short: "resume",
      when: (m) => canSteer(m) && isPaused(m),
    }],
    ["X", { action: "kill", help: "kill the build", short: "kill", when: canSteer }],
    ["y", {
      action: "copy",
      help: "copy its path, or the log",
      short: "copy",
      when: (m) => m.tab !== "hosts",
    }],
  ]),
  ...group("Builders", [
    ["E", { action: "environment", help: "its first process: command and environment", when: hasProcess }],
    ["v", {
      action: "environments",
      help: "with or without the environment column",
      short: "env",
      when: on("builders"),
    }],
    ["h", { action: "left", help: "to the tree of users", when: on("builders") }],
    ["l", { action: "right", help: "to the table of processes", short: "table", when: on("builders") }],
    ["< left", { action: "columnLeft", help: "columns further left", when: on("builders", "build") }],
    ["> right", { action: "columnRight", help: "columns further right", when: on("builders", "build") }],
  ]),
  ...group("Find", [
    ["/", {
      action: "filter",
      help: "filter, or search the log",
      short: "find",
      when: (m) => m.tab !== "hosts" && m.tab !== "builders",
    }],
    ["escape", {
      action: "unfilter",
      help: "no filter, no search, all again",
      when: isNarrowed,
    }],
    ["s", { action: "sort", help: "sort by the next column", short: "sort", when: on("jobs", "builders") }],
    ["S", { action: "reverse", help: "the other way round", when: on("jobs") }],
    ["t", {
      action: "kinds",
      help: "everything, builds, transfers, or the rest",
      short: "kinds",
      when: on("jobs"),
    }],
    ["o", {
      action: "states",
      help: "all, those that are not over, or failed ones",
      short: "states",
      when: on("jobs", "history"),
    }],
    ["N ]", {
      action: "nextUrgent",
      help: "to the next one that failed, runs or waits",
      short: "next busy",
      when: on("eagle", "jobs"),
    }],
    ["[", { action: "previousUrgent", help: "to the one before", when: on("eagle", "jobs") }],
  ]),
  ...group("Program", [
    ["escape", { action: "close", help: "back to where it was opened", when: on("build") }],
    ["T", { action: "theme", help: "the next theme" }],
    ["m", { action: "mouse", help: "the mouse for this program, or for the terminal" }],
    [": ctrl+p", { action: "palette", help: "find an action by its name" }],
    ["? M", { action: "help", help: "these keys", short: "help" }],
    ["q escape ctrl+c", { action: "quit", help: "end", short: "quit" }],
  ]),
];
