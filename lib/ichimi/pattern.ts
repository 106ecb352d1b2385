/** Patterns of names: a part of one, or with `*` and `?` all of one. Pure. @module */
import { linearRegExp } from "../regex/mod.ts";

/** What a name has to be like: where the pattern has no `*` and no `?` it may stand anywhere in it. */
export function namePattern(pattern: string): (name: string) => boolean {
  return /[*?]/.test(pattern) ? wholePattern(pattern) : (name) => name.includes(pattern);
}

/** What all of a text has to be like: `*` stands for anything, `?` for one character. */
export function wholePattern(pattern: string): (text: string) => boolean {
  const parts = pattern.split(/([*?])/).map((part) =>
    part === "*" ? "[^]*" : part === "?" ? "[^]" : RegExp.escape(part)
  );
  // Stars in a row are one; otherwise texts of many of the same letter would take for ever.
  const whole = linearRegExp(`^${parts.join("").replaceAll(/(?:\[\^\]\*)+/g, "[^]*")}$`);
  return (text) => whole.test(text);
}
