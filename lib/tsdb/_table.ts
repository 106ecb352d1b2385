/** The live points of one group: a column of times and a column for each series that was ever a member. @module */
import {
  type Group,
  type HistogramValue,
  type MetricType,
  type Schema,
  type SchemaEntry,
} from "../metrics/mod.ts";
import { type ColumnOptions, HistogramColumn, NumberColumn } from "./_column.ts";
import { identity, seriesOf } from "./identity.ts";
import type { Series, SeriesInfo } from "./series.ts";

/** Rows of a new table's times; they double from there. */
const FIRST_ROWS = 256;

/** How much more than the retention a buffer holds, so that sliding costs four copies a point and not one a tick. */
const SLACK = 1.25;

/** More rows than any table has: makes one number of two rows. */
const MAX_ROWS = 2 ** 26;

/** The columns of a schema's entries, in the order of the values. */
interface Members {
  readonly schema: Schema;
  readonly counters: readonly NumberColumn[];
  readonly gauges: readonly NumberColumn[];
  readonly histograms: (HistogramColumn | undefined)[];
}

/** One table. Rows are ticks; the newest `points` of them can be read. */
export class Table {
  #capacity = FIRST_ROWS;
  #times = new Float64Array(FIRST_ROWS);
  #end = 0;
  #members: Members | undefined;
  readonly columns = new Map<string, NumberColumn | HistogramColumn>();
  readonly #onMembership: () => void;
  /** Parts of the times until the next append: equal parts are one object, as the engine computes windows once for each. */
  readonly #parts = new Map<number, Float64Array>();

  constructor(readonly points: number, onMembership: () => void) {
    this.#onMembership = onMembership;
  }

  get lastTime(): number | undefined {
    return this.#end === 0 ? undefined : this.#times[this.#end - 1];
  }

  get firstTime(): number | undefined {
    return this.#end === 0 ? undefined : this.#times[this.#first];
  }

  /** The usual distance of the newest ticks in seconds. */
  get interval(): number | undefined {
    const ticks = Math.min(this.#end - this.#first, 60);
    if (ticks < 2) return undefined;
    return (this.#times[this.#end - 1]! - this.#times[this.#end - ticks]!) / (ticks - 1);
  }

  get #limit(): number {
    return Math.ceil(this.points * SLACK) + 1;
  }

  #options(info: SeriesInfo): ColumnOptions {
    return { info, row: this.#end - 1, limit: this.#limit + 1 };
  }

  get #first(): number {
    return Math.max(0, this.#end - this.points);
  }

  append(group: Group, time: number): void {
    this.#reserve();
    const row = this.#end;
    this.#times[row] = time;
    this.#end++;
    this.#parts.clear();
    const members = this.#membersOf(group.schema);
    setNumbers(members.counters, group.counters, row);
    setNumbers(members.gauges, group.gauges, row);
    for (let i = 0; i < group.histograms.length; i++) {
      const value = group.histograms[i];
      if (value !== undefined) this.#histogramColumn(members, i, value).set(row, value);
    }
  }

  read(column: NumberColumn | HistogramColumn): Series {
    return column.read(this.#first, this.#end, (from, to) => this.#part(from, to));
  }

  #part(from: number, to: number): Float64Array {
    const key = from * MAX_ROWS + to;
    let part = this.#parts.get(key);
    if (part === undefined) this.#parts.set(key, part = this.#times.subarray(from, to));
    return part;
  }

  /** Room for one more row: buffers grow up to the retention with its slack, then the oldest rows go. */
  #reserve(): void {
    if (this.#end < this.#capacity) return;
    if (this.#capacity < this.#limit) {
      this.#capacity = Math.min(this.#limit, this.#capacity * 2);
      const times = new Float64Array(this.#capacity);
      times.set(this.#times);
      this.#times = times;
      return;
    }
    const rows = this.#end - this.points;
    this.#times.copyWithin(0, rows);
    this.#end -= rows;
    for (const [key, column] of this.columns) {
      column.slide(rows);
      if (column.empty) this.#forget(key);
    }
  }

  /** A series without any sample left is gone. If it is still registered, its next value makes it anew. */
  #forget(key: string): void {
    this.columns.delete(key);
    this.#members = undefined;
    this.#onMembership();
  }

  #membersOf(schema: Schema): Members {
    if (this.#members?.schema === schema) return this.#members;
    this.#members = {
      schema,
      counters: schema.counters.map((entry) => this.#numberColumn(entry, "counter")),
      gauges: schema.gauges.map((entry) => this.#numberColumn(entry, "gauge")),
      histograms: schema.histograms.map(() => undefined),
    };
    return this.#members;
  }

  #numberColumn(entry: SchemaEntry, type: Exclude<MetricType, "histogram">): NumberColumn {
    const info = seriesOf(entry, type);
    const key = identity(info.labels, type);
    const known = this.columns.get(key);
    if (known instanceof NumberColumn) return known;
    const column = new NumberColumn(this.#options(info));
    this.columns.set(key, column);
    this.#onMembership();
    return column;
  }

  /** A histogram's layout is known only with its first value; one whose layout changes starts anew. */
  #histogramColumn(members: Members, index: number, value: HistogramValue): HistogramColumn {
    const { groupingPower, maxValuePower } = value;
    const fits = (column: unknown): column is HistogramColumn =>
      column instanceof HistogramColumn && column.groupingPower === groupingPower &&
      column.maxValuePower === maxValuePower;
    const member = members.histograms[index];
    if (fits(member)) return member;
    const info = seriesOf(members.schema.histograms[index]!, "histogram");
    const key = identity(info.labels, "histogram");
    const known = this.columns.get(key);
    const column = fits(known) ? known : new HistogramColumn(this.#options(info), value);
    if (column !== known) {
      this.columns.set(key, column);
      this.#onMembership();
    }
    members.histograms[index] = column;
    return column;
  }
}

function setNumbers(columns: readonly NumberColumn[], values: Group["counters"], row: number): void {
  const { words, missing } = values;
  for (let i = 0; i < columns.length; i++) {
    if (missing === undefined || missing[i] === 0) columns[i]!.set(row, words[2 * i]!, words[2 * i + 1]!);
  }
}
