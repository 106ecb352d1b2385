/** History: builds that are over, also of daemons before. Pure. @module */
import {
  type Area,
  blend,
  bytesText,
  type Column,
  columnWidths,
  drawList,
  drawPanel,
  drawRow,
  drawScrollBar,
  durationWord,
  type Span,
  span,
} from "../../../tui/mod.ts";
import type { PastBuild } from "../../history.ts";
import type { JobRow } from "../../world.ts";
import { ROW_MAX } from "../layout.ts";
import type { Model } from "../model.ts";
import { filterSpans } from "./eagle.ts";
import { failureText } from "../../failure_text.ts";
import { hostOf, signOf } from "./tones.ts";

interface PastColumn extends Column {
  readonly cell: (build: PastBuild, model: Model) => Span[];
}

const COLUMNS: readonly PastColumn[] = [
  {
    title: "",
    min: 1,
    max: 1,
    rank: 0,
    cell: ({ outcome }, { theme }) => [signOf(theme, outcome as JobRow["state"]["kind"])],
  },
  {
    title: "ended",
    min: 14,
    max: 14,
    rank: 3,
    cell: ({ endedMs }, { theme, nowMs }) => [span(`${durationWord(nowMs - endedMs)} ago`, theme.muted)],
  },
  { title: "name", min: 18, rank: 0, cell: ({ name }) => [span(name)] },
  {
    title: "took",
    min: 6,
    max: 6,
    rank: 1,
    align: "right",
    cell: ({ startedMs, endedMs }) =>
      startedMs === undefined ? [] : [span(durationWord(endedMs - startedMs))],
  },
  {
    title: "cpu",
    min: 6,
    max: 6,
    rank: 4,
    align: "right",
    cell: ({ cpuSeconds }, { theme }) =>
      cpuSeconds === undefined ? [] : [span(durationWord(cpuSeconds * 1_000), theme.muted)],
  },
  {
    title: "peak",
    min: 5,
    max: 5,
    rank: 5,
    align: "right",
    cell: ({ peakBytes }, { theme }) =>
      peakBytes === undefined ? [] : [span(bytesText(peakBytes), theme.muted)],
  },
  {
    title: "host",
    min: 8,
    max: 20,
    rank: 6,
    cell: ({ host }, { theme }) => [span(hostOf(host), theme.info)],
  },
  {
    title: "who",
    min: 6,
    max: 10,
    rank: 7,
    cell: ({ requester }, { theme }) => [span(requester ?? "", theme.muted)],
  },
  { title: "how", min: 24, max: 60, rank: 2, cell: howCell },
];

function howCell({ failure, phase }: PastBuild, { theme }: Model): Span[] {
  if (failure === undefined) return [];
  return [
    span(failureText(failure), theme.bad),
    ...(phase === undefined ? [] : [span(` in ${phase}`, theme.muted)]),
  ];
}

export function drawHistory(area: Area, model: Model): void {
  const { theme, history, historyFailure, filter, states, lists: { history: list } } = model;
  const inside = drawPanel(area, {
    title: [
      span("history", theme.strong),
      ...(states === "failed" ? [span(" failed", theme.accent)] : []),
      ...filterSpans(filter, model),
    ],
    note: history.length === 0 ? [] : [span(`${list.selected + 1}/${history.length}`, theme.muted)],
    border: theme.focus,
  });
  const widths = columnWidths(COLUMNS, Math.min(ROW_MAX, inside.width - 2));
  const head = inside.part({ x: 1, y: 0, width: inside.width - 2, height: 1 });
  drawRow(head, 0, COLUMNS, widths, COLUMNS.map(({ title }) => [span(title, theme.muted)]));
  const body = inside.part({ x: 0, y: 1, width: inside.width, height: inside.height - 1 });
  if (history.length === 0) body.put(1, 0, historyFailure ?? "nothing was built yet", theme.muted);
  drawList(body, list, history.length, (row, index) => {
    const build = history[index]!;
    const part = row.part({ x: 1, y: 0, width: row.width - 2, height: 1 });
    drawRow(part, 0, COLUMNS, widths, COLUMNS.map(({ cell }) => cell(build, model)));
    if (index === list.selected) row.restyle(0, (id) => blend(id, theme.selected));
  });
  drawScrollBar(
    area.part({ x: area.width - 1, y: 2, width: 1, height: body.height }),
    list.top,
    history.length,
    theme.muted,
  );
}
