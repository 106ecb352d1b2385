/** Hosts: one line each, with its caches below. Pure. @module */
import {
  type Area,
  blend,
  bytesText,
  type Column,
  columnWidths,
  drawList,
  drawPanel,
  drawRow,
  type Span,
  span,
} from "../../../tui/mod.ts";
import { isOver } from "../../../nix/mod.ts";
import type { CacheRow, World } from "../../world.ts";
import { hostText, type Model, worldOf } from "../model.ts";

interface HostColumn extends Column {
  readonly cell: (world: World, model: Model, host: string) => Span[];
}

const count = (world: World, wanted: (state: string) => boolean) =>
  [...world.jobs.values()].filter(({ kind, state }) => kind === "build" && wanted(state.kind)).length;

const COLUMNS: readonly HostColumn[] = [
  {
    title: "host",
    min: 12,
    rank: 0,
    cell: (
      _,
      model,
      host,
    ) => [span(hostText(model, host), host === model.host ? model.theme.strong : model.theme.text)],
  },
  {
    title: "commands",
    min: 8,
    max: 8,
    rank: 2,
    align: "right",
    cell: (
      { commands },
    ) => [span(String([...commands.values()].filter(({ state }) => state === "running").length))],
  },
  {
    title: "running",
    min: 7,
    max: 7,
    rank: 0,
    align: "right",
    cell: (world, { theme }) => [span(String(count(world, (kind) => kind === "running")), theme.accent)],
  },
  {
    title: "to come",
    min: 7,
    max: 7,
    rank: 1,
    align: "right",
    cell: (
      world,
    ) => [
      span(String(
        [...world.jobs.values()].filter((job) =>
          job.kind === "build" && !isOver(job) && job.state.kind !== "running"
        ).length,
      )),
    ],
  },
  {
    title: "built",
    min: 7,
    max: 7,
    rank: 1,
    align: "right",
    cell: (
      world,
      { theme },
    ) => [span(String(count(world, (kind) => kind === "succeeded" || kind === "ended")), theme.good)],
  },
  {
    title: "failed",
    min: 7,
    max: 7,
    rank: 1,
    align: "right",
    cell: (world, { theme }) => [span(String(count(world, (kind) => kind === "failed")), theme.bad)],
  },
  { title: "", min: 0, max: 60, rank: 3, cell: ({ note }, { theme }) => [span(note, theme.warn)] },
];

const CACHE_COLUMNS: readonly (Column & { readonly cell: (row: CacheRow, model: Model) => Span[] })[] = [
  { title: "cache or store", min: 16, rank: 0, cell: ({ store }, { theme }) => [span(store, theme.info)] },
  { title: "paths", min: 7, max: 7, rank: 1, align: "right", cell: ({ paths }) => [span(String(paths))] },
  { title: "bytes", min: 7, max: 7, rank: 1, align: "right", cell: ({ bytes }) => [span(bytesText(bytes))] },
  {
    title: "per second",
    min: 10,
    max: 10,
    rank: 2,
    align: "right",
    cell: ({ bytes, busyMs }, { theme }) =>
      busyMs === 0 ? [] : [span(`${bytesText(bytes / busyMs * 1_000)}/s`, theme.muted)],
  },
];

export function drawHosts(area: Area, model: Model): void {
  const { theme, source, lists: { hosts: list } } = model;
  const hosts = [...source.worlds];
  const inside = drawPanel(area, { title: [span("hosts", theme.strong)], border: theme.focus });
  const widths = columnWidths(COLUMNS, inside.width - 2);
  const head = inside.part({ x: 1, y: 0, width: inside.width - 2, height: 1 });
  drawRow(head, 0, COLUMNS, widths, COLUMNS.map(({ title }) => [span(title, theme.muted)]));
  const body = inside.part({ x: 1, y: 1, width: inside.width - 2, height: inside.height - 1 });
  const drawn = drawList(body, list, hosts.length, (row, index) => {
    const [host, world] = hosts[index]!;
    drawRow(row, 0, COLUMNS, widths, COLUMNS.map(({ cell }) => cell(world, model, host)));
    if (index === list.selected) row.restyle(0, (id) => blend(id, theme.selected));
  });
  const caches = [...worldOf(model).caches.values()].sort((one, other) => other.bytes - one.bytes);
  if (caches.length === 0) return;
  const below = body.part({ x: 0, y: drawn + 1, width: body.width, height: body.height - drawn - 1 });
  const cacheWidths = columnWidths(CACHE_COLUMNS, below.width);
  drawRow(below, 0, CACHE_COLUMNS, cacheWidths, CACHE_COLUMNS.map(({ title }) => [span(title, theme.muted)]));
  for (const [at, row] of caches.entries()) {
    drawRow(below, at + 1, CACHE_COLUMNS, cacheWidths, CACHE_COLUMNS.map(({ cell }) => cell(row, model)));
  }
}
