/** What lies over the views: help, palette, a text, a field. Pure. @module */
import {
  type Area,
  centre,
  drawField,
  drawList,
  drawPalette,
  drawPanel,
  drawScrollBar,
  putSpans,
  span,
} from "../../../tui/mod.ts";
import type { Model } from "../model.ts";
import { linesOf, type Page, pageColumns } from "../pages.ts";

export function drawOverlay(area: Area, model: Model): void {
  const { overlay, theme } = model;
  switch (overlay?.kind) {
    case "palette":
      return drawPalette(area, overlay.palette, theme);
    case "help":
      return drawPage(area, model, { page: overlay, title: "keys" });
    case "text":
      return drawPage(area, model, { page: overlay, title: overlay.title });
    case "process":
      return drawPage(area, model, { page: overlay, title: `process ${overlay.process.pid}` });
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

/** A box in the middle that can be scrolled. */
function drawPage(
  area: Area,
  model: Model,
  { page, title }: { readonly page: Page; readonly title: string },
): void {
  const { theme } = model;
  const lines = linesOf(model, page);
  const whole = { x: 0, y: 0, width: area.width, height: area.height };
  const box = area.part(centre(whole, pageColumns(model, page), Math.min(area.height - 2, lines.length + 2)));
  box.fill(theme.text);
  const footer = [span("j k scroll, any other key closes", theme.muted)];
  const inside = drawPanel(box, { title: [span(title, theme.strong)], footer, border: theme.focus });
  const top = Math.max(0, Math.min(page.top, lines.length - inside.height));
  drawList(inside, { selected: 0, top }, lines.length, (row, index) => {
    putSpans(row, 1, 0, lines[index]!, row.width - 2);
  });
  drawScrollBar(
    box.part({ x: box.width - 1, y: 1, width: 1, height: inside.height }),
    top,
    lines.length,
    theme.muted,
  );
}
