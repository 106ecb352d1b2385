/** Eagle Eye: what each target needs, as a tree. Pure. @module */
import {
  type Area,
  blend,
  cpuText,
  drawList,
  drawPanel,
  drawScrollBar,
  durationWord,
  putSpans,
  type Span,
  span,
  spansWidth,
} from "../../../tui/mod.ts";
import { isOver } from "../../../nix/mod.ts";
import { type CommandRow, type DerivationRow, eagleRows, jobAt } from "../eagle_rows.ts";
import { criticalPaths, elapsedMs, targetText, usages, waitingOf } from "../facts.ts";
import { waitingText } from "../../waiting.ts";
import type { JobRow } from "../../world.ts";
import { ROW_MAX } from "../layout.ts";
import { type Model, worldOf } from "../model.ts";
import { briefFailure } from "../../failure_text.ts";
import { errorLine, errorsOf } from "../../problems.ts";
import { bar, hostOf, signOf } from "./tones.ts";

const PRUNE_TEXTS = { none: "all", normal: "what is left", aggressive: "running and failed" } as const;
const FOLDING_TEXTS = { auto: "", open: ", unfolded", closed: ", folded" } as const;
const BAR_COLUMNS = 12;
/** With less the name matters more than the bar. */
const BAR_FROM = 60;

export function drawEagle(area: Area, model: Model): void {
  const { theme, prune, folding, filter, lists: { eagle: list } } = model;
  const rows = eagleRows(model);
  const inside = drawPanel(area, {
    title: [
      span("eagle eye", theme.strong),
      span(` ${PRUNE_TEXTS[prune]}${FOLDING_TEXTS[folding]}`, theme.accent),
      ...filterSpans(filter, model),
    ],
    note: rows.length === 0 ? [] : [span(`${list.selected + 1}/${rows.length}`, theme.muted)],
    border: theme.focus,
  });
  if (rows.length === 0) inside.put(1, 0, emptyText(model), theme.muted);
  drawList(inside, list, rows.length, (line, index) => {
    const row = rows[index]!;
    const left = row.kind === "command" ? commandSpans(row, model) : leftSpans(row, model);
    const width = Math.min(line.width, ROW_MAX);
    // The name may take half of the line, what it needs not is left for why it waits.
    const most = width - 3 - Math.min(spansWidth(left), Math.floor((width - 3) / 2));
    const right = row.kind === "command" ? progressSpans(row, model, most) : rightSpans(row, model, most);
    const room = width - 2 - (right.length === 0 ? 0 : spansWidth(right) + 1);
    putSpans(line, 1, 0, left, room);
    putSpans(line, width - 1 - spansWidth(right), 0, right);
    if (index === list.selected) line.restyle(0, (id) => blend(id, theme.selected));
  });
  drawScrollBar(
    area.part({ x: area.width - 1, y: 1, width: 1, height: inside.height }),
    list.top,
    rows.length,
    theme.muted,
  );
}

export function filterSpans(filter: string, { theme }: Model): Span[] {
  return filter === "" ? [] : [span(` /${filter}`, theme.match)];
}

function emptyText(model: Model): string {
  if (worldOf(model).commands.size === 0) return "no Nix command was seen yet";
  return model.filter === "" ? "nothing is left in this mode; A shows more" : "nothing matches";
}

function foldSpan(
  { canOpen, isOpen }: { readonly canOpen: boolean; readonly isOpen: boolean },
  { theme }: Model,
): Span {
  return span(canOpen ? (isOpen ? "▾ " : "▸ ") : "  ", theme.muted);
}

function commandSpans(row: CommandRow, model: Model): Span[] {
  const { theme } = model;
  const { command } = row;
  const { requester, evaluating } = command;
  const what = targetText(model, command);
  return [
    foldSpan(row, model),
    signOf(theme, command.state === "interrupted" ? "cancelled" : command.state),
    span(` #${command.id} `, theme.muted),
    ...(requester.user === undefined ? [] : [span(`${requester.user} `, theme.info)]),
    span(what === "" ? command.state : what, theme.strong),
    ...(evaluating === undefined || command.state !== "running" || row.canOpen
      ? []
      : [span(` evaluating ${evaluating}`, theme.accent)]),
  ];
}

/** How far a command is, and how long it will take or took. */
function progressSpans({ command, counts }: CommandRow, model: Model, most: number): Span[] {
  const { theme, nowMs } = model;
  const { done, failed, blocked, left } = counts;
  const all = done + failed + blocked + left;
  const spans: Span[] = [];
  if (all > 0) {
    if (left > 0 && model.width >= BAR_FROM) {
      spans.push(
        span(bar((done + failed + blocked) / all, BAR_COLUMNS), failed > 0 ? theme.bad : theme.good),
        span(" "),
      );
    }
    spans.push(span(`${done}/${all}`));
    if (failed > 0) spans.push(span(` ${failed} failed`, theme.bad));
  }
  const found = worldOf(model).estimates.get(command.id);
  if (command.state === "running" && found?.estimate !== undefined) {
    const leftMs = Math.max(0, found.estimate.medianMs - (nowMs - found.atMs));
    spans.push(span(` ~${durationWord(leftMs)} left`, theme.accent));
    return spans;
  }
  const took = ` ${durationWord((command.endedMs ?? nowMs) - command.startedMs)}`;
  // Of builds that failed each row tells for itself.
  const error = command.state === "failed" && failed === 0 ? errorsOf([command], [])[0] : undefined;
  if (error !== undefined) {
    const room = most - spansWidth(spans) - took.length - 1;
    spans.push(span(` ${short(errorLine(error.text), room)}`, theme.bad));
  }
  return [...spans, span(took, theme.muted)];
}

function leftSpans(row: DerivationRow, model: Model): Span[] {
  const { theme } = model;
  const { depth, name, path, isAgain, hidden } = row;
  const job = jobAt(row);
  const spans: Span[] = [span("  ".repeat(depth), theme.border), foldSpan(row, model)];
  if (job !== undefined) spans.push(signOf(theme, job.state.kind), span(" "));
  spans.push(span(name, isAgain || job === undefined || isOver(job) ? nameStyle(job, model) : theme.text));
  if (isAgain) spans.push(span(" ↑", theme.muted));
  else if (hidden > 0) spans.push(span(` +${hidden}`, theme.muted));
  if (job !== undefined && !isOver(job) && criticalPaths(model).has(path)) spans.push(span(" ⚑", theme.warn));
  return spans;
}

function nameStyle(job: JobRow | undefined, { theme }: Model): number {
  return job?.state.kind === "failed" ? theme.bad : theme.muted;
}

function rightSpans(row: DerivationRow, model: Model, most: number): Span[] {
  const job = jobAt(row);
  if (job === undefined) return [];
  const { theme, nowMs } = model;
  const { state, phases, host } = job;
  const where = host === "" ? [] : [span(`@${hostOf(host)} `, theme.info)];
  const took = job.startedMs === undefined ? [] : [span(durationWord(elapsedMs(job, nowMs)), theme.muted)];
  if (state.kind === "failed") {
    const after = took.length === 0 ? [] : [span(" "), ...took];
    const room = most - spansWidth([...where, ...after]);
    return [...where, span(short(briefFailure(job), room), theme.bad), ...after];
  }
  if (state.kind === "running") {
    const build = usages(model).get(job.id);
    if (build?.isPaused === true) return [...where, span("paused ", theme.warn), ...took];
    const cpu = build?.usage.cpuRatio;
    return [
      ...where,
      ...(cpu === undefined ? [] : [span(`${cpuText(cpu)} `, theme.muted)]),
      span(`${phases.at(-1)?.name ?? ""} `, theme.accent),
      ...took,
    ];
  }
  const waiting = waitingOf(model, job);
  if (waiting !== undefined) {
    const style = waiting.kind === "hopeless"
      ? theme.bad
      : waiting.kind === "told"
      ? theme.warn
      : theme.muted;
    return [...where, span(short(waitingText(waiting), most), style)];
  }
  return [...where, ...took];
}

function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}
