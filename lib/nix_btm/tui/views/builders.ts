/** Builders: users and their builds at the left, processes at the right. Pure. @module */
import {
  Area,
  blend,
  bytesText,
  type Column,
  columnWidths,
  cpuText,
  drawList,
  drawPanel,
  drawRow,
  drawScrollBar,
  putSpans,
  type Span,
  span,
} from "../../../tui/mod.ts";
import type { BuilderProcess, BuilderSnapshot } from "../../processes/mod.ts";
import { durationText } from "../../summary.ts";
import { builderColumns, layoutOf } from "../layout.ts";
import { type Model, worldOf } from "../model.ts";
import { type BuilderRow, builderRows, tableRows } from "../rows.ts";

interface ProcessColumn extends Column {
  readonly cell: (process: BuilderProcess, model: Model, build: string | undefined) => Span[];
}

const COLUMNS: readonly ProcessColumn[] = [
  {
    title: "pid",
    min: 7,
    max: 7,
    rank: 0,
    align: "right",
    cell: ({ pid }, { theme }) => [span(String(pid), theme.text)],
  },
  {
    title: "env",
    min: 12,
    max: 24,
    rank: 3,
    cell: (_, { theme }, build) => [span(build ?? "", theme.muted)],
  },
  {
    title: "parent",
    min: 7,
    max: 7,
    rank: 5,
    align: "right",
    cell: ({ ppid }, { theme }) => [span(String(ppid), theme.muted)],
  },
  {
    title: "cpu",
    min: 5,
    max: 5,
    rank: 1,
    align: "right",
    cell: ({ cpuRatio }) => cpuRatio === undefined ? [] : [span(cpuText(cpuRatio))],
  },
  {
    title: "mem",
    min: 5,
    max: 5,
    rank: 2,
    align: "right",
    cell: ({ residentBytes }) => [span(bytesText(residentBytes))],
  },
  {
    title: "virt",
    min: 5,
    max: 5,
    rank: 6,
    align: "right",
    cell: ({ virtualBytes }, { theme }) => [span(bytesText(virtualBytes), theme.muted)],
  },
  { title: "io", min: 5, max: 5, rank: 7, align: "right", cell: ioCell },
  {
    title: "time",
    min: 6,
    max: 6,
    rank: 4,
    align: "right",
    cell: ({ startedMs }, { nowMs, theme }) => [span(durationText(nowMs - startedMs), theme.muted)],
  },
  {
    title: "s",
    min: 1,
    max: 1,
    rank: 8,
    cell: ({ state }, { theme }) => [span(state, state === "T" ? theme.warn : theme.muted)],
  },
  {
    title: "command",
    min: 12,
    rank: 0,
    cell: (
      { command, name, depth },
      { theme },
    ) => [span("  ".repeat(depth), theme.muted), span(command.join(" ") || `[${name}]`)],
  },
];

function ioCell({ readBytes, writtenBytes }: BuilderProcess, { theme }: Model): Span[] {
  if (readBytes === undefined || writtenBytes === undefined) return [span("–", theme.muted)];
  return [span(bytesText(readBytes + writtenBytes), theme.muted)];
}

export function drawBuilders(frame: Area, model: Model): void {
  const { body } = layoutOf(model);
  const [left, right] = builderColumns({ ...body, x: 0, y: 0 });
  drawTree(frame.part(left), model);
  drawTable(frame.part(right), model);
}

function drawTree(area: Area, model: Model): void {
  const { theme, side, lists: { builders: list } } = model;
  const { builders } = worldOf(model);
  const rows = builderRows(model);
  const focused = side === "tree";
  const builds = builders?.builds.length ?? 0;
  const inside = drawPanel(area, {
    title: [span("builders", theme.strong)],
    note: [span(`${builds} ${builds === 1 ? "build" : "builds"}`, theme.muted)],
    border: focused ? theme.focus : theme.border,
  });
  if (rows.length === 0) inside.put(1, 0, emptyText(builders), theme.muted);
  drawList(inside, list, rows.length, (row, index) => {
    putSpans(row, 1, 0, rowSpans(rows[index]!, model), row.width - 2);
    if (index === list.selected) {
      row.restyle(0, (id) => blend(id, focused ? theme.selected : theme.selectedElsewhere));
    }
  });
  drawScrollBar(
    area.part({ x: area.width - 1, y: 1, width: 1, height: inside.height }),
    list.top,
    rows.length,
    theme.muted,
  );
}

function emptyText(builders: BuilderSnapshot | undefined): string {
  return builders === undefined ? "nobody has looked yet" : "nothing is built";
}

function rowSpans(row: BuilderRow, { theme, nowMs }: Model): Span[] {
  switch (row.kind) {
    case "user": {
      const { user, builds } = row.user;
      const count = builds.reduce((sum, { processes }) => sum + processes.length, 0);
      const busy = builds.length > 0;
      return [
        span(busy ? (row.isOpen ? "▾ " : "▸ ") : "  ", theme.muted),
        span(user, busy ? theme.strong : theme.muted),
        span(busy ? ` (${count})` : "", theme.muted),
      ];
    }
    case "build": {
      const { name, startedMs, isPaused, usage } = row.build;
      return [
        span("  ", theme.muted),
        isPaused ? span("⏸ ", theme.warn) : span("▶ ", theme.accent),
        span(name ?? "a build", theme.text),
        span(` ${durationText(nowMs - startedMs)}`, theme.muted),
        ...(usage.cpuRatio === undefined ? [] : [span(` ${cpuText(usage.cpuRatio)}`, theme.accent)]),
      ];
    }
    case "process": {
      const { pid, name, depth } = row.process;
      return [
        span(`    ${"  ".repeat(depth)}${row.isLast ? "└ " : "├ "}`, theme.border),
        span(`${pid} `, theme.muted),
        span(name),
      ];
    }
    default:
      return row satisfies never;
  }
}

function drawTable(area: Area, model: Model): void {
  const { theme, side, firstColumn } = model;
  const rows = tableRows(model);
  const inside = drawPanel(area, {
    title: [span("processes", theme.strong)],
    note: rows.length === 0 ? [] : [span(String(rows.length), theme.muted)],
    border: side === "table" ? theme.focus : theme.border,
  });
  const columns = [COLUMNS[0]!, ...COLUMNS.slice(1 + firstColumn)];
  const widths = columnWidths(columns, inside.width - 2);
  const names = namesOf(worldOf(model).builders);
  const head = inside.part({ x: 1, y: 0, width: inside.width - 2, height: 1 });
  drawRow(head, 0, columns, widths, columns.map(({ title }) => [span(title, theme.muted)]));
  const body = inside.part({ x: 1, y: 1, width: inside.width - 2, height: inside.height - 1 });
  drawList(body, { selected: 0, top: 0 }, rows.length, (row, index) => {
    const process = rows[index]!;
    drawRow(row, 0, columns, widths, columns.map(({ cell }) => cell(process, model, names.get(process.pid))));
  });
}

/** The builds' names by their processes. */
function namesOf(builders: BuilderSnapshot | undefined): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const { name, processes } of builders?.builds ?? []) {
    for (const { pid } of processes) if (name !== undefined) names.set(pid, name);
  }
  return names;
}
