/** Rows of columns cut out and put in another order. @module */
import type { ColumnData } from "./parquet/mod.ts";

/** Returns rows `from` to `to` (exclusive) of a column. */
export function sliceRows(data: ColumnData, from: number, to: number): ColumnData {
  if (from === 0 && to === data.rowCount) return data;
  const rowCount = to - from;
  const missing = data.missing?.subarray(from, to);
  const gaps = missing?.includes(1) ? { missing } : {};
  if (data.offsets === undefined) return { rowCount, words: data.words.subarray(2 * from, 2 * to), ...gaps };
  const base = data.offsets[from]!;
  const offsets = data.offsets.slice(from, to + 1).map((offset) => offset - base);
  return { rowCount, words: data.words.subarray(2 * base, 2 * data.offsets[to]!), offsets, ...gaps };
}

/** Returns a column of rows without values. */
export function missingRows(rowCount: number, isList: boolean): ColumnData {
  const missing = new Uint8Array(rowCount).fill(1);
  if (isList) return { rowCount, words: new Uint32Array(0), offsets: new Uint32Array(rowCount + 1), missing };
  return { rowCount, words: new Uint32Array(2 * rowCount), missing };
}

/** Returns the given rows in their order, missing where a row is −1; `read` gives a range of rows. */
export function gatherRows(
  rows: Int32Array,
  isList: boolean,
  read: (from: number, to: number) => ColumnData,
): ColumnData {
  let [first, end] = [Infinity, 0];
  for (const row of rows) {
    if (row < 0) continue;
    first = Math.min(first, row);
    end = Math.max(end, row + 1);
  }
  if (end === 0) return missingRows(rows.length, isList);
  const data = read(first, end);
  const missing = Uint8Array.from(rows, (row) => row < 0 || data.missing?.[row - first] === 1 ? 1 : 0);
  const gaps = missing.includes(1) ? { missing } : {};
  const rowCount = rows.length;
  const source = data.offsets;
  if (source === undefined) {
    const words = new Uint32Array(2 * rowCount);
    rows.forEach((row, at) => {
      if (missing[at] === 1) return;
      words[2 * at] = data.words[2 * (row - first)]!;
      words[2 * at + 1] = data.words[2 * (row - first) + 1]!;
    });
    return { rowCount, words, ...gaps };
  }
  const offsets = new Uint32Array(rowCount + 1);
  rows.forEach((row, at) => {
    offsets[at + 1] = offsets[at]! +
      (missing[at] === 1 ? 0 : source[row - first + 1]! - source[row - first]!);
  });
  const words = new Uint32Array(2 * offsets[rowCount]!);
  rows.forEach((row, at) => {
    if (missing[at] === 1) return;
    words.set(data.words.subarray(2 * source[row - first]!, 2 * source[row - first + 1]!), 2 * offsets[at]!);
  });
  return { rowCount, words, offsets, ...gaps };
}
