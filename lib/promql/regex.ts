/**
 * Regexes as Prometheus has them: RE2 syntax, always anchored, `.` matches newlines. They run on the engine's
 * backtracking matcher, so what RE2 rejects is rejected, and what would backtrack without bound is refused.
 * @module
 */
import { EvaluationError } from "./error.ts";

/** A pattern longer than this is refused. */
export const MAX_PATTERN_CHARS = 4_096;

/** Bytes of subject that a pattern with nested repetition may see: bounds its backtracking. */
const NESTED_REPEAT = /\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)\s*[*+{]/;

/** The anchored regex. `where` says whose it is in the error. @throws {EvaluationError} When RE2 has no such regex. */
export function compileRegex(pattern: string, where: string): RegExp {
  const fail = (why: string): never => {
    throw new EvaluationError(`invalid regular expression in ${where}: ${pattern}: ${why}`);
  };
  if (pattern.length > MAX_PATTERN_CHARS) fail(`longer than ${MAX_PATTERN_CHARS} characters`);
  if (/(?<!\\)(?:\\\\)*\(\?(?:=|!|<=|<!)/.test(pattern)) {
    fail("invalid or unsupported Perl syntax: lookaround");
  }
  if (/(?<!\\)(?:\\\\)*\\[1-9k]/.test(pattern)) fail("invalid escape sequence: backreference");
  if (NESTED_REPEAT.test(pattern)) fail("repetition within repetition is not supported");
  try {
    return new RegExp(`^(?:${translate(pattern)})$`, "s");
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/** RE2's spellings in those of this engine: named groups, quoted text, and flags that hold to the end of their group. */
function translate(pattern: string): string {
  let text = pattern.replaceAll("(?P<", "(?<").replaceAll("\\A", "^").replaceAll("\\z", "$");
  text = text.replace(
    /\\Q([\s\S]*?)(?:\\E|$)/g,
    (_, raw: string) => raw.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
  );
  for (;;) {
    const flags = /\(\?([ims]*)(?:-([ims]+))?\)/.exec(text);
    if (flags === null) return text;
    const from = flags.index + flags[0].length;
    const end = groupEnd(text, from);
    const off = flags[2] === undefined ? "" : `-${flags[2]}`;
    text = `${text.slice(0, flags.index)}(?${flags[1]}${off}:${text.slice(from, end)})${text.slice(end)}`;
  }
}

/** Where the group that is open at `from` closes. */
function groupEnd(text: string, from: number): number {
  let depth = 0;
  let inClass = false;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (char === "\\") i++;
    else if (inClass) inClass = char !== "]";
    else if (char === "[") inClass = true;
    else if (char === "(") depth++;
    else if (char === ")" && depth-- === 0) return i;
  }
  return text.length;
}
