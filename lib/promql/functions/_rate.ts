/** Increase of counters and change of gauges over a window, extrapolated to its edges as Prometheus does. @module */
import type { HistogramSamples, NumberSamples } from "../samples.ts";
import type { HistogramKernel, RangeKernel } from "../function.ts";

/** A gap to the window's edge wider than this many mean distances is not bridged. */
const EXTRAPOLATION_LIMIT = 1.1;

interface Kind {
  readonly counter: boolean;
  /** Divide by the window. */
  readonly rate: boolean;
}

/** The kernel of `rate`, `increase` and `delta`. */
export function extrapolated(kind: Kind): RangeKernel {
  return (samples, windows, out) => {
    const { times, values } = samples;
    const total = kind.counter ? resetFree(values) : values;
    const { lo, hi, starts, ends, spec } = windows;
    const divisor = kind.rate ? spec.rangeMs / 1000 : 1;
    for (let i = 0; i < lo.length; i++) {
      const first = lo[i]!;
      const last = hi[i]! - 1;
      if (last <= first) continue;
      const change = total[last]! - total[first]!;
      const zeroFrom = kind.counter && change > 0 && values[first]! >= 0 ? values[first]! / change : Infinity;
      const from = times[first]!;
      const to = times[last]!;
      const scale = factor(to - from, last - first, from - starts[i]!, ends[i]! - to, zeroFrom);
      out.values[i] = change * scale / divisor;
      out.present[i] = 1;
    }
  };
}

/**
 * By how much the change over `sampled` seconds grows when it is extended to the window's edges, `before` and `after`
 * it. Plain numbers in and out: this runs once for each step of each series.
 */
function factor(sampled: number, gaps: number, before: number, after: number, zeroFrom: number): number {
  const mean = sampled / gaps;
  const limit = mean * EXTRAPOLATION_LIMIT;
  let start = before >= limit ? mean / 2 : before;
  // A counter was never below zero: do not extend it further than to where it would have been zero.
  const toZero = sampled * zeroFrom;
  if (toZero < start) start = toZero;
  const end = after >= limit ? mean / 2 : after;
  return (sampled + start + end) / sampled;
}

/** The counter without its resets: after each drop, what was there before is added. */
function resetFree(values: Float64Array): Float64Array {
  let reset = 1;
  while (reset < values.length && !(values[reset]! < values[reset - 1]!)) reset++;
  if (reset >= values.length) return values;
  const out = values.slice();
  let base = 0;
  for (let i = 1; i < values.length; i++) {
    if (values[i]! < values[i - 1]!) base += values[i - 1]!;
    out[i] = values[i]! + base;
  }
  return out;
}

/** The kernel of `irate` and `idelta`: the last two samples only. */
export function instant(kind: Kind): RangeKernel {
  return ({ times, values }: NumberSamples, { lo, hi }, out) => {
    for (let i = 0; i < lo.length; i++) {
      const last = hi[i]! - 1;
      if (last <= lo[i]!) continue;
      let change = values[last]! - values[last - 1]!;
      if (kind.counter && change < 0) change = values[last]!;
      const elapsed = times[last]! - times[last - 1]!;
      if (elapsed === 0) continue;
      out.values[i] = kind.rate ? change / elapsed : change;
      out.present[i] = 1;
    }
  };
}

/** `rate`, `increase` of histograms: bucket by bucket. */
export function extrapolatedHistogram(kind: Kind): HistogramKernel {
  return (samples, windows, out) => {
    const { lo, hi, starts, ends, spec } = windows;
    const divisor = kind.rate ? spec.rangeMs / 1000 : 1;
    const resets = kind.counter ? findResets(samples) : [];
    for (let i = 0; i < lo.length; i++) {
      const first = lo[i]!;
      const last = hi[i]! - 1;
      if (last <= first) continue;
      const start = samples.times[first]!;
      const end = samples.times[last]!;
      const scale = factor(end - start, last - first, start - starts[i]!, ends[i]! - end, Infinity) / divisor;
      let from = first;
      for (const reset of resets) {
        if (reset <= first || reset > last) continue;
        addChange(samples, from, reset - 1, out, { i, scale });
        addChange(samples, undefined, reset, out, { i, scale });
        from = reset;
      }
      addChange(samples, from, last, out, { i, scale });
      out.present[i] = 1;
    }
  };
}

/** `irate`, `idelta` of histograms. */
export function instantHistogram(kind: Kind): HistogramKernel {
  return (samples, { lo, hi }, out) => {
    const resets = new Set(kind.counter ? findResets(samples) : []);
    for (let i = 0; i < lo.length; i++) {
      const last = hi[i]! - 1;
      if (last <= lo[i]!) continue;
      const scale = kind.rate ? 1 / (samples.times[last]! - samples.times[last - 1]!) : 1;
      addChange(samples, resets.has(last) ? undefined : last - 1, last, out, { i, scale });
      out.present[i] = 1;
    }
  };
}

/** Adds the counts of sample `to` less those of `from`; no bucket of a counter falls without a reset, so none below 0. */
function addChange(
  { counts, bucketCount }: HistogramSamples,
  from: number | undefined,
  to: number,
  out: Parameters<HistogramKernel>[2],
  { i, scale }: { i: number; scale: number },
): void {
  const target = out.buckets!.counts;
  const [end, start, at] = [to * bucketCount, (from ?? 0) * bucketCount, i * bucketCount];
  for (let b = 0; b < bucketCount; b++) {
    const change = counts[end + b]! - (from === undefined ? 0 : counts[start + b]!);
    if (change > 0) target[at + b] = target[at + b]! + change * scale;
  }
}

/** Samples whose count of observations is lower than the one before: the source has started anew. */
function findResets({ counts, bucketCount, times }: HistogramSamples): number[] {
  const resets: number[] = [];
  let previous = 0;
  for (let i = 0; i < times.length; i++) {
    let total = 0;
    for (let b = i * bucketCount; b < (i + 1) * bucketCount; b++) total += counts[b]!;
    if (total < previous) resets.push(i);
    previous = total;
  }
  return resets;
}
