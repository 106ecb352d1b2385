/** What is common to the views: colours of states, and what turns. Pure. @module */
import type { StyleId, Theme } from "../../tui/mod.ts";
import type { Tone } from "../service.ts";

/** The style of a tone. */
export function toneStyle(theme: Theme, tone: Tone): StyleId {
  switch (tone) {
    case "good":
      return theme.good;
    case "busy":
      return theme.warn;
    case "bad":
      return theme.bad;
    case "idle":
      return theme.muted;
    default:
      return tone satisfies never;
  }
}

const TURNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const TURN_MS = 100;

/** A sign that turns. */
export function spinner(nowMs: number): string {
  return TURNS[Math.floor(nowMs / TURN_MS) % TURNS.length]!;
}
