/** The panel of the service that is selected. Pure. @module */
import {
  type Area,
  bytesText,
  cpuText,
  drawPanel,
  durationText,
  putSpans,
  type Span,
  span,
  sparkline,
  type Theme,
  wrapText,
} from "../../tui/mod.ts";
import { activeProject, jobOf, type Model, selectedService } from "../model.ts";
import { ICONS, type ServiceInfo, toneOf } from "../service.ts";
import { USAGE_POLLS, usageOf } from "../usage_history.ts";
import { cpuBars, uptimeText } from "./services.ts";
import { spinner, toneStyle } from "./tones.ts";

/** Draws it. */
export function drawDetails(area: Area, model: Model): void {
  const { theme } = model;
  const service = selectedService(activeProject(model));
  const name = service === undefined
    ? []
    : [span("details: ", theme.muted), span(service.name, theme.strong)];
  const inside = drawPanel(area, {
    title: name.length === 0 ? [span("details", theme.muted)] : name,
    border: theme.border,
  });
  if (service === undefined) return;
  detailLines(service, model, inside.width - 2).slice(0, inside.height)
    .forEach((line, y) => putSpans(inside, 1, y, line, inside.width - 2));
}

/** Rows for the reason of the way in which a service is replaced. */
const SWAP_ROWS = 3;
/** Columns of the names at the left. */
const LABEL = 9;

function detailLines(service: ServiceInfo, model: Model, width: number): Span[][] {
  const { theme } = model;
  const project = activeProject(model);
  const tone = toneOf(service);
  const uptime = uptimeText(service, model, project);
  const alive = tone === "good" || tone === "busy";
  const ready = !alive || service.ready === undefined ? "" : service.ready ? ", ready" : ", not ready yet";
  const line = (label: string, text: string, style = theme.text): Span[] => [
    span(label.padEnd(LABEL), theme.muted),
    span(text, style),
  ];
  const lines: Span[][] = [[
    span(`${ICONS[tone]} ${service.state}${ready}`, toneStyle(theme, tone)),
    span(uptime === undefined ? "" : `  up ${uptime}`, theme.text),
    span(service.pid === undefined ? "" : `  pid ${service.pid}`, theme.muted),
  ]];
  const job = jobOf(model, model.active, service.name);
  if (job !== undefined) {
    const since = durationText(model.nowMs - job.startedMs);
    lines.push([span(`${spinner(model.nowMs)} ${job.verb} is under way, ${since}`, theme.warn)]);
  }
  const outcome = model.outcomes.get(`${model.active} ${service.name}`);
  if (outcome !== undefined) {
    const rows = wrapText(`${outcome.ok ? "✔" : "✗"} ${outcome.text}`, width).slice(0, 3);
    lines.push(...rows.map((text) => [span(text, outcome.ok ? theme.good : theme.bad)]));
  }
  if (service.url !== undefined) lines.push(line("url", service.url, theme.accent));
  if (service.startsInMs !== undefined) {
    const leftMs = service.startsInMs - Math.max(0, model.nowMs - project.overviewMs);
    lines.push(line("next", `in ${durationText(leftMs)}`));
  }
  lines.push(...usageLines(service, model, width));
  if (service.dependsOn.length > 0) lines.push(line("needs", service.dependsOn.join(", ")));
  if (service.restarts !== undefined && service.restarts > 0) {
    lines.push(line("restarts", String(service.restarts)));
  }
  if (service.exit !== undefined && tone !== "good") {
    lines.push(line("exit", service.exit, service.exit === "0" ? theme.text : theme.bad));
  }
  if (service.crashes > 0) lines.push(line("crashes", String(service.crashes), theme.bad));
  const kept = [count(service.instances, "log"), count(service.builds, "build")].filter((text) =>
    text !== ""
  );
  if (kept.length > 0) lines.push(line("kept", kept.join(", ")));
  if (service.events.length > 0) {
    lines.push([span("events", theme.muted)]);
    lines.push(...service.events.map((event) => eventLine(event, theme)));
  }
  if (service.swap !== undefined) lines.push(...swapLines(service.swap, width - LABEL, line));
  return lines;
}

/** How restarts lose no request, and why in that way. */
function swapLines(
  { way, reason }: NonNullable<ServiceInfo["swap"]>,
  width: number,
  line: (label: string, text: string) => Span[],
): Span[][] {
  const rows = wrapText(reason === "" ? way : `${way}: ${reason}`, Math.max(1, width)).slice(0, SWAP_ROWS);
  return rows.map((text, at) => line(at === 0 ? "swap" : "", text));
}

/** Upstream's sentences, as short as they can be told: `Crashed at TIME (exit code: Some(101))`. */
function eventLine(event: string, theme: Theme): Span[] {
  const [, what, at, code] =
    /^(Started|Crashed|Stopped) at (.*?)(?: UTC)?(?: \(exit code: (.*)\))?$/.exec(event) ?? [];
  if (what === undefined) return [span(`  ${event}`, theme.text)];
  const tone = ({ Started: "good", Crashed: "bad", Stopped: "idle" } as const)[what] ?? "idle";
  const exit = /^Some\((-?\d+)\)$/.exec(code ?? "")?.[1];
  return [
    span(`  ${ICONS[tone]} `, toneStyle(theme, tone)),
    span(at ?? "", theme.text),
    span(code === undefined ? "" : exit === undefined ? "  exit unknown" : `  exit ${exit}`, theme.bad),
  ];
}

function count(value: number | undefined, word: string): string {
  return value === undefined ? "" : `${value} ${word}${value === 1 ? "" : "s"}`;
}

/** Above the most memory that was used, so that what stays the same is no full block. */
const MEMORY_ROOM = 1.5;
/** Columns of the numbers before the bars. */
const NUMBER = 6;

/** CPU and memory now, and how they were until now. */
function usageLines({ name, cpuRatio, memoryBytes }: ServiceInfo, model: Model, width: number): Span[][] {
  const { theme } = model;
  const project = activeProject(model);
  const source = project.overview?.usageSource === "agent" ? "  agent" : "";
  const columns = Math.max(0, Math.min(USAGE_POLLS, width - LABEL - NUMBER - 2 - source.length));
  const line = (label: string, text: string, bars: string, more: string): Span[] => [
    span(label.padEnd(LABEL), theme.muted),
    span(`${text.padEnd(NUMBER)}  `, theme.text),
    span(bars.trimStart(), theme.accent),
    span(more, theme.muted),
  ];
  const lines: Span[][] = [];
  if (cpuRatio !== undefined) {
    lines.push(line("cpu", cpuText(cpuRatio), cpuBars(project, name, columns), source));
  }
  if (memoryBytes !== undefined) {
    const values = usageOf(project.usage, name, "memory").slice(-columns);
    const max = MEMORY_ROOM * Math.max(...values.map((value) => value ?? 0));
    lines.push(line("memory", bytesText(memoryBytes), sparkline(values, columns, { max }), ""));
  }
  return lines;
}
