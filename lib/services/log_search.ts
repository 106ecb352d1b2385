/**
 * What `search_logs` and `search_build_log` answer, in upstream's words. Pure.
 *
 * A pattern selects lines, context widens the selection, then head or tail cut it. Where upstream's documents and code
 * disagree the documents hold: `tail` wins over `head`.
 * @module
 */
import { foldCase } from "./fold_case.ts";
import { translatePattern } from "./rust_pattern.ts";

/** What is asked for. Counts are of lines. */
export interface LogQuery {
  /** A regular expression, case-sensitive, that a line must match somewhere. */
  readonly pattern?: string;
  /** Lines before and after each match that are told with it. */
  readonly contextLines?: number;
  readonly head?: number;
  readonly tail?: number;
}

/** Answer for an instance without a line. */
export const EMPTY_LOG = "(empty)";
/** Answer for a pattern that selects nothing. */
export const NO_MATCH = "No matches found";

/** Before lines that match, and before those that stand around them. */
const MATCH_PREFIX = " * ";
const CONTEXT_PREFIX = "   ";

/** A pattern that is no regular expression; the message is upstream's. */
export class PatternError extends SyntaxError {
  override readonly name = "PatternError";
}

/** Index of the log instance that is meant: −1 is the newest, 0 the oldest kept. */
export class InstanceError extends RangeError {
  override readonly name = "InstanceError";
}

/**
 * The place in `count` instances, oldest first, that `index` names: negative counts from the newest.
 * @throws {InstanceError} When there is none.
 */
export function instanceAt(index: number, count: number): number {
  const at = index < 0 ? count + index : index;
  if (Number.isInteger(at) && at >= 0 && at < count) return at;
  throw new InstanceError(`Log instance ${index} not found (have ${count} instances)`);
}

/** The answer's text. @throws {PatternError} On a pattern that cannot be read. */
export function searchLog(lines: readonly string[], query: LogQuery): string {
  if (lines.length === 0) return EMPTY_LOG;
  if (query.pattern === undefined) return cut(lines, query).join("\n");
  const pattern = compilePattern(query.pattern);
  const shown = withContext(lines, (line) => pattern.test(line), query.contextLines ?? 0);
  return shown.length === 0 ? NO_MATCH : cut(shown, query).join("\n");
}

/** A regular expression in the syntax of the tools, which is Rust's. @throws {PatternError} When it is none. */
export function compilePattern(pattern: string): RegExp {
  try {
    const { source, flags } = translatePattern(pattern);
    const strict = new RegExp(source, flags.includes("v") ? flags : `${flags}u`);
    // Without Unicode V8 can go on in linear time where a pattern backtracks without end; see `RUNTIME_FLAGS`.
    if (flags.includes("v") || BEYOND_16_BITS.test(source)) return strict;
    const folded = flags.includes("i") ? foldCase(source) : undefined;
    return folded === undefined ? new RegExp(source, flags) : new RegExp(folded, flags.replace("i", ""));
  } catch (cause) {
    // Without the runtime's own words around it: `Invalid regular expression: /(/u: Unterminated group`.
    const reason = cause instanceof Error
      ? cause.message.replace(/^Invalid regular expression: \/.*\/\w*: /s, "")
      : String(cause);
    throw new PatternError(`Invalid regex pattern: ${reason}`, { cause });
  }
}

const BEYOND_16_BITS = /[\u{10000}-\u{10ffff}]/u;

/** Lines that match with those around them, each once and marked, in their order. */
function withContext(
  lines: readonly string[],
  matches: (line: string) => boolean,
  contextLines: number,
): string[] {
  const shown: string[] = [];
  /** First line that has not been told. */
  let next = 0;
  /** End of the context behind the last match. */
  let until = 0;
  const tell = (end: number) => {
    for (; next < Math.min(end, lines.length); next++) shown.push(CONTEXT_PREFIX + lines[next]!);
  };
  for (const [at, line] of lines.entries()) {
    if (!matches(line)) continue;
    tell(until);
    next = Math.max(next, at - contextLines);
    tell(at);
    shown.push(MATCH_PREFIX + line);
    next = at + 1;
    until = at + 1 + contextLines;
  }
  tell(until);
  return shown;
}

function cut(lines: readonly string[], { head, tail }: LogQuery): readonly string[] {
  if (tail !== undefined) return lines.slice(Math.max(0, lines.length - tail));
  return head === undefined ? lines : lines.slice(0, head);
}
