/** Patterns of names: a part of one, or with `*` and `?` all of one. Pure. @module */

/** What a name has to be like: where the pattern has no `*` and no `?` it may stand anywhere in it. */
export function namePattern(pattern: string): (name: string) => boolean {
  if (!/[*?]/.test(pattern)) return (name) => name.includes(pattern);
  const parts = pattern.split(/([*?])/).map((part) =>
    part === "*" ? "[^]*" : part === "?" ? "[^]" : RegExp.escape(part)
  );
  // Stars in a row are one; otherwise names of many of the same letter would take for ever.
  const whole = new RegExp(`^${parts.join("").replaceAll(/(?:\[\^\]\*)+/g, "[^]*")}$`);
  return (name) => whole.test(name);
}
