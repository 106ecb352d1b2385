/** What depends on what, as a tree: below each service what it needs. Pure. @module */
import { type Area, drawList, putSpans, type Span, span } from "../../tui/mod.ts";
import { activeProject, type Model } from "../model.ts";
import { ICONS, type ServiceInfo, toneOf } from "../service.ts";
import { toneStyle } from "./tones.ts";

/** Draws it. */
export function drawGraph(area: Area, model: Model): void {
  const { overview, selected } = activeProject(model);
  const lines = graphLines(overview?.services ?? []);
  const top = Math.max(0, Math.min(model.graphTop, lines.length - area.height));
  drawList(area, { selected: 0, top }, lines.length, (row, index) => {
    putSpans(row, 1, 0, lineSpans(lines[index]!, model, selected), row.width - 2);
  });
}

/** One line of the tree. */
export interface GraphLine {
  readonly indent: string;
  readonly name: string;
  /** Absent when nobody has told of a service of this name. */
  readonly service?: ServiceInfo;
  /** What it has to be for the one above it. */
  readonly condition?: string;
  /** What it needs stands elsewhere already, or it needs itself. */
  readonly repeated: boolean;
}

/** The tree: first those that nobody needs; each service's needs are told once. */
export function graphLines(services: readonly ServiceInfo[]): GraphLine[] {
  const byName = new Map(services.map((each) => [each.name, each]));
  const needed = new Set(services.flatMap(({ dependsOn }) => dependsOn));
  const told = new Set<string>();
  const lines: GraphLine[] = [];
  const tell = (name: string, lead: string, branch: string, condition?: string) => {
    const service = byName.get(name);
    const needs = service?.dependsOn ?? [];
    const repeated = told.has(name) && needs.length > 0;
    lines.push({
      indent: lead + branch,
      name,
      repeated,
      ...service === undefined ? {} : { service },
      ...condition === undefined ? {} : { condition },
    });
    if (told.has(name)) return;
    told.add(name);
    const below = lead + (branch === "" ? "" : branch === "└─ " ? "   " : "│  ");
    for (const [at, need] of needs.entries()) {
      const branch = at === needs.length - 1 ? "└─ " : "├─ ";
      tell(need, below, branch, service?.conditions?.get(need));
    }
  };
  for (const { name } of services) if (!needed.has(name)) tell(name, "", "");
  // What is left stands in circles.
  for (const { name } of services) if (!told.has(name)) tell(name, "", "");
  return lines;
}

function lineSpans(line: GraphLine, model: Model, selected?: string): Span[] {
  const { indent, name, service, condition, repeated } = line;
  const { theme } = model;
  const style = name === selected ? theme.key : theme.text;
  if (service === undefined) {
    return [span(indent, theme.muted), span(`? ${name}`, style), span("  unknown", theme.bad)];
  }
  const tone = toneOf(service);
  return [
    span(indent, theme.muted),
    span(`${ICONS[tone]} `, toneStyle(theme, tone)),
    span(name, style),
    span(`  ${service.state}${service.ready === true ? ", ready" : ""}`, theme.muted),
    span(condition === undefined ? "" : `  ← ${condition}`, theme.info),
    span(repeated ? "  (see above)" : "", theme.muted),
  ];
}
