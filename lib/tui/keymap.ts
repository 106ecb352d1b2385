/** Which key means what: one list drives what keys do, the key bar, the help page and the palette. Pure. @module */
import type { KeyEvent } from "./event.ts";

/** What some keys mean in a state `S`. */
export interface Binding<A, S = unknown> {
  /** Names as `KeyEvent` has them; the first is the one that is shown. Empty for what only the palette offers. */
  readonly keys: readonly string[];
  readonly action: A;
  /** One line without a full stop. */
  readonly help: string;
  /** Heading in the help page. */
  readonly group: string;
  /** A word or two for the key bar; without it the bar does not show it. */
  readonly short?: string;
  /** Whether it can be done now; always by default. What cannot is nowhere offered. */
  readonly when?: (state: S) => boolean;
}

/** What a key means in a state; the first binding that can be done wins. */
export function actionFor<A, S>(
  keymap: readonly Binding<A, S>[],
  event: KeyEvent,
  state: S,
): A | undefined {
  return keymap.find((each) => each.keys.includes(event.name) && can(each, state))?.action;
}

/** The bindings that can be done in a state. */
export function offered<A, S>(keymap: readonly Binding<A, S>[], state: S): Binding<A, S>[] {
  return keymap.filter((each) => can(each, state));
}

function can<A, S>({ when }: Binding<A, S>, state: S): boolean {
  return when === undefined || when(state);
}

/** Lines of a help page: headings, and keys with what they do. */
export type HelpLine =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "binding"; readonly keys: string; readonly help: string };

/** The help page of what can be done, by group in the order of their first binding. */
export function helpLines<A, S>(keymap: readonly Binding<A, S>[], state: S): HelpLine[] {
  const groups = new Map<string, HelpLine[]>();
  for (const { keys, help, group } of offered(keymap, state)) {
    if (keys.length === 0) continue;
    const lines = groups.get(group) ?? [];
    lines.push({ kind: "binding", keys: keys.map(keyLabel).join(" "), help });
    groups.set(group, lines);
  }
  return [...groups].flatMap(([text, lines]) => [{ kind: "heading", text } as const, ...lines]);
}

/** How a key is written for a person. */
export function keyLabel(name: string): string {
  const parts = /^((?:ctrl\+|alt\+|shift\+)*)(.+)$/s.exec(name);
  const [, before = "", key = name] = parts ?? [];
  return before.replace("ctrl+", "^").replace("alt+", "M-").replace("shift+", "⇧") + (LABELS[key] ?? key);
}

const LABELS: Readonly<Record<string, string>> = {
  up: "▲",
  down: "▼",
  left: "◀",
  right: "▶",
  enter: "↵",
  escape: "Esc",
  tab: "Tab",
  space: "Space",
  backspace: "⌫",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
  delete: "Del",
};
