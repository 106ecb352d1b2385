/** Dividing areas. Pure. @module */
import type { Rect } from "./frame.ts";

/** A size in cells, or a share of what those leave. */
export type Size = number | { readonly share: number };

/** The rectangle cut into rows from the top. */
export function splitRows(rect: Rect, sizes: readonly Size[]): Rect[] {
  let y = rect.y;
  return lengths(rect.height, sizes).map((height) => {
    const part = { ...rect, y, height };
    y += height;
    return part;
  });
}

/** The rectangle cut into columns from the left. */
export function splitColumns(rect: Rect, sizes: readonly Size[]): Rect[] {
  let x = rect.x;
  return lengths(rect.width, sizes).map((width) => {
    const part = { ...rect, x, width };
    x += width;
    return part;
  });
}

/** A rectangle of a size in the middle of another, as far as it fits. */
export function centre(rect: Rect, width: number, height: number): Rect {
  const [w, h] = [Math.min(width, rect.width), Math.min(height, rect.height)];
  return {
    x: rect.x + Math.floor((rect.width - w) / 2),
    y: rect.y + Math.floor((rect.height - h) / 2),
    width: w,
    height: h,
  };
}

/** Whether a cell lies in a rectangle. */
export function contains(rect: Rect, x: number, y: number): boolean {
  return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
}

/** Fixed sizes first come, first served; the last share takes what rounding leaves. */
function lengths(total: number, sizes: readonly Size[]): number[] {
  let left = total;
  const fixed = sizes.map((size) => {
    if (typeof size !== "number") return undefined;
    const taken = Math.max(0, Math.min(size, left));
    left -= taken;
    return taken;
  });
  let shares = sizes.reduce<number>((sum, size) => sum + (typeof size === "number" ? 0 : size.share), 0);
  return sizes.map((size, at) => {
    if (typeof size === "number") return fixed[at]!;
    const taken = Math.round(left * size.share / shares);
    left -= taken;
    shares -= size.share;
    return taken;
  });
}
