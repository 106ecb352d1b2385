/** Functions of a window of samples. @module */
import type { FunctionEntry, RangeKernel } from "../function.ts";
import type { NumberSamples } from "../samples.ts";
import { timeAt } from "../value.ts";
import { kahanMean, kahanSum, quantileOf, stdvar } from "../_statistics.ts";
import { extrapolated, extrapolatedHistogram, instant, instantHistogram } from "./_rate.ts";

/** A kernel from a function of one window; `undefined` gives no element. Samples are `values[lo..hi)`, at least one. */
function perWindow(
  of: (
    samples: NumberSamples,
    lo: number,
    hi: number,
    at: { now: number; params: number[] },
  ) => number | undefined,
): RangeKernel {
  return (samples, { lo, hi, spec }, out, params) => {
    for (let i = 0; i < lo.length; i++) {
      if (hi[i]! <= lo[i]!) continue;
      const at = { now: timeAt(spec.grid, i), params: params.map((param) => param[i]!) };
      const value = of(samples, lo[i]!, hi[i]!, at);
      if (value === undefined) continue;
      out.values[i] = value;
      out.present[i] = 1;
    }
  };
}

/** A kernel of two samples or more. */
function perPair(of: Parameters<typeof perWindow>[0]): RangeKernel {
  return perWindow((samples, lo, hi, at) => hi - lo < 2 ? undefined : of(samples, lo, hi, at));
}

function entry(
  name: string,
  help: string,
  kernel: RangeKernel,
  more: Partial<FunctionEntry> = {},
): FunctionEntry {
  return { name, help, args: ["matrix"], returns: "vector", impl: { kind: "range", kernel }, ...more };
}

const COUNTER_RATE = { counter: true, rate: true };
const COUNTER_CHANGE = { counter: true, rate: false };
const GAUGE_CHANGE = { counter: false, rate: false };

/** Slope and value at `origin` of the line with the least squared distance; sums are compensated as upstream's are. */
function leastSquares(
  { times, values }: NumberSamples,
  lo: number,
  hi: number,
  origin: number,
): [number, number] {
  let constant = true;
  let sumX = 0, sumY = 0, sumXY = 0, sumXX = 0;
  let lostX = 0, lostY = 0, lostXY = 0, lostXX = 0;
  for (let i = lo; i < hi; i++) {
    const x = times[i]! - origin;
    const y = values[i]!;
    if (y !== values[lo]!) constant = false;
    const nextX = sumX + x;
    const nextY = sumY + y;
    const nextXY = sumXY + x * y;
    const nextXX = sumXX + x * x;
    lostX += lost(sumX, x, nextX);
    lostY += lost(sumY, y, nextY);
    lostXY += lost(sumXY, x * y, nextXY);
    lostXX += lost(sumXX, x * x, nextXX);
    sumX = nextX;
    sumY = nextY;
    sumXY = nextXY;
    sumXX = nextXX;
  }
  if (constant) return Number.isFinite(values[lo]!) ? [0, values[lo]!] : [NaN, NaN];
  const n = hi - lo;
  sumX += lostX;
  sumY += lostY;
  sumXY += lostXY;
  sumXX += lostXX;
  const slope = (sumXY - sumX * sumY / n) / (sumXX - sumX * sumX / n);
  return [slope, sumY / n - slope * sumX / n];
}

/** What was lost to rounding when `sum + value` became `next`. */
function lost(sum: number, value: number, next: number): number {
  return Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
}

function extreme(better: (a: number, b: number) => boolean): RangeKernel {
  return perWindow(({ values }, lo, hi) => {
    let best = values[lo]!;
    for (let i = lo + 1; i < hi; i++) if (better(values[i]!, best) || Number.isNaN(best)) best = values[i]!;
    return best;
  });
}

function extremeTime(better: (a: number, b: number) => boolean): RangeKernel {
  return perWindow(({ times, values }, lo, hi) => {
    let best = lo;
    for (let i = lo + 1; i < hi; i++) {
      if (better(values[i]!, values[best]!) || Number.isNaN(values[best]!)) best = i;
    }
    return times[best];
  });
}

function smoothing({ values }: NumberSamples, lo: number, hi: number, at: { params: number[] }): number {
  const [level, trend] = at.params as [number, number];
  let [previous, current] = [0, values[lo]!];
  let slope = values[lo + 1]! - values[lo]!;
  for (let i = lo + 1; i < hi; i++) {
    const raw = level * values[i]!;
    if (i > lo + 1) slope = trend * (current - previous) + (1 - trend) * slope;
    previous = current;
    current = raw + (1 - level) * (previous + slope);
  }
  return current;
}

function median(values: Float64Array): number {
  return quantileOf(0.5, values);
}

export const RANGE_FUNCTIONS: readonly FunctionEntry[] = [
  entry(
    "rate",
    "Per-second increase of a counter over the window, extrapolated to its edges.",
    extrapolated(COUNTER_RATE),
    {
      impl: {
        kind: "range",
        kernel: extrapolated(COUNTER_RATE),
        histogram: extrapolatedHistogram(COUNTER_RATE),
      },
    },
  ),
  entry(
    "increase",
    "Increase of a counter over the window, extrapolated to its edges.",
    extrapolated(COUNTER_CHANGE),
    {
      impl: {
        kind: "range",
        kernel: extrapolated(COUNTER_CHANGE),
        histogram: extrapolatedHistogram(COUNTER_CHANGE),
      },
    },
  ),
  entry("delta", "Change of a gauge over the window, extrapolated to its edges.", extrapolated(GAUGE_CHANGE)),
  entry("irate", "Per-second increase between the last two samples of a counter.", instant(COUNTER_RATE), {
    impl: { kind: "range", kernel: instant(COUNTER_RATE), histogram: instantHistogram(COUNTER_RATE) },
  }),
  entry("idelta", "Change between the last two samples.", instant(GAUGE_CHANGE), {
    impl: { kind: "range", kernel: instant(GAUGE_CHANGE), histogram: instantHistogram(GAUGE_CHANGE) },
  }),
  entry(
    "deriv",
    "Per-second slope of a gauge by least squares.",
    perPair((samples, lo, hi) => leastSquares(samples, lo, hi, samples.times[lo]!)[0]),
  ),
  entry(
    "predict_linear",
    "Value of a gauge after that many seconds, by least squares.",
    perPair((samples, lo, hi, at) => {
      const [slope, intercept] = leastSquares(samples, lo, hi, at.now);
      return slope * at.params[0]! + intercept;
    }),
    { args: ["matrix", "scalar"] },
  ),
  entry(
    "double_exponential_smoothing",
    "Smoothed value; arguments are the factors of level and trend.",
    perPair(smoothing),
    {
      args: ["matrix", "scalar", "scalar"],
      experimental: true,
    },
  ),
  entry(
    "resets",
    "How often a counter dropped in the window.",
    perWindow(({ values }, lo, hi) => {
      let count = 0;
      for (let i = lo + 1; i < hi; i++) if (values[i]! < values[i - 1]!) count++;
      return count;
    }),
  ),
  entry(
    "changes",
    "How often the value changed in the window.",
    perWindow(({ values }, lo, hi) => {
      let count = 0;
      for (
        let i = lo + 1;
        i < hi;
        i++
      ) if (!Object.is(values[i], values[i - 1]) && values[i] !== values[i - 1]) count++;
      return count;
    }),
  ),
  entry(
    "sum_over_time",
    "Sum of the samples.",
    perWindow(({ values }, lo, hi) => kahanSum(hi - lo, (i) => values[lo + i]!)),
  ),
  entry(
    "avg_over_time",
    "Mean of the samples.",
    perWindow(({ values }, lo, hi) => kahanMean(hi - lo, (i) => values[lo + i]!)),
  ),
  entry("min_over_time", "Smallest sample.", extreme((a, b) => a < b)),
  entry("max_over_time", "Largest sample.", extreme((a, b) => a > b)),
  entry("count_over_time", "Number of samples.", perWindow((_, lo, hi) => hi - lo)),
  entry("present_over_time", "1 where there is any sample.", perWindow(() => 1)),
  entry("last_over_time", "Newest sample.", perWindow(({ values }, _, hi) => values[hi - 1]), {
    keepsName: true,
  }),
  entry("first_over_time", "Oldest sample.", perWindow(({ values }, lo) => values[lo]), { keepsName: true }),
  entry(
    "stddev_over_time",
    "Population standard deviation of the samples.",
    perWindow(({ values }, lo, hi) => Math.sqrt(stdvar(hi - lo, (i) => values[lo + i]!))),
  ),
  entry(
    "stdvar_over_time",
    "Population variance of the samples.",
    perWindow(({ values }, lo, hi) => stdvar(hi - lo, (i) => values[lo + i]!)),
  ),
  entry(
    "quantile_over_time",
    "A quantile of the samples.",
    perWindow(({ values }, lo, hi, at) => quantileOf(at.params[0]!, values.slice(lo, hi))),
    { args: ["scalar", "matrix"] },
  ),
  entry(
    "mad_over_time",
    "Median absolute deviation of the samples.",
    perWindow(({ values }, lo, hi) => {
      const middle = median(values.slice(lo, hi));
      return median(values.slice(lo, hi).map((value) => Math.abs(value - middle)));
    }),
    { experimental: true },
  ),
  entry("ts_of_first_over_time", "Time of the oldest sample.", perWindow(({ times }, lo) => times[lo]), {
    experimental: true,
  }),
  entry(
    "ts_of_last_over_time",
    "Time of the newest sample.",
    perWindow(({ times }, _, hi) => times[hi - 1]),
    { experimental: true },
  ),
  entry(
    "ts_of_min_over_time",
    "Time of the smallest sample, the last of equals.",
    extremeTime((a, b) => a <= b),
    { experimental: true },
  ),
  entry(
    "ts_of_max_over_time",
    "Time of the largest sample, the last of equals.",
    extremeTime((a, b) => a >= b),
    { experimental: true },
  ),
];
