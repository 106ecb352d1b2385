/** Columns into series: 64-bit words into float64, lists into dense ranges of buckets. @module */
import { HIGH_WORD } from "../metrics/mod.ts";
import type { HistogramSeries, NumberSeries, SeriesInfo } from "../tsdb/mod.ts";
import type { ColumnData } from "./parquet/mod.ts";
import type { Times } from "./_times.ts";
import { type RecordedTable, sparsePartner, type TableColumn } from "./table.ts";

/** Reads a counter or gauge. Rows that no column has are missing. */
export function readNumberSeries(
  info: SeriesInfo,
  table: RecordedTable,
  columns: readonly TableColumn[],
  times: Times,
): NumberSeries {
  const values = new Float64Array(table.rowCount);
  const missing = new Uint8Array(table.rowCount).fill(1);
  for (const column of columns) {
    const signed = column.field.type === "i64";
    table.eachPart(column, ({ rowCount, words, missing: gaps }, firstRow) => {
      if (gaps === undefined) missing.fill(0, firstRow, firstRow + rowCount);
      for (let row = 0, at = 0; row < rowCount; row++, at += 2) {
        if (gaps !== undefined) {
          if (gaps[row] === 1) continue;
          missing[firstRow + row] = 0;
        }
        const high = signed ? words[at + 1]! | 0 : words[at + 1]!;
        values[firstRow + row] = high * HIGH_WORD + words[at]!;
      }
    });
  }
  return {
    kind: "number",
    labels: info.labels,
    type: info.type === "gauge" ? "gauge" : "counter",
    times: times.seconds,
    values: times.rows === undefined ? values : Float64Array.from(times.rows, (row) => values[row]!),
    ...missingAt(missing, times),
  };
}

/** Counts of some rows, dense from `first` to `last` (exclusive). */
interface Block {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly first: number;
  readonly last: number;
  readonly counts: Float64Array;
}

/** Reads a histogram into the range of buckets that it ever used. A list of another length than its layout's is missing. */
export function readHistogramSeries(
  info: SeriesInfo,
  table: RecordedTable,
  columns: readonly TableColumn[],
  times: Times,
): HistogramSeries {
  const role = columns[0]!.role;
  if (role.kind !== "histogram" && role.kind !== "sparseCounts") {
    throw new TypeError("not a histogram column");
  }
  const { groupingPower, maxValuePower, bucketCount: allBuckets } = role.layout;
  const missing = new Uint8Array(table.rowCount).fill(1);
  const blocks: Block[] = [];
  for (const column of columns) {
    if (column.role.kind === "sparseCounts") readSparse(table, column, allBuckets, missing, blocks);
    else {
      table.eachPart(
        column,
        (data, firstRow) => blocks.push(denseBlock(data, firstRow, allBuckets, missing)),
      );
    }
  }
  const first = Math.min(allBuckets, ...blocks.map((block) => block.first));
  const last = Math.max(first, ...blocks.map((block) => block.last));
  const bucketCount = last - first;
  const counts = new Float64Array(table.rowCount * bucketCount);
  for (const block of blocks) {
    const width = block.last - block.first;
    for (let row = 0; row < block.rowCount; row++) {
      const from = block.counts.subarray(row * width, (row + 1) * width);
      const at = (block.firstRow + row) * bucketCount + block.first - first;
      // Several columns of one series hold different rows; the others are zero there.
      if (columns.length === 1) counts.set(from, at);
      else from.forEach((count, index) => counts[at + index] = counts[at + index]! + count);
    }
  }
  const { rows } = times;
  const ordered = rows === undefined ? counts : new Float64Array(rows.length * bucketCount);
  rows?.forEach((row, point) =>
    ordered.set(counts.subarray(row * bucketCount, (row + 1) * bucketCount), point * bucketCount)
  );
  return {
    kind: "histogram",
    labels: info.labels,
    type: "histogram",
    times: times.seconds,
    groupingPower,
    maxValuePower,
    firstBucket: bucketCount === 0 ? 0 : first,
    bucketCount,
    counts: ordered,
    ...missingAt(missing, times),
  };
}

function denseBlock(data: ColumnData, firstRow: number, allBuckets: number, missing: Uint8Array): Block {
  const { rowCount, words } = data;
  const offsets = data.offsets!;
  const whole = (row: number) =>
    offsets[row + 1]! - offsets[row]! === allBuckets && data.missing?.[row] !== 1;
  let [first, last] = [allBuckets, 0];
  for (let row = 0; row < rowCount; row++) {
    if (!whole(row)) continue;
    missing[firstRow + row] = 0;
    const [start, end] = [2 * offsets[row]!, 2 * offsets[row + 1]!];
    let at = start;
    while (at < start + 2 * first && (words[at]! | words[at + 1]!) === 0) at += 2;
    first = Math.min(first, (at - start) / 2);
    at = end;
    while (at > start + 2 * last && (words[at - 2]! | words[at - 1]!) === 0) at -= 2;
    last = Math.max(last, (at - start) / 2);
  }
  if (last < first) first = last;
  const width = last - first;
  const counts = new Float64Array(rowCount * width);
  for (let row = 0; row < rowCount; row++) {
    if (!whole(row)) continue;
    const from = 2 * (offsets[row]! + first);
    for (let bucket = 0; bucket < width; bucket++) {
      counts[row * width + bucket] = words[from + 2 * bucket + 1]! * HIGH_WORD + words[from + 2 * bucket]!;
    }
  }
  return {
    firstRow,
    rowCount,
    first: width === 0 ? allBuckets : first,
    last: width === 0 ? 0 : last,
    counts,
  };
}

function readSparse(
  table: RecordedTable,
  column: TableColumn,
  allBuckets: number,
  missing: Uint8Array,
  blocks: Block[],
): void {
  const partner = column.role.kind === "sparseCounts" ? sparsePartner(table, column.role.id) : undefined;
  if (partner === undefined) return; // noted when the series were listed
  let firstRow = 0;
  table.parts.forEach((part, index) => {
    const [countsAt, indicesAt] = [column.places[index]!, partner.places[index]!];
    if (countsAt >= 0 && indicesAt >= 0) {
      blocks.push(sparseBlock(part.read(countsAt), part.read(indicesAt), firstRow, allBuckets, missing));
    }
    firstRow += part.rowCount;
  });
}

function sparseBlock(
  counts: ColumnData,
  indices: ColumnData,
  firstRow: number,
  allBuckets: number,
  missing: Uint8Array,
): Block {
  const [starts, indexStarts] = [counts.offsets!, indices.offsets!];
  let [first, last] = [allBuckets, 0];
  for (let at = 0; 2 * at < indices.words.length; at++) {
    const bucket = indices.words[2 * at]!;
    if (bucket >= allBuckets) continue;
    first = Math.min(first, bucket);
    last = Math.max(last, bucket + 1);
  }
  const width = Math.max(0, last - first);
  const dense = new Float64Array(counts.rowCount * width);
  for (let row = 0; row < counts.rowCount; row++) {
    const size = starts[row + 1]! - starts[row]!;
    if (counts.missing?.[row] === 1 || size !== indexStarts[row + 1]! - indexStarts[row]!) continue;
    missing[firstRow + row] = 0;
    for (let index = 0; index < size; index++) {
      const bucket = indices.words[2 * (indexStarts[row]! + index)]!;
      if (bucket >= allBuckets) continue;
      const at = 2 * (starts[row]! + index);
      dense[row * width + bucket - first] = counts.words[at + 1]! * HIGH_WORD + counts.words[at]!;
    }
  }
  return { firstRow, rowCount: counts.rowCount, first, last, counts: dense };
}

function missingAt(missing: Uint8Array, { rows }: Times): { missing?: Uint8Array } {
  const ordered = rows === undefined ? missing : Uint8Array.from(rows, (row) => missing[row]!);
  return ordered.includes(1) ? { missing: ordered } : {};
}
