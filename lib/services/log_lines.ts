/** The lines of an instance's log, read from its segments. @module */
import { type Line, LineAssembler, type LogEntry, type Stream } from "../keeper/mod.ts";
import { SegmentReader, segmentStarts } from "../ring/mod.ts";

/** Upstream marks what was written to standard error, in the logs of processes and not in those of builds. */
const STDERR_PREFIX = "[stderr] ";

/**
 * Tells all that an instance has said until now, and the position behind it. `from` is such a position, to go on there.
 * Nothing when no keeper has come yet.
 * @throws {RingError} When the log is damaged. @throws {RangeError} When `from` lies behind the end.
 */
export function readEntries(
  folder: string,
  tell: (entry: LogEntry) => void,
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
    if (result.kind !== "records") continue;
    while (result.records.next()) lines.take(result.records, tell);
  }
  lines.flush(tell);
  return reader.position;
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
  const starts = startsOf(folder);
  for (let segments = 1; count > 0 && starts.length > 0; segments *= 2) {
    const at = Math.max(0, starts.length - segments);
    const lines = linesFrom(folder, at === 0 ? "oldest" : starts[at]!, count, stream);
    if (at === 0 || lines.length === count) return lines;
  }
  return [];
}

/** Fewer than `count` also when one of them may have begun before `from`. */
function linesFrom(folder: string, from: "oldest" | bigint, count: number, stream?: Stream): Line[] {
  let lines: Line[] = [];
  /** Streams of which it is not known yet where a line begins. */
  const torn = new Set<Stream>(from === "oldest" ? [] : ["stdout", "stderr"]);
  readEntries(folder, (entry) => {
    if (entry.kind !== "line" || (stream !== undefined && entry.line.stream !== stream)) return;
    if (torn.delete(entry.line.stream)) lines = [];
    else lines.push(entry.line);
    if (lines.length >= 2 * count + SPARE) lines.splice(0, lines.length - count);
  }, from);
  return lines.slice(-count);
}

/** Lines are let go of in batches. */
const SPARE = 1_000;

function startsOf(folder: string): bigint[] {
  try {
    return segmentStarts(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The lines as `search_logs` shows them; the keeper's words stand among them under the tool's name. */
export function shownLines(
  folder: string,
  kind: "run" | "build",
  { name, mask }: { readonly name: string; readonly mask: (text: string) => string },
): string[] {
  const shown: string[] = [];
  readEntries(folder, (entry) => {
    if (entry.kind === "line") shown.push(mask(kind === "run" ? shownLine(entry.line) : entry.line.text));
    if (entry.kind === "event") shown.push(mask(`[${name}] ${entry.text}`));
  });
  return shown;
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
