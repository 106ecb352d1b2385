/** The output: a log, a build's log, or the graph. Only lines that are seen are looked at. Pure. @module */
import {
  ansiSpans,
  type Area,
  drawPanel,
  drawScrollBar,
  fieldText,
  fitText,
  lookOf,
  markSpans,
  PLAIN,
  putSpans,
  type Span,
  span,
  type StyleId,
  wrapSpans,
} from "../../tui/mod.ts";
import { type LogLine, matchesIn } from "../log_lines.ts";
import { activeProject, jobOf, type LogView, type Model, seenLines, seenLog } from "../model.ts";
import { bottomIndex, type RowOptions, seenUpTo } from "../scroll.ts";
import { GUTTER, rowOptions } from "../select.ts";
import { attachedSize } from "../select.ts";
import { drawTerminal, isDrawn, PTY_SIZE } from "./attached.ts";
import { drawGraph } from "./graph.ts";
import { tabSpans } from "./places.ts";
import { spinner } from "./tones.ts";

/** Draws it. */
export function drawOutput(area: Area, model: Model): void {
  const { theme } = model;
  const attached = model.overlay?.kind === "attach";
  const inside = drawPanel(area, {
    title: [...tabSpans(model), span(` ${activeProject(model).selected ?? ""}`, theme.strong)],
    note: noteSpans(model),
    footer: footerSpans(model),
    border: attached ? theme.warn : model.focus === "output" ? theme.focus : theme.border,
  });
  if (model.tab === "graph") return drawGraph(inside, model);
  const view = seenLog(model);
  if (attached && view !== undefined && isDrawn(view.log)) {
    return drawTerminal(inside, view.log, attachedSize(model) ?? PTY_SIZE);
  }
  const lines = view === undefined ? [] : seenLines(model, view);
  if (view === undefined || lines.length === 0) {
    inside.put(1, 0, emptyText(model, view), view?.failure === undefined ? theme.muted : theme.bad);
    return;
  }
  drawLines(inside, model, view, lines);
}

function drawLines(inside: Area, model: Model, view: LogView, lines: readonly LogLine[]): void {
  const { theme } = model;
  const options = rowOptions(model);
  const bottom = bottomIndex(lines, view.anchor);
  const seen = seenUpTo(lines, bottom, options);
  const rows = seen.flatMap(({ line, rows }) =>
    styledRows(rows, line, model, view, options).map((spans) => ({ line, spans }))
  );
  for (const [y, { line, spans }] of rows.slice(-inside.height).entries()) {
    if (line.stream === "stderr") inside.put(0, y, "┃", theme.bad);
    putSpans(inside, GUTTER, y, spans, options.width);
  }
  const edge = inside.part({ x: inside.width - 1, y: 0, width: 1, height: inside.height });
  drawScrollBar(edge, Math.max(0, bottom - seen.length + 1), lines.length, theme.muted);
}

type Rows = readonly (readonly Span[])[];

/** A line's rows with what its program did not colour: how bad it is, and what the search has found. */
function styledRows(rows: Rows, line: LogLine, model: Model, view: LogView, options: RowOptions): Rows {
  const { theme, found } = model;
  if (line.stream === "note") return [[span(`── ${line.raw} ──`, theme.muted)]];
  const level = levelStyle(line, model);
  const matches = matchesIn(line, found.search);
  if (matches.length === 0 && level === PLAIN) return rows;
  const look = lookOf(view.match === line.seq ? theme.currentMatch : theme.match);
  const marked = markSpans(ansiSpans(line.raw, level), matches, look);
  return options.wrap ? wrapSpans(marked, options.width) : [marked];
}

/** Lines that say of themselves how bad they are, of programs that write without colours. */
function levelStyle({ plain, raw }: LogLine, { theme }: Model): StyleId {
  if (raw.length !== plain.length) return PLAIN;
  const head = plain.slice(0, 120);
  if (/\b(ERROR|FATAL|PANIC|CRITICAL)\b|\b(error|panic|fatal)(\[\w+\])?:|panicked at/.test(head)) {
    return theme.bad;
  }
  if (/\b(WARN|WARNING)\b|\bwarning(\[\w+\])?:/.test(head)) return theme.warn;
  return /\b(DEBUG|TRACE)\b/.test(head) ? theme.muted : PLAIN;
}

function noteSpans(model: Model): Span[] {
  const { theme, index, tab } = model;
  const view = seenLog(model);
  if (tab === "graph") return [];
  const instance = index === -1 ? [] : [span(`instance ${index}  `, theme.info)];
  const cleared = view !== undefined && view.clearedTo > 0 ? [span("cleared  ", theme.muted)] : [];
  const only = model.onlyMatches ? [span("only matches  ", theme.info)] : [];
  const wrap = model.wrap ? [span("wrap  ", theme.muted)] : [];
  const following = view?.anchor === undefined;
  const follow = index !== -1
    ? []
    : [span(following ? "following" : "paused", following ? theme.good : theme.warn)];
  return [...instance, ...cleared, ...only, ...wrap, ...follow];
}

/** Room for the reason why a log cannot be read on. */
const FAILURE_COLUMNS = 48;

function footerSpans(model: Model): Span[] {
  const { theme, found, tab } = model;
  const view = seenLog(model);
  if (tab === "graph" || view === undefined) return [];
  if (view.failure !== undefined && view.log.lines.length > 0) {
    return [span(`not read: ${fitText(view.failure, FAILURE_COLUMNS)}`, theme.bad)];
  }
  if (found.search.pattern === undefined) {
    return [span(countText(view.log.lines.length, "line"), theme.muted)];
  }
  const at = found.lines.findIndex(({ seq }) => seq === view.match);
  const count = `${at + 1}/${found.lines.length}`;
  const typed = model.overlay?.kind === "search" ? fieldText(model.overlay.field) : found.search.text;
  return [
    span(`/${typed}  `, theme.key),
    span(
      at < 0 ? countText(found.lines.length, "match") : `${count} matches`,
      found.lines.length > 0 ? theme.text : theme.bad,
    ),
  ];
}

function countText(count: number, word: "line" | "match"): string {
  return `${count} ${word}${count === 1 ? "" : word === "match" ? "es" : "s"}`;
}

function emptyText(model: Model, view: LogView | undefined): string {
  const project = activeProject(model);
  if (project.selected === undefined) return "";
  if (view?.failure !== undefined) return view.failure;
  if (view === undefined || view.depth === 0) {
    return project.link.kind === "online" ? `${spinner(model.nowMs)} reading …` : "";
  }
  if (model.onlyMatches) return "no line matches";
  if (view.clearedTo > 0) return "cleared; new lines appear here";
  const job = jobOf(model, model.active, project.selected);
  if (model.tab === "build") {
    return job === undefined ? "no build has written anything" : "the build has not written anything yet";
  }
  return "it has not written anything yet";
}
