/** Signs and colours of what is shown; the signs alone tell it as well. Pure. @module */
import { BLUE, CYAN, GREEN, MAGENTA, RED, style, type StyleId, YELLOW } from "../../tui/mod.ts";

/** Colours of the terminal's own palette: they fit light and dark ones. */
export const LOOKS = {
  plain: style({}),
  muted: style({ dim: true }),
  name: style({ bold: true }),
  running: style({ fg: YELLOW }),
  done: style({ fg: GREEN }),
  failed: style({ fg: RED, bold: true }),
  planned: style({ fg: BLUE }),
  moving: style({ fg: CYAN }),
  phase: style({ fg: MAGENTA }),
} as const satisfies Record<string, StyleId>;

/** As nom has them. */
export const SIGNS = {
  running: "⏵",
  done: "✔",
  failed: "⚠",
  planned: "⏸",
  stopped: "⏹",
  download: "↓",
  upload: "↑",
  average: "∅",
  elapsed: "⏱",
} as const;
