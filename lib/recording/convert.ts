/**
 * Turns a recording of any kind into one parquet file in upstream's schema: `timestamp`, `duration`, one column per
 * counter or gauge, `<id>:buckets` per histogram. Column by column, so that memory does not grow with the recording.
 * @module
 */
import { storeBigint } from "../metrics/mod.ts";
import { openRecording } from "./open.ts";
import { type ArrowField, type ColumnData, ParquetWriter, type WrittenFile } from "./parquet/mod.ts";
import type { Recording } from "./recording.ts";
import { gatherRows } from "./_gather.ts";
import { describeFailure } from "./journal_error.ts";
import { type RowGrid, rowGrid } from "./_row_grid.ts";
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
    throw new Error(`Cannot convert recording ${input} to ${output}: ${describeFailure(error)}`, {
      cause: error,
    });
  }
}

/** Writes a recording's tables side by side, rows of equal time in one row. */
function writeRecording(
  recording: Pick<Recording, "tables" | "durations">,
  metadata: Readonly<Record<string, string>>,
  sink: (bytes: Uint8Array) => void,
): WrittenFile {
  const grid = rowGrid(recording.tables, intervalNs(metadata));
  const sources = columnSources(recording, grid);
  const writer = new ParquetWriter(sources.map(({ field }) => field), Object.entries(metadata), sink);
  for (let from = 0; from < grid.times.length; from += GROUP_ROWS) {
    const to = Math.min(grid.times.length, from + GROUP_ROWS);
    writer.writeRowGroup(to - from, (column) => sources[column]!.read(from, to));
  }
  return writer.finish();
}

/** The distance of ticks, as the recorder has said it; where it has not, only equal times are one row. */
function intervalNs(metadata: Readonly<Record<string, string>>): bigint {
  const ms = Number(metadata["sampling_interval_ms"]);
  return ms > 0 ? BigInt(Math.round(ms * 1e6)) : 0n;
}

interface ColumnSource {
  readonly field: ArrowField;
  read(from: number, to: number): ColumnData;
}

function columnSources(
  { tables, durations }: Pick<Recording, "tables" | "durations">,
  grid: RowGrid,
): ColumnSource[] {
  const sources: ColumnSource[] = [
    {
      field: {
        name: "timestamp",
        type: "u64",
        nullable: false,
        metadata: { metric_type: "timestamp", unit: "nanoseconds" },
      },
      read: (from, to) => ({
        rowCount: to - from,
        words: new Uint32Array(grid.times.slice(from, to).buffer),
      }),
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
      ? { field: duration, read: (from, to) => durationColumn(durations, grid.times.subarray(from, to)) }
      : {
        field: duration,
        read: tableReader(ownDuration.table, ownDuration.column, grid.rowsOf(ownDuration.table)),
      },
  );
  for (const table of tables) {
    const rows = grid.rowsOf(table);
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
    else storeBigint(words, row, duration);
  });
  return { rowCount: times.length, words, missing };
}
