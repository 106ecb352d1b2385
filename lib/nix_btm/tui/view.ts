/** The whole screen. Pure. @module */
import { Area, type Frame } from "../../tui/mod.ts";
import { layoutOf } from "./layout.ts";
import type { Model } from "./model.ts";
import { layOn } from "./themes.ts";
import { drawKeys, drawSummary, drawTabs } from "./views/chrome.ts";
import { VIEWS } from "./views/mod.ts";
import { drawOverlay } from "./views/overlays.ts";

/** Draws the model into an empty frame. */
export function view(model: Model, frame: Frame): void {
  const { tabs, summary, body, keys } = layoutOf(model);
  drawTabs(new Area(frame, tabs), model);
  if (summary.height > 0) drawSummary(new Area(frame, summary), model);
  if (body.width > 0 && body.height > 0) VIEWS[model.tab](new Area(frame, body), model);
  drawKeys(new Area(frame, keys), model);
  drawOverlay(frame.area(), model);
  layOn(frame, model.themeName, model.depth);
}
