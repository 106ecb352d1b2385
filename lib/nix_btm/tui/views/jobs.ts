/** Jobs: everything that commands do, as a table. Pure. @module */
import {
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
  type Span,
  span,
} from "../../../tui/mod.ts";
import { isOver } from "../../../nix/mod.ts";
import { elapsedMs, usages, waitingOf } from "../facts.ts";
import { jobRows } from "../job_rows.ts";
import { waitingText } from "../../waiting.ts";
import type { JobRow } from "../../world.ts";
import { ROW_MAX } from "../layout.ts";
import { type Model, type Sort, worldOf } from "../model.ts";
import { remember } from "../remember.ts";
import { filterSpans } from "./eagle.ts";
import { failureText } from "../../failure_text.ts";
import { bar, hostOf, signOf, styleOf } from "./tones.ts";

interface JobColumn extends Column {
  readonly sort?: Sort;
  readonly cell: (job: JobRow, model: Model, width: number) => Span[];
}

const KINDS: Readonly<Record<JobRow["kind"], string>> = {
  build: "build",
  copy: "copy",
  download: "download",
  query: "query",
  evaluation: "eval",
  fetch: "fetch",
  hook: "hook",
  maintenance: "store",
  other: "other",
};

const COLUMNS: readonly JobColumn[] = [
  { title: "", min: 1, max: 1, rank: 0, cell: ({ state }, { theme }) => [signOf(theme, state.kind)] },
  {
    title: "id",
    min: 5,
    max: 5,
    rank: 7,
    align: "right",
    cell: ({ id }, { theme }) => [span(String(id), theme.muted)],
  },
  {
    title: "what",
    min: 8,
    max: 8,
    rank: 4,
    cell: ({ kind }, { theme }) => [span(KINDS[kind], theme.muted)],
  },
  { title: "name", min: 16, rank: 0, sort: "name", cell: nameCell },
  { title: "state", min: 22, max: 34, rank: 1, sort: "state", cell: stateCell },
  {
    title: "cpu",
    min: 5,
    max: 5,
    rank: 3,
    align: "right",
    sort: "cpu",
    cell: ({ id }, model) => {
      const ratio = usages(model).get(id)?.usage.cpuRatio;
      return ratio === undefined ? [] : [span(cpuText(ratio), model.theme.accent)];
    },
  },
  {
    title: "mem",
    min: 5,
    max: 5,
    rank: 4,
    align: "right",
    sort: "memory",
    cell: ({ id }, model) => {
      const usage = usages(model).get(id)?.usage;
      return usage === undefined ? [] : [span(bytesText(usage.memoryBytes))];
    },
  },
  {
    title: "lines",
    min: 6,
    max: 6,
    rank: 6,
    align: "right",
    sort: "lines",
    cell: ({ lineCount }, { theme }) => lineCount === 0 ? [] : [span(String(lineCount), theme.muted)],
  },
  {
    title: "host",
    min: 10,
    max: 24,
    rank: 5,
    cell: (job, { theme }) => [span(hostOf(storeOf(job)), theme.info)],
  },
  {
    title: "time",
    min: 6,
    max: 6,
    rank: 2,
    align: "right",
    sort: "time",
    cell: (job, { theme, nowMs }) =>
      job.startedMs === undefined ? [] : [span(durationWord(elapsedMs(job, nowMs)), theme.muted)],
  },
  {
    title: "hash",
    min: 8,
    max: 8,
    rank: 8,
    cell: (
      { subject },
      { theme },
    ) => [span(/\/([0-9a-z]{8})[0-9a-z]{24}-/.exec(subject)?.[1] ?? "", theme.muted)],
  },
];

/** Where it is done, or comes from. */
function storeOf({ kind, host, name }: JobRow): string {
  return kind === "download" && URL.canParse(name) ? new URL(name).origin : host;
}

/** The columns that tell something: where everything is done here nobody has to be told where. */
export function jobColumns(model: Model): readonly JobColumn[] {
  const elsewhere = remember(
    "elsewhere",
    [model.source, model.host],
    () => worldOf(model).jobs.values().some((job) => storeOf(job) !== ""),
  );
  const columns = elsewhere ? COLUMNS : COLUMNS.filter(({ title }) => title !== "host");
  return model.width >= WIDE_FROM
    ? columns
    : columns.map((column) => column.sort === "state" ? { ...column, min: 10 } : column);
}

/** With less the state has to be short. */
const WIDE_FROM = 72;
const BAR_COLUMNS = 10;

/** What is over matters less. Of an address its end says most. */
function nameCell(job: JobRow, { theme }: Model): Span[] {
  const name = URL.canParse(job.name)
    ? job.name.slice(job.name.lastIndexOf("/", job.name.length - 2) + 1)
    : job.name;
  return [span(name, job.state.kind === "failed" ? theme.bad : isOver(job) ? theme.muted : theme.text)];
}

function stateCell(job: JobRow, model: Model, width: number): Span[] {
  const { theme } = model;
  const { state, phases, doneBytes, expectedBytes } = job;
  if (state.kind === "running" && expectedBytes > 0) {
    const text = `${bytesText(doneBytes)}/${bytesText(expectedBytes)}`;
    const room = Math.min(BAR_COLUMNS, width - text.length - 1);
    return [
      ...(room < 4 ? [] : [span(bar(doneBytes / expectedBytes, room), theme.accent), span(" ")]),
      span(text),
    ];
  }
  if (state.kind === "running" && usages(model).get(job.id)?.isPaused === true) {
    return [span("paused", theme.warn)];
  }
  if (state.kind === "running") return [span(phases.at(-1)?.name ?? "running", theme.accent)];
  if (state.kind === "waiting") return [span(state.why, theme.warn)];
  if (state.kind === "failed") {
    return [span(failureText(state.failure.text), theme.bad)];
  }
  const waiting = waitingOf(model, job);
  if (waiting !== undefined) {
    return [span(waitingText(waiting), waiting.kind === "hopeless" ? theme.bad : theme.muted)];
  }
  return [span(state.kind, styleOf(theme, state.kind))];
}

function emptyText({ filter, kinds, states }: Model): string {
  return filter === "" && kinds === "everything" && states === "all" ? "Nix does nothing" : "nothing matches";
}

export function drawJobs(area: Area, model: Model): void {
  const { theme, filter, sort, isReversed, lists: { jobs: list }, kinds, states } = model;
  const rows = jobRows(model);
  const inside = drawPanel(area, {
    title: [
      span("jobs", theme.strong),
      ...(kinds === "everything" ? [] : [span(` ${kinds}`, theme.accent)]),
      ...(states === "all" ? [] : [span(` ${states}`, theme.accent)]),
      ...filterSpans(filter, model),
    ],
    note: rows.length === 0 ? [] : [span(`${list.selected + 1}/${rows.length}`, theme.muted)],
    border: theme.focus,
  });
  const columns = jobColumns(model);
  const widths = columnWidths(columns, Math.min(ROW_MAX, inside.width - 2));
  const head = inside.part({ x: 1, y: 0, width: inside.width - 2, height: 1 });
  drawRow(
    head,
    0,
    columns,
    widths,
    columns.map(({ title, sort: by }) =>
      by === sort ? [span(`${title}${isReversed ? "▴" : "▾"}`, theme.accent)] : [span(title, theme.muted)]
    ),
  );
  const body = inside.part({ x: 0, y: 1, width: inside.width, height: inside.height - 1 });
  if (rows.length === 0) body.put(1, 0, emptyText(model), theme.muted);
  drawList(body, list, rows.length, (row, index) => {
    const job = rows[index]!;
    const part = row.part({ x: 1, y: 0, width: row.width - 2, height: 1 });
    drawRow(part, 0, columns, widths, columns.map(({ cell }, at) => cell(job, model, widths[at]!)));
    if (index === list.selected) row.restyle(0, (id) => blend(id, theme.selected));
  });
  drawScrollBar(
    area.part({ x: area.width - 1, y: 2, width: 1, height: body.height }),
    list.top,
    rows.length,
    theme.muted,
  );
}
