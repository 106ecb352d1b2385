/**
 * A recorded table: rows of one acquisition group, or of a whole parquet file, in parts that may lie in different places
 * (row groups, sealed segments, rows not sealed yet) and need not have the same columns.
 * @module
 */
import { type ArrowField, type ColumnData, concatColumns } from "./parquet/mod.ts";
import { HIGH_WORD, wordsToBigint } from "../metrics/mod.ts";
import { type ColumnRole, columnRole } from "./column_role.ts";
import { missingRows, sliceRows } from "./_gather.ts";

/** Some consecutive rows of a table. */
export interface TablePart {
  readonly rowCount: number;
  readonly fields: readonly ArrowField[];
  /** Times of its first and last row in nanoseconds, where they are known without reading it. */
  readonly span?: { readonly firstNs: bigint; readonly lastNs: bigint } | undefined;
  /** Returns one column's values. @throws {SyntaxError} When they are damaged. */
  read(column: number): ColumnData;
}

/** A column of a table, over all its parts. */
export interface TableColumn {
  readonly field: ArrowField;
  readonly role: ColumnRole;
  /** The column's place in each part, −1 where a part lacks it. */
  readonly places: readonly number[];
}

/** A table with the union of its parts' columns. */
export class RecordedTable {
  readonly rowCount: number;
  readonly columns: readonly TableColumn[];
  #timestamps: Uint32Array | undefined;

  /** @throws {SyntaxError} When a part has no timestamps. */
  constructor(readonly name: string, readonly parts: readonly TablePart[]) {
    this.rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0);
    this.columns = unionOfColumns(name, parts);
  }

  /** Unix time of each row in nanoseconds, as words. */
  get timestamps(): Uint32Array {
    this.#timestamps ??= concatColumns(
      this.parts.map((part, index) => part.read(this.columns[0]!.places[index]!)),
    ).words;
    return this.#timestamps;
  }

  /** Unix time of a row in nanoseconds. */
  timestampNs(row: number): bigint {
    return wordsToBigint(this.timestamps, row);
  }

  /** Unix seconds of the earliest and the latest row; without reading rows where their parts know. */
  range(): { readonly start: number; readonly end: number } | undefined {
    if (this.rowCount === 0) return undefined;
    const spans = this.parts.filter(({ rowCount }) => rowCount > 0).map(({ span }) => span);
    if (spans.every((span) => span !== undefined)) {
      return {
        start: Math.min(...spans.map(({ firstNs }) => Number(firstNs))) / 1e9,
        end: Math.max(...spans.map(({ lastNs }) => Number(lastNs))) / 1e9,
      };
    }
    const times = this.times();
    return { start: times.reduce((a, b) => Math.min(a, b)), end: times.reduce((a, b) => Math.max(a, b)) };
  }

  /** Unix time of each row in seconds. */
  times(): Float64Array {
    return secondsOf(this.timestamps);
  }

  /** Unix time of the rows of the largest part, in seconds: enough to tell their distance, and read at once. */
  sampleTimes(): Float64Array {
    const rows = this.parts.map(({ rowCount }) => rowCount);
    const largest = rows.indexOf(Math.max(...rows));
    return secondsOf(this.parts[largest]!.read(this.columns[0]!.places[largest]!).words);
  }

  /** Returns rows `from` to `to` (exclusive) of a column; parts that lack it are missing. */
  readRows(column: TableColumn, from: number, to: number): ColumnData {
    const pieces: ColumnData[] = [];
    let firstRow = 0;
    this.parts.forEach((part, index) => {
      const [start, end] = [
        Math.max(from, firstRow) - firstRow,
        Math.min(to, firstRow + part.rowCount) - firstRow,
      ];
      firstRow += part.rowCount;
      if (start >= end) return;
      const place = column.places[index]!;
      const isList = column.field.type === "list<u64>";
      pieces.push(place < 0 ? missingRows(end - start, isList) : sliceRows(part.read(place), start, end));
    });
    return concatColumns(pieces);
  }

  /** Calls `onPart` with the values of a column in each part that has it, and the number of the part's first row. */
  eachPart(column: TableColumn, onPart: (data: ColumnData, firstRow: number) => void): void {
    let firstRow = 0;
    this.parts.forEach((part, index) => {
      const place = column.places[index]!;
      if (place >= 0) onPart(part.read(place), firstRow);
      firstRow += part.rowCount;
    });
  }
}

function secondsOf(words: Uint32Array): Float64Array {
  return Float64Array.from(
    { length: words.length / 2 },
    (_, row) => (words[2 * row + 1]! * HIGH_WORD + words[2 * row]!) / 1e9,
  );
}

/** Returns the column of indices that belongs to a column of sparse counts. */
export function sparsePartner(table: RecordedTable, id: string): TableColumn | undefined {
  return table.columns.find(({ role }) => role.kind === "sparseIndices" && role.id === id);
}

interface UnionColumn extends TableColumn {
  readonly places: number[];
}

/** Columns are the same when name, type and metadata are; the timestamp comes first. */
function unionOfColumns(name: string, parts: readonly TablePart[]): TableColumn[] {
  const byIdentity = new Map<string, UnionColumn>();
  // Row groups share their fields, and a day's segments have few different ones: each is looked at once.
  const columnsOf = new Map<readonly ArrowField[], readonly UnionColumn[]>();
  parts.forEach((part, index) => {
    let columns = columnsOf.get(part.fields);
    if (columns === undefined) {
      columns = part.fields.map((field) => {
        const identity = columnIdentity(field);
        let column = byIdentity.get(identity);
        if (column === undefined) {
          column = { field, role: columnRole(field), places: new Array<number>(parts.length).fill(-1) };
          byIdentity.set(identity, column);
        }
        return column;
      });
      columnsOf.set(part.fields, columns);
    }
    columns.forEach(({ places }, place) => places[index] = place);
  });
  const columns = [...byIdentity.values()];
  const timestamp = columns.findIndex(({ role, places }) =>
    role.kind === "timestamp" && !places.includes(-1)
  );
  if (timestamp < 0) throw new SyntaxError(`table "${name}" has no timestamp column`);
  return [columns[timestamp]!, ...columns.toSpliced(timestamp, 1)];
}

function columnIdentity({ name, type, metadata }: ArrowField): string {
  return JSON.stringify([name, type, Object.entries(metadata).sort()]);
}
