/** Snapshots that tests record, known at every tick, and where they put files. @module */
import {
  type Group,
  histogramLayout,
  type HistogramValue,
  type Schema,
  type Snapshot,
  wordsOf,
} from "../../lib/metrics/mod.ts";

/** Unix time of tick 0. */
export const START_NS = 1_700_000_000_000_000_000n;

export const SECOND_NS = 1_000_000_000n;

const LAYOUT = histogramLayout(3, 64);

/** One of each kind, in a group whose values were read together. */
export const SCHEMA: Schema = {
  counters: [
    { name: "1x0", metadata: { metric: "cpu_usage", sampler: "cpu", unit: "nanoseconds", id: "0" } },
    { name: "1x1", metadata: { metric: "cpu_usage", sampler: "cpu", unit: "nanoseconds", id: "1" } },
  ],
  gauges: [{ name: "2", metadata: { metric: "level", sampler: "cpu" } }],
  histograms: [{ name: "3", metadata: { metric: "latency", sampler: "cpu", op: "read" } }],
};

/** The same group after a member has come. */
export const WIDER: Schema = {
  ...SCHEMA,
  counters: [...SCHEMA.counters, { name: "1x2", metadata: { metric: "cpu_usage", sampler: "cpu", id: "2" } }],
};

export function histogramAt(tick: number): HistogramValue {
  const counts = new Array<number>(LAYOUT.bucketCount).fill(0);
  counts[17] = tick;
  counts[40] = 3 * tick;
  return { groupingPower: 3, maxValuePower: 64, words: wordsOf(counts) };
}

/** The group at a tick. Member 1x1 has no reading at every fifth tick, the histogram at every seventh. */
export function groupAt(tick: number, schema: Schema = SCHEMA): Group {
  const counters = [1_000 * tick, (1n << 60n) + BigInt(tick), ...(schema === WIDER ? [tick] : [])];
  return {
    name: "cpu/percpu",
    schema,
    window: { beginNs: START_NS + BigInt(tick) * SECOND_NS + 5n, widthNs: 900 },
    counters: {
      words: wordsOf(counters),
      ...(tick % 5 === 4 && { missing: Uint8Array.from(counters, (_, index) => index === 1 ? 1 : 0) }),
    },
    gauges: { words: wordsOf([tick % 2 === 0 ? tick : -tick]) },
    histograms: [tick % 7 === 6 ? undefined : histogramAt(tick)],
  };
}

const MEMORY: Schema = {
  counters: [],
  gauges: [{ name: "9", metadata: { metric: "memory_free", sampler: "memory", unit: "bytes" } }],
  histograms: [],
};

/** A whole snapshot; from `widerFrom` on a member more; the second group is away at every tenth tick. */
export function snapshotAt(tick: number, widerFrom = Infinity): Snapshot {
  const memory: Group = {
    name: "memory/info",
    schema: MEMORY,
    counters: { words: new Uint32Array(0) },
    gauges: { words: wordsOf([4_096 * tick]) },
    histograms: [],
  };
  return {
    timeNs: START_NS + BigInt(tick) * SECOND_NS,
    durationNs: 1_000n + BigInt(tick),
    metadata: { source: "rezolus", version: "9.9.9" },
    groups: [groupAt(tick, tick >= widerFrom ? WIDER : SCHEMA), ...(tick % 10 === 9 ? [] : [memory])],
  };
}

/** A folder that goes away with the test. */
export function folder(): Disposable & { readonly path: (name: string) => string } {
  const root = Deno.makeTempDirSync({ prefix: "hostkit-recording-" });
  return {
    path: (name) => `${root}/${name}`,
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
}
