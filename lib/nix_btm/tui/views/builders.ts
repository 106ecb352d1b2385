/** Builders: users and their builds at the left, processes at the right. Pure. @module */
import {
  type Area,
  blend,
  bytesText,
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
import { type BuilderRow, builderRows } from "../builder_rows.ts";
import type { BuilderBuild, BuilderUser } from "../../processes/mod.ts";
import { builderColumns, layoutOf } from "../layout.ts";
import { type Model, worldOf } from "../model.ts";
import { drawProcesses } from "./processes.ts";

export function drawBuilders(frame: Area, model: Model): void {
  const { body } = layoutOf(model);
  const [left, right] = builderColumns({ ...body, x: 0, y: 0 });
  drawTree(frame.part(left), model);
  drawProcesses(frame.part(right), model);
}

function drawTree(area: Area, model: Model): void {
  const { theme, side, lists: { builders: list } } = model;
  const { builders } = worldOf(model);
  const rows = builderRows(model);
  const focused = side === "tree";
  const builds = builders?.builds ?? [];
  const inside = drawPanel(area, {
    title: [span("builders", theme.strong)],
    note: [span(`${builds.length} ${builds.length === 1 ? "build" : "builds"}`, theme.muted)],
    footer: builds.length === 0 ? [] : usageSpans(builds, model),
    border: focused ? theme.focus : theme.border,
  });
  if (rows.length === 0) {
    inside.put(1, 0, builders === undefined ? "nobody has looked yet" : "nothing is built", theme.muted);
  }
  drawList(inside, list, rows.length, (line, index) => {
    const row = rows[index]!;
    const right = rightSpans(row, model);
    const room = line.width - 2 - (right.length === 0 ? 0 : spansWidth(right) + 1);
    putSpans(line, 1, 0, leftSpans(row, model), room);
    putSpans(line, line.width - 1 - spansWidth(right), 0, right);
    if (index === list.selected) {
      line.restyle(0, (id) => blend(id, focused ? theme.selected : theme.selectedElsewhere));
    }
  });
  drawScrollBar(
    area.part({ x: area.width - 1, y: 1, width: 1, height: inside.height }),
    list.top,
    rows.length,
    theme.muted,
  );
}

/** CPU and memory of builds together. */
function usageSpans(builds: readonly BuilderBuild[], { theme }: Model): Span[] {
  const cpu = builds.reduce((sum, { usage }) => sum + (usage.cpuRatio ?? 0), 0);
  const memory = builds.reduce((sum, { usage }) => sum + usage.memoryBytes, 0);
  return [span(`${cpuText(cpu)} ${bytesText(memory)}`, theme.muted)];
}

function leftSpans(row: BuilderRow, { theme }: Model): Span[] {
  switch (row.kind) {
    case "user": {
      const { user, builds } = row.user;
      const busy = builds.length > 0;
      return [
        span(busy ? (row.isOpen ? "▾ " : "▸ ") : "  ", theme.muted),
        span(user, busy ? theme.strong : theme.muted),
        span(busy ? ` (${processCount(row.user)})` : "", theme.muted),
      ];
    }
    case "build": {
      const { name, isPaused } = row.build;
      return [
        span(row.isOpen ? " ▾ " : " ▸ ", theme.muted),
        isPaused ? span("⏸ ", theme.warn) : span("▶ ", theme.accent),
        span(name ?? "a build", theme.text),
      ];
    }
    case "process": {
      const { pid, name, depth } = row.process;
      return [
        span(`     ${"  ".repeat(depth)}${row.isLast ? "└ " : "├ "}`, theme.border),
        span(`${pid} `, theme.muted),
        span(name),
      ];
    }
    default:
      return row satisfies never;
  }
}

function rightSpans(row: BuilderRow, { theme, nowMs }: Model): Span[] {
  switch (row.kind) {
    case "user": {
      const cpu = row.user.builds.reduce((sum, { usage }) => sum + (usage.cpuRatio ?? 0), 0);
      return row.user.builds.length === 0 || row.isOpen ? [] : [span(cpuText(cpu), theme.accent)];
    }
    case "build": {
      const { startedMs, usage, isPaused } = row.build;
      return [
        span(durationWord(nowMs - startedMs), theme.muted),
        ...(isPaused || usage.cpuRatio === undefined
          ? []
          : [span(cpuText(usage.cpuRatio).padStart(5), theme.accent)]),
      ];
    }
    case "process":
      return row.process.cpuRatio === undefined ? [] : [span(cpuText(row.process.cpuRatio), theme.muted)];
    default:
      return row satisfies never;
  }
}

function processCount({ builds }: BuilderUser): number {
  return builds.reduce((sum, { processes }) => sum + processes.length, 0);
}
