/** The table of processes at the right of the Builders. Pure. @module */
import {
  ansiSpans,
  type Area,
  blend,
  bytesText,
  type Column,
  columnWidths,
  cpuText,
  drawList,
  drawPanel,
  drawRow,
  drawScrollBar,
  durationWord,
  putSpans,
  type Span,
  span,
} from "../../../tui/mod.ts";
import { builderRows, processKey, tableRows } from "../builder_rows.ts";
import type { BuilderBuild, BuilderProcess } from "../../processes/mod.ts";
import type { JobRow } from "../../world.ts";
import { selectedJob } from "../selected.ts";
import { type Model, type ProcessSort, worldOf } from "../model.ts";

interface ProcessColumn extends Column {
  readonly sort?: ProcessSort;
  readonly cell: (process: BuilderProcess, model: Model, build: BuilderBuild | undefined) => Span[];
}

/** Fewer rows of a log say nothing. */
const TAIL_ROWS_MIN = 2;

/** Who has asked for it sees it, also in 80 columns: the command beside it makes room. */
const ENVIRONMENT: ProcessColumn = {
  title: "environment",
  min: 16,
  rank: 0,
  cell: (process, { theme, environments }) => [
    span(environments.get(processKey(process))?.replaceAll("\n", " ") ?? "…", theme.info),
  ],
};

const COMMAND_MIN = 24;
const COMMAND_BESIDE_MIN = 12;

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
    title: "build",
    min: 12,
    max: 24,
    rank: 8,
    cell: (_, { theme }, build) => [span(build?.name ?? "", theme.muted)],
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
    sort: "cpu",
    cell: ({ cpuRatio }, { theme }) => cpuRatio === undefined ? [] : [span(cpuText(cpuRatio), theme.accent)],
  },
  {
    title: "mem",
    min: 5,
    max: 5,
    rank: 2,
    align: "right",
    sort: "memory",
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
    sort: "time",
    cell: ({ startedMs }, { nowMs, theme }) => [span(durationWord(nowMs - startedMs), theme.muted)],
  },
  {
    title: "s",
    min: 1,
    max: 1,
    rank: 9,
    cell: ({ state }, { theme }) => [span(state, state === "T" ? theme.warn : theme.muted)],
  },
  {
    title: "command",
    min: COMMAND_MIN,
    rank: 0,
    cell: ({ command, name, depth }, { theme, processSort }) => [
      span(processSort === "tree" ? "  ".repeat(depth) : "", theme.muted),
      // Builders are shell scripts of many lines.
      span(command.join(" ").replaceAll(/\s+/g, " ") || `[${name}]`),
    ],
  },
];

function ioCell({ readBytes, writtenBytes }: BuilderProcess, { theme }: Model): Span[] {
  if (readBytes === undefined || writtenBytes === undefined) return [span("–", theme.muted)];
  return [span(bytesText(readBytes + writtenBytes), theme.muted)];
}

export function drawProcesses(area: Area, model: Model): void {
  const { theme, side, firstColumn, showsEnvironments, processSort, table } = model;
  const rows = tableRows(model);
  const focused = side === "table";
  const inside = drawPanel(area, {
    title: titleSpans(model),
    note: rows.length === 0 ? [] : [span(`${table.selected + 1}/${rows.length}`, theme.muted)],
    footer: processSort === "tree" ? [] : [span(`by ${processSort}`, theme.accent)],
    border: focused ? theme.focus : theme.border,
  });
  const several = builderRows(model)[model.lists.builders.selected]?.kind === "user";
  // What is of one build has its name above it.
  const usual = several ? COLUMNS : COLUMNS.filter(({ title }) => title !== "build");
  const wanted = [usual[0]!, ...usual.slice(1 + firstColumn)];
  const columns = showsEnvironments ? [...wanted.map(besideEnvironment), ENVIRONMENT] : wanted;
  const widths = columnWidths(columns, inside.width - 2);
  const builds = buildsOf(model);
  const head = inside.part({ x: 1, y: 0, width: inside.width - 2, height: 1 });
  drawRow(
    head,
    0,
    columns,
    widths,
    columns.map(({ title, sort }) => [span(title, sort === processSort ? theme.accent : theme.muted)]),
  );
  const body = inside.part({ x: 0, y: 1, width: inside.width, height: inside.height - 1 });
  const drawn = drawList(body, table, rows.length, (row, index) => {
    const process = rows[index]!;
    const build = builds.get(process.pid);
    const part = row.part({ x: 1, y: 0, width: row.width - 2, height: 1 });
    drawRow(part, 0, columns, widths, columns.map(({ cell }) => cell(process, model, build)));
    if (focused && index === table.selected) row.restyle(0, (id) => blend(id, theme.selected));
  });
  const top = drawn + 1;
  drawTail(body.part({ x: 0, y: top, width: body.width, height: body.height - top }), model);
  drawScrollBar(
    area.part({ x: area.width - 1, y: 2, width: 1, height: body.height }),
    table.top,
    rows.length,
    theme.muted,
  );
}

function besideEnvironment(column: ProcessColumn): ProcessColumn {
  return column.title === "command" ? { ...column, min: COMMAND_BESIDE_MIN } : column;
}

/** What the table is of, and the phase that it is in. */
function titleSpans(model: Model): Span[] {
  const { theme, lists } = model;
  const row = builderRows(model)[lists.builders.selected];
  if (row?.kind !== "build") return [span("processes", theme.strong)];
  const phase = selectedBuild(model)?.phases.at(-1)?.name;
  return [
    span(row.build.name ?? "processes", theme.strong),
    ...(phase === undefined ? [] : [span(` ${phase}`, theme.accent)]),
  ];
}

/** The newest lines of the selected build, where the processes leave room. */
function drawTail(area: Area, model: Model): void {
  const { theme } = model;
  const job = selectedBuild(model);
  const tail = job === undefined ? [] : worldOf(model).tails.get(job.id) ?? [];
  const rows = area.height - 1;
  if (tail.length === 0 || rows < TAIL_ROWS_MIN) return;
  area.put(1, 0, `log of ${job!.name}`, theme.muted);
  for (const [y, line] of tail.slice(-rows).entries()) {
    putSpans(area, 1, y + 1, ansiSpans(line, theme.text), area.width - 2);
  }
}

/** The job of the build that the selection is in. */
function selectedBuild(model: Model): JobRow | undefined {
  return worldOf(model).jobs.get(selectedJob(model) ?? 0);
}

/** The builds by their processes. */
function buildsOf(model: Model): ReadonlyMap<number, BuilderBuild> {
  const builds = worldOf(model).builders?.builds ?? [];
  return new Map(builds.flatMap((build) => build.processes.map(({ pid }) => [pid, build])));
}
