/** A line of text that is typed. Pure. @module */
import type { Area } from "./frame.ts";
import type { TerminalEvent } from "./event.ts";
import { PLAIN, type StyleId } from "./style.ts";
import { clusters, textWidth } from "./width.ts";

/** Typed text, as characters that a person sees, and the cursor before one of them. */
export interface Field {
  readonly chars: readonly string[];
  readonly cursor: number;
}

/** No more characters than this are taken. */
export const MAX_FIELD = 1_024;

/** A field that holds a text, with the cursor behind it. */
export function field(text = ""): Field {
  const chars = charsOf(text);
  return { chars, cursor: chars.length };
}

/** The text of a field. */
export function fieldText({ chars }: Field): string {
  return chars.join("");
}

/** The field after a key or pasted text; `undefined` when it means nothing to a field. Keys are those of readline. */
export function editField(before: Field, event: TerminalEvent): Field | undefined {
  if (event.kind === "paste") return insert(before, event.text.replaceAll("\n", " "));
  if (event.kind !== "key") return undefined;
  if (event.text !== undefined) return insert(before, event.text);
  const { chars, cursor } = before;
  switch (event.name) {
    case "backspace":
    case "ctrl+h":
      return remove(before, cursor - 1, cursor);
    case "delete":
    case "ctrl+d":
      return remove(before, cursor, cursor + 1);
    case "ctrl+w":
    case "alt+backspace":
      return remove(before, wordStart(before), cursor);
    case "ctrl+u":
      return remove(before, 0, cursor);
    case "ctrl+k":
      return remove(before, cursor, chars.length);
    case "left":
    case "ctrl+b":
      return { chars, cursor: Math.max(0, cursor - 1) };
    case "right":
    case "ctrl+f":
      return { chars, cursor: Math.min(chars.length, cursor + 1) };
    case "ctrl+left":
    case "alt+b":
      return { chars, cursor: wordStart(before) };
    case "ctrl+right":
    case "alt+f":
      return { chars, cursor: wordEnd(before) };
    case "home":
    case "ctrl+a":
      return { chars, cursor: 0 };
    case "end":
    case "ctrl+e":
      return { chars, cursor: chars.length };
    default:
      return undefined;
  }
}

/** Draws a field in one row, scrolled so that the cursor is seen, and shows the cursor. */
export function drawField(area: Area, { chars, cursor }: Field, style: StyleId = PLAIN): void {
  const before = textWidth(chars.slice(0, cursor).join(""));
  const shift = Math.max(0, before - area.width + 1);
  area.put(-shift, 0, chars.join(""), style);
  area.showCursor(before - shift, 0);
}

function charsOf(text: string): string[] {
  return [...clusters(text)].map((cluster) => cluster.text).slice(0, MAX_FIELD);
}

/** The text is taken apart anew: a mark that is typed joins the character before it. */
function insert({ chars, cursor }: Field, text: string): Field {
  const before = charsOf(chars.slice(0, cursor).join("") + text);
  return { chars: [...before, ...chars.slice(cursor)].slice(0, MAX_FIELD), cursor: before.length };
}

function remove({ chars, cursor }: Field, from: number, to: number): Field {
  const start = Math.max(0, from);
  return {
    chars: [...chars.slice(0, start), ...chars.slice(to)],
    cursor: cursor > start ? Math.max(start, cursor - (to - start)) : cursor,
  };
}

function wordStart({ chars, cursor }: Field): number {
  let at = cursor;
  while (at > 0 && chars[at - 1] === " ") at--;
  while (at > 0 && chars[at - 1] !== " ") at--;
  return at;
}

function wordEnd({ chars, cursor }: Field): number {
  let at = cursor;
  while (at < chars.length && chars[at] === " ") at++;
  while (at < chars.length && chars[at] !== " ") at++;
  return at;
}
