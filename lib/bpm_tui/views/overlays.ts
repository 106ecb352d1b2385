/** What lies over the panels: help, palette, a text. Pure. @module */
import { type Area, drawPage, drawPalette } from "../../tui/mod.ts";
import type { Model } from "../model.ts";
import { pageOf } from "../pages.ts";

/** Draws what is open. */
export function drawOverlay(area: Area, model: Model): void {
  const { overlay, theme } = model;
  if (overlay?.kind === "palette") drawPalette(area, overlay.palette, theme);
  else if (overlay?.kind === "help" || overlay?.kind === "text") {
    drawPage(area, pageOf(model, overlay), overlay.top, theme);
  }
}
