/** What lies over the views: help, palette, a text, a field. Pure. @module */
import { type Area, drawField, drawPage, drawPalette } from "../../../tui/mod.ts";
import type { Model } from "../model.ts";
import { pageOf } from "../pages.ts";

/** Draws what is open. */
export function drawOverlay(area: Area, model: Model): void {
  const { overlay, theme } = model;
  switch (overlay?.kind) {
    case "palette":
      return drawPalette(area, overlay.palette, theme);
    case "help":
    case "text":
    case "process":
      return drawPage(area, pageOf(model, overlay), overlay.top, theme);
    case "field": {
      const row = area.part({ x: 0, y: area.height - 1, width: area.width, height: 1 });
      row.fill(theme.text);
      const label = overlay.of === "search" ? "search: " : "filter: ";
      row.put(1, 0, label, theme.key);
      return drawField(
        row.part({ x: 1 + label.length, y: 0, width: row.width - label.length - 2, height: 1 }),
        overlay.field,
      );
    }
  }
}
