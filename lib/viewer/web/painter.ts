/** What draws a chart on a canvas; lines and heatmaps are the two kinds. @module */
import type { ChartDef } from "../views/mod.ts";
import type { ChartData } from "./chart_model.ts";
import type { Theme } from "./colors.ts";
import type { Frame } from "./geometry.ts";

/** All that a picture depends on. */
export interface Scene {
  readonly def: ChartDef;
  readonly data: ChartData;
  readonly frame: Frame;
  readonly theme: Theme;
  /** Names of lines that the person has switched off. */
  readonly hidden: ReadonlySet<string>;
}

/** A series as it is held by what draws it: for tests, which compare it with the API. */
export interface HeldSeries {
  readonly query: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

/** One row of the tooltip. */
export interface Reading {
  readonly name: string;
  readonly value: number;
  readonly color?: string;
}

export interface Painter {
  readonly kind: "lines" | "heat";
  draw(scene: Scene): void;
  /** What stands under the pointer: at `ms`, and `y` pixels from the top of the canvas. */
  readings(ms: number, y: number): readonly Reading[];
  held(): readonly HeldSeries[];
  destroy(): void;
}

/** Colours of axes. */
export interface Ink {
  readonly text: string;
  readonly grid: string;
  readonly card: string;
}

export const INK: Readonly<Record<Theme, Ink>> = {
  dark: { text: "#7d8794", grid: "#ffffff0f", card: "#12161c" },
  light: { text: "#7a828e", grid: "#0f172a12", card: "#ffffff" },
};

/** The index of the step nearest to a time. */
export function stepAt(ms: number, steps: { startMs: number; stepMs: number; count: number }): number {
  return Math.max(0, Math.min(steps.count - 1, Math.round((ms - steps.startMs) / steps.stepMs)));
}
