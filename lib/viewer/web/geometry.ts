/** Where a plot's area lies within its canvas: the same for every chart, so that their times stand under each other. @module */

import { timeTicks } from "./format.ts";

export const LEFT = 54;
export const RIGHT = 12;
export const TOP = 8;
export const BOTTOM = 22;

/** Height of a plot in CSS pixels. */
export const HEIGHT = 176;

/** Text on axes. */
export const AXIS_FONT_PX = 11;
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

/** Pixels between ticks of the time axis, at least. */
const TIME_TICK_PX = 88;

/** What all plots need to know of the moment. */
export interface Frame {
  readonly width: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** The pixel of a time. */
export function xOf(ms: number, { width, startMs, endMs }: Frame): number {
  return LEFT + (ms - startMs) / (endMs - startMs) * (width - LEFT - RIGHT);
}

/** The time at a pixel, within the plot. */
export function timeOf(x: number, { width, startMs, endMs }: Frame): number {
  const share = (x - LEFT) / Math.max(1, width - LEFT - RIGHT);
  return startMs + Math.max(0, Math.min(1, share)) * (endMs - startMs);
}

/** Half the width of a label of the time axis. */
const TIME_LABEL_PX = 25;

/** Times of the ticks of the time axis, but for those whose labels would be cut off at the right. */
export function frameTicks(frame: Frame): number[] {
  const count = Math.max(2, Math.floor((frame.width - LEFT - RIGHT) / TIME_TICK_PX));
  return timeTicks(frame.startMs, frame.endMs, count).filter((ms) =>
    xOf(ms, frame) <= frame.width - TIME_LABEL_PX
  );
}
