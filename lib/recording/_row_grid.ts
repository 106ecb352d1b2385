/**
 * The rows of a file that several tables are written into side by side. Rows of equal time are one; so are, of several
 * recordings, those that lie within half an interval of each other, for their ticks were meant to be one. Pure.
 * @module
 */
import { NAME_SEPARATOR } from "./_combined.ts";
import type { RecordedTable } from "./table.ts";

/** Rows, and where each table's lie. */
export interface RowGrid {
  /** Unix time of each row in nanoseconds; ascends. Of a row that is one of several, the earliest. */
  readonly times: BigUint64Array;
  /** A table's row at each point of the grid, −1 where it has none; `undefined` when they are the same. */
  rowsOf(table: RecordedTable): Int32Array | undefined;
}

/** Finds the rows. `intervalNs` is the distance of ticks. */
export function rowGrid(tables: readonly RecordedTable[], intervalNs: bigint): RowGrid {
  const byRecording = [...Map.groupBy(tables, recordingOf).values()];
  const [only, ...others] = byRecording;
  if (only === undefined || others.length === 0) {
    const times = unionOfTimes(tables);
    return { times, rowsOf: (table) => placed(timesOf(table), times, (time) => time) };
  }
  const own = byRecording.map(unionOfTimes);
  const { times, rowOf } = merge(own, intervalNs / 2n);
  const groupOf = new Map(byRecording.flatMap((group, at) => group.map((table) => [table, at] as const)));
  return {
    times,
    rowsOf: (table) =>
      placed(timesOf(table), times, (time) => times[rowOf[groupOf.get(table)!]!.get(time)!]!),
  };
}

function recordingOf({ name }: RecordedTable): string {
  return name.includes(NAME_SEPARATOR) ? name.slice(0, name.indexOf(NAME_SEPARATOR)) : "";
}

function timesOf(table: RecordedTable): BigUint64Array {
  return new BigUint64Array(Uint32Array.from(table.timestamps).buffer);
}

/** Times of all rows in ascending order, each once. */
function unionOfTimes(tables: readonly RecordedTable[]): BigUint64Array {
  const all = tables.map(timesOf);
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

/** Walks all times in order: one joins the row before it when that is near and has none of its recording yet. */
function merge(
  own: readonly BigUint64Array[],
  nearNs: bigint,
): { times: BigUint64Array; rowOf: Map<bigint, number>[] } {
  const rowOf = own.map(() => new Map<bigint, number>());
  const next = own.map(() => 0);
  const times: bigint[] = [];
  const taken = new Set<number>();
  for (;;) {
    let earliest = -1;
    own.forEach((all, group) => {
      const time = all[next[group]!];
      if (time !== undefined && (earliest < 0 || time < own[earliest]![next[earliest]!]!)) earliest = group;
    });
    if (earliest < 0) return { times: BigUint64Array.from(times), rowOf };
    const time = own[earliest]![next[earliest]!++]!;
    const row = times.at(-1);
    if (row === undefined || taken.has(earliest) || (time !== row && time - row >= nearNs)) {
      times.push(time);
      taken.clear();
    }
    taken.add(earliest);
    rowOf[earliest]!.set(time, times.length - 1);
  }
}

function placed(
  own: BigUint64Array,
  times: BigUint64Array,
  rowTime: (time: bigint) => bigint,
): Int32Array | undefined {
  const onGrid = own.map(rowTime);
  if (sameTimes(onGrid, times)) return undefined;
  const byTime = new Map<bigint, number>();
  onGrid.forEach((time, row) => byTime.set(time, row));
  const rows = new Int32Array(times.length);
  times.forEach((time, point) => rows[point] = byTime.get(time) ?? -1);
  return rows;
}

function sameTimes(left: BigUint64Array, right: BigUint64Array): boolean {
  return left.length === right.length && left.every((time, index) => time === right[index]);
}
