/**
 * Arithmetic on unsigned 64-bit integers that lie as little-endian pairs of `u32`: value i is
 * `words[2i] + words[2i+1]·2³²`. Loops stay free of bigint; single values may cross over.
 * @module
 */

/** 2³², the weight of the high word. */
export const HIGH_WORD = 4_294_967_296;

/** Returns value `index` as a float64: exact below 2⁵³, else rounded once. */
export function wordsToNumber(words: Uint32Array, index: number): number {
  return words[2 * index + 1]! * HIGH_WORD + words[2 * index]!;
}

/** Returns value `index`, read as signed, as a float64: exact within ±2⁵³, else rounded once. */
export function signedWordsToNumber(words: Uint32Array, index: number): number {
  return (words[2 * index + 1]! | 0) * HIGH_WORD + words[2 * index]!;
}

/** Returns value `index` exactly. For single values: costs ten times `wordsToNumber`. */
export function wordsToBigint(words: Uint32Array, index: number): bigint {
  return (BigInt(words[2 * index + 1]!) << 32n) | BigInt(words[2 * index]!);
}

/** Stores `value` modulo 2⁶⁴ as value `index`; a negative one as its two's complement. */
export function storeBigint(words: Uint32Array, index: number, value: bigint): void {
  words[2 * index] = Number(value & 0xffff_ffffn);
  words[2 * index + 1] = Number((value >> 32n) & 0xffff_ffffn);
}

/** Returns the words of `values`, each modulo 2⁶⁴. For schemas and tests, not for loops. */
export function wordsOf(values: readonly (bigint | number)[]): Uint32Array {
  const words = new Uint32Array(2 * values.length);
  values.forEach((value, index) => storeBigint(words, index, BigInt(value)));
  return words;
}

/** Adds `other` to `target`, value by value, modulo 2⁶⁴. @throws {RangeError} When lengths differ. */
export function addWords(target: Uint32Array, other: Uint32Array): void {
  checkSameLength("add", target, other);
  for (let at = 0; at < target.length; at += 2) {
    const low = target[at]! + other[at]!;
    target[at] = low;
    target[at + 1] = target[at + 1]! + other[at + 1]! + (low >= HIGH_WORD ? 1 : 0);
  }
}

/**
 * Stores `current − previous`, value by value, modulo 2⁶⁴, in `out` (which may be one of the two), so that a counter
 * which wrapped at 2⁶⁴ still gives its true increase.
 * @throws {RangeError} When lengths differ.
 */
export function subtractWords(current: Uint32Array, previous: Uint32Array, out: Uint32Array): void {
  checkSameLength("subtract", current, previous);
  checkSameLength("subtract", current, out);
  for (let at = 0; at < current.length; at += 2) {
    const low = current[at]! - previous[at]!;
    out[at + 1] = current[at + 1]! - previous[at + 1]! - (low < 0 ? 1 : 0);
    out[at] = low;
  }
}

/** Stores the float64 of every value in `out`. @throws {RangeError} When `out` is too short. */
export function wordsToNumbers(words: Uint32Array, out: Float64Array): void {
  if (out.length < words.length / 2) {
    throw new RangeError(`Cannot widen ${words.length / 2} values: the output holds ${out.length}`);
  }
  for (let at = 0, index = 0; at < words.length; at += 2, index++) {
    out[index] = words[at + 1]! * HIGH_WORD + words[at]!;
  }
}

function checkSameLength(doing: string, left: Uint32Array, right: Uint32Array): void {
  if (left.length !== right.length) {
    throw new RangeError(
      `Cannot ${doing} values: one side has ${left.length} words, the other ${right.length}`,
    );
  }
}
