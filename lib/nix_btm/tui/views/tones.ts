/** Signs and colours of states, the same in every view. Pure. @module */
import { type Span, span, type StyleId, type Theme } from "../../../tui/mod.ts";
import type { JobRow } from "../../world.ts";

type StateKind = JobRow["state"]["kind"];

const SIGNS: Readonly<Record<StateKind, string>> = {
  running: "▶",
  waiting: "◔",
  planned: "·",
  succeeded: "✔",
  ended: "✓",
  failed: "✖",
  cancelled: "⊘",
  lost: "?",
  skipped: "–",
};

/** The colour of a state. */
export function styleOf(theme: Theme, kind: StateKind): StyleId {
  switch (kind) {
    case "running":
      return theme.accent;
    case "waiting":
    case "lost":
      return theme.warn;
    case "failed":
      return theme.bad;
    case "succeeded":
    case "ended":
      return theme.good;
    case "planned":
    case "cancelled":
    case "skipped":
      return theme.muted;
    default:
      return kind satisfies never;
  }
}

/** The sign of a state in its colour. */
export function signOf(theme: Theme, kind: StateKind): Span {
  return span(SIGNS[kind], styleOf(theme, kind));
}

const FULL = "█";
const PARTS = " ▏▎▍▌▋▊▉";

/** A bar of so many columns, in eighths. */
export function bar(ratio: number, columns: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, ratio)) * columns * 8);
  const whole = Math.floor(eighths / 8);
  const part = eighths % 8 === 0 ? "" : PARTS[eighths % 8]!;
  return (FULL.repeat(whole) + part).padEnd(columns, "░");
}

/** A host or store as it is short: `ssh-ng://builder?x=1` is `builder`. */
export function hostOf(uri: string): string {
  return uri.replace(/^[a-z-]+:\/\//, "").replace(/\?.*$/, "");
}
