/** Small charts in text. Pure. @module */

const BARS = "▁▂▃▄▅▆▇█";

/**
 * The last `columns` values as bars; a gap (`undefined`) is a blank. `max` is the value of a full bar; by default the
 * largest one shown. A value above 0 is never drawn as nothing.
 */
export function sparkline(
  values: readonly (number | undefined)[],
  columns: number,
  options: { readonly max?: number } = {},
): string {
  const shown = columns <= 0 ? [] : values.slice(-columns);
  const top = options.max ?? Math.max(0, ...shown.map((value) => value ?? 0));
  const bars = shown.map((value) => {
    if (value === undefined || !Number.isFinite(value)) return " ";
    const level = top <= 0 ? 0 : Math.round(value / top * (BARS.length - 1));
    return BARS[Math.max(value > 0 ? 1 : 0, Math.min(BARS.length - 1, level))];
  });
  return bars.join("").padStart(columns);
}
