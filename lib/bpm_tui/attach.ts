/** What keys are for a program that reads a terminal. Pure. @module */
import type { KeyEvent } from "../tui/mod.ts";

/** xterm's sequences of keys without a character. */
const SEQUENCES: Readonly<Record<string, string>> = {
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  home: "\x1b[H",
  end: "\x1b[F",
  insert: "\x1b[2~",
  delete: "\x1b[3~",
  pageup: "\x1b[5~",
  pagedown: "\x1b[6~",
  escape: "\x1b",
  tab: "\t",
  "shift+tab": "\x1b[Z",
  backspace: "\x7f",
};

/**
 * The text that a key sends; `undefined` for keys that send none. Enter is a carriage return on a terminal (`tty`) and a
 * newline on a pipe.
 */
export function keyText(event: KeyEvent, options: { readonly tty: boolean }): string | undefined {
  const { name, text } = event;
  if (text !== undefined) return text;
  if (name === "enter") return options.tty ? "\r" : "\n";
  const sequence = SEQUENCES[name];
  if (sequence !== undefined) return sequence;
  if (name === "ctrl+space") return "\0";
  const control = /^ctrl\+([a-z[\\\]^_])$/.exec(name)?.[1];
  if (control !== undefined) return String.fromCharCode(control.toUpperCase().charCodeAt(0) & 0x1f);
  const alt = /^alt\+(.)$/su.exec(name)?.[1];
  return alt === undefined ? undefined : `\x1b${alt}`;
}
