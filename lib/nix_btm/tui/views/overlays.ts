/** What lies over the views: help, palette, a text, a field. Pure. @module */
import {
  type Area,
  centre,
  drawField,
  drawList,
  drawPalette,
  drawPanel,
  drawScrollBar,
  type HelpLine,
  helpLines,
  padText,
  putSpans,
  span,
  textWidth,
  wrapText,
} from "../../../tui/mod.ts";
import { KEYMAP } from "../keymap.ts";
import type { Model } from "../model.ts";

const HELP_COLUMNS = 76;
const TEXT_COLUMNS = 110;

export function drawOverlay(area: Area, model: Model): void {
  const { overlay, theme } = model;
  switch (overlay?.kind) {
    case "palette":
      return drawPalette(area, overlay.palette, theme);
    case "help":
      return drawHelp(area, model, overlay.top);
    case "text": {
      const columns = Math.min(TEXT_COLUMNS, area.width - 4);
      const lines = wrapText(overlay.text, columns - 4);
      return drawPage(area, model, { ...overlay, count: lines.length, columns }, (row, index) => {
        row.put(1, 0, lines[index]!);
      });
    }
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

/** Every key that does something now, from the keymap. */
function drawHelp(area: Area, model: Model, top: number): void {
  const { theme } = model;
  const lines = helpLines(KEYMAP, model);
  const keys = Math.max(...lines.map((line) => line.kind === "binding" ? textWidth(line.keys) : 0));
  const all = lines.flatMap((line, at): (HelpLine | undefined)[] =>
    line.kind === "heading" && at > 0 ? [undefined, line] : [line]
  );
  drawPage(area, model, { title: "keys", top, count: all.length, columns: HELP_COLUMNS }, (row, index) => {
    const line = all[index];
    if (line === undefined) return;
    if (line.kind === "heading") row.put(1, 0, line.text, theme.strong);
    else putSpans(row, 3, 0, [span(padText(line.keys, keys + 2), theme.key), span(line.help)], row.width - 4);
  });
}

/** A box in the middle that can be scrolled. */
function drawPage(
  area: Area,
  { theme }: Model,
  page: { readonly title: string; readonly top: number; readonly count: number; readonly columns: number },
  draw: (row: Area, index: number) => void,
): void {
  const whole = { x: 0, y: 0, width: area.width, height: area.height };
  const box = area.part(centre(whole, page.columns, Math.min(area.height - 2, page.count + 2)));
  box.fill(theme.text);
  const footer = [span("j k scroll, any other key closes", theme.muted)];
  const inside = drawPanel(box, { title: [span(page.title, theme.strong)], footer, border: theme.focus });
  const top = Math.max(0, Math.min(page.top, page.count - inside.height));
  drawList(inside, { selected: 0, top }, page.count, draw);
  drawScrollBar(
    box.part({ x: box.width - 1, y: 1, width: 1, height: inside.height }),
    top,
    page.count,
    theme.muted,
  );
}
