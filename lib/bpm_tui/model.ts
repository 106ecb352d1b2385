/**
 * The state of the TUI, what happens to it and what it wants done. Pure.
 * @module
 */
import {
  type BackgroundEvent,
  type ColourDepth,
  type Field,
  LIST_START,
  type ListState,
  makeTheme,
  type Palette,
  type TerminalEvent,
  type Theme,
} from "../tui/mod.ts";
import type { Action } from "./keymap.ts";
import type { LogLine, LogLines, NewLine, Search } from "./log_lines.ts";
import type { ServerIdentity } from "./mcp_client.ts";
import type { Overview, ServiceInfo } from "./service.ts";
import { NO_USAGE, type UsageHistory } from "./usage_history.ts";

/** What a server can do beyond logs, restart and status, found by the tools that it offers. */
export interface Abilities {
  readonly start: boolean;
  readonly stop: boolean;
  readonly send: boolean;
  /** The size of a service's terminal can be told. */
  readonly window: boolean;
  readonly explain: boolean;
  /** It tells of changes by itself. */
  readonly listen: boolean;
  /** Services are told with their dependencies, pids and usage. */
  readonly structured: boolean;
}

/** What upstream's server can do. */
export const NO_ABILITIES: Abilities = {
  start: false,
  stop: false,
  send: false,
  window: false,
  explain: false,
  listen: false,
  structured: false,
};

/** How a project's server is reached. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "online" }
  /** It does not answer; tried again at a time. */
  | { readonly kind: "away"; readonly reason: string; readonly failures: number; readonly retryMs: number };

/** Which log: of a run or of a build, the newest (−1) or one before it. */
export interface LogTarget {
  readonly service: string;
  readonly of: "run" | "build";
  readonly index: number;
}

/** A log as far as it was read. */
export interface LogView {
  readonly target: LogTarget;
  readonly log: LogLines;
  /** Place of the last line that is seen; absent while the end is followed. */
  readonly anchor?: number;
  /** Place of the match that was gone to. */
  readonly match?: number;
  /** Lines before this place were cleared away. */
  readonly clearedTo: number;
  /** How many lines were asked for so far; 0 before the first answer. */
  readonly depth: number;
  /** More was said than what was read last: it has to be read further back. */
  readonly behind?: true;
  /** Why there is nothing, in the server's words. */
  readonly failure?: string;
}

/** One manager that is looked at. */
export interface Project {
  readonly url: string;
  readonly link: Link;
  readonly identity?: ServerIdentity;
  readonly abilities: Abilities;
  readonly overview?: Overview;
  /** When the overview came; uptimes go on from there. */
  readonly overviewMs: number;
  /** Since when an answer to a poll is waited for. */
  readonly polling?: number;
  readonly pollDueMs: number;
  readonly usage: UsageHistory;
  readonly selected?: string;
  readonly list: ListState;
  /** Logs that were looked at, oldest first. */
  readonly logs: ReadonlyMap<string, LogView>;
  /** The log that is being read. */
  readonly reading?: string;
  readonly readDueMs: number;
  /** What the server was asked to tell of by itself, one URI a line; "" for nothing. */
  readonly listening: string;
  readonly listenDueMs: number;
}

/** Something that was asked of a server and takes its time. */
export interface Job {
  readonly id: number;
  readonly project: number;
  readonly service: string;
  readonly verb: "restart" | "start" | "stop";
  readonly startedMs: number;
}

/** What came of the last job of a service. */
export interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

/** A line of news at the lower edge. */
export interface Notice {
  readonly tone: "good" | "bad" | "info";
  readonly text: string;
  readonly untilMs: number;
}

/** What lies over the panels. */
export type Overlay =
  | { readonly kind: "help"; readonly top: number }
  | { readonly kind: "palette"; readonly palette: Palette<Action> }
  | { readonly kind: "text"; readonly title: string; readonly text: string; readonly top: number }
  | { readonly kind: "search"; readonly field: Field; readonly before: Found }
  | { readonly kind: "input"; readonly field: Field; readonly service: string }
  | { readonly kind: "attach"; readonly service: string };

/** A search and what it has found in the log that is seen. */
export interface Found {
  readonly search: Search;
  readonly lines: readonly LogLine[];
}

/** Nothing is searched. */
export const NOT_SEARCHED: Found = { search: { text: "" }, lines: [] };

/** All of it. */
export interface Model {
  readonly projects: readonly Project[];
  readonly active: number;
  readonly width: number;
  readonly height: number;
  readonly depth: ColourDepth;
  readonly theme: Theme;
  readonly nowMs: number;
  readonly focus: "list" | "output";
  readonly tab: "log" | "build" | "graph";
  /** −1 is the newest instance. */
  readonly index: number;
  readonly found: Found;
  readonly onlyMatches: boolean;
  readonly wrap: boolean;
  readonly zoom: boolean;
  readonly mouse: boolean;
  readonly graphTop: number;
  readonly overlay?: Overlay;
  readonly jobs: readonly Job[];
  readonly lastJob: number;
  /** By project and service. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly notice?: Notice;
  readonly ended: boolean;
}

/** What comes from the servers and from the clock; `nowMs` is when. */
export type ServerEvent = { readonly nowMs: number } & ServerNews;

/** What it is. */
export type ServerNews =
  | { readonly kind: "tick" }
  | {
    readonly kind: "connected";
    readonly project: number;
    readonly identity: ServerIdentity;
    readonly abilities: Abilities;
  }
  | { readonly kind: "polled"; readonly project: number; readonly overview: Overview }
  | { readonly kind: "pollFailed"; readonly project: number; readonly reason: string }
  | ({ readonly kind: "logRead"; readonly project: number; readonly key: string } & LogPart)
  | { readonly kind: "logFailed"; readonly project: number; readonly key: string; readonly reason: string }
  | { readonly kind: "jobEnded"; readonly job: number; readonly ok: boolean; readonly text: string }
  | { readonly kind: "changed"; readonly project: number; readonly uri: string }
  | { readonly kind: "unheard"; readonly project: number; readonly refused: boolean }
  | { readonly kind: "told"; readonly title: string; readonly text: string }
  | { readonly kind: "notSent"; readonly reason: string };

/** The last lines of a log, as a server gave them. */
export interface LogPart {
  readonly lines: readonly NewLine[];
  /** How many lines were asked for. */
  readonly depth: number;
}

/** All that happens. */
export type TuiEvent = TerminalEvent | ServerEvent;

/** What is to be done. */
export type Effect =
  | { readonly kind: "beginTicking" }
  | { readonly kind: "connect"; readonly project: number }
  | { readonly kind: "poll"; readonly project: number }
  | {
    readonly kind: "readLog";
    readonly project: number;
    readonly key: string;
    readonly target: LogTarget;
    readonly depth: number;
  }
  /** In place of what was listened to before; nothing when there are no URIs. */
  | { readonly kind: "listen"; readonly project: number; readonly uris: readonly string[] }
  | { readonly kind: "act"; readonly job: Job }
  | { readonly kind: "send"; readonly project: number; readonly service: string; readonly text: string }
  | {
    readonly kind: "window";
    readonly project: number;
    readonly service: string;
    readonly rows: number;
    readonly columns: number;
  }
  | { readonly kind: "explain"; readonly project: number; readonly service: string }
  | { readonly kind: "copy"; readonly text: string }
  | { readonly kind: "mouse"; readonly on: boolean }
  | { readonly kind: "redraw" };

/** The model before anything has happened. */
export function startModel(urls: readonly string[], options: { depth: ColourDepth; nowMs: number }): Model {
  return {
    projects: urls.map((url) => ({
      url,
      link: { kind: "connecting" },
      abilities: NO_ABILITIES,
      overviewMs: options.nowMs,
      pollDueMs: options.nowMs,
      usage: NO_USAGE,
      list: LIST_START,
      logs: new Map(),
      readDueMs: options.nowMs,
      listening: "",
      listenDueMs: options.nowMs,
    })),
    active: 0,
    width: 0,
    height: 0,
    depth: options.depth,
    theme: makeTheme(options.depth),
    nowMs: options.nowMs,
    focus: "list",
    tab: "log",
    index: -1,
    found: NOT_SEARCHED,
    onlyMatches: false,
    wrap: false,
    zoom: false,
    mouse: true,
    graphTop: 0,
    jobs: [],
    lastJob: 0,
    outcomes: new Map(),
    ended: false,
  };
}

/** The theme for what the terminal has told of its background. */
export function withBackground(model: Model, background: BackgroundEvent): Model {
  return { ...model, theme: makeTheme(model.depth, background) };
}

/** The project that is looked at. */
export function activeProject({ projects, active }: Model): Project {
  return projects[active]!;
}

/** The model with one project changed. */
export function withProject(model: Model, at: number, change: Partial<Project>): Model {
  return {
    ...model,
    projects: model.projects.map((each, index) => index === at ? { ...each, ...change } : each),
  };
}

/** The service that is selected in a project. */
export function selectedService({ overview, selected, list }: Project): ServiceInfo | undefined {
  // It nearly always stands where the list has it: lists are long, and this is asked often.
  const there = overview?.services[list.selected];
  return there?.name === selected ? there : overview?.services.find(({ name }) => name === selected);
}

/** The log that is to be seen; none while another tab is, or no service. */
export function wantedLog(model: Model): LogTarget | undefined {
  const service = activeProject(model).selected;
  if (service === undefined || model.tab === "graph") return undefined;
  return { service, of: model.tab === "build" ? "build" : "run", index: model.index };
}

/** Names a log among those of a project. */
export function logKey({ service, of, index }: LogTarget): string {
  return `${of} ${index} ${service}`;
}

/** What was read of the log that is to be seen. */
export function seenLog(model: Model): LogView | undefined {
  const target = wantedLog(model);
  return target === undefined ? undefined : activeProject(model).logs.get(logKey(target));
}

/** The lines of a log that are to be seen: all that were not cleared, or only those that were searched. */
export function seenLines(model: Model, view: LogView): readonly LogLine[] {
  const lines = model.onlyMatches && model.found.search.pattern !== undefined
    ? model.found.lines
    : view.log.lines;
  const first = lines.findIndex(({ seq }) => seq >= view.clearedTo);
  return first <= 0 ? (first < 0 ? [] : lines) : lines.slice(first);
}

/** The running job of a service. */
export function jobOf(model: Model, project: number, service: string): Job | undefined {
  return model.jobs.find((job) => job.project === project && job.service === service);
}
