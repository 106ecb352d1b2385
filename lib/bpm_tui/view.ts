/** The whole screen. Pure. @module */
import { Area, type Frame } from "../tui/mod.ts";
import { layoutOf } from "./layout.ts";
import type { Model } from "./model.ts";
import { VIEWS } from "./views/mod.ts";
import { drawOverlay } from "./views/overlays.ts";

/** Draws the model into an empty frame. */
export function view(model: Model, frame: Frame): void {
  const layout = layoutOf(model);
  for (const { at, draw } of VIEWS) {
    const rect = at(layout);
    if (rect.width > 0 && rect.height > 0) draw(new Area(frame, rect), model);
  }
  drawOverlay(frame.area(), model);
}
