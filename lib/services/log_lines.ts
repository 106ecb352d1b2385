/** The lines of an instance's log, read from its segments. @module */
import { type Line, type LogEntry, type Stream, STREAMS } from "../keeper/mod.ts";
import { segmentStarts } from "../ring/mod.ts";
import { type LogNews, type LogPlace, LogReader } from "./log_reader.ts";

/** Upstream marks what was written to standard error, in the logs of processes and not in those of builds. */
const STDERR_PREFIX = "[stderr] ";

/**
 * Tells all that an instance has said until now, and the position behind it. `from` is such a position, to go on there.
 * Nothing when no keeper has come yet.
 * @throws {RingError} When the log is damaged. @throws {RangeError} When `from` lies behind the end.
 */
export function readEntries(
  folder: string,
  tell: (entry: LogEntry, place: LogPlace) => void,
  from: "oldest" | bigint = "oldest",
): bigint {
  const log = LogReader.open(folder, from === "oldest" ? undefined : { at: from });
  if (log === undefined) return 0n;
  using _ = log;
  log.read(entriesOnly(tell));
  log.flush(tell);
  return log.position.at;
}

/** What an instance, or its keeper, has said first. */
export function firstEntry(folder: string): LogEntry | undefined {
  const log = LogReader.open(folder);
  if (log === undefined) return undefined;
  using _ = log;
  let first: LogEntry | undefined;
  log.read(entriesOnly((entry) => first ??= entry), 1);
  return first;
}

/**
 * The last lines of an instance, or of one stream of it, oldest first. Read from the log's end: what is before them
 * costs nothing, unless the stream says little beside the other.
 * @throws {RingError} When the log is damaged.
 */
export function lastLines(folder: string, count: number, stream?: Stream): Line[] {
  return lastPlacedLines(folder, count, stream).map(({ line }) => line);
}

/** A line, and where it stands in its log. */
export interface LineInLog {
  readonly line: Line;
  readonly place: LogPlace;
}

/** The same with their places. */
export function lastPlacedLines(folder: string, count: number, stream?: Stream): LineInLog[] {
  return lastEntries(folder, count, linesOf(stream));
}

/** The same without lines that have not ended, and what reads on behind them. Undefined when no keeper has come yet. */
export function lastLinesAndRest(
  folder: string,
  count: number,
  stream?: Stream,
): { readonly last: LineInLog[]; readonly log: LogReader } | undefined {
  return readBack(folder, count, { made: linesOf(stream), isWhole: false });
}

type Made<T> = (entry: LogEntry, place: LogPlace) => T | undefined;

function linesOf(stream: Stream | undefined): Made<LineInLog> {
  return (entry, place) => {
    if (entry.kind !== "line" || (stream !== undefined && entry.line.stream !== stream)) return undefined;
    return { line: entry.line, place };
  };
}

/** The same of what is made of entries; what is made undefined does not count. */
function lastEntries<T>(folder: string, count: number, made: Made<T>): T[] {
  if (count <= 0) return [];
  const found = readBack(folder, count, { made, isWhole: true });
  found?.log[Symbol.dispose]();
  return found?.last ?? [];
}

/** What is to be found. */
interface Wanted<T> {
  /** Undefined of what does not count. */
  readonly made: Made<T>;
  /** With lines that have not ended. */
  readonly isWhole: boolean;
}

/** Begins nearer to the log's begin until there is enough. */
function readBack<T>(
  folder: string,
  count: number,
  wanted: Wanted<T>,
): { readonly last: T[]; readonly log: LogReader } | undefined {
  const starts = startsOf(folder);
  for (let segments = 1; starts.length > 0; segments *= 2) {
    const at = Math.max(0, starts.length - segments);
    const log = LogReader.open(folder, at === 0 ? undefined : { at: starts[at]! });
    if (log === undefined) return undefined;
    using stack = new DisposableStack();
    stack.use(log);
    const last = readTail(log, count, { ...wanted, isTorn: at > 0 });
    if (last === undefined) continue;
    stack.move();
    return { last, log };
  }
  return undefined;
}

/** Undefined when what comes before this log's begin is needed, too: its first lines may have begun there. */
function readTail<T>(
  log: LogReader,
  count: number,
  { made, isWhole, isTorn }: Wanted<T> & { readonly isTorn: boolean },
): T[] | undefined {
  let found: T[] = [];
  /** Streams of which it is not known yet where a line begins. */
  const torn = new Set<Stream>(isTorn ? STREAMS : []);
  const take = (entry: LogEntry, place: LogPlace) => {
    const each = made(entry, place);
    const isPart = entry.kind === "line" && torn.delete(entry.line.stream);
    if (each === undefined) return;
    if (isPart) found = [];
    else found.push(each);
    if (found.length >= 2 * count + SPARE) found.splice(0, found.length - count);
  };
  log.read(entriesOnly(take));
  if (isWhole) log.flush(take);
  const goesOn = [...torn].some((stream) => log.hasPart(stream));
  if (isTorn && (found.length < count || goesOn)) return undefined;
  return found.slice(found.length - Math.min(count, found.length));
}

/** Lines are let go of in batches. */
const SPARE = 1_000;

function entriesOnly(
  tell: (entry: LogEntry, place: LogPlace) => void,
): (news: LogNews, place: LogPlace) => void {
  return (news, place) => {
    if (news.kind !== "lost") tell(news, place);
  };
}

function startsOf(folder: string): bigint[] {
  try {
    return segmentStarts(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** How lines are shown. */
interface Showing {
  /** Whose the words are that no process has said. */
  readonly name: string;
  readonly mask: (text: string) => string;
}

/** Tells the lines as `search_logs` shows them; the keeper's words stand among them under the tool's name. */
export function tellShownLines(
  folder: string,
  kind: "run" | "build",
  showing: Showing,
  tell: (line: string) => void,
): void {
  readEntries(folder, (entry) => {
    const line = shownEntry(entry, kind, showing);
    if (line !== undefined) tell(line);
  });
}

/** The last of them. */
export function lastShownLines(
  folder: string,
  kind: "run" | "build",
  showing: Showing,
  count: number,
): string[] {
  return lastEntries(folder, count, (entry) => shownEntry(entry, kind, showing));
}

/** As `search_logs` shows it; undefined of what it does not show. */
export function shownEntry(
  entry: LogEntry,
  kind: "run" | "build",
  { name, mask }: Showing,
): string | undefined {
  if (entry.kind === "line") return mask(kind === "run" ? shownLine(entry.line) : entry.line.text);
  return entry.kind === "event" ? mask(`[${name}] ${entry.text}`) : undefined;
}

/** One line as upstream shows it. */
export function shownLine({ stream, text }: Line): string {
  return stream === "stderr" ? STDERR_PREFIX + text : text;
}
