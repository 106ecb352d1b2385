/** Colours as a terminal can show them: how many it has, and the nearest it has. Pure. @module */
import { type Colour, components, lookOf, type StyleId } from "./style.ts";

/** No colours, 16, 256, or all. */
export type ColourDepth = "none" | 16 | 256 | "true";

/** What a program's environment says of its terminal; `terminal` tells whether there is one at all. */
export function colourDepth(
  env: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): ColourDepth {
  const { NO_COLOR = "", COLORTERM = "", TERM = "" } = env;
  // https://no-color.org: any text but the empty one.
  if (!terminal || NO_COLOR !== "" || TERM === "dumb" || TERM === "") return "none";
  if (
    /^(truecolor|24bit)$/i.test(COLORTERM) ||
    /direct$|^(xterm-)?(kitty|ghostty|alacritty|foot|wezterm)/.test(TERM)
  ) {
    return "true";
  }
  return /256/.test(TERM) ? 256 : 16;
}

/** The SGR sequence that gives a style and nothing of the one before. */
export function styleSequence(id: StyleId, depth: ColourDepth): string {
  const look = lookOf(id);
  const codes = ["0"];
  for (const [name, code] of ATTRIBUTES) if (look[name] === true) codes.push(code);
  if (look.fg !== undefined) codes.push(...colourCodes(look.fg, depth, 30));
  if (look.bg !== undefined) codes.push(...colourCodes(look.bg, depth, 40));
  return `\x1b[${codes.join(";")}m`;
}

const ATTRIBUTES = [
  ["bold", "1"],
  ["dim", "2"],
  ["italic", "3"],
  ["underline", "4"],
  ["inverse", "7"],
  ["strike", "9"],
] as const;

/** `base` is 30 for the foreground and 40 for the background. */
function colourCodes(colour: Colour, depth: ColourDepth, base: 30 | 40): string[] {
  if (depth === "none") return [];
  const parts = components(colour);
  if (parts !== undefined && depth === "true") return [`${base + 8}`, "2", ...parts.map(String)];
  const index = parts === undefined ? colour : nearest(parts, depth === 16 ? 0 : 16);
  const fitting = depth === 16 && index > 15 ? nearest(paletteRgb(index), 0) : index;
  if (fitting < 8) return [`${base + fitting}`];
  return fitting < 16 ? [`${base + 60 + fitting - 8}`] : [`${base + 8}`, "5", `${fitting}`];
}

/** Index of the nearest colour: among the 240 fixed ones from 16 on, or among the first 16. */
function nearest(wanted: readonly [number, number, number], from: 0 | 16): number {
  let best = from;
  let least = Infinity;
  for (let index = from; index < (from === 0 ? 16 : 256); index++) {
    const distance = paletteRgb(index).reduce((sum, part, at) => sum + (part - wanted[at]!) ** 2, 0);
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

const CUBE = [0, 95, 135, 175, 215, 255];

/** Components of xterm's palette; the first 16 as its defaults have them. */
function paletteRgb(index: number): readonly [number, number, number] {
  if (index < 16) {
    if (index === 7) return [229, 229, 229];
    if (index === 8) return [127, 127, 127];
    const level = index < 8 ? 205 : 255;
    return [index & 1 ? level : 0, index & 2 ? level : 0, index & 4 ? level : 0];
  }
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return [grey, grey, grey];
  }
  const at = index - 16;
  return [CUBE[Math.floor(at / 36)]!, CUBE[Math.floor(at / 6) % 6]!, CUBE[at % 6]!];
}
