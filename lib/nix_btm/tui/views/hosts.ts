/** Hosts: one line each; of the one that is looked at its commands and caches below. Pure. @module */
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
  durationWord,
  type Span,
  span,
} from "../../../tui/mod.ts";
import type { Command } from "../../../nix/mod.ts";
import { buildsOf, type Counts, countsIn, targetText } from "../facts.ts";
import type { CacheRow, World } from "../../world.ts";
import { ROW_MAX } from "../layout.ts";
import { hostText, type Model, worldOf } from "../model.ts";
import { signOf } from "./tones.ts";

interface Table<T> {
  readonly columns: readonly (Column & { readonly cell: (row: T, model: Model) => Span[] })[];
  readonly rows: readonly T[];
}

interface HostRow {
  readonly host: string;
  readonly world: World;
  readonly counts: Counts;
}

interface CommandLine {
  readonly command: Command;
  readonly counts: Counts;
}

const number = { align: "right", min: 7, max: 7 } as const;

const HOSTS: Table<HostRow>["columns"] = [
  {
    title: "host",
    min: 12,
    rank: 0,
    cell: ({ host }, model) => [
      span(hostText(model, host), host === model.host ? model.theme.strong : model.theme.text),
    ],
  },
  {
    ...number,
    title: "commands",
    min: 8,
    max: 8,
    rank: 4,
    cell: ({ world }) => [span(String(runningOf(world).length))],
  },
  {
    ...number,
    title: "running",
    rank: 0,
    cell: ({ counts }, { theme }) => [span(String(counts.running), theme.accent)],
  },
  {
    ...number,
    title: "to come",
    rank: 1,
    cell: ({ counts }) => [span(String(counts.left - counts.running))],
  },
  {
    ...number,
    title: "built",
    rank: 1,
    cell: ({ counts }, { theme }) => [span(String(counts.done), theme.good)],
  },
  {
    ...number,
    title: "failed",
    rank: 1,
    cell: (
      { counts },
      { theme },
    ) => [span(String(counts.failed), counts.failed > 0 ? theme.bad : theme.muted)],
  },
  { ...number, title: "cpu", rank: 2, cell: ({ world }, { theme }) => usageOf(world, theme.accent) },
  {
    ...number,
    title: "mem",
    rank: 3,
    cell: ({ world }) => {
      const builds = world.builders?.builds ?? [];
      return builds.length === 0
        ? []
        : [span(bytesText(builds.reduce((sum, { usage }) => sum + usage.memoryBytes, 0)))];
    },
  },
];

/** Why one of them is lost. */
const NOTE: Table<HostRow>["columns"][number] = {
  title: "",
  min: 12,
  max: 60,
  rank: 1,
  cell: ({ world }, { theme }) => [span(world.note, theme.warn)],
};

const COMMANDS: Table<CommandLine>["columns"] = [
  {
    title: "",
    min: 1,
    max: 1,
    rank: 0,
    cell: (
      { command: { state } },
      { theme },
    ) => [signOf(theme, state === "interrupted" ? "cancelled" : state)],
  },
  {
    title: "who",
    min: 8,
    max: 12,
    rank: 1,
    cell: (
      { command: { requester } },
      { theme },
    ) => [span(requester.user ?? String(requester.uid ?? ""), theme.info)],
  },
  {
    title: "asked for",
    min: 16,
    rank: 0,
    cell: ({ command }, model) => [
      span(command.requester.command?.join(" ") ?? targetText(model, command)),
    ],
  },
  {
    ...number,
    title: "builds",
    rank: 0,
    cell: (
      { counts },
    ) => [span(`${counts.done}/${counts.done + counts.failed + counts.blocked + counts.left}`)],
  },
  {
    ...number,
    title: "time",
    rank: 2,
    cell: ({ command: { startedMs, endedMs } }, { theme, nowMs }) => [
      span(durationWord((endedMs ?? nowMs) - startedMs), theme.muted),
    ],
  },
];

const CACHES: Table<CacheRow>["columns"] = [
  { title: "cache or store", min: 16, rank: 0, cell: ({ store }, { theme }) => [span(store, theme.info)] },
  { ...number, title: "paths", rank: 1, cell: ({ paths }) => [span(String(paths))] },
  { ...number, title: "bytes", rank: 1, cell: ({ bytes }) => [span(bytesText(bytes))] },
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
  const inside = drawPanel(area, { title: [span("hosts", theme.strong)], border: theme.focus });
  const rows = [...source.worlds].map(([host, world]) => ({
    host,
    world,
    counts: countsIn(world.jobs.values()),
  }));
  let room = inside.part({ x: 1, y: 0, width: inside.width - 2, height: inside.height });
  const columns = rows.some(({ world }) => world.note !== "") ? [...HOSTS, NOTE] : HOSTS;
  room = drawTable(room, model, { columns, rows }, list);
  const world = worldOf(model);
  const commands = [...world.commands.values()].reverse()
    .map((command) => ({ command, counts: countsIn(buildsOf(model, command.id).values()) }));
  const caches = [...world.caches.values()].sort((one, other) => other.bytes - one.bytes);
  // What comes from caches is short, and is seen however many have asked.
  const kept = caches.length === 0 ? 0 : caches.length + 2;
  const most = Math.max(1, room.height - 1 - kept);
  room = drawTable(room, model, { columns: COMMANDS, rows: commands.slice(0, most) });
  drawTable(room, model, { columns: CACHES, rows: caches });
}

/** Draws a heading and rows, nothing where there is none; returns the area below, a line further down. */
function drawTable<T>(
  area: Area,
  model: Model,
  { columns, rows }: Table<T>,
  list?: Model["lists"]["hosts"],
): Area {
  if (rows.length === 0 || area.height < 2) return area;
  const { theme } = model;
  const widths = columnWidths(columns, Math.min(ROW_MAX, area.width));
  drawRow(area, 0, columns, widths, columns.map(({ title }) => [span(title, theme.muted)]));
  const body = area.part({ x: 0, y: 1, width: area.width, height: area.height - 1 });
  const drawn = drawList(body, list ?? { selected: -1, top: 0 }, rows.length, (line, index) => {
    drawRow(line, 0, columns, widths, columns.map(({ cell }) => cell(rows[index]!, model)));
    if (index === list?.selected) line.restyle(0, (id) => blend(id, theme.selected));
  });
  return area.part({ x: 0, y: drawn + 2, width: area.width, height: Math.max(0, area.height - drawn - 2) });
}

function runningOf({ commands }: World): Command[] {
  return [...commands.values()].filter(({ state }) => state === "running");
}

function usageOf({ builders }: World, style: number): Span[] {
  const builds = builders?.builds ?? [];
  return builds.length === 0
    ? []
    : [span(cpuText(builds.reduce((sum, { usage }) => sum + (usage.cpuRatio ?? 0), 0)), style)];
}
