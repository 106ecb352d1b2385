/** Log lines for a reader with little room: in order of time, repeats folded, what matters first. Pure. @module */

/** A line of some process. */
export interface LogLine {
  readonly process: string;
  /** Unix milliseconds. */
  readonly timeMs: number;
  /** `stdout`, `stderr`, or whose words they are that no process has said. */
  readonly stream: string;
  readonly text: string;
}

/** A line as it is shown. */
export interface DigestLine extends LogLine {
  /** How often it came in a row. */
  readonly repeated: number;
}

export interface Digest {
  readonly lines: readonly DigestLine[];
  /** Lines that had no room. */
  readonly omitted: number;
}

/** What most tokenizers make of English and code. */
const CHARS_PER_TOKEN = 4;
/** Time and separators before each line, in tokens. */
const LINE_TOKENS = 6;
/** One line takes at most this part of the room: the dump of a whole object leaves some for the others. */
const LINE_SHARE = 4;
/** Characters that are left of a line however little room there is. */
const SHORTEST_CUT = 80;
const TROUBLE =
  /\b(error|errors|fatal|panic(ked)?|exception|traceback|fail(ed|ure)?|segfault|abort(ed)?)\b|✗/i;

/** Whether a line tells of trouble. */
export function isTrouble({ text, stream }: LogLine): boolean {
  return TROUBLE.test(text) || (stream !== "stdout" && stream !== "stderr");
}

/**
 * Merges lines in order of time and keeps what fits into `maxTokens`: lines that tell of trouble before others, later
 * ones before earlier ones. What is kept stays in order.
 */
export function digest(lines: readonly LogLine[], maxTokens: number): Digest {
  const folded = fold(lines.toSorted((a, b) => a.timeMs - b.timeMs));
  const longest = Math.max(SHORTEST_CUT, Math.floor(maxTokens / LINE_SHARE) * CHARS_PER_TOKEN);
  const fitted = folded.map((line) => cut(line, longest));
  const ranked = folded.map((line, at) => ({ at, line: fitted[at]!, trouble: isTrouble(line) })).reverse();
  const kept: number[] = [];
  let left = maxTokens;
  for (const trouble of [true, false]) {
    for (const { at, line } of ranked.filter((each) => each.trouble === trouble)) {
      const cost = LINE_TOKENS + Math.ceil((line.process.length + line.text.length) / CHARS_PER_TOKEN);
      if (cost > left) break;
      left -= cost;
      kept.push(at);
    }
  }
  const shown = kept.sort((a, b) => a - b).map((at) => fitted[at]!);
  const told = shown.reduce((sum, { repeated }) => sum + repeated, 0);
  return { lines: shown, omitted: lines.length - told };
}

/** A line that is too long for its share says how much of it is missing; search_logs has it whole. */
function cut(line: DigestLine, longest: number): DigestLine {
  const { text } = line;
  return text.length <= longest ? line : {
    ...line,
    text: `${text.slice(0, longest).toWellFormed()}… (${text.length - longest} more characters)`,
  };
}

/** Lines of one process that say the same directly after each other are one. */
function fold(lines: readonly LogLine[]): DigestLine[] {
  const folded: DigestLine[] = [];
  const last = new Map<string, number>();
  for (const line of lines) {
    const at = last.get(line.process);
    const before = at === undefined ? undefined : folded[at];
    if (before !== undefined && before.text === line.text && before.stream === line.stream) {
      folded[at!] = { ...before, repeated: before.repeated + 1 };
    } else {
      last.set(line.process, folded.push({ ...line, repeated: 1 }) - 1);
    }
  }
  return folded;
}

/** `12:30:01.250 api! text (3 times)`; `!` marks what came on standard error. */
export function digestText({ lines, omitted }: Digest): string {
  const shown = lines.map(({ timeMs, process, stream, text, repeated }) => {
    const time = new Date(timeMs).toISOString().slice(11, 23);
    return `${time} ${process}${stream === "stdout" ? "" : "!"} ${text}${
      repeated > 1 ? ` (${repeated} times)` : ""
    }`;
  });
  if (omitted > 0) shown.push(`(${omitted} more lines had no room; search_logs finds them)`);
  return shown.length === 0 ? "(nothing new)" : shown.join("\n");
}
