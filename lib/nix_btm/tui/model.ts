/** What the terminal client shows and how: plain data, changed by `update` alone. Pure. @module */
import {
  type ColourDepth,
  type Field,
  LIST_START,
  type ListState,
  makeTheme,
  type Palette,
  type TerminalEvent,
  type Theme,
} from "../../tui/mod.ts";
import type { Standing } from "../client.ts";
import type { PastBuild } from "../history.ts";
import type { Steer } from "../processes/mod.ts";
import { emptyWorld, type World } from "../world.ts";
import type { Action } from "./keymap.ts";

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

/** Everything that is looked at; the worlds are changed in place, and `version` grows with them. */
export interface Source {
  /** By host; the nearest one is the empty name. */
  readonly worlds: ReadonlyMap<string, World>;
  readonly standing: Standing;
  readonly version: number;
}

/** A log that is read whole. */
export interface LogView {
  readonly job: number;
  readonly lines: readonly string[];
  /** Why it is not whole. */
  readonly failure: string | undefined;
}

export type Overlay =
  | { readonly kind: "help"; readonly top: number }
  | { readonly kind: "palette"; readonly palette: Palette<Action> }
  | { readonly kind: "text"; readonly title: string; readonly text: string; readonly top: number }
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
  readonly theme: Theme;
  readonly source: Source;
  /** Name of this machine. */
  readonly hostname: string;
  /** The host that is looked at. */
  readonly host: string;
  readonly tab: Tab;
  /** Of each view; the selection is kept by `keys` when rows come and go. */
  readonly lists: Readonly<Record<Tab, ListState>>;
  /** The selected row of each view, by what it is. */
  readonly keys: Readonly<Partial<Record<Tab, string>>>;
  /** Builders: which side the keys move in, and from which column on the table is seen. */
  readonly side: "tree" | "table";
  readonly firstColumn: number;
  /** The user or build that the table is of. */
  readonly builder: string | undefined;
  /** Builders and derivations whose rows are folded, or unfolded where that is not usual. */
  readonly toggled: ReadonlySet<string>;
  readonly allFolded: boolean;
  readonly prune: Prune;
  readonly sort: Sort;
  readonly isReversed: boolean;
  readonly filter: string;
  /** Also jobs that are over. */
  readonly showsOver: boolean;
  /** The build that is looked at. */
  readonly job: number | undefined;
  readonly log: LogView | undefined;
  readonly follows: boolean;
  readonly search: string;
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
  | { readonly kind: "readLog"; readonly job: number; readonly file?: string | undefined }
  | { readonly kind: "readHistory"; readonly name: string }
  | { readonly kind: "steer"; readonly steer: Steer; readonly build: string; readonly name: string }
  | { readonly kind: "copy"; readonly text: string }
  | { readonly kind: "mouse"; readonly on: boolean };

/** What effects tell. */
export type News =
  | { readonly kind: "changed"; readonly source: Source }
  | { readonly kind: "tick" }
  | { readonly kind: "logRead"; readonly job: number; readonly lines: readonly string[] }
  | { readonly kind: "logFailed"; readonly job: number; readonly reason: string }
  | { readonly kind: "historyRead"; readonly rows: readonly PastBuild[] }
  | { readonly kind: "historyFailed"; readonly reason: string }
  | { readonly kind: "steered"; readonly text: string };

/** With the time at which it was told, Unix milliseconds. */
export type TimedNews = News & { readonly nowMs: number };
export type TuiEvent = TerminalEvent | TimedNews;

export function startModel(
  { depth, nowMs, hostname, canSteer }: {
    readonly depth: ColourDepth;
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
    theme: makeTheme(depth),
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
    builder: undefined,
    toggled: new Set(),
    allFolded: false,
    prune: "none",
    sort: "state",
    isReversed: false,
    filter: "",
    showsOver: true,
    job: undefined,
    log: undefined,
    follows: true,
    search: "",
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
