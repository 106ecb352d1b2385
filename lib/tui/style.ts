/**
 * Styles: colours and attributes, each set of them a number that fits into a cell. Pure but for the table of what was
 * seen, which only grows and whose numbers mean the same everywhere in a process.
 * @module
 */

/**
 * A colour as a number: an index into the terminal's own palette (0 to 255, of which the first 16 follow the user's
 * theme), or `rgb`.
 */
export type Colour = number;

/** Marks colours that are given by their components. */
const RGB = 0x100_0000;

/** A colour by its components, 0 to 255. */
export function rgb(red: number, green: number, blue: number): Colour {
  return RGB | (red << 16) | (green << 8) | blue;
}

/** The components of a colour made by `rgb`; `undefined` for an index. */
export function components(colour: Colour): readonly [red: number, green: number, blue: number] | undefined {
  return colour < RGB ? undefined : [(colour >> 16) & 0xff, (colour >> 8) & 0xff, colour & 0xff];
}

/** The first eight colours of every terminal; `BRIGHT` and one of them is its brighter form. */
export const BLACK = 0;
export const RED = 1;
export const GREEN = 2;
export const YELLOW = 3;
export const BLUE = 4;
export const MAGENTA = 5;
export const CYAN = 6;
export const WHITE = 7;
export const BRIGHT = 8;

/** What a cell looks like. Without a colour it has the terminal's own. */
export interface Style {
  readonly fg?: Colour;
  readonly bg?: Colour;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
  readonly strike?: boolean;
}

/** The number of a style; 0 is the terminal's own look. */
export type StyleId = number;

/** The terminal's own look. */
export const PLAIN: StyleId = 0;

/** So many different styles are told apart in a process; those beyond look plain. */
export const MAX_STYLES = 65_536;

const styles: Style[] = [{}];
const ids = new Map<string, StyleId>([[keyOf({}), PLAIN]]);

/** The number of a style, the same for equal styles. */
export function style(look: Style): StyleId {
  const key = keyOf(look);
  const known = ids.get(key);
  if (known !== undefined) return known;
  if (styles.length === MAX_STYLES) return PLAIN;
  ids.set(key, styles.length);
  return styles.push({ ...look }) - 1;
}

/** The style of a number. */
export function lookOf(id: StyleId): Style {
  return styles[id] ?? {};
}

/**
 * A style over another: what `over` says, and else what `id` says. Under an inverse style colours go: they would become
 * patches of background.
 */
export function blend(id: StyleId, over: Style): StyleId {
  if (over.inverse !== true) return style({ ...lookOf(id), ...over });
  const { fg: _fg, bg: _bg, dim: _dim, ...rest } = lookOf(id);
  return style({ ...rest, ...over });
}

function keyOf({ fg, bg, bold, dim, italic, underline, inverse, strike }: Style): string {
  const flags = [bold, dim, italic, underline, inverse, strike].map((flag) => flag === true ? 1 : 0);
  return `${fg ?? ""},${bg ?? ""},${flags.join("")}`;
}
