/**
 * What things look like, on a light or a dark terminal. Words and icons carry the meaning too: without colours nothing
 * is lost. Pure.
 * @module
 */
import type { ColourDepth } from "./colour_depth.ts";
import type { BackgroundEvent } from "./event.ts";
import {
  BLACK,
  BLUE,
  CYAN,
  GREEN,
  MAGENTA,
  RED,
  rgb,
  type Style,
  style,
  type StyleId,
  YELLOW,
} from "./style.ts";

/** Styles by what they say. */
export interface Theme {
  readonly text: StyleId;
  readonly strong: StyleId;
  /** What matters less. */
  readonly muted: StyleId;
  readonly accent: StyleId;
  readonly good: StyleId;
  readonly warn: StyleId;
  readonly bad: StyleId;
  readonly info: StyleId;
  /** Frames of panels, and of the one that has the keyboard. */
  readonly border: StyleId;
  readonly focus: StyleId;
  /** Keys in a bar or in help. */
  readonly key: StyleId;
  /** Text that a search has found, and the one of them that was gone to. */
  readonly match: StyleId;
  readonly currentMatch: StyleId;
  /** A banner that something is wrong. */
  readonly alert: StyleId;
  /** Laid over the row that is selected, and over it while another panel has the keyboard. */
  readonly selected: Style;
  readonly selectedElsewhere: Style;
}

/** The styles for a terminal; `background` is what it answered, where it did. */
export function makeTheme(depth: ColourDepth, background?: BackgroundEvent): Theme {
  const light = background !== undefined && luminance(background) > 0.5;
  const accent = light ? BLUE : CYAN;
  const shade = background !== undefined && (depth === 256 || depth === "true");
  return {
    text: style({}),
    strong: style({ bold: true }),
    muted: style({ dim: true }),
    accent: style({ fg: accent }),
    good: style({ fg: GREEN }),
    warn: style({ fg: YELLOW }),
    bad: style({ fg: RED }),
    info: style({ fg: light ? MAGENTA : BLUE }),
    border: style({ dim: true }),
    focus: style({ fg: accent }),
    key: style({ fg: accent, bold: true }),
    match: style(depth === "none" ? { underline: true, bold: true } : { fg: BLACK, bg: YELLOW }),
    currentMatch: style(
      depth === "none" ? { inverse: true, bold: true } : { fg: BLACK, bg: MAGENTA, bold: true },
    ),
    alert: style(depth === "none" ? { inverse: true } : { fg: light ? 15 : BLACK, bg: RED, bold: true }),
    selected: shade ? { bg: shaded(background, light ? 0.14 : 0.22), bold: true } : { inverse: true },
    selectedElsewhere: shade ? { bg: shaded(background, light ? 0.08 : 0.12) } : { bold: true },
  };
}

/** Relative luminance, 0 to 1 (ITU-R BT.709 weights). */
function luminance({ red, green, blue }: BackgroundEvent): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The background moved by `part` towards what stands out from it. */
function shaded(background: BackgroundEvent, part: number): number {
  const to = luminance(background) > 0.5 ? 0 : 1;
  const [red, green, blue] = [background.red, background.green, background.blue]
    .map((value) => Math.round(255 * (value + (to - value) * part)));
  return rgb(red!, green!, blue!);
}
