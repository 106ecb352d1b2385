/** The list of services; only what is seen of it is drawn. Pure. @module */
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
  durationText,
  type Span,
  span,
  sparkline,
} from "../../tui/mod.ts";
import { layoutOf, listHead } from "../layout.ts";
import { activeProject, jobOf, type Model, type Project } from "../model.ts";
import {
  endsOf,
  ICONS,
  type Overview,
  type ServiceInfo,
  type Summary,
  summaryOf,
  toneOf,
} from "../service.ts";
import { usageOf } from "../usage_history.ts";
import { spinner, toneStyle } from "./tones.ts";

/** A column and what a service has in it. */
interface ServiceColumn extends Column {
  readonly cell: (service: ServiceInfo, model: Model, project: Project, width: number) => Span[];
  /** Whether any service has something in it. */
  readonly has?: (summary: Summary) => boolean;
}

/** Names have so much room at least, where one is so long. */
const NAME = { min: 8, wanted: 14, share: 0.4 } as const;

const COLUMNS: readonly ServiceColumn[] = [
  { title: "", min: 1, max: 1, rank: 0, cell: iconCell },
  { title: "name", min: NAME.min, rank: 0, cell: ({ name }, { theme }) => [span(name, theme.text)] },
  { title: "state", min: 7, max: 10, rank: 1, cell: stateCell },
  {
    title: "cpu",
    min: 5,
    max: 5,
    rank: 3,
    align: "right",
    has: ({ hasCpu }) => hasCpu,
    cell: ({ cpuRatio }, { theme }) => cpuRatio === undefined ? [] : [span(cpuText(cpuRatio), theme.text)],
  },
  {
    title: "mem",
    min: 5,
    max: 5,
    rank: 4,
    align: "right",
    has: ({ hasMemory }) => hasMemory,
    cell: ({ memoryBytes }, { theme }) =>
      memoryBytes === undefined ? [] : [span(bytesText(memoryBytes), theme.text)],
  },
  {
    title: "load",
    min: 6,
    max: 12,
    rank: 6,
    align: "right",
    has: ({ hasCpu }) => hasCpu,
    cell: (
      { name },
      { theme },
      project,
      width,
    ) => [span(cpuBars(project, name, width), theme.accent)],
  },
  {
    title: "↻",
    min: 2,
    max: 3,
    rank: 5,
    align: "right",
    has: ({ hasEnds }) => hasEnds,
    cell: (each, { theme }) => endsOf(each) === 0 ? [] : [span(String(endsOf(each)), theme.warn)],
  },
  { title: "up", min: 7, max: 7, rank: 2, align: "right", cell: uptimeCell },
];

const NOTHING: Overview = { services: [] };

/** Draws it. */
export function drawServices(area: Area, model: Model): void {
  const { theme } = model;
  const project = activeProject(model);
  const services = project.overview?.services ?? [];
  const focused = model.focus === "list";
  const inside = drawPanel(area, {
    title: [span("processes", theme.strong)],
    note: services.length === 0 ? [] : [span(`${project.list.selected + 1}/${services.length}`, theme.muted)],
    border: focused ? theme.focus : theme.border,
  });
  const summary = summaryOf(project.overview ?? NOTHING);
  const nameColumns = Math.max(
    NAME.min,
    Math.min(summary.longest, Math.max(NAME.wanted, Math.floor(inside.width * NAME.share))),
  );
  const columns = COLUMNS.filter(({ has }) => has === undefined || has(summary)).map((column) =>
    column.title === "name" ? { ...column, min: nameColumns } : column
  );
  const widths = columnWidths(columns, inside.width - 2);
  const above = listHead(layoutOf(model));
  const head = inside.part({ x: 1, y: 0, width: inside.width - 2, height: above });
  drawRow(head, 0, columns, widths, columns.map(({ title }) => [span(title, theme.muted)]));
  const body = inside.part({ x: 0, y: above, width: inside.width, height: inside.height - above });
  if (services.length === 0) body.put(1, 0, emptyText(project), theme.muted);
  drawList(body, project.list, services.length, (row, index) => {
    const service = services[index]!;
    const cells = columns.map(({ cell }, at) => cell(service, model, project, widths[at]!));
    drawRow(row.part({ x: 1, y: 0, width: row.width - 2, height: 1 }), 0, columns, widths, cells);
    if (service.name !== project.selected) return;
    row.restyle(0, (id) => blend(id, focused ? theme.selected : theme.selectedElsewhere));
  });
  const edge = area.part({ x: area.width - 1, y: 1 + above, width: 1, height: body.height });
  drawScrollBar(edge, project.list.top, services.length, theme.muted);
}

/** A full bar is so much of one CPU at least, so that what hardly works looks so. */
const CPU_BAR = 0.1;

/** CPU over time as bars; a full one is the most that was used, or a little when that is less. */
export function cpuBars({ usage }: Project, name: string, columns: number): string {
  const values = usageOf(usage, name, "cpu").slice(-columns);
  return sparkline(values, columns, { max: Math.max(CPU_BAR, ...values.map((value) => value ?? 0)) });
}

function emptyText({ overview, link }: Project): string {
  if (overview !== undefined) return "no processes are defined";
  return link.kind === "away" ? "nothing is known yet" : "asking …";
}

function iconCell(service: ServiceInfo, model: Model): Span[] {
  const job = jobOf(model, model.active, service.name);
  if (job !== undefined) return [span(spinner(model.nowMs), model.theme.warn)];
  const tone = toneOf(service);
  return [span(ICONS[tone], toneStyle(model.theme, tone))];
}

const VERBS = { restart: "restarting", start: "starting", stop: "stopping" } as const;

function stateCell(service: ServiceInfo, model: Model): Span[] {
  const job = jobOf(model, model.active, service.name);
  if (job !== undefined) return [span(VERBS[job.verb], model.theme.warn)];
  const state = shortState(service);
  return [span(state, toneStyle(model.theme, toneOf(service)))];
}

/** In the seven columns that there are where there is little room. */
function shortState({ state, ready, exit }: ServiceInfo): string {
  if (state === "running" && ready === false) return "unready";
  return state === "finished" && exit === "0" ? "done" : state === "finished" ? "ended" : state;
}

/** Uptimes go on between polls; those of a service that has ended do not. */
function uptimeCell(service: ServiceInfo, model: Model, project: Project): Span[] {
  const text = uptimeText(service, model, project);
  return text === undefined ? [] : [span(text, model.theme.muted)];
}

/** How long a service has been up, now; `undefined` when it is not or nobody told. */
export function uptimeText(
  service: ServiceInfo,
  { nowMs }: Model,
  { overviewMs, abilities }: Project,
): string | undefined {
  if (service.uptimeMs === undefined || toneOf(service) === "idle" || toneOf(service) === "bad") {
    return undefined;
  }
  // Upstream tells minutes: seconds would be made up.
  if (!abilities.structured) {
    return service.uptimeMs < 60_000 ? "<1m" : durationText(service.uptimeMs).replace(/ 00s$/, "");
  }
  return durationText(service.uptimeMs + Math.max(0, nowMs - overviewMs));
}
