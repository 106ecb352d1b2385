/** The points of one live series: buffers that grow to a capacity and then slide. @module */
import { HIGH_WORD, type HistogramValue } from "../metrics/mod.ts";
import type { HistogramSeries, NumberSeries, SeriesInfo } from "./series.ts";

/** First buffers hold this many points; they double from there. */
export const FIRST_POINTS = 256;

/** What all columns share: which rows have a sample. */
abstract class Column {
  /** Rows up to here are written; later ones have no sample. */
  protected written = 0;
  /** One past the newest row with a sample. */
  lastSample = 0;
  #missing: Uint8Array | undefined;

  constructor(readonly info: SeriesInfo, protected capacity: number) {}

  /** Marks the rows from `written` up to `row` as without sample. */
  protected skipTo(row: number): void {
    if (this.written === row) return;
    this.#missing ??= new Uint8Array(this.capacity);
    this.#missing.fill(1, this.written, row);
    this.written = row;
  }

  protected wrote(row: number): void {
    this.written = row + 1;
    this.lastSample = row + 1;
  }

  /** The flags of the rows from `first` to `end`; `undefined` when all have a sample. */
  protected missing(first: number, end: number): Uint8Array | undefined {
    this.skipTo(end);
    return this.#missing?.subarray(first, end);
  }

  /** Makes room for `capacity` rows. */
  grow(capacity: number): void {
    this.capacity = capacity;
    if (this.#missing !== undefined) this.#missing = enlarged(this.#missing, new Uint8Array(capacity));
  }

  /** Drops the oldest `rows` rows. */
  slide(rows: number): void {
    this.written = Math.max(0, this.written - rows);
    this.lastSample = Math.max(0, this.lastSample - rows);
    this.#missing?.copyWithin(0, rows);
    this.#missing?.fill(0, this.written);
  }
}

/** A column of counters or gauges. */
export class NumberColumn extends Column {
  #values: Float64Array;
  readonly #signed: boolean;

  constructor(info: SeriesInfo, capacity: number) {
    super(info, capacity);
    this.#values = new Float64Array(capacity);
    this.#signed = info.type === "gauge";
  }

  set(row: number, low: number, high: number): void {
    if (this.written !== row) this.skipTo(row);
    this.#values[row] = (this.#signed ? high | 0 : high) * HIGH_WORD + low;
    this.wrote(row);
  }

  override grow(capacity: number): void {
    super.grow(capacity);
    this.#values = enlarged(this.#values, new Float64Array(capacity));
  }

  override slide(rows: number): void {
    super.slide(rows);
    this.#values.copyWithin(0, rows);
  }

  read(times: Float64Array, first: number, end: number): NumberSeries {
    const missing = this.missing(first, end);
    return {
      kind: "number",
      labels: this.info.labels,
      type: this.info.type === "gauge" ? "gauge" : "counter",
      times,
      values: this.#values.subarray(first, end),
      ...(missing === undefined ? {} : { missing }),
    };
  }
}

/** A column of histograms of one layout, dense over the buckets used so far. */
export class HistogramColumn extends Column {
  #first = 0;
  #count = 0;
  #counts = new Float64Array(0);

  constructor(
    info: SeriesInfo,
    capacity: number,
    readonly groupingPower: number,
    readonly maxValuePower: number,
  ) {
    super(info, capacity);
  }

  set(row: number, value: HistogramValue): void {
    this.skipTo(row);
    const { words } = value;
    let [first, end] = [0, words.length / 2];
    while (first < end && words[2 * first] === 0 && words[2 * first + 1] === 0) first++;
    while (end > first && words[2 * end - 2] === 0 && words[2 * end - 1] === 0) end--;
    if (end > first) this.#cover(first, end);
    const at = row * this.#count;
    for (let b = 0, bucket = this.#first; b < this.#count; b++, bucket++) {
      this.#counts[at + b] = words[2 * bucket + 1]! * HIGH_WORD + words[2 * bucket]!;
    }
    this.wrote(row);
  }

  override grow(capacity: number): void {
    super.grow(capacity);
    this.#counts = enlarged(this.#counts, new Float64Array(capacity * this.#count));
  }

  override slide(rows: number): void {
    super.slide(rows);
    this.#counts.copyWithin(0, rows * this.#count);
  }

  read(times: Float64Array, first: number, end: number): HistogramSeries {
    const missing = this.missing(first, end);
    return {
      kind: "histogram",
      labels: this.info.labels,
      type: "histogram",
      times,
      groupingPower: this.groupingPower,
      maxValuePower: this.maxValuePower,
      firstBucket: this.#first,
      bucketCount: this.#count,
      counts: this.#counts.subarray(first * this.#count, end * this.#count),
      ...(missing === undefined ? {} : { missing }),
    };
  }

  /** Widens the range of buckets held so that it covers `first` to `end`. */
  #cover(first: number, end: number): void {
    const [from, to] = this.#count === 0
      ? [first, end]
      : [Math.min(first, this.#first), Math.max(end, this.#first + this.#count)];
    const count = to - from;
    if (count === this.#count) return;
    const counts = new Float64Array(this.capacity * count);
    // A histogram that never counted holds no bucket, and there is nothing to copy.
    const rows = this.#count === 0 ? 0 : this.written;
    for (let row = 0; row < rows; row++) {
      const old = this.#counts.subarray(row * this.#count, (row + 1) * this.#count);
      counts.set(old, row * count + this.#first - from);
    }
    [this.#first, this.#count, this.#counts] = [from, count, counts];
  }
}

function enlarged<T extends Uint8Array | Float64Array>(old: T, empty: T): T {
  empty.set(old);
  return empty;
}
