/** What lies over the panels: help, palette, a text. Pure. @module */
import {
  type Area,
  centre,
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
} from "../../tui/mod.ts";
import { KEYMAP } from "../keymap.ts";
import { activeProject, type Model } from "../model.ts";

/** Draws what is open. */
export function drawOverlay(area: Area, model: Model): void {
  const { overlay } = model;
  if (overlay?.kind === "palette") drawPalette(area, overlay.palette, model.theme);
  else if (overlay?.kind === "help") drawHelp(area, model, overlay.top);
  else if (overlay?.kind === "text") drawText(area, model, overlay.title, overlay.text, overlay.top);
}

const HELP_COLUMNS = 84;

/** Every key that does something now, from the keymap. */
function drawHelp(area: Area, model: Model, top: number): void {
  const { theme } = model;
  const lines = helpLines(KEYMAP, model);
  const keys = Math.max(...lines.map((line) => line.kind === "binding" ? textWidth(line.keys) : 0));
  const missing = activeProject(model).abilities.structured
    ? []
    : ["", "This server speaks as the original does: what it cannot do is not shown."];
  const drawLine = (row: Area, line: HelpLine | string) => {
    if (typeof line === "string") row.put(1, 0, line, theme.muted);
    else if (line.kind === "heading") row.put(1, 0, line.text, theme.strong);
    else putSpans(row, 3, 0, [span(padText(line.keys, keys + 2), theme.key), span(line.help)], row.width - 4);
  };
  const all: (HelpLine | string)[] = [];
  for (const line of lines) {
    if (line.kind === "heading" && all.length > 0) all.push("");
    all.push(line);
  }
  all.push(...missing);
  drawPage(area, model, { title: "keys", top, lines: all.length, columns: HELP_COLUMNS }, (row, index) => {
    drawLine(row, all[index]!);
  });
}

const TEXT_COLUMNS = 100;

function drawText(area: Area, model: Model, title: string, text: string, top: number): void {
  const columns = Math.min(TEXT_COLUMNS, area.width - 4);
  const lines = wrapText(text, columns - 4);
  drawPage(area, model, { title, top, lines: lines.length, columns }, (row, index) => {
    row.put(1, 0, lines[index]!);
  });
}

/** A box in the middle that can be scrolled. */
function drawPage(
  area: Area,
  { theme }: Model,
  page: { readonly title: string; readonly top: number; readonly lines: number; readonly columns: number },
  draw: (row: Area, index: number) => void,
): void {
  const whole = { x: 0, y: 0, width: area.width, height: area.height };
  const box = area.part(centre(whole, page.columns, Math.min(area.height - 2, page.lines + 2)));
  box.fill(theme.text);
  const footer = [span("j k scroll, any other key closes", theme.muted)];
  const inside = drawPanel(box, { title: [span(page.title, theme.strong)], footer, border: theme.focus });
  const top = Math.max(0, Math.min(page.top, page.lines - inside.height));
  drawList(inside, { selected: 0, top }, page.lines, draw);
  const edge = box.part({ x: box.width - 1, y: 1, width: 1, height: inside.height });
  drawScrollBar(edge, top, page.lines, theme.muted);
}
