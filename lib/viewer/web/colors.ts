/** Colours of series and of heatmaps, for both themes. @module */

import type { Severity } from "../../events/mod.ts";

export type Theme = "light" | "dark";

/** Of marks, and of whatever else is as bad as they are. */
export const SEVERITY_COLORS: Readonly<Record<Theme, Readonly<Record<Severity, string>>>> = {
  dark: { info: "#94a3b8", warning: "#fbbf24", error: "#f87171" },
  light: { info: "#64748b", warning: "#d97706", error: "#dc2626" },
};

/** Told apart also by those who see fewer colours; ordered so that neighbours differ. */
const SERIES: Readonly<Record<Theme, readonly string[]>> = {
  dark: [
    "#2dd4bf",
    "#818cf8",
    "#fbbf24",
    "#f472b6",
    "#60a5fa",
    "#a3e635",
    "#fb923c",
    "#c084fc",
    "#22d3ee",
    "#f87171",
  ],
  light: [
    "#0d9488",
    "#4f46e5",
    "#d97706",
    "#db2777",
    "#2563eb",
    "#65a30d",
    "#ea580c",
    "#9333ea",
    "#0891b2",
    "#dc2626",
  ],
};

/** Percentiles are one thing getting worse: one hue family from calm to hot. */
const PERCENTILES: Readonly<Record<Theme, readonly string[]>> = {
  dark: ["#2dd4bf", "#60a5fa", "#c084fc", "#fb7185"],
  light: ["#0d9488", "#2563eb", "#9333ea", "#e11d48"],
};

/** The colour of series `index`. */
export function seriesColor(index: number, theme: Theme, ranked: boolean): string {
  const palette = ranked ? PERCENTILES[theme] : SERIES[theme];
  return palette[index % palette.length]!;
}

/** A colour with an opacity. */
export function faded(color: string, opacity: number): string {
  return color + Math.round(opacity * 255).toString(16).padStart(2, "0");
}

/** From nothing to most; the first stop is the card itself, so that an idle host is a quiet page. */
const HEAT: Readonly<Record<Theme, readonly [number, number, number][]>> = {
  dark: [[20, 24, 31], [24, 52, 78], [21, 94, 117], [19, 148, 136], [86, 197, 120], [201, 226, 82], [
    254,
    240,
    138,
  ]],
  light: [[246, 248, 250], [214, 233, 240], [147, 205, 215], [61, 161, 178], [29, 110, 150], [39, 60, 117], [
    45,
    20,
    80,
  ]],
};

const tables = new Map<Theme, Uint32Array>();

/** 256 colours as ABGR words, ready for `ImageData`. */
export function heatColors(theme: Theme): Uint32Array {
  const known = tables.get(theme);
  if (known !== undefined) return known;
  const stops = HEAT[theme];
  const table = Uint32Array.from({ length: 256 }, (_, i) => {
    const at = i / 255 * (stops.length - 1);
    const low = stops[Math.floor(at)]!;
    const high = stops[Math.min(stops.length - 1, Math.floor(at) + 1)]!;
    const mix = (c: 0 | 1 | 2) => Math.round(low[c] + (high[c] - low[c]) * (at - Math.floor(at)));
    return (0xff000000 | mix(2) << 16 | mix(1) << 8 | mix(0)) >>> 0;
  });
  tables.set(theme, table);
  return table;
}

/** The scale of a heatmap as a CSS gradient. */
export function heatGradient(theme: Theme): string {
  return `linear-gradient(90deg, ${HEAT[theme].map(([r, g, b]) => `rgb(${r} ${g} ${b})`).join(", ")})`;
}
