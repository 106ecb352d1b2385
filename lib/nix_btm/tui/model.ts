/** What the terminal client shows and how: plain data, changed by `update` alone. Pure. @module */
import {
  type BackgroundEvent,
  type ColourDepth,
  type Field,
  LIST_START,
  type ListState,
  type Palette,
  type TerminalEvent,
  type Theme,
} from "../../tui/mod.ts";
import type { Standing } from "../client.ts";
import type { PastBuild } from "../history.ts";
import type { BuilderProcess, Steer } from "../processes/mod.ts";
import { emptyWorld, type World } from "../world.ts";
import type { Action } from "./keymap.ts";
import type { ThemeName } from "./theme_names.ts";
import { themeOf } from "./themes.ts";

/** The views, in the order of their tabs. */
export const TABS = ["builders", "eagle", "jobs", "build", "history", "hosts"] as const;
export type Tab = typeof TABS[number];

/** How the views are called. */
export const TITLES: Readonly<Record<Tab, string>> = {
  builders: "Builders",
  eagle: "Eagle Eye",
  jobs: "Jobs",
  build: "Build",
  history: "History",
  hosts: "Hosts",
};

/** Which derivations the Eagle Eye shows: all, those with something to do, those that run or failed. */
export const PRUNES = ["none", "normal", "aggressive"] as const;
export type Prune = typeof PRUNES[number];

/** What jobs are sorted by. */
export const SORTS = ["state", "name", "time", "cpu", "memory", "lines"] as const;
export type Sort = typeof SORTS[number];

/** What processes are sorted by: as they have started each other, or by what they use. */
export const PROCESS_SORTS = ["tree", "cpu", "memory", "time"] as const;
export type ProcessSort = typeof PROCESS_SORTS[number];

/** Which kinds of jobs are shown. */
export const KINDS = ["everything", "builds", "transfers", "the rest"] as const;
export type Kinds = typeof KINDS[number];

/** Jobs in which states are shown. */
export const STATES = ["all", "not over", "failed"] as const;
export type States = typeof STATES[number];

/** How trees are folded where nobody has said otherwise: what is over alone, nothing, or everything. */
export type Folding = "auto" | "open" | "closed";

/** Everything that is looked at; the worlds are changed in place, and `version` grows with them. */
export interface Source {
  /** By host; the nearest one is the empty name. */
  readonly worlds: ReadonlyMap<string, World>;
  readonly standing: Standing;
  readonly version: number;
}

/** The log that is looked at; lines that come are added to it. */
export interface LogView {
  readonly job: number;
  readonly lines: readonly string[];
  /** The newest ones: moved to the others when they are many, so that a line costs nothing in a long log. */
  readonly more: readonly string[];
  /** Lines that the build has printed when these were the newest ones. */
  readonly count: number;
  readonly isReading: boolean;
  /** Why it is not whole. */
  readonly failure: string | undefined;
}

export type Overlay =
  | { readonly kind: "help"; readonly top: number }
  | { readonly kind: "palette"; readonly palette: Palette<Action> }
  | { readonly kind: "text"; readonly title: string; readonly text: string; readonly top: number }
  /** A process with its environment, which may still be read. */
  | { readonly kind: "process"; readonly key: string; readonly process: BuilderProcess; readonly top: number }
  /** A filter or search that is typed. */
  | {
    readonly kind: "field";
    readonly of: "filter" | "search";
    readonly field: Field;
    readonly before: string;
  }
  /** Asks before it does it. */
  | { readonly kind: "confirm"; readonly steer: Steer; readonly build: string; readonly name: string };

export interface Model {
  readonly width: number;
  readonly height: number;
  readonly nowMs: number;
  readonly depth: ColourDepth;
  /** What the terminal has behind its text, where it says so. */
  readonly background: BackgroundEvent | undefined;
  readonly themeName: ThemeName;
  readonly theme: Theme;
  readonly source: Source;
  /** Name of this machine. */
  readonly hostname: string;
  /** The host that is looked at. */
  readonly host: string;
  readonly tab: Tab;
  /** Of each view; the selection is kept by `keys` when rows come and go. */
  readonly lists: Readonly<Record<Tab, ListState>>;
  /** The row of each view that somebody went to, by what it is. */
  readonly keys: Readonly<Partial<Record<Tab, string | undefined>>>;
  /** Builders: which side the keys move in, and from which column on the table is seen. */
  readonly side: "tree" | "table";
  readonly firstColumn: number;
  /** Builders: the row of the table, and by what it is kept. */
  readonly table: ListState;
  readonly process: string | undefined;
  readonly processSort: ProcessSort;
  /** Whether the table has a column with environments, and those that were read, by their processes. */
  readonly showsEnvironments: boolean;
  readonly environments: ReadonlyMap<string, string>;
  /** Rows of trees that somebody has folded or unfolded, by their keys; the others are as `folding` says. */
  readonly folds: ReadonlyMap<string, boolean>;
  readonly folding: Folding;
  readonly prune: Prune;
  readonly sort: Sort;
  readonly isReversed: boolean;
  readonly filter: string;
  readonly kinds: Kinds;
  readonly states: States;
  /** The build that is looked at, and the view from which it was opened. */
  readonly job: number | undefined;
  readonly from: Tab;
  /** The build of the history, where it is one. */
  readonly past: PastBuild | undefined;
  readonly log: LogView | undefined;
  readonly follows: boolean;
  readonly search: string;
  /** Columns of the log that are left of what is seen. */
  readonly shift: number;
  /** The line of the log that was gone to last. */
  readonly match: number | undefined;
  readonly history: readonly PastBuild[];
  readonly historyFailure: string | undefined;
  readonly overlay: Overlay | undefined;
  /** At the bottom, until the next key. */
  readonly message: string | undefined;
  readonly mouse: boolean;
  /** Whether processes of this host can be steered from here. */
  readonly canSteer: boolean;
  readonly ended: boolean;
}

/** What is to be done beside. */
export type Effect =
  | { readonly kind: "begin" }
  /** By its file; or while it runs by its number, and then as the newest build of its derivation. */
  | {
    readonly kind: "readLog";
    readonly job: number;
    readonly file?: string | undefined;
    readonly derivation?: string | undefined;
  }
  | { readonly kind: "readHistory"; readonly name: string; readonly outcome: "failed" | undefined }
  | { readonly kind: "readEnvironments"; readonly processes: readonly ProcessName[] }
  | { readonly kind: "steer"; readonly steer: Steer; readonly build: string; readonly name: string }
  | { readonly kind: "copy"; readonly text: string }
  | { readonly kind: "mouse"; readonly on: boolean };

/** What names a process for good. */
export interface ProcessName {
  readonly pid: number;
  readonly startTicks: number;
}

/** What effects tell. */
export type News =
  | { readonly kind: "changed"; readonly source: Source }
  | { readonly kind: "tick" }
  | { readonly kind: "logRead"; readonly job: number; readonly lines: readonly string[] }
  | { readonly kind: "environmentsRead"; readonly found: ReadonlyMap<string, string> }
  | { readonly kind: "logFailed"; readonly job: number; readonly reason: string }
  | { readonly kind: "historyRead"; readonly rows: readonly PastBuild[] }
  | { readonly kind: "historyFailed"; readonly reason: string }
  /** Of something that was asked for. */
  | { readonly kind: "told"; readonly text: string };

/** With the time at which it was told, Unix milliseconds. */
export type TimedNews = News & { readonly nowMs: number };
export type TuiEvent = TerminalEvent | TimedNews;

export function startModel(
  { depth, themeName = "terminal", nowMs, hostname, canSteer }: {
    readonly depth: ColourDepth;
    readonly themeName?: ThemeName | undefined;
    readonly nowMs: number;
    readonly hostname: string;
    readonly canSteer: boolean;
  },
): Model {
  return {
    width: 0,
    height: 0,
    nowMs,
    depth,
    background: undefined,
    themeName,
    theme: themeOf(themeName, { depth, background: undefined }),
    source: { worlds: new Map(), standing: { kind: "connecting" }, version: 0 },
    hostname,
    host: "",
    tab: "builders",
    lists: {
      builders: LIST_START,
      eagle: LIST_START,
      jobs: LIST_START,
      build: LIST_START,
      history: LIST_START,
      hosts: LIST_START,
    },
    keys: {},
    side: "tree",
    firstColumn: 0,
    table: LIST_START,
    process: undefined,
    processSort: "tree",
    showsEnvironments: false,
    environments: new Map(),
    folds: new Map(),
    folding: "auto",
    prune: "none",
    sort: "state",
    isReversed: false,
    filter: "",
    kinds: "everything",
    states: "all",
    job: undefined,
    from: "jobs",
    log: undefined,
    follows: true,
    search: "",
    match: undefined,
    shift: 0,
    past: undefined,
    history: [],
    historyFailure: undefined,
    overlay: undefined,
    message: undefined,
    mouse: true,
    canSteer,
    ended: false,
  };
}

const NOTHING = emptyWorld();

/** The world of the host that is looked at. */
export function worldOf({ source: { worlds }, host }: Model): World {
  return worlds.get(host) ?? NOTHING;
}

/** How a host is called. */
export function hostText({ hostname }: Model, host: string): string {
  return host === "" ? hostname : host;
}
