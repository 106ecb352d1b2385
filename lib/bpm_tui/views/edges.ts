/** The rows above and below the panels: projects, what is wrong, keys and news. Pure. @module */
import {
  type Area,
  drawField,
  keyLabel,
  offered,
  putSpans,
  type Span,
  span,
  spansWidth,
  textWidth,
} from "../../tui/mod.ts";
import { KEYMAP } from "../keymap.ts";
import { activeProject, type Model } from "../model.ts";
import { nameOf, projectSpans } from "./places.ts";

/** The projects, where there are several. */
export function drawProjects(area: Area, model: Model): void {
  putSpans(area, 0, 0, projectSpans(model), area.width);
}

/** A server that does not answer. */
export function drawBanner(area: Area, model: Model): void {
  const { link, url, overview } = activeProject(model);
  if (link.kind !== "away") return;
  const { theme } = model;
  const seconds = Math.max(0, Math.ceil((link.retryMs - model.nowMs) / 1_000));
  const again = activeProject(model).polling === undefined && seconds > 0
    ? `again in ${seconds} s`
    : "trying …";
  area.fill(theme.alert);
  const old = overview === undefined ? "" : " · what is shown is old";
  putSpans(
    area,
    1,
    0,
    [span(`✗ ${nameOf(url)}: ${link.reason} · ${again}${old}`, theme.alert)],
    area.width - 2,
  );
}

/** Keys that can be pressed, news, or a field that is typed in. */
export function drawBar(area: Area, model: Model): void {
  const { theme, overlay, notice } = model;
  if (overlay?.kind === "search" || overlay?.kind === "input") {
    const label = overlay.kind === "search" ? "/" : `to ${overlay.service} › `;
    area.put(0, 0, label, theme.key);
    const from = textWidth(label);
    const hint = overlay.kind === "search" ? "↵ keep  ▲▼ matches  Esc drop" : "↵ send  Esc drop";
    const room = area.width - from - textWidth(hint) - 1;
    drawField(
      area.part({ x: from, y: 0, width: room > 10 ? room : area.width - from, height: 1 }),
      overlay.field,
    );
    if (room > 10) area.put(area.width - textWidth(hint), 0, hint, theme.muted);
    return;
  }
  if (overlay?.kind === "attach") {
    const text = ` attached to ${overlay.service}: keys go to it `;
    const end = area.put(0, 0, text, theme.match);
    putSpans(area, end + 1, 0, [span("^]", theme.key), span(" detach", theme.muted)]);
    return;
  }
  let x = 1;
  if (notice !== undefined) {
    const style = { good: theme.good, bad: theme.bad, info: theme.info }[notice.tone];
    const icon = { good: "✔", bad: "✗", info: "·" }[notice.tone];
    x = putSpans(area, 1, 0, [span(`${icon} ${notice.text}`, style)], area.width - 12) + 3;
  }
  const keys = barSpans(model);
  // Help and quit stay where there is little room.
  const last = keys.slice(-2);
  const lastWidth = last.reduce((sum, each) => sum + spansWidth(each), 0) + 2;
  for (const spans of keys.slice(0, -2)) {
    if (x + spansWidth(spans) + 2 + lastWidth > area.width) break;
    x = putSpans(area, x, 0, spans) + 2;
  }
  let right = area.width - lastWidth;
  if (right < x - 2) return;
  for (const spans of last) right = putSpans(area, right, 0, spans) + 2;
}

function barSpans(model: Model): Span[][] {
  const { theme } = model;
  return offered(KEYMAP, model).flatMap(({ keys, short }) =>
    short === undefined ? [] : [[span(keyLabel(keys[0]!), theme.key), span(` ${short}`, theme.muted)]]
  );
}
