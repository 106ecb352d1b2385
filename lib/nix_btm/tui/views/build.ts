/** Build: one of them, its phases as a timeline, its log. Pure. @module */
import {
  ansiSpans,
  type Area,
  bytesText,
  cpuText,
  drawPanel,
  drawScrollBar,
  durationWord,
  fitText,
  lookOf,
  markSpans,
  putSpans,
  type Span,
  span,
  textWidth,
} from "../../../tui/mod.ts";
import { isOver } from "../../../nix/mod.ts";
import { criticalPaths, elapsedMs, usages, waitingOf } from "../facts.ts";
import { lineAt, lineCount, matches } from "../log_lines.ts";
import { waitingText } from "../../waiting.ts";
import type { JobRow } from "../../world.ts";
import { BUILD_HEAD_ROWS } from "../layout.ts";
import { type Model, worldOf } from "../model.ts";
import { failureText } from "../../failure_text.ts";
import { hostOf, signOf } from "./tones.ts";

/** A phase's name is told from so many columns on. */
const LABEL_COLUMNS = 3;

export function drawBuild(area: Area, model: Model): void {
  const { theme, follows, lists: { build: list } } = model;
  const job = jobOf(model);
  const count = lineCount(model);
  const inside = drawPanel(area, {
    title: job === undefined
      ? [span("build", theme.strong)]
      : [signOf(theme, job.state.kind), span(` ${job.name}`, theme.strong)],
    note: [
      ...(model.log?.isReading === true ? [span("reading … ", theme.muted)] : []),
      span(count === 1 ? "1 line" : `${count} lines`, theme.muted),
      ...(follows && job !== undefined && !isOver(job) ? [span(" following", theme.accent)] : []),
    ],
    footer: searchSpans(model),
    border: theme.focus,
  });
  if (job === undefined) {
    inside.put(1, 0, "no build is chosen: Enter on one of the jobs shows it here", theme.muted);
    return;
  }
  putSpans(inside, 1, 0, [span(job.subject, theme.muted)], inside.width - 2);
  putSpans(inside, 1, 1, factSpans(job, model), inside.width - 2);
  drawPhases(inside.part({ x: 1, y: 2, width: inside.width - 2, height: 2 }), job, model);
  const body = inside.part({
    x: 0,
    y: BUILD_HEAD_ROWS,
    width: inside.width,
    height: inside.height - BUILD_HEAD_ROWS,
  });
  if (count === 0) body.put(1, 0, model.log?.failure ?? "it has printed nothing", theme.muted);
  for (let y = 0; y < body.height; y++) {
    const line = lineAt(model, list.top + y);
    if (line === undefined) break;
    putSpans(body, 1, y, shown(line, model, list.top + y === model.match), body.width - 2);
  }
  drawScrollBar(
    area.part({ x: area.width - 1, y: 1 + BUILD_HEAD_ROWS, width: 1, height: body.height }),
    list.top,
    count,
    theme.muted,
  );
}

/** What is searched, and how many lines have it. */
function searchSpans(model: Model): Span[] {
  const { theme, search, match } = model;
  if (search === "") return [];
  const found = matches(model);
  const at = match === undefined ? -1 : found.indexOf(match);
  const count = at < 0 ? `${found.length}` : `${at + 1}/${found.length}`;
  return [span(`/${search}`, theme.match), span(` ${count}`, theme.muted)];
}

/** A build of the world, or one of the history in its form. */
function jobOf(model: Model): JobRow | undefined {
  const { job: id, past } = model;
  if (id === undefined) return undefined;
  if (id > 0) return worldOf(model).jobs.get(id);
  if (past === undefined) return undefined;
  const { name, derivation, host, startedMs, endedMs, outcome, failure, phases } = past;
  return {
    id,
    command: 0,
    kind: "build",
    subject: derivation,
    name,
    host,
    to: "",
    state: outcome === "failed"
      ? { kind: "failed", failure: { kind: "other", text: failure ?? "" } }
      : { kind: outcome === "succeeded" ? "succeeded" : "ended" },
    startedMs,
    endedMs,
    doneBytes: 0,
    expectedBytes: 0,
    phases: [...phases],
    lineCount: 0,
  };
}

function factSpans(job: JobRow, model: Model): Span[] {
  const { theme, nowMs } = model;
  const spans: Span[] = [];
  const add = (...more: Span[]) => spans.push(...(spans.length > 0 ? [span("   ")] : []), ...more);
  if (job.startedMs !== undefined) add(span(durationWord(elapsedMs(job, nowMs)), theme.text));
  if (job.host !== "") add(span(`on ${hostOf(job.host)}`, theme.info));
  const usage = usages(model).get(job.id)?.usage;
  if (usage !== undefined) {
    add(
      span("cpu ", theme.muted),
      span(usage.cpuRatio === undefined ? "–" : cpuText(usage.cpuRatio), theme.accent),
    );
    add(span("mem ", theme.muted), span(bytesText(usage.memoryBytes)));
  }
  const waiting = waitingOf(model, job);
  if (waiting !== undefined) add(span(waitingText(waiting), theme.warn));
  if (job.state.kind === "failed") {
    const phase = job.phases.at(-1)?.name;
    add(
      span(failureText(job.state.failure.text), theme.bad),
      span(phase === undefined ? "" : ` in ${phase}`, theme.muted),
    );
  }
  if (!isOver(job) && criticalPaths(model).has(job.subject)) {
    add(span("⚑ on the critical path", theme.warn));
  }
  return spans;
}

/** Phases side by side, each as wide as it lasted. */
function drawPhases(area: Area, job: JobRow, { theme, nowMs }: Model): void {
  const { phases, endedMs, startedMs } = job;
  if (phases.length === 0 || startedMs === undefined) {
    area.put(0, 0, "no phases were told", theme.muted);
    return;
  }
  const lastMs = endedMs ?? nowMs;
  const styles = [theme.accent, theme.info, theme.good, theme.warn];
  const wholeMs = Math.max(1, lastMs - phases[0]!.atMs);
  let x = 0;
  for (const [at, { name, atMs }] of phases.entries()) {
    const tookMs = Math.max(0, (phases[at + 1]?.atMs ?? lastMs) - atMs);
    const end = at === phases.length - 1 ? area.width : Math.min(
      area.width,
      Math.max(x + 1, Math.round((atMs + tookMs - phases[0]!.atMs) / wholeMs * area.width)),
    );
    const style = styles[at % styles.length]!;
    area.put(x, 0, "━".repeat(Math.max(0, end - x)), style);
    const room = end - x - 1;
    const short = name.replace(/Phase$/, "");
    const text = `${short} ${durationWord(tookMs)}`;
    if (room >= LABEL_COLUMNS) area.put(x, 1, fitText(textWidth(text) <= room ? text : short, room), style);
    x = end;
  }
}

function shown(line: string, { theme, search, shift }: Model, isCurrent: boolean): Span[] {
  const spans = ansiSpans(line, theme.text);
  const text = spans.map((each) => each.text).join("").toLowerCase();
  const wanted = search.toLowerCase();
  const ranges: [number, number][] = [];
  for (
    let at = search === "" ? -1 : text.indexOf(wanted);
    at >= 0;
    at = text.indexOf(wanted, at + wanted.length)
  ) {
    ranges.push([at, at + wanted.length]);
  }
  const look = lookOf(isCurrent ? theme.currentMatch : theme.match);
  return behind(ranges.length === 0 ? spans : markSpans(spans, ranges, look), shift);
}

/** Spans without so many of their first characters. */
function behind(spans: readonly Span[], shift: number): Span[] {
  let left = shift;
  return spans.flatMap(({ text, style }) => {
    const cut = Math.min(left, text.length);
    left -= cut;
    return cut === text.length ? [] : [{ text: text.slice(cut), style }];
  });
}
