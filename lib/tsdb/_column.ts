/**
 * The points of one live series. A column begins where its series did and holds nothing behind its last sample: on a
 * host where processes come and go, thousands of series live for a second and few for long.
 * @module
 */
import { HIGH_WORD, type HistogramValue } from "../metrics/mod.ts";
import type { HistogramSeries, NumberSeries, SeriesInfo } from "./series.ts";

/** Slots of a new column; they double from there. */
const FIRST_SLOTS = 16;

/** What a column is made of: where it begins, and how large it can become. */
export interface ColumnOptions {
  readonly info: SeriesInfo;
  /** The table's row of its first sample. */
  readonly row: number;
  /** Slots that it never needs more than: the table's rows and one for the mark at its end. */
  readonly limit: number;
}

/** Gives the times of the table's rows `from` to `to`. */
export type TimesOf = (from: number, to: number) => Float64Array;

/** What all columns share: where they lie in the table, and which rows have a sample. */
abstract class Column {
  readonly info: SeriesInfo;
  readonly #limit: number;
  /** The table's row of slot 0. */
  #from: number;
  #used = 0;
  #missing: Uint8Array | undefined;
  protected slots = 0;

  constructor({ info, row, limit }: ColumnOptions) {
    this.info = info;
    this.#from = row;
    this.#limit = limit;
  }

  /** Whether all its samples have slid out. */
  get empty(): boolean {
    return this.#used === 0;
  }

  protected get used(): number {
    return this.#used;
  }

  /** Makes room for `slots` slots. */
  protected abstract resize(slots: number): void;
  /** Moves the slots from `first` on to the front. */
  protected abstract shift(first: number): void;

  /** Takes the slot of a row that has a sample; rows since the last one have none. */
  protected slotOf(row: number): number {
    const slot = row - this.#from;
    this.#reserve(slot + 1);
    if (slot > this.#used) this.#flags().fill(1, this.#used, slot);
    if (this.#missing !== undefined) this.#missing[slot] = 0;
    this.#used = slot + 1;
    return slot;
  }

  /** Drops the table's oldest `rows` rows. */
  slide(rows: number): void {
    this.#from -= rows;
    if (this.#from >= 0) return;
    const gone = Math.min(this.#used, -this.#from);
    this.shift(gone);
    this.#missing?.copyWithin(0, gone, this.#used);
    this.#used -= gone;
    this.#from = 0;
  }

  /**
   * The slots of what lies between the table's rows `first` and `end`, with times and flags. A series that ended has
   * one slot more, without a sample: it says that the series is gone.
   */
  protected window(first: number, end: number, timesOf: TimesOf): {
    from: number;
    to: number;
    times: Float64Array;
    missing?: Uint8Array;
  } {
    const last = this.#from + this.#used;
    const ended = last < end;
    const start = Math.min(Math.max(first, this.#from), last);
    const stop = ended ? last + 1 : last;
    if (ended) {
      this.#reserve(this.#used + 1);
      this.#flags()[this.#used] = 1;
    }
    const [from, to] = [start - this.#from, stop - this.#from];
    const span = { from, to, times: timesOf(start, stop) };
    return this.#missing === undefined ? span : { ...span, missing: this.#missing.subarray(from, to) };
  }

  #reserve(slots: number): void {
    if (slots <= this.slots) return;
    this.slots = Math.max(slots, Math.min(this.#limit, Math.max(FIRST_SLOTS, 2 * this.slots)));
    this.resize(this.slots);
    if (this.#missing !== undefined) this.#missing = enlarged(this.#missing, new Uint8Array(this.slots));
  }

  #flags(): Uint8Array {
    return this.#missing ??= new Uint8Array(this.slots);
  }
}

/** A column of counters or gauges. */
export class NumberColumn extends Column {
  #values = new Float64Array(0);

  set(row: number, low: number, high: number): void {
    const signed = this.info.type === "gauge";
    const slot = this.slotOf(row); // May replace the buffer: not within the assignment.
    this.#values[slot] = (signed ? high | 0 : high) * HIGH_WORD + low;
  }

  read(first: number, end: number, timesOf: TimesOf): NumberSeries {
    const { from, to, ...rest } = this.window(first, end, timesOf);
    const { info: { labels, type } } = this;
    const values = this.#values.subarray(from, to);
    return { kind: "number", labels, type: type === "gauge" ? type : "counter", values, ...rest };
  }

  protected override resize(slots: number): void {
    this.#values = enlarged(this.#values, new Float64Array(slots));
  }

  protected override shift(first: number): void {
    this.#values.copyWithin(0, first, this.used);
  }
}

/** A column of histograms of one layout, dense over the buckets used so far. */
export class HistogramColumn extends Column {
  readonly groupingPower: number;
  readonly maxValuePower: number;
  #first = 0;
  #count = 0;
  #counts = new Float64Array(0);

  constructor(options: ColumnOptions, { groupingPower, maxValuePower }: HistogramValue) {
    super(options);
    this.groupingPower = groupingPower;
    this.maxValuePower = maxValuePower;
  }

  set(row: number, { words }: HistogramValue): void {
    let [first, end] = [0, words.length / 2];
    while (first < end && words[2 * first] === 0 && words[2 * first + 1] === 0) first++;
    while (end > first && words[2 * end - 2] === 0 && words[2 * end - 1] === 0) end--;
    if (end > first) this.#cover(first, end);
    const at = this.slotOf(row) * this.#count;
    for (let b = 0, bucket = this.#first; b < this.#count; b++, bucket++) {
      this.#counts[at + b] = words[2 * bucket + 1]! * HIGH_WORD + words[2 * bucket]!;
    }
  }

  read(first: number, end: number, timesOf: TimesOf): HistogramSeries {
    const { from, to, ...rest } = this.window(first, end, timesOf);
    return {
      kind: "histogram",
      labels: this.info.labels,
      type: "histogram",
      groupingPower: this.groupingPower,
      maxValuePower: this.maxValuePower,
      firstBucket: this.#first,
      bucketCount: this.#count,
      counts: this.#counts.subarray(from * this.#count, to * this.#count),
      ...rest,
    };
  }

  protected override resize(slots: number): void {
    this.#counts = enlarged(this.#counts, new Float64Array(slots * this.#count));
  }

  protected override shift(first: number): void {
    this.#counts.copyWithin(0, first * this.#count, this.used * this.#count);
  }

  /** Widens the range of buckets held so that it covers `first` to `end`. */
  #cover(first: number, end: number): void {
    const [from, to] = this.#count === 0
      ? [first, end]
      : [Math.min(first, this.#first), Math.max(end, this.#first + this.#count)];
    const count = to - from;
    if (count === this.#count) return;
    const counts = new Float64Array(this.slots * count);
    // A histogram that never counted holds no bucket, and there is nothing to copy.
    const rows = this.#count === 0 ? 0 : this.used;
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
