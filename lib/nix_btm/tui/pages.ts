/** What the pages over the views say, in lines: what is drawn, and how far it can be scrolled. Pure. @module */
import { type HelpLine, helpLines, padText, type Span, span, textWidth, wrapText } from "../../tui/mod.ts";
import { KEYMAP } from "./keymap.ts";
import type { Model, Overlay } from "./model.ts";
import { remember } from "./remember.ts";

export type Page = Extract<Overlay, { kind: "help" | "text" | "process" }>;

const HELP_COLUMNS = 76;
const TEXT_COLUMNS = 110;

/** Columns of a page with its frame. */
export function pageColumns({ width }: Model, page: Page): number {
  return Math.min(page.kind === "help" ? HELP_COLUMNS : TEXT_COLUMNS, width);
}

/** Rows of a page that are seen. */
export function pageRows({ height }: Model): number {
  return Math.max(1, height - 4);
}

/** How many lines a page has. */
export function pageLines(model: Model, page: Page): number {
  return linesOf(model, page).length;
}

/** The lines of a page. */
export function linesOf(model: Model, page: Page): readonly (readonly Span[])[] {
  const columns = Math.max(1, pageColumns(model, page) - 4);
  switch (page.kind) {
    case "help":
      return keyLines(model);
    case "text":
      return remember(
        "text",
        [page.text, columns],
        () => wrapText(page.text, columns).map((line) => [span(line)]),
      );
    case "process": {
      const environment = model.environments.get(page.key);
      return remember(
        "process",
        [page.process, environment, columns],
        () => processLines(page, environment, columns),
      );
    }
    default:
      return page satisfies never;
  }
}

/** Every key that does something now, from the keymap. */
function keyLines(model: Model): Span[][] {
  const { theme } = model;
  const lines = helpLines(KEYMAP, model);
  const keys = Math.max(0, ...lines.map((line) => line.kind === "binding" ? textWidth(line.keys) : 0));
  return lines.flatMap((line: HelpLine, at): Span[][] => {
    if (line.kind === "heading") {
      const heading = [span(line.text, theme.strong)];
      return at === 0 ? [heading] : [[], heading];
    }
    return [[span("  "), span(padText(line.keys, keys + 2), theme.key), span(line.help)]];
  });
}

function processLines(
  { process }: Extract<Page, { kind: "process" }>,
  environment: string | undefined,
  columns: number,
): Span[][] {
  const { pid, ppid, user, state, threads, command, name } = process;
  const text = [
    `pid ${pid}, parent ${ppid}, user ${user}, state ${state}, ${threads} ${
      threads === 1 ? "thread" : "threads"
    }`,
    "",
    command.join(" ") || `[${name}]`,
    "",
    environment ?? "reading its environment …",
  ].join("\n");
  return wrapText(text, columns).map((line) => [span(line)]);
}
