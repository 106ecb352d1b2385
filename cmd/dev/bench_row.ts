/** What benches tell. @module */

/** One figure; `ok` tells whether it reaches its bar. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bar in words, `<= 5`. */
  readonly bar?: string;
  readonly ok?: boolean;
}

/** A figure that is to be small. */
export function atMost(name: string, value: number, unit: string, bar: number): BenchRow {
  return { name, value, unit, bar: `<= ${bar}`, ok: value <= bar };
}

/** A figure that is to be large. */
export function atLeast(name: string, value: number, unit: string, bar: number): BenchRow {
  return { name, value, unit, bar: `>= ${bar}`, ok: value >= bar };
}
