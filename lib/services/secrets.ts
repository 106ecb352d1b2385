/** Values of environment files, and how they are kept out of logs and answers. Pure. @module */

/** What is shown instead. */
const MASK = "***";
/** Shorter values ("1", "yes") stand in too many lines by chance. */
const SHORTEST = 6;

/**
 * Replaces the secrets in a text, also as they stand in addresses, in JSON and, where they have several lines, line by
 * line; the text itself where there are none.
 */
export function maskerOf(secrets: readonly string[]): (text: string) => string {
  // Longer ones first: one may hold another.
  const known = [...new Set(secrets.flatMap(formsOf))].filter((each) => each.length >= SHORTEST).sort((
    a,
    b,
  ) => b.length - a.length);
  if (known.length === 0) return (text) => text;
  const pattern = new RegExp(known.map((each) => RegExp.escape(each)).join("|"), "g");
  return (text) => text.replaceAll(pattern, MASK);
}

/** How a value may stand in a text. */
function formsOf(value: string): string[] {
  if (value.length < SHORTEST) return [];
  const json = JSON.stringify(value).slice(1, -1);
  const address = encodeURIComponent(value.toWellFormed());
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return [value, json, address, address.replaceAll("%20", "+"), encodeURI(value.toWellFormed()), ...lines];
}

/**
 * Variables of an environment file: `NAME=value`, with or without `export` and quotes; lines that begin with `#` are
 * comments. Double quotes know `\n`, `\"` and `\\`. Nothing is expanded.
 * @throws {SyntaxError} Naming the line.
 */
export function parseEnvFile(text: string, file: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, name, value] = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)$/s.exec(line) ?? [];
    if (name === undefined) {
      throw new SyntaxError(`Cannot read environment ${file}:${at + 1}: expected NAME=value`);
    }
    found[name] = unquote(value!);
  }
  return found;
}

function unquote(value: string): string {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(value);
  if (single !== null) return single[1]!;
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/s.exec(value);
  if (double !== null) return double[1]!.replaceAll(/\\(.)/gs, (_, each) => each === "n" ? "\n" : each);
  return value.replace(/\s+#.*$/, "");
}
