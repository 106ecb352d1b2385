/**
 * Turns a recording of any kind into one parquet file in upstream's schema: `timestamp`, `duration`, one column per
 * counter or gauge, `<id>:buckets` per histogram. Column by column, so that memory does not grow with the recording.
 * @module
 */
import { openRecording } from "./open.ts";
import { type ArrowField, type ColumnData, ParquetWriter, type WrittenFile } from "./parquet/mod.ts";
import type { Recording } from "./recording.ts";
import { gatherRows } from "./_gather.ts";
import type { RecordedTable, TableColumn } from "./table.ts";

/**
 * Rows of a row group, as upstream's recorder since 5.17: half an hour at one a second. Fewer make the footer of a day
 * large (3,000 columns: 8 MB), more make a histogram column large to hold (7,424 buckets: 107 MB).
 */
const GROUP_ROWS = 1_800;

/** How to convert. */
export interface ConvertOptions {
  /** File-level keys beside the recording's own; they win. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes the recording at `input` as parquet to `output`, which is replaced when all is written and synced.
 * @throws {RecordingError} When `input` cannot be read. @throws {Error} When `output` cannot be written.
 */
export function convertToParquet(input: string, output: string, options: ConvertOptions = {}): WrittenFile {
  using recording = openRecording(input);
  const partial = `${output}.partial`;
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(partial, { write: true, create: true, truncate: true });
    const target = file;
    const written = writeRecording(recording, { ...recording.metadata, ...options.metadata }, (bytes) => {
      for (let at = 0; at < bytes.length;) at += target.writeSync(bytes.subarray(at));
    });
    file.syncSync();
    file.close();
    file = undefined;
    Deno.renameSync(partial, output);
    return written;
  } catch (error) {
    if (file !== undefined) {
      file.close();
      Deno.removeSync(partial);
    }
    throw new Error(`Cannot write ${output}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** Writes a recording's tables side by side, rows of equal time in one row. */
export function writeRecording(
  recording: Pick<Recording, "tables" | "durations">,
  metadata: Readonly<Record<string, string>>,
  sink: (bytes: Uint8Array) => void,
): WrittenFile {
  const grid = timeGrid(recording.tables);
  const sources = columnSources(recording, grid);
  const writer = new ParquetWriter(sources.map(({ field }) => field), Object.entries(metadata), sink);
  for (let from = 0; from < grid.length; from += GROUP_ROWS) {
    const to = Math.min(grid.length, from + GROUP_ROWS);
    writer.writeRowGroup(to - from, (column) => sources[column]!.read(from, to));
  }
  return writer.finish();
}

/** Times of all rows in ascending order, each once, in nanoseconds. */
function timeGrid(tables: readonly RecordedTable[]): BigUint64Array {
  const all = tables.map((table) => new BigUint64Array(Uint32Array.from(table.timestamps).buffer));
  const first = all[0] ?? new BigUint64Array(0);
  const ascends = first.every((time, row) => row === 0 || time > first[row - 1]!);
  // The usual case: every table has every tick.
  if (ascends && all.every((times) => sameTimes(times, first))) return first;
  const together = new BigUint64Array(all.reduce((sum, times) => sum + times.length, 0));
  let at = 0;
  for (const times of all) {
    together.set(times, at);
    at += times.length;
  }
  together.sort();
  return together.filter((time, index) => index === 0 || time !== together[index - 1]);
}

function sameTimes(left: BigUint64Array, right: BigUint64Array): boolean {
  return left.length === right.length && left.every((time, index) => time === right[index]);
}

interface ColumnSource {
  readonly field: ArrowField;
  read(from: number, to: number): ColumnData;
}

function columnSources(
  { tables, durations }: Pick<Recording, "tables" | "durations">,
  grid: BigUint64Array,
): ColumnSource[] {
  const sources: ColumnSource[] = [
    {
      field: {
        name: "timestamp",
        type: "u64",
        nullable: false,
        metadata: { metric_type: "timestamp", unit: "nanoseconds" },
      },
      read: (from, to) => ({ rowCount: to - from, words: new Uint32Array(grid.slice(from, to).buffer) }),
    },
  ];
  const names = new Set(["timestamp", "duration"]);
  const ownDuration =
    tables.flatMap((table) =>
      table.columns.filter(({ role }) => role.kind === "duration").map((column) => ({ table, column }))
    )[0];
  const duration: ArrowField = {
    name: "duration",
    type: "u64",
    nullable: true,
    metadata: { metric_type: "duration", unit: "nanoseconds" },
  };
  sources.push(
    ownDuration === undefined
      ? { field: duration, read: (from, to) => durationColumn(durations, grid.subarray(from, to)) }
      : {
        field: duration,
        read: tableReader(ownDuration.table, ownDuration.column, rowsOnGrid(ownDuration.table, grid)),
      },
  );
  for (const table of tables) {
    const rows = rowsOnGrid(table, grid);
    for (const column of table.columns) {
      if (!["number", "histogram", "sparseIndices", "sparseCounts"].includes(column.role.kind)) continue;
      const field = { ...column.field, name: freeName(column.field.name, names), nullable: true };
      sources.push({ field, read: tableReader(table, column, rows) });
    }
  }
  return sources;
}

/** Names are unique in a file: a second one gets a generation before its suffix, as upstream has it. */
function freeName(name: string, taken: Set<string>): string {
  const [, id = name, suffix = ""] = /^(.*?)(:[^:]+)?$/s.exec(name) ?? [];
  let free = name;
  for (let generation = 2; taken.has(free); generation++) free = `${id}#${generation}${suffix}`;
  taken.add(free);
  return free;
}

/** Returns the table's row at each point of the grid, −1 where it has none; `undefined` when they are the same. */
function rowsOnGrid(table: RecordedTable, grid: BigUint64Array): Int32Array | undefined {
  const times = new BigUint64Array(Uint32Array.from(table.timestamps).buffer);
  if (sameTimes(times, grid)) return undefined;
  const byTime = new Map<bigint, number>();
  times.forEach((time, row) => byTime.set(time, row));
  const rows = new Int32Array(grid.length);
  grid.forEach((time, point) => rows[point] = byTime.get(time) ?? -1);
  return rows;
}

function tableReader(
  table: RecordedTable,
  column: TableColumn,
  rows: Int32Array | undefined,
): (from: number, to: number) => ColumnData {
  return (from, to) => {
    if (rows === undefined) return table.readRows(column, from, to);
    return gatherRows(
      rows.subarray(from, to),
      column.field.type === "list<u64>",
      (first, end) => table.readRows(column, first, end),
    );
  };
}

function durationColumn(durations: ReadonlyMap<bigint, bigint>, times: BigUint64Array): ColumnData {
  const words = new Uint32Array(2 * times.length);
  const missing = new Uint8Array(times.length);
  times.forEach((time, row) => {
    const duration = durations.get(time);
    if (duration === undefined) missing[row] = 1;
    else {
      words[2 * row] = Number(duration & 0xffff_ffffn);
      words[2 * row + 1] = Number((duration >> 32n) & 0xffff_ffffn);
    }
  });
  return { rowCount: times.length, words, missing };
}
