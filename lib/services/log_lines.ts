/** The lines of an instance's log, read from its segments. @module */
import { type Line, LineAssembler, type LogEntry, type Stream } from "../keeper/mod.ts";
import { type Records, SegmentReader, segmentStarts } from "../ring/mod.ts";

/** Upstream marks what was written to standard error, in the logs of processes and not in those of builds. */
const STDERR_PREFIX = "[stderr] ";

/** Where something stands in a log: the end of the record that completes it, and its number among what does. */
export interface LogPlace {
  readonly end: number;
  readonly nth: number;
}

/**
 * Tells all that an instance has said until now, with its place, and the position behind it. `from` is such a position,
 * to go on there. Nothing when no keeper has come yet.
 * @throws {RingError} When the log is damaged. @throws {RangeError} When `from` lies behind the end.
 */
export function readEntries(
  folder: string,
  tell: (entry: LogEntry, place: LogPlace) => void,
  from: "oldest" | bigint = "oldest",
): bigint {
  const reader = openLog(folder, from);
  if (reader === undefined) return 0n;
  using _ = reader;
  const lines = new LineAssembler();
  for (
    let result = reader.read();
    result.kind !== "ended" && result.kind !== "empty";
    result = reader.read()
  ) {
    if (result.kind === "lapped") lines.reset();
    if (result.kind === "records") takePlaced(reader, result.records, lines, tell);
  }
  flushPlaced(reader, lines, tell);
  return reader.position;
}

/** Takes what a reader has just read. */
export function takePlaced(
  { position }: SegmentReader,
  records: Records,
  lines: LineAssembler,
  tell: (entry: LogEntry, place: LogPlace) => void,
): void {
  const behind = Number(position);
  while (records.next()) {
    const end = behind - records.remainingBytes;
    let nth = 0;
    lines.take(records, (entry) => tell(entry, { end, nth: nth++ }));
  }
}

/** What has no end yet stands between the last record and the next. */
export function flushPlaced(
  { position }: SegmentReader,
  lines: LineAssembler,
  tell: (entry: LogEntry, place: LogPlace) => void,
): void {
  let nth = 0;
  lines.flush((entry) => tell(entry, { end: Number(position) + 1, nth: nth++ }));
}

/** What an instance, or its keeper, has said first. */
export function firstEntry(folder: string): LogEntry | undefined {
  const reader = openLog(folder, "oldest");
  if (reader === undefined) return undefined;
  using _ = reader;
  const result = reader.read();
  if (result.kind !== "records") return undefined;
  const lines = new LineAssembler();
  let first: LogEntry | undefined;
  while (first === undefined && result.records.next()) lines.take(result.records, (entry) => first ??= entry);
  return first;
}

/**
 * The last lines of an instance, or of one stream of it, oldest first. Read from the log's end: what is before them
 * costs nothing, unless the stream says little beside the other.
 * @throws {RingError} When the log is damaged.
 */
export function lastLines(folder: string, count: number, stream?: Stream): Line[] {
  return lastEntries(folder, count, (entry) => {
    return entry.kind === "line" && (stream === undefined || entry.line.stream === stream)
      ? entry.line
      : undefined;
  });
}

/** The same of what is made of entries; what is made undefined does not count. */
function lastEntries<T>(folder: string, count: number, made: (entry: LogEntry) => T | undefined): T[] {
  const starts = startsOf(folder);
  for (let segments = 1; count > 0 && starts.length > 0; segments *= 2) {
    const at = Math.max(0, starts.length - segments);
    const found = entriesFrom(folder, at === 0 ? "oldest" : starts[at]!, count, made);
    if (at === 0 || found.length === count) return found;
  }
  return [];
}

/** Fewer than `count` also when one of them may have begun before `from`. */
function entriesFrom<T>(
  folder: string,
  from: "oldest" | bigint,
  count: number,
  made: (entry: LogEntry) => T | undefined,
): T[] {
  let found: T[] = [];
  /** Streams of which it is not known yet where a line begins. */
  const torn = new Set<Stream>(from === "oldest" ? [] : ["stdout", "stderr"]);
  readEntries(folder, (entry) => {
    const each = made(entry);
    if (each === undefined) return;
    if (entry.kind === "line" && torn.delete(entry.line.stream)) found = [];
    else found.push(each);
    if (found.length >= 2 * count + SPARE) found.splice(0, found.length - count);
  }, from);
  return found.slice(-count);
}

/** Lines are let go of in batches. */
const SPARE = 1_000;

/** Where segments begin; none where no keeper has come yet. */
export function startsOf(folder: string): bigint[] {
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

function shownEntry(entry: LogEntry, kind: "run" | "build", { name, mask }: Showing): string | undefined {
  if (entry.kind === "line") return mask(kind === "run" ? shownLine(entry.line) : entry.line.text);
  return entry.kind === "event" ? mask(`[${name}] ${entry.text}`) : undefined;
}

/** One line as upstream shows it. */
export function shownLine({ stream, text }: Line): string {
  return stream === "stderr" ? STDERR_PREFIX + text : text;
}

function openLog(folder: string, from: "oldest" | bigint): SegmentReader | undefined {
  try {
    return SegmentReader.open(folder, { from });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
