/** What the pages over the panels say. Pure. @module */
import { helpPage, type Page, span, textPage } from "../tui/mod.ts";
import { KEYMAP } from "./keymap.ts";
import { activeProject, type Model, type Overlay } from "./model.ts";

/** Overlays that are pages. */
export type PageOverlay = Extract<Overlay, { kind: "help" | "text" }>;

const HELP_COLUMNS = 84;
const TEXT_COLUMNS = 100;

/** The page that is open. */
export function pageOf(model: Model, overlay: PageOverlay): Page {
  if (overlay.kind === "text") {
    const { title, text } = overlay;
    const columns = Math.min(TEXT_COLUMNS, model.width - 4);
    return { title, columns, lines: textPage(text, columns) };
  }
  const missing = activeProject(model).abilities.structured ? [] : [
    [],
    [span("This server speaks as the original does: what it cannot do is not shown.", model.theme.muted)],
  ];
  return {
    title: "keys",
    columns: HELP_COLUMNS,
    lines: [...helpPage(KEYMAP, model, model.theme), ...missing],
  };
}
