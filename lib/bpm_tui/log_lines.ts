/** Lines of a log as they are collected, searched and shown. Pure. @module */
import { rustRegExp } from "../regex/mod.ts";
import { stripAnsi } from "../tui/mod.ts";

/** One line. */
export interface LogLine {
  /** Its place among all lines of this log, rising by one. */
  readonly seq: number;
  /** As the program wrote it, with its colours. */
  readonly raw: string;
  /** What is searched. */
  readonly plain: string;
  readonly stream: "stdout" | "stderr" | "note";
}

/** A line before it has its place. */
export type NewLine = Omit<LogLine, "seq" | "plain">;

/** What is kept of a log; the oldest lines go first. */
export interface LogLines {
  readonly lines: readonly LogLine[];
  /** The place of the next line. */
  readonly next: number;
}

/** A log without a line. */
export const NO_LINES: LogLines = { lines: [], next: 0 };

/** So many lines are kept. */
export const MAX_LINES = 20_000;
/** What is shown and searched of one line. */
export const MAX_LINE_CHARS = 4_096;

/** Upstream marks what came on standard error. */
const STDERR_MARK = "[stderr] ";

/** A line of upstream's text. */
export function lineOfText(text: string): NewLine {
  return text.startsWith(STDERR_MARK)
    ? { raw: text.slice(STDERR_MARK.length), stream: "stderr" }
    : { raw: text, stream: "stdout" };
}

/** The log with lines behind it. */
export function append({ lines, next }: LogLines, added: readonly NewLine[]): LogLines {
  if (added.length === 0) return { lines, next };
  const placed = added.map((line, at): LogLine => {
    const raw = line.raw.length > MAX_LINE_CHARS ? `${line.raw.slice(0, MAX_LINE_CHARS)}…` : line.raw;
    return { ...line, raw, plain: stripAnsi(raw), seq: next + at };
  });
  return { lines: [...lines, ...placed].slice(-MAX_LINES), next: next + placed.length };
}

/**
 * The log after its last lines have been read anew, as servers without cursors give them: what overlaps is known, the rest
 * is new. Where nothing overlaps, `complete` tells whether all of the log was read: then it is another instance's, and
 * else lines are missing between; either is noted. A last line that had not
 * been ended may have grown.
 */
export function mergeTail(log: LogLines, tail: readonly NewLine[], complete: boolean): LogLines {
  const joint = jointOf(log, tail);
  switch (joint.kind) {
    case "grown":
      return append(withoutLast(log), tail.slice(joint.known));
    case "known":
      return append(log, tail.slice(joint.known));
    case "apart": {
      const note = complete ? "a new instance begins" : "lines between were not read";
      return append(log, [{ raw: note, stream: "note" }, ...tail]);
    }
    default:
      return joint satisfies never;
  }
}

/** Whether nothing of a tail is known: lines are missing between, or it is another instance's. */
export function isApart(log: LogLines, tail: readonly NewLine[]): boolean {
  return jointOf(log, tail).kind === "apart";
}

/** Where a tail joins a log: so many of its lines are known, of which the last may have grown. */
type Joint = { readonly kind: "known" | "grown"; readonly known: number } | { readonly kind: "apart" };

function jointOf(log: LogLines, tail: readonly NewLine[]): Joint {
  const known = log.lines.filter(({ stream }) => stream !== "note");
  if (known.length === 0 || tail.length === 0) return { kind: "known", known: 0 };
  const before = known.slice(-tail.length).map(keyOf);
  const after = tail.map(keyOf);
  const overlap = overlapOf(before, after);
  const grown = overlapOf(before.slice(0, -1), after);
  const hasGrown = grown >= overlap && (grown > 0 || before.length === 1) &&
    after[grown]?.startsWith(before.at(-1)!) === true;
  if (hasGrown) return { kind: "grown", known: grown };
  return overlap > 0 ? { kind: "known", known: overlap } : { kind: "apart" };
}

/** Its place is free again. */
function withoutLast({ lines, next }: LogLines): LogLines {
  return { lines: lines.slice(0, -1), next: next - 1 };
}

function keyOf({ raw, stream }: NewLine): string {
  return `${stream[3]}${raw.slice(0, MAX_LINE_CHARS)}`.replace(/…$/, "");
}

/** The longest end of `before` with which `after` begins (Knuth, Morris and Pratt). */
function overlapOf(before: readonly string[], after: readonly string[]): number {
  const fallback: number[] = [0];
  for (let at = 1, length = 0; at < after.length; at++) {
    while (length > 0 && after[at] !== after[length]) length = fallback[length - 1]!;
    if (after[at] === after[length]) length++;
    fallback.push(length);
  }
  let length = 0;
  for (const line of before) {
    while (length > 0 && (length === after.length || line !== after[length])) length = fallback[length - 1]!;
    if (line === after[length]) length++;
  }
  return length;
}

/** A search as it was typed. */
export interface Search {
  readonly text: string;
  /** Finds all matches in a line; absent while nothing is typed. */
  readonly pattern?: RegExp;
}

/** What was typed is a regular expression, or, when it is none, the text itself; capitals make it case-sensitive. */
export function searchFor(text: string): Search {
  if (text === "") return { text };
  const flags = /\p{Lu}/u.test(text.replaceAll(/\\./g, "")) ? "" : "(?i)";
  try {
    return { text, pattern: rustRegExp(flags + text, "g") };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { text, pattern: rustRegExp(flags + text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), "g") };
  }
}

/** Where the search matches in a line: pairs of begin and end, none of them empty. */
export function matchesIn(line: LogLine, { pattern }: Search): [begin: number, end: number][] {
  if (pattern === undefined) return [];
  return [...line.plain.matchAll(pattern)].flatMap(({ index, 0: { length } }) =>
    length === 0 ? [] : [[index, index + length] as [number, number]]
  );
}

/** Whether a line has what is searched. */
export function isMatch(line: LogLine, { pattern }: Search): boolean {
  if (pattern === undefined || line.stream === "note") return false;
  pattern.lastIndex = 0;
  return pattern.test(line.plain);
}
