/** What is said when all is over: what failed and why, what each machine did, and the sum. Pure. @module */
import type { CommandState, Problem } from "../../nix/mod.ts";
import { ansiSpans, durationWord, padText, plainText, type Span, spansWidth } from "../../tui/mod.ts";
import { failedText, hashLines } from "../failure_text.ts";
import { errorsOf } from "../problems.ts";
import type { Ended } from "../wrap/mod.ts";
import { isBlocked, type JobRow, type World } from "../world.ts";
import { LOOKS, SIGNS } from "./_looks.ts";
import { fitLine, type Line } from "./_text.ts";
import { type Figures, figuresOf, isUsed } from "./figures.ts";
import { handlesOf } from "./handles.ts";
import { buildGroup, downloadGroup, startOf, sumLine, uploadGroup } from "./sum.ts";

/** How the command ended. */
export type End = Exclude<Ended, { readonly kind: "notStarted" }>;

export interface EndingOptions {
  readonly width: number;
  readonly nowMs: number;
  readonly end: End;
  /** Last lines of a failed build's log that are shown. */
  readonly tailLines: number;
  readonly clockText?: (ms: number) => string;
  /** Errors that the command has written itself: when nothing was done since, they are still to be seen. */
  readonly told?: Pick<ReadonlySet<string>, "has">;
  /** The whole text of an error of which the world has a part. */
  readonly whole?: (text: string) => string;
}

/** Everything that is left to be said; nothing when nothing was done and nothing went wrong. */
export function endingLines(world: World, options: EndingOptions): Line[] {
  const figures = figuresOf(world);
  const { builds, downloads, uploads } = figures;
  const isIdle = builds.done + builds.failed + builds.stopped === 0 && !isUsed(downloads, uploads);
  const errors = errorLines(world, options, isIdle);
  if (isIdle) return errors;
  const sum = sumLine(world, settled(figures), {
    ...options,
    end: (isLong) => endOf(world, options, isLong),
  });
  return [...errors, ...hostLines(figures, options.width), sum];
}

/** Builds that failed, in the order in which they did; not those that could not begin because of them. */
export function failedBuilds({ jobs }: World): JobRow[] {
  return [...jobs.values()]
    .filter((job) => job.kind === "build" && job.state.kind === "failed" && !isBlocked(job))
    .sort((one, other) => (one.endedMs ?? 0) - (other.endedMs ?? 0));
}

/** Errors that are not about a build that failed: those of evaluation, of caches, of the command line. */
export function otherErrors({ commands, jobs }: World): Problem[] {
  return errorsOf(commands.values(), jobs.values());
}

function errorLines(
  world: World,
  { tailLines, told, whole = String }: EndingOptions,
  isIdle: boolean,
): Line[] {
  const lines: Line[] = [];
  for (const job of failedBuilds(world)) {
    lines.push([
      { text: `${SIGNS.failed} ${job.name}`, style: LOOKS.failed },
      { text: ` ${failedText(job)}`, style: LOOKS.plain },
    ], [{ text: `  nix log ${job.subject}`, style: LOOKS.muted }]);
    for (const detail of hashLines(job)) lines.push([{ text: `  ${detail}`, style: LOOKS.plain }]);
    for (const line of tailLines === 0 ? [] : (world.tails.get(job.id) ?? []).slice(-tailLines)) {
      lines.push([{ text: "  │ ", style: LOOKS.muted }, ...ansiSpans(line)]);
    }
  }
  for (const { text: part } of otherErrors(world)) {
    const text = whole(part);
    if (isIdle && told?.has(text) === true) continue;
    const [first = "", ...rest] = plainText(text).split("\n");
    lines.push(
      [{ text: "error: ", style: LOOKS.failed }, { text: first, style: LOOKS.plain }],
      ...rest.map((line): Line => [{ text: line, style: LOOKS.plain }]),
    );
  }
  return lines;
}

/** A row for each machine and store, where there are several. */
function hostLines({ hosts }: Figures, width: number): Line[] {
  const used = hosts.filter(({ builds, downloads, uploads }) =>
    builds.done + builds.failed + builds.stopped > 0 || isUsed(downloads, uploads)
  );
  const builders = used.filter(({ builds }) => builds.done + builds.failed + builds.stopped > 0);
  if (builders.length < 2 && used.length < 3) return [];
  const handles = handlesOf(used.map(({ host }) => host));
  const rows = used.map((each): Line[] => [
    [{ text: handles.get(each.host)!, style: LOOKS.name }],
    buildGroup(each),
    downloadGroup(each, true),
    uploadGroup(each, true),
  ]);
  const titles: Line[] = ["host", "builds", "downloads", "uploads"]
    .map((text) => [{ text, style: LOOKS.muted }]);
  const kept = [0, 1, 2, 3].filter((at) => at === 0 || rows.some((row) => row[at]!.length > 0));
  const columns = kept.map((at) => Math.max(...[titles, ...rows].map((row) => spansWidth(row[at]!))));
  return [titles, ...rows].map((row, index) => {
    const line: Span[] = [{ text: index === 0 ? "┏━ " : "┃  ", style: LOOKS.muted }];
    const last = kept.findLastIndex((cell) => row[cell]!.length > 0);
    kept.slice(0, last + 1).forEach((cell, at) => {
      const blank = padText("", columns[at]! - spansWidth(row[cell]!) + 2);
      line.push(...row[cell]!, ...at === last ? [] : [{ text: blank, style: LOOKS.plain }]);
    });
    return fitLine(line, width);
  });
}

/** What was planned and not fetched is not missed at the end. */
function settled(figures: Figures): Figures {
  return { ...figures, expectedDownloads: 0, expectedBytes: 0 };
}

function endOf(world: World, { end, nowMs, clockText }: EndingOptions, isLong: boolean): Span {
  const tookMs = nowMs - (startOf(world) ?? nowMs);
  const when = `${clockText === undefined || !isLong ? "" : ` at ${clockText(nowMs)}`} after ${
    durationWord(tookMs)
  }`;
  const is = (wanted: CommandState) => [...world.commands.values()].some(({ state }) => state === wanted);
  if (is("lost")) return { text: `broke off${when}`, style: LOOKS.failed };
  if (end.kind === "signaled" || is("interrupted")) {
    return { text: `interrupted${when}`, style: LOOKS.failed };
  }
  return end.code === 0 ? { text: `finished${when}`, style: LOOKS.done } : {
    text: `failed ${isLong ? `with exit code ${end.code}` : `(${end.code})`}${when}`,
    style: LOOKS.failed,
  };
}
