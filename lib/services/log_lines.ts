/** The lines of an instance's log, read from its segments. @module */
import { type Line, LineAssembler, type LogEntry } from "../keeper/mod.ts";
import { SegmentReader } from "../ring/mod.ts";

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
