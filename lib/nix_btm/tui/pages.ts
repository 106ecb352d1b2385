/** What the pages over the views say. Pure. @module */
import { helpPage, type Page, type Span, textPage } from "../../tui/mod.ts";
import { KEYMAP } from "./keymap.ts";
import type { Model, Overlay } from "./model.ts";
import { remember } from "./remember.ts";

/** Overlays that are pages. */
export type PageOverlay = Extract<Overlay, { kind: "help" | "text" | "process" }>;

const HELP_COLUMNS = 76;
const TEXT_COLUMNS = 110;

/** The page that is open. */
export function pageOf(model: Model, overlay: PageOverlay): Page {
  const columns = Math.min(overlay.kind === "help" ? HELP_COLUMNS : TEXT_COLUMNS, model.width);
  switch (overlay.kind) {
    case "help":
      return { title: "keys", columns, lines: helpPage(KEYMAP, model, model.theme) };
    case "text": {
      const { title, text } = overlay;
      return { title, columns, lines: remember("text", [text, columns], () => textPage(text, columns)) };
    }
    case "process": {
      const { key, process } = overlay;
      const environment = model.environments.get(key);
      const lines = remember(
        "process",
        [process, environment, columns],
        () => processLines(overlay, environment, columns),
      );
      return { title: `process ${process.pid}`, columns, lines };
    }
    default:
      return overlay satisfies never;
  }
}

function processLines(
  { process }: Extract<PageOverlay, { kind: "process" }>,
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
  return textPage(text, columns);
}
