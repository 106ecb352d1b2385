import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  addWords,
  bucketBounds,
  bucketIndex,
  bucketIndexOfWords,
  bucketLower,
  bucketUpper,
  downsample,
  HISTOGRAM_LAYOUT,
  histogramLayout,
  mean,
  quantile,
  quantiles,
  signedWordsToNumber,
  storeBigint,
  subtractWords,
  sumOfMiddles,
  totalCount,
  wordsOf,
  wordsToBigint,
  wordsToNumber,
  wordsToNumbers,
} from "../../lib/metrics/mod.ts";
import { seededRandom, testSeed } from "./seeded.ts";

const MAX = (1n << 64n) - 1n;

/** Value, its index for p = 3, first and last value of that bucket, its index for p = 7 and p = 2 (m = 64). */
const VECTORS: [bigint, number, bigint, bigint, number, number][] = [
  [0n, 0, 0n, 0n, 0, 0],
  [15n, 15, 15n, 15n, 15, 11],
  [16n, 16, 16n, 17n, 16, 12],
  [17n, 16, 16n, 17n, 17, 12],
  [31n, 23, 30n, 31n, 31, 15],
  [100n, 36, 96n, 103n, 100, 22],
  [1000n, 63, 960n, 1023n, 506, 35],
  [1024n, 64, 1024n, 1151n, 512, 36],
  [65535n, 111, 61440n, 65535n, 1279, 59],
  [1_000_000n, 143, 983_040n, 1_048_575n, 1780, 75],
  [123_456_789n, 198, 117_440_512n, 125_829_119n, 2667, 103],
  [2_147_483_647n, 231, 2_013_265_920n, 2_147_483_647n, 3199, 119],
  [2_147_483_648n, 232, 2_147_483_648n, 2_415_919_103n, 3200, 120],
  [1_000_000_000_000n, 302, 962_072_674_304n, 1_030_792_151_039n, 4328, 155],
  [1n << 63n, 488, 1n << 63n, 10_376_293_541_461_622_783n, 7296, 248],
  [MAX, 495, 17_293_822_569_102_704_640n, MAX, 7423, 251],
];

for (const [value, index3, first, last, index7, index2] of VECTORS) {
  Deno.test(`value ${value} falls into the bucket that upstream counts it in`, () => {
    const found = [3, 7, 2].map((p) => bucketIndex(histogramLayout(p, 64), value));
    deepStrictEqual(found, [index3, index7, index2]);
    const [low, high] = wordsOf([value]);
    strictEqual(bucketIndexOfWords(HISTOGRAM_LAYOUT, low!, high!), index3);
    strictEqual(bucketLower(HISTOGRAM_LAYOUT, index3), first);
    strictEqual(bucketUpper(HISTOGRAM_LAYOUT, index3), last);
  });
}

Deno.test("a layout has the number of buckets that upstream computes", () => {
  deepStrictEqual([0, 1, 2, 3, 4, 5, 6, 7].map((p) => histogramLayout(p, 64).bucketCount), [
    ...[65, 128, 252, 496, 976, 1920, 3776, 7424],
  ]);
  strictEqual(histogramLayout(2, 4).bucketCount, 12);
  for (const [p, m] of [[3, 3], [-1, 64], [3, 65], [19, 64], [1.5, 64], [NaN, 64]]) {
    throws(() => histogramLayout(p!, m!), /Cannot lay out histogram: grouping power is/);
  }
});

Deno.test("buckets of every layout adjoin and hold their own bounds, up to the largest value", () => {
  for (const [p, m] of [[0, 64], [1, 3], [2, 4], [3, 64], [5, 33], [7, 64], [8, 32], [12, 40]]) {
    const layout = histogramLayout(p!, m!);
    const bounds = bucketBounds(layout);
    let next = 0n;
    for (let index = 0; index < layout.bucketCount; index++) {
      const [lower, upper] = [bucketLower(layout, index), bucketUpper(layout, index)];
      strictEqual(lower, next);
      strictEqual(bucketIndex(layout, lower), index);
      strictEqual(bucketIndex(layout, upper), index);
      strictEqual(bounds.lower[index], Number(lower));
      strictEqual(bounds.upper[index], Number(upper));
      strictEqual(bounds.middle[index], Number(lower + upper) / 2);
      next = upper + 1n;
    }
    strictEqual(next, 1n << BigInt(m!));
    if (m! < 64) strictEqual(bucketIndex(layout, next), layout.bucketCount - 1);
  }
});

Deno.test("a bucket that is not there is refused", () => {
  for (const index of [-1, 496, 0.5]) {
    throws(() => bucketLower(HISTOGRAM_LAYOUT, index), /the histogram has 496 buckets/);
    throws(() => bucketUpper(HISTOGRAM_LAYOUT, index), /the histogram has 496 buckets/);
  }
});

Deno.test("quantiles are the ends of the buckets in which they fall", () => {
  const layout = histogramLayout(7, 64);
  const counts = new Float64Array(layout.bucketCount);
  strictEqual(quantile(counts, 0.5, layout), undefined);
  for (let value = 0n; value <= 100n; value++) counts[bucketIndex(layout, value)]!++;
  deepStrictEqual(quantiles(counts, [0.999, 0, 0.25, 0.5, 0.75, 0.9, 0.99, 1], layout), [
    ...[100, 0, 25, 50, 75, 90, 99, 100],
  ]);
  counts[bucketIndex(layout, 1024n)]!++;
  strictEqual(quantile(counts, 0.999, layout), 1031);
  throws(() => quantile(counts, 1.01, layout), /Cannot compute quantile 1.01/);
  throws(() => quantile(counts, NaN, layout), /Cannot compute quantile NaN/);
  strictEqual(quantile([0, 2, 1], 0.5, HISTOGRAM_LAYOUT, 63), 1151);
});

Deno.test("mean and sum take each observation as the middle of its bucket", () => {
  const counts = [1, 3]; // buckets 63 (960..1023) and 64 (1024..1151)
  strictEqual(totalCount(counts), 4);
  strictEqual(sumOfMiddles(counts, HISTOGRAM_LAYOUT, 63), 991.5 + 3 * 1087.5);
  strictEqual(mean(counts, HISTOGRAM_LAYOUT, 63), (991.5 + 3 * 1087.5) / 4);
  strictEqual(mean([0, 0], HISTOGRAM_LAYOUT), undefined);
});

Deno.test("downsampling counts as if the coarser histogram had been counted into", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const fine = histogramLayout(7, 64);
  const coarse = HISTOGRAM_LAYOUT;
  const words = new Uint32Array(2 * fine.bucketCount);
  const expected = new Uint32Array(2 * coarse.bucketCount);
  for (let round = 0; round < 2_000; round++) {
    const value = random.bigint(random.below(64) + 1);
    const count = random.bigint(40);
    for (const [target, layout] of [[words, fine], [expected, coarse]] as const) {
      const index = bucketIndex(layout, value);
      storeBigint(target, index, wordsToBigint(target, index) + count);
    }
  }
  deepStrictEqual(downsample(words, fine, 3), expected, `seed ${seed}`);
  throws(() => downsample(words, fine, 7), /grouping power 7 is not below 7/);
  throws(() => downsample(words, coarse, 2), /it has 7424 buckets, its layout 496/);
});

Deno.test("words add and subtract modulo 2^64 as bigint does", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const edges = [0n, 1n, 0xffff_ffffn, 1n << 32n, (1n << 63n) - 1n, 1n << 63n, MAX];
  const pairs: [bigint, bigint][] = edges.flatMap((a) => edges.map((b): [bigint, bigint] => [a, b]));
  for (let round = 0; round < 500; round++) pairs.push([random.bigint(64), random.bigint(64)]);
  const [left, right] = [wordsOf(pairs.map(([a]) => a)), wordsOf(pairs.map(([, b]) => b))];
  const sum = left.slice();
  addWords(sum, right);
  const difference = new Uint32Array(left.length);
  subtractWords(left, right, difference);
  const inPlace = left.slice();
  subtractWords(inPlace, right, inPlace);
  pairs.forEach(([a, b], index) => {
    strictEqual(wordsToBigint(sum, index), (a + b) & MAX, `seed ${seed}`);
    strictEqual(wordsToBigint(difference, index), (a - b) & MAX, `seed ${seed}`);
    strictEqual(wordsToBigint(inPlace, index), (a - b) & MAX, `seed ${seed}`);
  });
  throws(() => addWords(sum, new Uint32Array(2)), /Cannot add values: one side has/);
  throws(() => subtractWords(sum, new Uint32Array(2), sum), /Cannot subtract values: one side has/);
  throws(() => subtractWords(sum, sum, new Uint32Array(2)), /Cannot subtract values: one side has/);
});

Deno.test("words become numbers, unsigned or signed, and bigints", () => {
  const values = [0n, 5n, 1n << 31n, (1n << 53n) - 1n, MAX];
  const words = wordsOf(values);
  const numbers = new Float64Array(values.length);
  wordsToNumbers(words, numbers);
  values.forEach((value, index) => {
    strictEqual(wordsToNumber(words, index), Number(value));
    strictEqual(numbers[index], Number(value));
    strictEqual(wordsToBigint(words, index), value);
  });
  const signed = [-1n, -(1n << 63n), -5_000_000_000n, 7n];
  signed.forEach((value, index) => strictEqual(signedWordsToNumber(wordsOf(signed), index), Number(value)));
  throws(() => wordsToNumbers(words, new Float64Array(2)), /Cannot widen 5 values: the output holds 2/);
});
