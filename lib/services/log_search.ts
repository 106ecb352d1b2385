/**
 * What `search_logs` and `search_build_log` answer, in upstream's words. Pure.
 *
 * A pattern selects lines by what one reads of them, colours left out; context widens the selection, then head or tail cut it. Where upstream's documents and code
 * disagree the documents hold: `tail` wins over `head`.
 * @module
 */
import { type LinePattern, linePattern, rustRegExp } from "../regex/mod.ts";
import { plainText } from "../tui/plain_text.ts";

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
const EMPTY_LOG = "(empty)";
/** Answer for a pattern that selects nothing. */
const NO_MATCH = "No matches found";

/** Before lines that match, and before those that stand around them. */
export const MATCH_PREFIX = " * ";
const CONTEXT_PREFIX = "   ";

/** What a search selects. */
export interface Selection {
  readonly lines: readonly string[];
  /** Why there is none; left out also where head or tail cut all of them off. */
  readonly none?: "empty" | "noMatch";
  /** That there were more than an answer takes. */
  readonly note?: string;
}

/** The answer's text. */
export function selectionText({ lines, none, note }: Selection): string {
  if (none === "empty") return EMPTY_LOG;
  if (none === "noMatch") return NO_MATCH;
  return [...note === undefined ? [] : [note], ...lines].join("\n");
}

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
  const search = new LineSearch(query);
  for (const line of lines) search.take(line);
  return selectionText(search.selection);
}

/** Characters of an answer: nobody reads more at once, and all others would wait while it is written. */
const MOST_CHARS = 4 * 2 ** 20;

/** A search that is told line after line, and keeps what the answer may need: of a log of 100 MB the last line, when that is asked for. */
export class LineSearch {
  readonly #query: LogQuery;
  readonly #pattern: LinePattern | undefined;
  /** Lines that may stand before a match yet to come. */
  #before: string[] = [];
  /** So many lines more belong to the match before. */
  #after = 0;
  #kept: string[] = [];
  #chars = 0;
  /** Lines that were found, and are too many for an answer. */
  #leftOut = 0;
  #isEmpty = true;

  /** @throws {PatternError} On a pattern that cannot be read. */
  constructor(query: LogQuery) {
    this.#query = query;
    this.#pattern = query.pattern === undefined ? undefined : compileLinePattern(query.pattern);
  }

  take(line: string): void {
    this.#isEmpty = false;
    const { contextLines = 0 } = this.#query;
    if (this.#pattern === undefined) this.#keep(line);
    else if (this.#pattern.test(line.includes("\x1b") ? plainText(line) : line)) {
      for (const each of lastOf(this.#before, contextLines)) this.#keep(CONTEXT_PREFIX + each);
      this.#before = [];
      this.#keep(MATCH_PREFIX + line);
      this.#after = contextLines;
    } else if (this.#after > 0) {
      this.#keep(CONTEXT_PREFIX + line);
      this.#after--;
    } else if (contextLines > 0) {
      this.#before.push(line);
      if (this.#before.length >= 2 * contextLines + SPARE) this.#before = lastOf(this.#before, contextLines);
    }
  }

  get selection(): Selection {
    if (this.#isEmpty) return { lines: [], none: "empty" };
    if (this.#pattern !== undefined && this.#kept.length === 0) return { lines: [], none: "noMatch" };
    const { head, tail } = this.#query;
    if (tail !== undefined) this.#keepLast(tail);
    this.#letGo();
    const lines = this.#keepsFirst ? this.#kept.slice(0, head) : this.#kept;
    const isCut = this.#leftOut > 0 && lines.length < (tail ?? head ?? Infinity);
    return { lines, ...isCut ? { note: this.#note } : {} };
  }

  get #note(): string {
    const which = this.#keepsFirst ? "first" : "last";
    return `(the ${which} ${this.#kept.length} lines: all would be more than ${MOST_CHARS} characters; ` +
      "ask for fewer, with pattern, head or tail)";
  }

  get #keepsFirst(): boolean {
    return this.#query.head !== undefined && this.#query.tail === undefined;
  }

  #keep(line: string): void {
    const { head = 0, tail } = this.#query;
    // One more than is asked for tells that there was something.
    if (this.#keepsFirst && (this.#leftOut > 0 || this.#kept.length > head)) return;
    if (this.#keepsFirst && this.#chars + line.length > MOST_CHARS) {
      this.#leftOut++;
      return;
    }
    this.#kept.push(line);
    this.#chars += line.length;
    if (tail !== undefined && this.#kept.length >= 2 * tail + SPARE) this.#keepLast(tail);
    if (this.#chars > 2 * MOST_CHARS) this.#letGo();
  }

  #keepLast(count: number): void {
    this.#kept = lastOf(this.#kept, count);
    this.#chars = this.#kept.reduce((sum, line) => sum + line.length, 0);
  }

  /** The last line stays, however long it is. */
  #letGo(): void {
    let at = 0;
    while (this.#chars > MOST_CHARS && at < this.#kept.length - 1) this.#chars -= this.#kept[at++]!.length;
    if (at > 0) this.#kept = this.#kept.slice(at);
    this.#leftOut += at;
  }
}

/** Lines are let go of in batches. */
const SPARE = 1_000;

function lastOf(lines: string[], count: number): string[] {
  return lines.slice(Math.max(0, lines.length - count));
}

/** A regular expression in the syntax of the tools, which is Rust's. @throws {PatternError} When it is none. */
export function compilePattern(pattern: string): RegExp {
  return orPatternError(() => rustRegExp(pattern));
}

/** The same for many lines, quick where it can be. @throws {PatternError} When it is none. */
export function compileLinePattern(pattern: string): LinePattern {
  return orPatternError(() => linePattern(pattern));
}

function orPatternError<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PatternError(`Invalid regex pattern: ${reason}`, { cause });
  }
}
