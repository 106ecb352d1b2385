/** The lines below the log: what is done now, in a tree, and the sum of it. Pure. @module */
import type { DurationsOf } from "../../nix/mod.ts";
import { padText, type Span, textWidth } from "../../tui/mod.ts";
import type { World } from "../world.ts";
import { LOOKS } from "./_looks.ts";
import { fitLine, type Line } from "./_text.ts";
import { type Figures, figuresOf, isUsed } from "./figures.ts";
import { handlesOf } from "./handles.ts";
import { rowOf, type RowParts } from "./row.ts";
import { sumLine } from "./sum.ts";
import { treeOf } from "./tree.ts";

/** Where the lines are shown, and what the world does not tell. */
export interface FrameOptions {
  /** Of the terminal. */
  readonly width: number;
  readonly height: number;
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Exactly so many lines, always; else as many as are needed, at most a third of the terminal's. */
  readonly lines?: number | undefined;
  /** What history knows. */
  readonly averageOf?: DurationsOf;
  /** Last lines of build logs, for those who want them in a window of `windowLines`. */
  readonly log?: readonly Line[];
  readonly windowLines?: number;
  /** `14:32:10` of a time; without it no time of day is told. */
  readonly clockText?: (ms: number) => string;
}

/** In fewer rows the sum alone tells how many more there are. */
const HIDDEN_FROM_ROWS = 4;
/** Less cannot be read. */
const LINES_MIN = 3;
const TIME_COLUMNS = 6;
/** Columns of trees and names at most: what is said of them has the rest. */
const NAMES_RATIO = 0.55;

/** The lines of a world: the tree with what is needed above what needs it, and the sum below. */
export function inlineLines(world: World, options: FrameOptions): Line[] {
  const { width, height, nowMs, averageOf = () => undefined } = options;
  const { log = [], windowLines = 0, lines: wanted } = options;
  const most = Math.max(1, Math.min(height - 1, wanted ?? Math.max(LINES_MIN, Math.floor(height / 3))));
  const figures = figuresOf(world);
  const room = most - 1;
  const isTold = room >= HIDDEN_FROM_ROWS;
  let tree = treeOf(world, room);
  if (tree.hidden > 0 && isTold) tree = treeOf(world, room - 1);
  const handles = severalHosts(figures);
  const rows = tree.rows.map(({ job, branch }) => ({
    branch,
    parts: rowOf(job, { nowMs, places: tree.places, averageOf, handles, isFetched: isFetched(figures) }),
  }));
  const more = tree.hidden === 0 || !isTold
    ? []
    : [[{ text: `… and ${tree.hidden} more`, style: LOOKS.muted }]];
  const above = [...more, ...laidOut(rows, width - GUTTER.length)];
  const empty = wanted === undefined ? 0 : room - above.length;
  const window = windowLines === 0 ? [] : windowOf(log, Math.min(windowLines, height - 1 - most));
  const framed = [...window, ...Array<Line>(empty).fill([]), ...above].map((line): Line => [
    { text: line.length === 0 ? GUTTER.trimEnd() : GUTTER, style: LOOKS.muted },
    ...line,
  ]);
  return [...framed, sumLine(world, figures, options)].map((line) => fitLine(line, width));
}

const GUTTER = "┃ ";

/** Short names of machines and stores; of one machine and one cache nothing has to be said. */
function severalHosts({ hosts }: Figures): ReadonlyMap<string, string> {
  const builders = hosts.filter(({ builds }) => builds.running + builds.done + builds.failed > 0);
  const stores = hosts.filter(({ downloads, uploads }) => isUsed(downloads, uploads));
  const told = [...builders.length > 1 ? builders : [], ...stores.length > 1 ? stores : []];
  return handlesOf(told.map(({ host }) => host));
}

/** Whether nothing is to be fetched any more that a build could wait for. */
function isFetched({ downloads: { running, done, failed }, expectedDownloads }: Figures): boolean {
  return running === 0 && done + failed >= expectedDownloads;
}

function windowOf(log: readonly Line[], lines: number): Line[] {
  const last = lines <= 0 ? [] : log.slice(-lines);
  return [...Array<Line>(Math.max(0, lines - last.length)).fill([]), ...last];
}

/** Names below each other, then times, then what else is to be said. */
function laidOut(rows: readonly { branch: string; parts: RowParts }[], width: number): Line[] {
  const most = Math.max(8, Math.floor(width * NAMES_RATIO));
  const nameOf = (branch: string, { name }: RowParts) => textWidth(branch) + 2 + textWidth(name.text);
  const columns = Math.min(most, Math.max(0, ...rows.map(({ branch, parts }) => nameOf(branch, parts))));
  const hasTimes = rows.some(({ parts }) => parts.time !== "");
  const phases = Math.max(0, ...rows.map(({ parts: { phase } }) => textWidth(phase?.text ?? "")));
  return rows.map(({ branch, parts: { sign, name, time, phase, details } }) => {
    const left = columns - textWidth(branch) - 2;
    const line: Span[] = [
      { text: branch, style: LOOKS.muted },
      sign,
      { text: " ", style: LOOKS.plain },
      { text: padText(name.text, Math.max(left, 1)), style: name.style },
    ];
    if (hasTimes) line.push({ text: padText(time, TIME_COLUMNS, "right"), style: LOOKS.plain });
    line.push({ text: "  ", style: LOOKS.plain });
    if (phase !== undefined) line.push({ ...phase, text: `${padText(phase.text, phases)}  ` });
    line.push(...details);
    return trimmed(line);
  });
}

function trimmed(line: readonly Span[]): Line {
  const kept = [...line];
  while (kept.length > 0 && kept.at(-1)!.text.trim() === "") kept.pop();
  const last = kept.pop();
  return last === undefined ? [] : [...kept, { ...last, text: last.text.trimEnd() }];
}
