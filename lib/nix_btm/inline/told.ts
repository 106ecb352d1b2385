/** What is printed above: lines of builds' logs, and what Nix has to say. Pure. @module */
import { LEVEL, meaningOf } from "../../nix/mod.ts";
import { ansiSpans, BLUE, CYAN, GREEN, MAGENTA, plainText, style, YELLOW } from "../../tui/mod.ts";
import type { Line } from "./_text.ts";

/** Colours of names: no red, which is that of failures. */
const NAMES = [CYAN, GREEN, MAGENTA, BLUE, YELLOW].map((fg) => style({ fg }));

/** `hello> checking for gcc...`; a name has the same colour in all of its lines. */
export function logLine(name: string, text: string): Line {
  let sum = 0;
  for (let at = 0; at < name.length; at++) sum = (sum * 31 + name.charCodeAt(at)) >>> 0;
  return [{ text: `${name}> `, style: NAMES[sum % NAMES.length]! }, ...ansiSpans(text)];
}

/** Beginnings of what a person wrote into an expression, or has to know. */
const WORTH = /^(?:warning|trace|evaluation warning|note|hint):/;

/**
 * Whether a message of Nix is for a person who looks on. Of daemons all messages come as errors, so that their text has
 * to tell; errors are told at the end, and what is planned, built and copied is seen anyway.
 */
export function isWorthTelling(text: string, level: number): boolean {
  const plain = plainText(text);
  if (WORTH.test(plain)) return true;
  if (level !== LEVEL.warn && level !== LEVEL.notice) return false;
  return meaningOf(text).kind === "info";
}

/** What a line says that a program has written, if it is an error. */
export function errorIn(line: string): string | undefined {
  const plain = plainText(line);
  return plain.startsWith("error:") ? plain.slice("error:".length).trim() : undefined;
}

/** The lines of a message, with Nix' own colours. */
export function messageLines(text: string): Line[] {
  return text.split("\n").map((line) => ansiSpans(line));
}
