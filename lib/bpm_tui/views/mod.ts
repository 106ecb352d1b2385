/** Every part of the screen: where it stands and what draws it. Pure. @module */
import type { Area, Rect } from "../../tui/mod.ts";
import type { Layout } from "../layout.ts";
import type { Model } from "../model.ts";
import { drawDetails } from "./details.ts";
import { drawBanner, drawBar, drawProjects } from "./edges.ts";
import { drawOutput } from "./output.ts";
import { drawServices } from "./services.ts";
import { drawStatus } from "./status.ts";

/** One part of the screen. */
export interface View {
  readonly name: string;
  readonly at: (layout: Layout) => Rect;
  readonly draw: (area: Area, model: Model) => void;
}

/** All of them; what lies over them is `overlays.ts`. */
export const VIEWS: readonly View[] = [
  { name: "projects", at: ({ projects }) => projects, draw: drawProjects },
  { name: "banner", at: ({ banner }) => banner, draw: drawBanner },
  { name: "status", at: ({ status }) => status, draw: drawStatus },
  { name: "details", at: ({ details }) => details, draw: drawDetails },
  { name: "processes", at: ({ list }) => list, draw: drawServices },
  { name: "output", at: ({ output }) => output, draw: drawOutput },
  { name: "bar", at: ({ bar }) => bar, draw: drawBar },
];
