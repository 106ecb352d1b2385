/** Where the mouse finds what is drawn: names of projects and tabs of the output. Pure. @module */
import { type Span, span, textWidth } from "../../tui/mod.ts";
import type { Layout } from "../layout.ts";
import { activeProject, type Model } from "../model.ts";
import { summaryOf } from "../service.ts";

/** Tabs of the output that there are. */
export function tabs(model: Model): ("log" | "build" | "graph")[] {
  return activeProject(model).abilities.structured ? ["log", "build", "graph"] : ["log", "build"];
}

/** The tabs as they stand in the output's upper edge, one span each. */
export function tabSpans(model: Model): Span[] {
  const { theme, tab } = model;
  return tabs(model).map((each) =>
    span(each === tab ? `[${each}]` : ` ${each} `, each === tab ? theme.key : theme.muted)
  );
}

/** The tab in a cell. */
export function tabAt(
  model: Model,
  { output }: Layout,
  x: number,
  y: number,
): "log" | "build" | "graph" | undefined {
  if (y !== output.y || output.width === 0) return undefined;
  // Behind the corner, the line and a blank.
  let column = output.x + 3;
  return tabs(model).find((tab) => {
    const begin = column;
    column += textWidth(tab) + 2;
    return x >= begin && x < column;
  });
}

/** The projects as they stand in the first row, one span each. */
export function projectSpans(model: Model): Span[] {
  const { theme } = model;
  return model.projects.map(({ url, overview, link }, at) => {
    const bad = link.kind === "away" || (overview !== undefined && summaryOf(overview).bad.size > 0);
    const text = ` ${at + 1} ${bad ? "✗ " : ""}${nameOf(url)} `;
    return span(text, at === model.active ? theme.key : bad ? theme.bad : theme.muted);
  });
}

/** The project in a cell. */
export function projectAt(model: Model, { projects }: Layout, x: number, y: number): number | undefined {
  if (projects.height === 0 || y !== projects.y) return undefined;
  let column = 0;
  const at = projectSpans(model).findIndex(({ text }) => {
    column += textWidth(text);
    return x < column;
  });
  return at < 0 ? undefined : at;
}

/** A project's address as short as it can be told. */
export function nameOf(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/\/mcp\/?$/, "");
}
