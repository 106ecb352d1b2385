/** What the keys do. Upstream's keys are all here: j k ▲ ▼ Enter r c q Esc. Pure. @module */
import type { Binding } from "../tui/mod.ts";
import { activeProject, jobOf, type Model, selectedService } from "./model.ts";
import { toneOf } from "./service.ts";

/** What can be done. */
export type Action =
  | "down"
  | "up"
  | "first"
  | "last"
  | "pageDown"
  | "pageUp"
  | "focusNext"
  | "open"
  | "back"
  | "restart"
  | "start"
  | "stop"
  | "input"
  | "attach"
  | "explain"
  | "log"
  | "build"
  | "graph"
  | "older"
  | "newer"
  | "clear"
  | "follow"
  | "search"
  | "nextMatch"
  | "previousMatch"
  | "onlyMatches"
  | "wrap"
  | "zoom"
  | "copy"
  | "mouse"
  | "nextProject"
  | "previousProject"
  | "refresh"
  | "palette"
  | "help"
  | "quit"
  | `project${number}`
  /** Selects a service by its name. */
  | `service ${string}`;

const online = (model: Model) => activeProject(model).link.kind === "online";
const chosen = (model: Model) => online(model) && selectedService(activeProject(model)) !== undefined;
const idleService = (model: Model) => {
  const { selected } = activeProject(model);
  return chosen(model) && jobOf(model, model.active, selected!) === undefined;
};
const running = (model: Model) => {
  const service = selectedService(activeProject(model));
  return service !== undefined && toneOf(service) !== "idle";
};
const logSeen = (model: Model) => chosen(model) && model.tab !== "graph";
const searched = (model: Model) => logSeen(model) && model.found.search.pattern !== undefined;
const several = (model: Model) => model.projects.length > 1;
const able = (name: "start" | "stop" | "send" | "explain" | "structured") => (model: Model) =>
  activeProject(model).abilities[name];

/** All bindings; what cannot be done in a state is not offered in it. */
export const KEYMAP: readonly Binding<Action, Model>[] = [
  {
    keys: ["enter"],
    action: "open",
    help: "show the log of the service and go to it",
    group: "Services",
    short: "logs",
    when: (m) => chosen(m) && m.focus === "list",
  },
  {
    keys: ["r"],
    action: "restart",
    help: "build and restart the service",
    group: "Services",
    short: "restart",
    when: idleService,
  },
  {
    keys: ["s"],
    action: "start",
    help: "start the service",
    group: "Services",
    short: "start",
    when: (m) => idleService(m) && able("start")(m) && !running(m),
  },
  {
    keys: ["x"],
    action: "stop",
    help: "stop the service",
    group: "Services",
    short: "stop",
    when: (m) => idleService(m) && able("stop")(m) && running(m),
  },
  {
    keys: ["i"],
    action: "input",
    help: "send a line to its standard input",
    group: "Services",
    when: (m) => chosen(m) && able("send")(m) && running(m),
  },
  {
    keys: ["a"],
    action: "attach",
    help: "attach the keyboard to it; ^] detaches",
    group: "Services",
    when: (m) => chosen(m) && able("send")(m) && running(m),
  },
  {
    keys: ["e"],
    action: "explain",
    help: "explain its last failure",
    group: "Services",
    when: (m) => chosen(m) && able("explain")(m),
  },
  {
    keys: ["/"],
    action: "search",
    help: "search the log; capitals count when you type one",
    group: "Output",
    short: "search",
    when: logSeen,
  },
  { keys: ["n"], action: "nextMatch", help: "next match, downwards", group: "Output", when: searched },
  { keys: ["N", "p"], action: "previousMatch", help: "next match, upwards", group: "Output", when: searched },
  { keys: ["&"], action: "onlyMatches", help: "show only lines that match", group: "Output", when: searched },
  {
    keys: ["l"],
    action: "log",
    help: "its log",
    group: "Output",
    when: (m) => m.tab !== "log" || m.index !== -1,
  },
  {
    keys: ["b"],
    action: "build",
    help: "the log of its build",
    group: "Output",
    short: "build",
    when: (m) => m.tab !== "build",
  },
  {
    keys: ["d"],
    action: "graph",
    help: "what depends on what",
    group: "Output",
    short: "graph",
    when: (m) => able("structured")(m) && m.tab !== "graph",
  },
  { keys: ["["], action: "older", help: "the instance before", group: "Output", when: logSeen },
  {
    keys: ["]"],
    action: "newer",
    help: "the instance after",
    group: "Output",
    when: (m) => logSeen(m) && m.index < -1,
  },
  {
    keys: ["f"],
    action: "follow",
    help: "follow the end of the log, or stay",
    group: "Output",
    short: "follow",
    when: logSeen,
  },
  { keys: ["c"], action: "clear", help: "clear the output", group: "Output", short: "clear", when: logSeen },
  { keys: ["w"], action: "wrap", help: "wrap long lines", group: "Output", when: logSeen },
  {
    keys: ["y"],
    action: "copy",
    help: "copy the lines that are seen to the clipboard",
    group: "Output",
    when: logSeen,
  },
  { keys: ["z"], action: "zoom", help: "give the output all of the screen", group: "Output", short: "zoom" },
  { keys: ["j", "down"], action: "down", help: "down", group: "Moving" },
  { keys: ["k", "up"], action: "up", help: "up", group: "Moving" },
  { keys: ["g", "home"], action: "first", help: "to the beginning", group: "Moving" },
  { keys: ["G", "end"], action: "last", help: "to the end", group: "Moving" },
  {
    keys: ["pagedown", "ctrl+f", "space"],
    action: "pageDown",
    help: "the output a page down",
    group: "Moving",
  },
  { keys: ["pageup", "ctrl+b"], action: "pageUp", help: "the output a page up", group: "Moving" },
  { keys: ["tab", "shift+tab"], action: "focusNext", help: "to the other panel", group: "Moving" },
  { keys: ["}"], action: "nextProject", help: "next project", group: "Program", when: several },
  { keys: ["{"], action: "previousProject", help: "previous project", group: "Program", when: several },
  { keys: [":", "ctrl+p"], action: "palette", help: "find something to do by its name", group: "Program" },
  {
    keys: ["ctrl+l"],
    action: "refresh",
    help: "ask the server now and draw everything anew",
    group: "Program",
  },
  { keys: ["m"], action: "mouse", help: "leave the mouse to the terminal, or take it", group: "Program" },
  { keys: ["?", "f1"], action: "help", help: "this page", group: "Program", short: "help" },
  {
    keys: ["escape"],
    action: "back",
    help: "back: search, zoom, panel; from the list it quits",
    group: "Program",
  },
  { keys: ["q", "ctrl+c"], action: "quit", help: "quit; services go on", group: "Program", short: "quit" },
];
