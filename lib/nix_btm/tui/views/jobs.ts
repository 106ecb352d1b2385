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
  type Span,
  span,
} from "../../../tui/mod.ts";
import { plainText } from "../../../nix/mod.ts";
import { durationText } from "../../summary.ts";
import type { JobRow } from "../../world.ts";
import type { Model, Sort } from "../model.ts";
import { elapsedMs, type JobLine, jobLines } from "../rows.ts";
import { filterSpans } from "./eagle.ts";
import { bar, signOf, styleOf } from "./tones.ts";

interface JobColumn extends Column {
  readonly sort?: Sort;
  readonly cell: (line: JobLine, model: Model, width: number) => Span[];
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
  { title: "", min: 1, max: 1, rank: 0, cell: ({ job }, { theme }) => [signOf(theme, job.state.kind)] },
  {
    title: "id",
    min: 5,
    max: 5,
    rank: 7,
    align: "right",
    cell: ({ job }, { theme }) => [span(String(job.id), theme.muted)],
  },
  {
    title: "what",
    min: 8,
    max: 8,
    rank: 4,
    cell: ({ job }, { theme }) => [span(KINDS[job.kind], theme.muted)],
  },
  { title: "name", min: 12, rank: 0, sort: "name", cell: ({ job }) => [span(job.name)] },
  { title: "state", min: 10, max: 28, rank: 1, sort: "state", cell: stateCell },
  {
    title: "cpu",
    min: 5,
    max: 5,
    rank: 3,
    align: "right",
    sort: "cpu",
    cell: ({ build }) => build?.usage.cpuRatio === undefined ? [] : [span(cpuText(build.usage.cpuRatio))],
  },
  {
    title: "mem",
    min: 5,
    max: 5,
    rank: 4,
    align: "right",
    sort: "memory",
    cell: ({ build }) => build === undefined ? [] : [span(bytesText(build.usage.memoryBytes))],
  },
  {
    title: "lines",
    min: 6,
    max: 6,
    rank: 6,
    align: "right",
    sort: "lines",
    cell: ({ job }, { theme }) => job.lineCount === 0 ? [] : [span(String(job.lineCount), theme.muted)],
  },
  {
    title: "host",
    min: 8,
    max: 22,
    rank: 5,
    cell: ({ job }, { theme }) => [span(job.host.replace(/^[a-z-]+:\/\//, ""), theme.info)],
  },
  {
    title: "time",
    min: 6,
    max: 6,
    rank: 2,
    align: "right",
    sort: "time",
    cell: ({ job }, { theme, nowMs }) =>
      job.startedMs === undefined ? [] : [span(durationText(elapsedMs(job, nowMs)), theme.muted)],
  },
  {
    title: "hash",
    min: 8,
    max: 8,
    rank: 8,
    cell: (
      { job },
      { theme },
    ) => [span(/\/([0-9a-z]{8})[0-9a-z]{24}-/.exec(job.subject)?.[1] ?? "", theme.muted)],
  },
];

const BAR_COLUMNS = 10;

function stateCell({ job }: JobLine, { theme }: Model, width: number): Span[] {
  const { state, phases, doneBytes, expectedBytes } = job;
  if (state.kind === "running" && expectedBytes > 0) {
    const text = `${bytesText(doneBytes)}/${bytesText(expectedBytes)}`;
    const room = Math.min(BAR_COLUMNS, width - text.length - 1);
    return [
      ...(room < 4 ? [] : [span(bar(doneBytes / expectedBytes, room), theme.accent), span(" ")]),
      span(text),
    ];
  }
  if (state.kind === "running") return [span(phases.at(-1)?.name ?? "running", theme.accent)];
  if (state.kind === "waiting") return [span(state.why, theme.warn)];
  if (state.kind === "failed") {
    return [span(plainText(state.failure.text).replace(/^builder for '[^']*' /, ""), theme.bad)];
  }
  return [span(state.kind, styleOf(theme, state.kind))];
}

export function drawJobs(area: Area, model: Model): void {
  const { theme, filter, sort, isReversed, lists: { jobs: list }, showsOver } = model;
  const lines = jobLines(model);
  const inside = drawPanel(area, {
    title: [
      span("jobs", theme.strong),
      ...(showsOver ? [] : [span(" not over", theme.accent)]),
      ...filterSpans(filter, model),
    ],
    note: lines.length === 0 ? [] : [span(`${list.selected + 1}/${lines.length}`, theme.muted)],
    border: theme.focus,
  });
  const widths = columnWidths(COLUMNS, inside.width - 2);
  const head = inside.part({ x: 1, y: 0, width: inside.width - 2, height: 1 });
  drawRow(
    head,
    0,
    COLUMNS,
    widths,
    COLUMNS.map(({ title, sort: by }) =>
      by === sort ? [span(`${title}${isReversed ? "▴" : "▾"}`, theme.accent)] : [span(title, theme.muted)]
    ),
  );
  const body = inside.part({ x: 0, y: 1, width: inside.width, height: inside.height - 1 });
  if (lines.length === 0) body.put(1, 0, filter === "" ? "Nix does nothing" : "nothing matches", theme.muted);
  drawList(body, list, lines.length, (row, index) => {
    const line = lines[index]!;
    const part = row.part({ x: 1, y: 0, width: row.width - 2, height: 1 });
    drawRow(part, 0, COLUMNS, widths, COLUMNS.map(({ cell }, at) => cell(line, model, widths[at]!)));
    if (index === list.selected) row.restyle(0, (id) => blend(id, theme.selected));
  });
  drawScrollBar(
    area.part({ x: area.width - 1, y: 2, width: 1, height: body.height }),
    list.top,
    lines.length,
    theme.muted,
  );
}
