/** Themes that can be chosen. Pure. @module */
import {
  type BackgroundEvent,
  type ColourDepth,
  type Frame,
  lookOf,
  makeTheme,
  rgb,
  style,
  type StyleId,
  type Theme,
} from "../../tui/mod.ts";
import type { ThemeName } from "./theme_names.ts";

interface Colours {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly good: string;
  readonly warn: string;
  readonly bad: string;
  readonly info: string;
  readonly border: string;
  readonly selected: string;
  readonly elsewhere: string;
}

/** Published palettes: gruvbox by Pavel Pertsev, Nord by Arctic Ice Studio. */
const COLOURS: Readonly<Record<Exclude<ThemeName, "terminal">, Colours>> = {
  "gruvbox-dark": {
    background: "282828",
    text: "ebdbb2",
    muted: "a89984",
    accent: "8ec07c",
    good: "b8bb26",
    warn: "fabd2f",
    bad: "fb4934",
    info: "83a598",
    border: "665c54",
    selected: "504945",
    elsewhere: "3c3836",
  },
  "gruvbox-light": {
    background: "fbf1c7",
    text: "3c3836",
    muted: "7c6f64",
    accent: "427b58",
    good: "79740e",
    warn: "b57614",
    bad: "9d0006",
    info: "076678",
    border: "bdae93",
    selected: "d5c4a1",
    elsewhere: "ebdbb2",
  },
  nord: {
    background: "2e3440",
    text: "d8dee9",
    muted: "9aa3b5",
    accent: "88c0d0",
    good: "a3be8c",
    warn: "ebcb8b",
    bad: "bf616a",
    info: "81a1c1",
    border: "4c566a",
    selected: "434c5e",
    elsewhere: "3b4252",
  },
};

/** The styles of a theme; a terminal with few colours has but its own. */
export function themeOf(
  name: ThemeName,
  { depth, background }: { readonly depth: ColourDepth; readonly background: BackgroundEvent | undefined },
): Theme {
  if (isPlain(name, depth)) return makeTheme(depth, background);
  const colours = COLOURS[name];
  const on = (hex: string, more: { readonly bold?: boolean } = {}) => style({ fg: colour(hex), ...more });
  const back = colour(colours.background);
  return {
    text: on(colours.text),
    strong: on(colours.text, { bold: true }),
    muted: on(colours.muted),
    accent: on(colours.accent),
    good: on(colours.good),
    warn: on(colours.warn),
    bad: on(colours.bad),
    info: on(colours.info),
    border: on(colours.border),
    focus: on(colours.accent),
    key: on(colours.accent, { bold: true }),
    match: style({ fg: back, bg: colour(colours.warn) }),
    currentMatch: style({ fg: back, bg: colour(colours.bad), bold: true }),
    alert: style({ fg: back, bg: colour(colours.bad), bold: true }),
    selected: { bg: colour(colours.selected), bold: true },
    selectedElsewhere: { bg: colour(colours.elsewhere) },
  };
}

const grounds = new Map<ThemeName, StyleId[]>();

/** Lays a drawn frame on the ground of its theme: what has no colour of its own gets the theme's. */
export function layOn(frame: Frame, name: ThemeName, depth: ColourDepth): void {
  if (isPlain(name, depth)) return;
  const { text, background } = COLOURS[name];
  const ground = { fg: colour(text), bg: colour(background) };
  let known = grounds.get(name);
  if (known === undefined) grounds.set(name, known = []);
  const { styles } = frame;
  for (const [at, id] of styles.entries()) styles[at] = known[id] ??= style({ ...ground, ...lookOf(id) });
}

function isPlain(name: ThemeName, depth: ColourDepth): name is "terminal" {
  return name === "terminal" || (depth !== 256 && depth !== "true");
}

function colour(hex: string): number {
  const value = parseInt(hex, 16);
  return rgb(value >> 16, value >> 8 & 0xff, value & 0xff);
}
