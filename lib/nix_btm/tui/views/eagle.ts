/** Eagle Eye: what each target needs, as a tree. Pure. @module */
import {
  type Area,
  blend,
  drawList,
  drawPanel,
  drawScrollBar,
  putSpans,
  type Span,
  span,
  spansWidth,
} from "../../../tui/mod.ts";
import { plainText } from "../../../nix/mod.ts";
import { durationText } from "../../summary.ts";
import { waitingText, whyWaiting } from "../../waiting.ts";
import { type Model, worldOf } from "../model.ts";
import { type EagleRow, eagleRows, elapsedMs } from "../rows.ts";
import { signOf } from "./tones.ts";

const PRUNE_TEXTS = { none: "all", normal: "what is left", aggressive: "running and failed" } as const;

export function drawEagle(area: Area, model: Model): void {
  const { theme, prune, filter, lists: { eagle: list } } = model;
  const rows = eagleRows(model);
  const inside = drawPanel(area, {
    title: [
      span("eagle eye", theme.strong),
      span(` ${PRUNE_TEXTS[prune]}`, theme.accent),
      ...filterSpans(filter, model),
    ],
    note: rows.length === 0 ? [] : [span(`${list.selected + 1}/${rows.length}`, theme.muted)],
    border: theme.focus,
  });
  if (rows.length === 0) inside.put(1, 0, emptyText(model), theme.muted);
  const critical = criticalPaths(model);
  drawList(inside, list, rows.length, (line, index) => {
    const row = rows[index]!;
    const right = rightSpans(row, model);
    const room = line.width - 2 - (right.length === 0 ? 0 : spansWidth(right) + 1);
    putSpans(line, 1, 0, leftSpans(row, model, critical.has(row.path)), room);
    putSpans(line, line.width - 1 - spansWidth(right), 0, right);
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

function criticalPaths(model: Model): ReadonlySet<string> {
  const { estimates, commands } = worldOf(model);
  const running = [...estimates.values()].filter(({ command }) => commands.get(command)?.state === "running");
  return new Set(running.flatMap(({ estimate }) => estimate?.criticalPath ?? []));
}

function leftSpans(row: EagleRow, model: Model, isCritical: boolean): Span[] {
  const { theme } = model;
  const { depth, name, job, canOpen, isOpen, isAgain } = row;
  const spans: Span[] = [
    span("  ".repeat(depth), theme.border),
    span(canOpen ? (isOpen ? "▾ " : "▸ ") : "  ", theme.muted),
  ];
  if (job !== undefined) spans.push(signOf(theme, job.state.kind), span(" "));
  spans.push(
    span(name, depth === 0 ? theme.strong : isAgain || job === undefined ? theme.muted : theme.text),
  );
  if (isAgain) spans.push(span(" ⤴", theme.muted));
  if (isCritical) spans.push(span(" ⚑", theme.warn));
  if (row.command !== undefined) spans.push(span(`  ${commandText(row.command, model)}`, theme.muted));
  return spans;
}

function commandText(id: number, model: Model): string {
  const command = worldOf(model).commands.get(id);
  if (command === undefined) return "";
  const what = command.targets.join(" ") || command.requester.command?.join(" ") || "";
  const user = command.requester.user;
  return `#${id} ${command.state}${user === undefined ? "" : ` ${user}`}${what === "" ? "" : `  ${what}`}`;
}

function rightSpans({ job }: EagleRow, model: Model): Span[] {
  if (job === undefined) return [];
  const { theme, nowMs } = model;
  const { state, phases, host } = job;
  const where = host === ""
    ? []
    : [span(`@${host.replace(/^[a-z-]+:\/\//, "").replace(/\?.*$/, "")} `, theme.info)];
  const took = job.startedMs === undefined ? [] : [span(durationText(elapsedMs(job, nowMs)), theme.muted)];
  if (state.kind === "failed") {
    return [...where, span(short(plainText(state.failure.text)), theme.bad), span(" "), ...took];
  }
  if (state.kind === "running") {
    return [...where, span(`${phases.at(-1)?.name ?? ""} `, theme.accent), ...took];
  }
  const waiting = whyWaiting(worldOf(model), job);
  if (waiting !== undefined) {
    return [
      ...where,
      span(short(waitingText(waiting)), waiting.kind === "hopeless" ? theme.bad : theme.muted),
    ];
  }
  return [...where, ...took];
}

/** Failures say the whole path of what failed: the row has its name. */
function short(text: string): string {
  const line = text.split("\n")[0]!.replace(/^builder for '[^']*' /, "").replaceAll(
    /'\/[^']*\/[0-9a-z]{32}-([^']+)'/g,
    "$1",
  );
  return line.length > 50 ? `${line.slice(0, 49)}…` : line;
}
