import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  type Group,
  histogramLayout,
  type Schema,
  type SchemaEntry,
  type Snapshot,
  wordsOf,
} from "../../lib/metrics/mod.ts";
import { LIVE_POINTS, LiveStore, MAX_LIVE_SERIES, seriesOf } from "../../lib/tsdb/mod.ts";
import type { HistogramSeries, NumberSeries, Series } from "../../lib/tsdb/mod.ts";

const T0 = 1_790_000_000;

function entry(metric: string, labels: Record<string, string> = {}): SchemaEntry {
  return { name: `${metric}/${Object.values(labels).join("/")}`, metadata: { metric, ...labels } };
}

function schema(parts: Partial<Schema>): Schema {
  return { counters: [], gauges: [], histograms: [], ...parts };
}

function snapshot(
  t: number,
  groups: readonly Partial<Group>[],
  metadata: Record<string, string> = {},
): Snapshot {
  const none = { words: new Uint32Array(0) };
  return {
    timeNs: BigInt(Math.round((T0 + t) * 1000)) * 1_000_000n,
    durationNs: 1000n,
    metadata,
    groups: groups.map((group) => ({
      name: "g",
      schema: schema({}),
      counters: none,
      gauges: none,
      histograms: [],
      ...group,
    })),
  };
}

function find(store: LiveStore, name: string, labels: Record<string, string> = {}): Series {
  const info = store.series().find((one) =>
    one.labels.__name__ === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value)
  );
  ok(info !== undefined, `${name} ${JSON.stringify(labels)} is there`);
  return store.read(info);
}

/** Values with `undefined` where there is no sample. */
function values(series: Series): (number | undefined)[] {
  return Array.from(
    (series as NumberSeries).values,
    (value, i) => series.missing?.[i] === 1 ? undefined : value,
  );
}

Deno.test("a series is known by its metric and labels; unit and type are told apart from them", () => {
  const found = seriesOf({
    name: "13",
    metadata: { metric: "cpu_usage", unit: "nanoseconds", metric_type: "counter", state: "user", id: "3" },
  }, "counter");
  deepStrictEqual(found, {
    labels: { __name__: "cpu_usage", state: "user", id: "3" },
    type: "counter",
    unit: "nanoseconds",
  });
  strictEqual(seriesOf({ name: "x", metadata: {} }, "gauge").labels.__name__, "x");
});

Deno.test("counters are unsigned, gauges signed, and all series of a group share their times", () => {
  const store = new LiveStore();
  const both = schema({ counters: [entry("c")], gauges: [entry("g")] });
  for (const t of [0, 1.003, 1.998]) {
    store.append(
      snapshot(t, [{
        schema: both,
        counters: { words: wordsOf([2n ** 40n + 7n]) },
        gauges: { words: wordsOf([-5]) },
      }]),
    );
  }
  const [counter, gauge] = [find(store, "c"), find(store, "g")];
  deepStrictEqual(values(counter), [2 ** 40 + 7, 2 ** 40 + 7, 2 ** 40 + 7]);
  deepStrictEqual(values(gauge), [-5, -5, -5]);
  strictEqual(counter.times, gauge.times);
  deepStrictEqual([...counter.times], [T0, T0 + 1.003, T0 + 1.998]);
  deepStrictEqual(store.range(), { start: T0, end: T0 + 1.998 });
  strictEqual(store.intervalSeconds, 0.999);
  strictEqual(counter.missing, undefined);
});

Deno.test("a group's own window gives its time, not the snapshot's", () => {
  const store = new LiveStore();
  const window = { beginNs: BigInt(T0) * 1_000_000_000n + 250_000_000n, widthNs: 10 };
  store.append(
    snapshot(0, [{ schema: schema({ counters: [entry("c")] }), counters: { words: wordsOf([1]) }, window }]),
  );
  deepStrictEqual([...find(store, "c").times], [T0 + 0.25]);
});

Deno.test("series come and go: a tick without a value has no sample, and a schema may change at any tick", () => {
  const store = new LiveStore();
  const a = schema({ counters: [entry("c", { name: "/a" })] });
  const ab = schema({ counters: [entry("c", { name: "/b" }), entry("c", { name: "/a" })] });
  store.append(snapshot(0, [{ schema: a, counters: { words: wordsOf([1]) } }]));
  store.append(snapshot(1, [{ schema: ab, counters: { words: wordsOf([20, 2]) } }]));
  store.append(
    snapshot(2, [{ schema: ab, counters: { words: wordsOf([21, 3]), missing: Uint8Array.of(0, 1) } }]),
  );
  store.append(snapshot(3, [{ schema: a, counters: { words: wordsOf([4]) } }]));
  deepStrictEqual(values(find(store, "c", { name: "/a" })), [1, 2, undefined, 4]);
  const late = find(store, "c", { name: "/b" });
  deepStrictEqual(values(late), [20, 21, undefined], "from its first sample to the tick that it was gone");
  deepStrictEqual([...late.times], [T0 + 1, T0 + 2, T0 + 3]);
  strictEqual(store.series().length, 2);
});

Deno.test("the list of series stays the same object until membership changes", () => {
  const store = new LiveStore();
  const a = schema({ counters: [entry("c")] });
  store.append(snapshot(0, [{ schema: a, counters: { words: wordsOf([1]) } }]));
  const before = store.series();
  store.append(snapshot(1, [{ schema: a, counters: { words: wordsOf([2]) } }]));
  strictEqual(store.series(), before);
  store.append(
    snapshot(2, [{ schema: schema({ counters: [entry("d")] }), counters: { words: wordsOf([2]) } }]),
  );
  strictEqual(store.series().length, 2);
});

Deno.test("only the newest points are kept, whatever the retention, and a series without any is forgotten", () => {
  for (const points of [2, 7, 300, 1000]) {
    const store = new LiveStore({ points });
    const gone = schema({ counters: [entry("gone"), entry("c")] });
    const stays = schema({ counters: [entry("c")] });
    store.append(snapshot(0, [{ schema: gone, counters: { words: wordsOf([9, 0]) } }]));
    for (let t = 1; t < 4000; t++) {
      store.append(snapshot(t, [{ schema: stays, counters: { words: wordsOf([t]) } }]));
    }
    const series = find(store, "c");
    deepStrictEqual(
      values(series),
      Array.from({ length: points }, (_, i) => 4000 - points + i),
      `retention ${points}`,
    );
    strictEqual(series.times[0], T0 + 4000 - points);
    deepStrictEqual(store.series().map(({ labels }) => labels.__name__), ["c"]);
    deepStrictEqual(store.range(), { start: T0 + 4000 - points, end: T0 + 3999 });
  }
});

Deno.test("a series that comes back after it was forgotten begins anew", () => {
  const store = new LiveStore({ points: 3 });
  const both = schema({ counters: [entry("c"), entry("d")] });
  const one = schema({ counters: [entry("c")] });
  for (let t = 0; t < 1000; t++) {
    store.append(snapshot(t, [{ schema: t === 0 ? both : one, counters: { words: wordsOf([t, t]) } }]));
  }
  store.append(snapshot(1000, [{ schema: both, counters: { words: wordsOf([1000, 77]) } }]));
  deepStrictEqual(values(find(store, "d")), [77]);
  deepStrictEqual([...find(store, "d").times], [T0 + 1000]);
});

Deno.test("histograms are held over the buckets used so far, however the range widens", () => {
  const store = new LiveStore();
  const layout = histogramLayout(3, 64);
  const one = schema({ histograms: [entry("h")] });
  const history: number[][] = [];
  const counts = new Array<number>(layout.bucketCount).fill(0);
  for (const [t, bucket] of [undefined, undefined, 100, 102, 90, 400, 0].entries()) {
    if (bucket !== undefined) counts[bucket]! += 5 + t;
    history.push([...counts]);
    const histogram = { groupingPower: 3, maxValuePower: 64, words: wordsOf(counts) };
    store.append(snapshot(t, [{ schema: one, histograms: [histogram] }]));
    const series = find(store, "h") as HistogramSeries;
    strictEqual(series.times.length, t + 1);
    history.forEach((expected, row) => {
      const found = new Array<number>(layout.bucketCount).fill(0);
      for (let b = 0; b < series.bucketCount; b++) {
        found[series.firstBucket + b] = series.counts[row * series.bucketCount + b]!;
      }
      deepStrictEqual(found, expected, `row ${row} after tick ${t}`);
    });
  }
});

Deno.test("a histogram that could not be read has no sample there; one of another layout begins anew", () => {
  const store = new LiveStore();
  const one = schema({ histograms: [entry("h")] });
  const coarse = { groupingPower: 2, maxValuePower: 64, words: wordsOf(new Array(252).fill(1)) };
  const fine = { groupingPower: 3, maxValuePower: 64, words: wordsOf(new Array(496).fill(2)) };
  store.append(snapshot(0, [{ schema: one, histograms: [coarse] }]));
  store.append(snapshot(1, [{ schema: one, histograms: [undefined] }]));
  deepStrictEqual([...find(store, "h").missing!], [0, 1]);
  store.append(snapshot(2, [{ schema: one, histograms: [fine] }]));
  const series = find(store, "h") as HistogramSeries;
  deepStrictEqual([series.groupingPower, series.bucketCount, [...series.times]], [3, 496, [T0 + 2]]);
});

Deno.test("a snapshot that is not newer is not taken; a clock that jumps back starts anew", () => {
  const store = new LiveStore();
  const one = schema({ counters: [entry("c")] });
  const at = (t: number) =>
    store.append(snapshot(t, [{ schema: one, counters: { words: wordsOf([t < 0 ? 0 : t]) } }]));
  ok(at(100));
  strictEqual(at(100), false);
  strictEqual(at(70), false);
  ok(at(101));
  deepStrictEqual(values(find(store, "c")), [100, 101]);
  ok(at(20));
  deepStrictEqual(values(find(store, "c")), [20]);
});

Deno.test("bad settings and unknown series are refused; help and limits are told", () => {
  throws(() => new LiveStore({ points: 1 }), RangeError);
  const store = new LiveStore({ intervalSeconds: 5 });
  strictEqual(store.range(), undefined);
  strictEqual(store.intervalSeconds, 5);
  throws(() => store.read({ labels: { __name__: "c" }, type: "counter" }), /is gone/);
  store.describe({ c: "Counts." });
  deepStrictEqual(store.help(), { c: "Counts." });
  ok(LIVE_POINTS > 0 && MAX_LIVE_SERIES > LIVE_POINTS);
});

Deno.test("random comings and goings read back as a plain model has them (seeded)", () => {
  const seed = 7;
  let state = seed;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const points = 50;
  const store = new LiveStore({ points });
  const model = new Map<string, Map<number, number>>();
  const alive = new Set<string>();
  for (let t = 0; t < 900; t++) {
    if (random() < 0.3) alive.add(`n${Math.floor(random() * 40)}`);
    for (const name of [...alive]) if (random() < 0.05) alive.delete(name);
    const names = [...alive];
    const numbers = names.map(() => Math.floor(random() * 1000));
    names.forEach((name, i) => {
      if (!model.has(name)) model.set(name, new Map());
      model.get(name)!.set(T0 + t, numbers[i]!);
    });
    const now = schema({ counters: names.map((name) => entry("c", { name })) });
    store.append(snapshot(t, [{ schema: now, counters: { words: wordsOf(numbers) } }]));
    if (t % 37 !== 0) continue;
    for (const info of store.series()) {
      const series = store.read(info) as NumberSeries;
      strictEqual(series.times.length, series.values.length);
      const found = new Map<number, number>();
      series.times.forEach((time, i) => {
        if (series.missing?.[i] !== 1) found.set(time, series.values[i]!);
      });
      const kept = [...model.get(info.labels.name!)!].filter(([time]) => time > T0 + t - points);
      deepStrictEqual(found, new Map(kept), `seed ${seed}, tick ${t}, ${info.labels.name}`);
      const ended = !names.includes(info.labels.name!);
      if (kept.length > 0 && ended) {
        strictEqual(series.missing?.[series.times.length - 1], 1, "its end is marked");
      }
    }
  }
});
