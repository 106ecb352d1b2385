/** What stands in a job's row. Pure. @module */
import type { DurationsOf } from "../../nix/mod.ts";
import { durationWord, partText, plainText, type Span } from "../../tui/mod.ts";
import { briefFailure } from "../failure_text.ts";
import { isBlocked, type JobRow } from "../world.ts";
import { LOOKS, SIGNS } from "./_looks.ts";
import { barText } from "./_text.ts";
import { directionOf } from "./figures.ts";
import { clockedText } from "./sum.ts";
import type { Places } from "./tree.ts";

/** A row before its columns are laid out. */
export interface RowParts {
  readonly sign: Span;
  readonly name: Span;
  /** How long it has taken or waited; empty in the first second. */
  readonly time: string;
  /** Of a build that runs: in a column of its own. */
  readonly phase?: Span;
  readonly details: readonly Span[];
}

/** What a row is told beside its job. */
export interface RowContext {
  readonly nowMs: number;
  readonly places: Places;
  readonly averageOf: DurationsOf;
  /** Machines and stores by their short names, where there are several to be told apart. */
  readonly handles: ReadonlyMap<string, string>;
  /** Whether nothing is to be fetched any more. */
  readonly isFetched: boolean;
}

/** Shorter times are noise. */
const SHOWN_FROM_MS = 1_000;
const BAR_COLUMNS = 10;

/** What is to be said of a job. */
export function rowOf(job: JobRow, context: RowContext): RowParts {
  if (job.kind === "build") return buildRow(job, context);
  return directionOf(job) === undefined ? otherRow(job, context) : transferRow(job, context);
}

function buildRow(job: JobRow, context: RowContext): RowParts {
  const { state, name } = job;
  switch (state.kind) {
    case "running": {
      const average = context.averageOf(job);
      return {
        sign: { text: SIGNS.running, style: LOOKS.running },
        name: { text: name, style: LOOKS.name },
        time: elapsed(job.startedMs, job.endedMs ?? context.nowMs),
        phase: phaseOf(job) || { text: "", style: LOOKS.plain },
        details: words(
          hostOf(job, context),
          average !== undefined && muted(`${SIGNS.average} ${durationWord(average.medianMs)}`),
        ),
      };
    }
    case "failed":
      if (isBlocked(job)) return waitingRow(job, context);
      return {
        sign: { text: SIGNS.failed, style: LOOKS.failed },
        name: { text: name, style: LOOKS.failed },
        time: elapsed(job.startedMs, job.endedMs ?? context.nowMs),
        details: words(
          { text: briefFailure(job), style: LOOKS.failed },
          phaseOf(job, "in "),
          hostOf(job, context),
        ),
      };
    default:
      return waitingRow(job, context);
  }
}

function waitingRow(job: JobRow, context: RowContext): RowParts {
  const { state, name } = job;
  return {
    sign: { text: SIGNS.planned, style: LOOKS.planned },
    name: { text: name, style: LOOKS.plain },
    time: state.kind === "waiting" ? elapsed(state.sinceMs, context.nowMs) : "",
    details: words(muted(state.kind === "waiting" ? state.why : waitText(job, context))),
  };
}

/** Why a build has not begun; empty where nobody knows. */
function waitText(job: JobRow, { places, isFetched }: RowContext): string {
  const cause = places.hopeless.get(job.subject);
  if (cause !== undefined) return `needs ${cause.name}, which failed`;
  const [first, ...others] = places.needs(job).sort((one, other) => began(one) - began(other));
  if (first === undefined) return isFetched && places.isKnown(job) ? "waiting for a free slot" : "";
  return `waiting for ${first.name}${others.length === 0 ? "" : ` and ${others.length} more`}`;
}

/** What runs before what waits itself, the oldest first. */
function began({ state, startedMs }: JobRow): number {
  return state.kind === "running" ? startedMs! : Number.MAX_SAFE_INTEGER;
}

function transferRow(job: JobRow, context: RowContext): RowParts {
  const { name, doneBytes, expectedBytes, startedMs, to } = job;
  const direction = directionOf(job)!;
  const ranMs = context.nowMs - (startedMs ?? context.nowMs);
  const rate = ranMs < SHOWN_FROM_MS || doneBytes === 0 ? undefined : doneBytes * 1_000 / ranMs;
  const store = context.handles.get(direction === "upload" ? to : job.host);
  return {
    sign: { text: SIGNS[direction], style: LOOKS.moving },
    name: { text: name, style: LOOKS.name },
    time: elapsed(startedMs, context.nowMs),
    details: words(
      expectedBytes > 0 && bar(doneBytes / expectedBytes),
      (expectedBytes > 0 || doneBytes > 0) &&
        { text: partText(doneBytes, expectedBytes), style: LOOKS.plain },
      rate !== undefined && muted(`${partText(rate, 0)}/s`),
      store !== undefined && muted(`${direction === "upload" ? "to" : "from"} ${store}`),
    ),
  };
}

const DOING: Readonly<Record<string, string>> = {
  evaluation: "evaluating",
  download: "downloading",
  // Nix' own text says it.
  fetch: "",
  hook: "post-build hook",
  maintenance: "",
};

function otherRow(job: JobRow, { nowMs }: RowContext): RowParts {
  const { kind, name, doneBytes, expectedBytes, startedMs } = job;
  const isFetch = kind === "download" || kind === "fetch";
  return {
    sign: isFetch
      ? { text: SIGNS.download, style: LOOKS.moving }
      : { text: SIGNS.running, style: LOOKS.running },
    name: { text: plainText(name), style: LOOKS.name },
    time: elapsed(startedMs, nowMs),
    details: words(
      expectedBytes > 0 && kind === "download" && bar(doneBytes / expectedBytes),
      kind === "download" && doneBytes > 0 &&
        { text: partText(doneBytes, expectedBytes), style: LOOKS.plain },
      DOING[kind] !== "" && muted(DOING[kind] ?? kind),
    ),
  };
}

function bar(ratio: number): Span {
  const percent = String(Math.floor(100 * Math.min(1, ratio))).padStart(3);
  return { text: `${barText(ratio, BAR_COLUMNS)} ${percent}%`, style: LOOKS.moving };
}

function phaseOf({ phases }: JobRow, before = ""): Span | false {
  const phase = phases.at(-1);
  return phase !== undefined && { text: before + phase.name, style: LOOKS.phase };
}

function hostOf({ host }: JobRow, { handles }: RowContext): Span | false {
  const handle = host === "" ? undefined : handles.get(host);
  return handle !== undefined && { text: `on ${handle}`, style: LOOKS.moving };
}

function elapsed(fromMs: number | undefined, toMs: number): string {
  const ms = fromMs === undefined ? 0 : toMs - fromMs;
  return ms < SHOWN_FROM_MS ? "" : clockedText(ms);
}

function muted(text: string): Span {
  return { text, style: LOOKS.muted };
}

/** Those that are said, with blanks between. */
function words(...parts: readonly (Span | false)[]): Span[] {
  const said = parts.filter((part): part is Span => part !== false && part.text !== "");
  return said.flatMap((part, at) => at === 0 ? [part] : [{ text: "  ", style: LOOKS.plain }, part]);
}
