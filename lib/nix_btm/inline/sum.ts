/** The last line: how far everything is, and how it ended. Pure. @module */
import { durationWord, partText, type Span, spansWidth } from "../../tui/mod.ts";
import type { World } from "../world.ts";
import { LOOKS, SIGNS } from "./_looks.ts";
import { fitLine, type Line } from "./_text.ts";
import { directionOf, type Figures, isUsed } from "./figures.ts";

/** What the world does not tell. */
export interface SumOptions {
  readonly width: number;
  readonly nowMs: number;
  readonly clockText?: (ms: number) => string;
  /** How it ended, instead of how long it takes; with the time of day when it may be long. */
  readonly end?: (isLong: boolean) => Span;
}

const LAST = "┗━ ";

/** The sum of a world. Where it does not fit, bytes and times of day are left out, then what stands at its end. */
export function sumLine(world: World, figures: Figures, options: SumOptions): Line {
  const { width } = options;
  const long = joined(groups(world, figures, { ...options, isLong: true }));
  return spansWidth(long) <= width
    ? long
    : fitLine(joined(groups(world, figures, { ...options, isLong: false })), width);
}

interface GroupOptions extends SumOptions {
  readonly isLong: boolean;
}

function groups(world: World, figures: Figures, options: GroupOptions): Span[][] {
  return [
    preparationGroup(world, figures),
    buildGroup(figures),
    downloadGroup(figures, options.isLong),
    uploadGroup(figures, options.isLong),
    options.end === undefined ? clockGroup(world, figures, options) : [options.end(options.isLong)],
  ];
}

function joined(groups: readonly (readonly Span[])[]): Line {
  const said = groups.filter((group) => group.length > 0);
  return [
    { text: LAST, style: LOOKS.muted },
    ...said.flatMap((group, at) => at === 0 ? group : [{ text: " │ ", style: LOOKS.muted }, ...group]),
  ];
}

/** Counts of builds, with the sign of each. */
export function buildGroup({ builds }: Pick<Figures, "builds">): Span[] {
  const { running, done, failed, left, stopped } = builds;
  const counts: readonly (readonly [count: number, sign: string, style: number])[] = [
    [running, SIGNS.running, LOOKS.running],
    [done, SIGNS.done, LOOKS.done],
    [failed, SIGNS.failed, LOOKS.failed],
    [stopped, SIGNS.stopped, LOOKS.running],
    [left, SIGNS.planned, LOOKS.planned],
  ];
  return counts.filter(([count]) => count > 0).map(([count, sign, style], at) => ({
    text: `${at === 0 ? "" : " "}${sign} ${count}`,
    style,
  }));
}

type Downloads = Pick<Figures, "downloads"> & Partial<Pick<Figures, "expectedDownloads" | "expectedBytes">>;

/** Paths that came from elsewhere, with their bytes when it may be `isLong`. */
export function downloadGroup(
  { downloads, expectedDownloads = 0, expectedBytes = 0 }: Downloads,
  isLong: boolean,
): Span[] {
  const { running, done, failed, bytes } = downloads;
  if (expectedDownloads === 0 && !isUsed(downloads)) return [];
  const count = done < expectedDownloads ? `${done} of ${expectedDownloads}` : String(done);
  const isOver = running === 0 && done >= expectedDownloads;
  return [
    { text: `${SIGNS.download} ${count}`, style: LOOKS.moving },
    ...isLong && bytes > 0
      ? [{ text: ` ${partText(bytes, isOver ? 0 : expectedBytes)}`, style: LOOKS.plain }]
      : [],
    ...failed > 0 ? [{ text: ` ${SIGNS.failed} ${failed}`, style: LOOKS.failed }] : [],
  ];
}

/** Paths that went elsewhere. */
export function uploadGroup({ uploads }: Pick<Figures, "uploads">, isLong: boolean): Span[] {
  const { running, done, bytes } = uploads;
  if (!isUsed(uploads)) return [];
  return [
    { text: `${SIGNS.upload} ${running === 0 ? done : `${done} of ${done + running}`}`, style: LOOKS.moving },
    ...isLong && bytes > 0 ? [{ text: ` ${partText(bytes, 0)}`, style: LOOKS.plain }] : [],
  ];
}

/** What is evaluated or asked for, as long as nothing else is done. */
function preparationGroup({ commands, jobs }: World, { builds, downloads }: Figures): Span[] {
  const isDone = builds.running + builds.done + builds.failed + builds.left > 0 || isUsed(downloads);
  const command = [...commands.values()].find(({ state, evaluating }) =>
    state === "running" && evaluating !== undefined
  );
  if (isDone) return [];
  const running = [...jobs.values()].filter(({ state }) => state.kind === "running");
  const asked = running.filter(({ kind }) => kind === "query").length;
  if (asked > 0) {
    const paths = asked === 1 ? "" : ` for ${asked} paths`;
    return [{ text: `${SIGNS.download} asking stores${paths}`, style: LOOKS.moving }];
  }
  // What is told to be evaluated by a job has a row of its own.
  if (command === undefined || [...jobs.values()].some(({ kind }) => kind === "evaluation")) return [];
  const { evaluating, evaluatedFiles } = command;
  const count = evaluatedFiles > 1 ? `, ${evaluatedFiles} files` : "";
  return [
    { text: `${SIGNS.running} `, style: LOOKS.running },
    { text: `evaluating ${evaluating}${count}`, style: LOOKS.plain },
  ];
}

/** How long it has taken, and when it will be over. */
function clockGroup(world: World, figures: Figures, { nowMs, clockText, isLong }: GroupOptions): Span[] {
  const startedMs = startOf(world);
  if (startedMs === undefined) return [];
  const text = `${SIGNS.elapsed} ${clockedText(nowMs - startedMs)}`;
  const leftMs = leftMsOf(world, figures, nowMs);
  if (leftMs === undefined) return [{ text, style: LOOKS.plain }];
  const at = clockText === undefined || !isLong ? "" : ` at ${clockText(nowMs + leftMs)}`;
  return [
    { text, style: LOOKS.plain },
    { text: `, ${isLong ? "done " : ""}in ~${durationWord(leftMs)}${at}`, style: LOOKS.muted },
  ];
}

/** In whole seconds: a clock does not begin with milliseconds. */
export function clockedText(ms: number): string {
  return ms < 1_000 ? "0s" : durationWord(Math.floor(ms / 1_000) * 1_000);
}

/** When the first command began. */
export function startOf({ commands }: World): number | undefined {
  return commands.size === 0
    ? undefined
    : Math.min(...[...commands.values()].map(({ startedMs }) => startedMs));
}

/**
 * Until all is done; undefined in the last second, and where history knows nothing of most builds that are left. Builds
 * are estimated by their like, downloads by their own speed.
 */
export function leftMsOf(world: World, figures: Figures, nowMs: number): number | undefined {
  const left = [...world.commands.keys()].flatMap((id) => {
    const row = world.estimates.get(id);
    if (row?.estimate === undefined || row.estimate.unknown * 2 > row.estimate.left) return [];
    return [row.atMs + row.estimate.medianMs - nowMs];
  });
  const hasUnknownBuilds = left.length === 0 && figures.builds.running + figures.builds.left > 0;
  const most = Math.max(0, ...left, hasUnknownBuilds ? 0 : downloadLeftMs(world, figures, nowMs));
  return most < 1_000 ? undefined : most;
}

/** Before that a speed says nothing. */
const SPEED_FROM_MS = 2_000;

function downloadLeftMs({ jobs }: World, { downloads, expectedBytes }: Figures, nowMs: number): number {
  if (downloads.running === 0 || downloads.bytes === 0) return 0;
  let beganMs = nowMs;
  for (const job of jobs.values()) {
    if (directionOf(job) === "download") beganMs = Math.min(beganMs, job.startedMs ?? nowMs);
  }
  const tookMs = nowMs - beganMs;
  return tookMs < SPEED_FROM_MS ? 0 : Math.max(0, expectedBytes - downloads.bytes) * tookMs / downloads.bytes;
}
