import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  compareLabels,
  EvaluationError,
  formatValue,
  type Grid,
  LOOKBACK_MS,
  matches,
  MAX_SAMPLES,
  query,
  queryBatch,
  type QueryResult,
  type Row,
  selectSeries,
  SUBQUERY_STEP_MS,
  TILE_BYTES,
  timeAt,
} from "../../lib/promql/mod.ts";
import { bucketUpper, histogramLayout } from "../../lib/metrics/mod.ts";
import type { SeriesSource } from "../../lib/tsdb/mod.ts";
import { histograms, numbers, sourceOf } from "./series.ts";

const seconds = (from: number, to: number, step = 1): Grid => ({
  startMs: from * 1000,
  stepMs: step * 1000,
  count: Math.floor((to - from) / step) + 1,
});

function rows(result: QueryResult): readonly Row[] {
  ok(result.type === "vector", `it is a ${result.type}`);
  return result.rows;
}

/** Rows as text labels and values, `undefined` where absent. */
function table(source: SeriesSource, text: string, grid: Grid): Record<string, (number | undefined)[]> {
  const out: Record<string, (number | undefined)[]> = {};
  for (const { labels, values, present } of rows(query(source, { query: text, grid }))) {
    const name = Object.entries(labels).sort().map(([key, value]) => `${key}=${value}`).join(",");
    out[name] = Array.from(values, (value, i) => present[i] === 1 ? value : undefined);
  }
  return out;
}

const cpus = sourceOf(
  [0, 1, 2, 3].map((id) =>
    numbers(
      { __name__: "cpu", id: String(id), state: id % 2 ? "user" : "system" },
      Array.from({ length: 20 }, (_, i) => 100 + i * (id + 1)),
    )
  ),
);

Deno.test("what @ pins is the same at every step, but for functions that look at the step's time", () => {
  const grid = seconds(5, 9);
  for (
    const pinned of [
      "topk(2, rate(cpu[4s] @ end()))",
      "cpu @ 7 - cpu @ start()",
      "sum(cpu @ 3) * 2",
      "vector(1)",
    ]
  ) {
    const atOnce = table(cpus, pinned, seconds(9, 9));
    const everywhere = table(cpus, pinned, grid);
    ok(Object.keys(everywhere).length > 0, pinned);
    for (const [labels, values] of Object.entries(everywhere)) {
      deepStrictEqual(values, new Array(5).fill(values[0]), `${pinned} of ${labels}`);
      if (!pinned.includes("start")) deepStrictEqual([values[0]], atOnce[labels], pinned);
    }
  }
  const ahead = table(cpus, 'predict_linear(cpu{id="0"}[4s] @ 9, 0)', grid);
  deepStrictEqual(Object.values(ahead)[0], [105, 106, 107, 108, 109]);
  deepStrictEqual(table(cpus, "sum(cpu @ 9) + time() * 0 + vector(time())", grid)[""]?.[4], 499);
  const heat = sourceOf([histograms({ __name__: "h" }, 8, [[0, 0], [1, 2], [3, 5]])]);
  const [row] = rows(query(heat, { query: "sum(h @ 2)", grid: seconds(0, 2) }));
  deepStrictEqual([...row!.buckets!.counts], [3, 5, 3, 5, 3, 5]);
});

Deno.test("a bare counter gives its samples, and nothing before the first or beyond the lookback", () => {
  const source = sourceOf([numbers({ __name__: "c" }, [5, 6, 7])]);
  deepStrictEqual(table(source, "c", seconds(-1, 3)), { "__name__=c": [undefined, 5, 6, 7, 7] });
  deepStrictEqual(table(source, "c", seconds(301, 302)), { "__name__=c": [7, undefined] });
  const near = rows(query(source, { query: "c", grid: seconds(2, 5) }, { lookbackMs: 2000 }));
  deepStrictEqual([...near[0]!.present], [1, 1, 0, 0]);
});

Deno.test("a tick without a sample ends a series at once; range windows skip it", () => {
  const source = sourceOf([numbers({ __name__: "c" }, [1, undefined, 5, undefined, undefined])]);
  deepStrictEqual(table(source, "c", seconds(0, 4)), {
    "__name__=c": [1, undefined, 5, undefined, undefined],
  });
  deepStrictEqual(table(source, "irate(c[10s])", seconds(0, 4)), { "": [undefined, undefined, 2, 2, 2] });
  deepStrictEqual(table(source, "count_over_time(c[10s])", seconds(0, 4)), { "": [1, 1, 2, 2, 2] });
});

Deno.test("windows are open to the left: rate over 4 s of 1 s samples sees four of them", () => {
  deepStrictEqual(table(cpus, 'count_over_time(cpu{id="0"}[4s])', seconds(10, 11)), {
    "id=0,state=system": [4, 4],
  });
  deepStrictEqual(table(cpus, 'rate(cpu{id="1"}[4s])', seconds(10, 11)), { "id=1,state=user": [2, 2] });
});

Deno.test("a counter that drops was reset: rate, irate and increase go on from zero", () => {
  const source = sourceOf([numbers({ __name__: "c" }, [10, 20, 30, 5, 15])]);
  deepStrictEqual(table(source, "irate(c[5s])", seconds(1, 4)), { "": [10, 10, 5, 10] });
  const [, , , third] = table(source, "increase(c[4s])", seconds(1, 4))[""]!;
  ok(Math.abs(third! - (10 + 5 + 10) * 4 / 3) < 1e-9, `${third}`);
});

Deno.test("aggregations fold by and without labels, step by step", () => {
  deepStrictEqual(table(cpus, "sum by (state) (irate(cpu[5s]))", seconds(5, 6)), {
    "state=system": [4, 4],
    "state=user": [6, 6],
  });
  deepStrictEqual(table(cpus, "avg without (id) (irate(cpu[5s]))", seconds(5, 5)), {
    "state=system": [2],
    "state=user": [3],
  });
  const one = (text: string) => Object.values(table(cpus, text, seconds(5, 5)))[0]![0];
  strictEqual(one("max(irate(cpu[5s]))"), 4);
  strictEqual(one("min(irate(cpu[5s]))"), 1);
  strictEqual(one("count(cpu)"), 4);
  strictEqual(one("group(cpu)"), 1);
  strictEqual(one("quantile(0.5, irate(cpu[5s]))"), 2.5);
  ok(Math.abs(one("stddev(irate(cpu[5s]))")! - Math.sqrt(1.25)) < 1e-12);
  ok(Math.abs(one("stdvar(irate(cpu[5s]))")! - 1.25) < 1e-12);
  deepStrictEqual(Object.keys(table(cpus, "topk(2, irate(cpu[5s]))", seconds(5, 6))), [
    "id=2,state=system",
    "id=3,state=user",
  ]);
  deepStrictEqual(Object.keys(table(cpus, "bottomk by (state) (1, irate(cpu[5s]))", seconds(5, 6))), [
    "id=0,state=system",
    "id=1,state=user",
  ]);
  deepStrictEqual(table(cpus, 'count_values("v", irate(cpu[5s]) > bool 2)', seconds(5, 5)), {
    "v=0": [2],
    "v=1": [2],
  });
});

Deno.test("an aggregation over more series than fit into a tile gives the same", () => {
  const steps = 3_600;
  const count = Math.ceil(TILE_BYTES / (9 * steps)) * 3 + 1;
  const times = Float64Array.from({ length: steps }, (_, i) => i);
  const source = sourceOf(
    Array.from({ length: count }, (_, id) =>
      numbers(
        { __name__: "m", id: String(id) },
        Array.from(times, (t) => t * id),
        times,
      )),
  );
  const [row] = rows(query(source, { query: "sum(irate(m[5s]))", grid: seconds(10, 3599) }));
  ok(row!.values.every((value) => value === count * (count - 1) / 2));
});

Deno.test("vectors match one to one, many to one, and an ambiguous match is an error", () => {
  const source = sourceOf([
    ...[0, 1].map((id) => numbers({ __name__: "a", id: String(id) }, [id + 1, id + 1])),
    ...[0, 1].map((id) => numbers({ __name__: "b", id: String(id), extra: "x" }, [10, 10])),
    numbers({ __name__: "info", host: "h" }, [1, 1]),
  ]);
  const at = seconds(1, 1);
  deepStrictEqual(table(source, "a * on (id) b", at), { "id=0": [10], "id=1": [20] });
  deepStrictEqual(table(source, "a * ignoring (extra) b", at), { "id=0": [10], "id=1": [20] });
  deepStrictEqual(table(source, "a * on () group_left (host) info", at), {
    "host=h,id=0": [1],
    "host=h,id=1": [2],
  });
  deepStrictEqual(table(source, "info * on () group_right () a", at), { "id=0": [1], "id=1": [2] });
  throws(
    () => table(source, "a * on () b", at),
    /found duplicate series for the match group \{\} on the right hand-side/,
  );
  throws(
    () => table(source, "a * on () info", at),
    /multiple matches for labels: many-to-one matching must be explicit/,
  );
  throws(() => table(source, "a * on () group_left () b", at), EvaluationError);
  throws(() => table(source, "a == on () (info * 100)", at), /many-to-one/, "whatever the filter leaves");
  deepStrictEqual(table(source, "a + on (id) fill_right(5) (b > 100)", at), { "id=0": [6], "id=1": [7] });
});

Deno.test("comparisons filter and keep names; set operators keep whole series", () => {
  const at = seconds(5, 5);
  deepStrictEqual(Object.keys(table(cpus, "cpu > 110", at)), [
    "__name__=cpu,id=2,state=system",
    "__name__=cpu,id=3,state=user",
  ]);
  deepStrictEqual(table(cpus, "cpu > bool 110", at), {
    "id=0,state=system": [0],
    "id=1,state=user": [0],
    "id=2,state=system": [1],
    "id=3,state=user": [1],
  });
  deepStrictEqual(Object.keys(table(cpus, 'cpu and on (id) cpu{id=~"1|2"}', at)), [
    "__name__=cpu,id=1,state=user",
    "__name__=cpu,id=2,state=system",
  ]);
  deepStrictEqual(Object.keys(table(cpus, 'cpu unless on (id) cpu{id=~"1|2|3"}', at)), [
    "__name__=cpu,id=0,state=system",
  ]);
  strictEqual(Object.keys(table(cpus, 'cpu{id="1"} or cpu', at)).length, 4);
});

Deno.test("H2 histograms are values: rates, sums by label and quantiles of them", () => {
  const first = 100;
  const source = sourceOf([
    histograms({ __name__: "h", op: "read" }, first, [[0, 0, 0], [10, 0, 0], [10, 8, 2]]),
    histograms({ __name__: "h", op: "write" }, first + 1, [[0, 0], [0, 90], [10, 90]]),
  ]);
  const bound = (bucket: number) => Number(bucketUpper(histogramLayout(3, 64), bucket));
  const at = seconds(2, 2);
  deepStrictEqual(table(source, "histogram_quantile(0.8, irate(h[5s]))", at), {
    "op=read": [bound(101)],
    "op=write": [bound(101)],
  });
  deepStrictEqual(table(source, "histogram_quantile(0.9, sum(irate(h[5s])))", at), { "": [bound(101)] });
  deepStrictEqual(table(source, "histogram_quantile(0.95, sum(irate(h[5s])))", at), { "": [bound(102)] });
  deepStrictEqual(table(source, "histogram_count(sum by (op) (increase(h[3s])))", at), {
    "op=read": [30],
    "op=write": [150],
  });
  deepStrictEqual(table(source, "histogram_quantiles([0.1, 0.99], irate(h[5s]))", at), {
    "op=read,quantile=0.1": [bound(101)],
    "op=write,quantile=0.1": [bound(101)],
    "op=read,quantile=0.99": [bound(102)],
    "op=write,quantile=0.99": [bound(101)],
  });
  deepStrictEqual(table(source, 'histogram_heatmap(irate(h{op="read"}[5s]))', at), {
    [`le=${bound(101)},op=read`]: [8],
    [`le=${bound(102)},op=read`]: [2],
  });
  const nothing = table(source, "histogram_quantile(0.5, irate(h[5s]))", seconds(0, 0));
  deepStrictEqual(nothing, {}, "one sample is no rate");
});

Deno.test("a sum holds what others counted, wherever a histogram that never counted stands among them", () => {
  const never = histograms({ __name__: "h", op: "flush" }, 0, [[], [], []]);
  const read = histograms({ __name__: "h", op: "read" }, 100, [[0, 0], [10, 2], [10, 5]]);
  const write = histograms({ __name__: "h", op: "write" }, 101, [[0, 0], [0, 4], [0, 6]]);
  for (const series of [[never, read, write], [read, never, write], [read, write, never]]) {
    const [row] = rows(query(sourceOf(series), { query: "sum(irate(h[5s]))", grid: seconds(1, 2) }));
    const { firstBucket, bucketCount, counts } = row!.buckets!;
    deepStrictEqual([firstBucket, bucketCount, [...counts]], [100, 3, [10, 2, 4, 0, 3, 2]]);
  }
  const [row] = rows(query(sourceOf([never]), { query: "sum(irate(h[5s]))", grid: seconds(1, 2) }));
  strictEqual(row!.buckets!.bucketCount, 0);
});

Deno.test("a histogram whose source restarted counts from zero again", () => {
  const source = sourceOf([histograms({ __name__: "h" }, 50, [[100, 100], [110, 100], [3, 4], [5, 4]])]);
  deepStrictEqual(table(source, "histogram_count(irate(h[5s]))", seconds(1, 3)), { "": [10, 7, 2] });
  const [increase] = table(source, "histogram_count(increase(h[4s]))", seconds(3, 3))[""]!;
  ok(Math.abs(increase! - (10 + 7 + 2) * 4 / 3) < 1e-9, `${increase}`);
});

Deno.test("subqueries stand on their own grid, aligned to multiples of their step", () => {
  deepStrictEqual(table(cpus, 'count_over_time(cpu{id="0"}[10s:3s])', seconds(10, 12)), {
    "id=0,state=system": [3, 3, 4],
  });
  deepStrictEqual(table(cpus, "max_over_time(sum(irate(cpu[5s]))[5s:1s])", seconds(10, 10)), { "": [10] });
  throws(
    () => query(cpus, { query: "max_over_time(cpu[365d:1s])", grid: seconds(0, 0) }),
    /subquery has \d+ steps/,
  );
});

Deno.test("offset and @ move what is looked at", () => {
  deepStrictEqual(table(cpus, 'cpu{id="0"} offset 5s', seconds(10, 11)), {
    "__name__=cpu,id=0,state=system": [105, 106],
  });
  deepStrictEqual(table(cpus, 'cpu{id="0"} @ 7', seconds(10, 11)), {
    "__name__=cpu,id=0,state=system": [107, 107],
  });
  deepStrictEqual(table(cpus, 'cpu{id="0"} @ end() offset 1s', seconds(10, 12)), {
    "__name__=cpu,id=0,state=system": [111, 111, 111],
  });
});

Deno.test("a batch evaluates what its queries have in common once, and a bad query spoils only its own place", () => {
  const source = sourceOf([0, 1].map((id) => numbers({ __name__: "cpu", id: String(id) }, [1, 2, 4, 8])));
  const grid = seconds(1, 3);
  const queries = [
    "sum(irate(cpu[5s]))",
    "max(sum(irate(cpu[5s])))",
    "2 * sum(irate(cpu[5s]))",
    "sum(",
    "nope(1)",
    "-sum(irate(cpu[5s]))",
  ];
  const results = queryBatch(source, queries.map((text) => ({ query: text, grid })));
  strictEqual(source.reads.get("cpu"), 2, "each series is read once");
  const values = results.map((result) =>
    result instanceof Error ? result.message : [...rows(result)[0]!.values]
  );
  deepStrictEqual(values, [
    [2, 4, 8],
    [2, 4, 8],
    [4, 8, 16],
    "1:5: parse error: unexpected end of input",
    '1:1: parse error: unknown function with name "nope"',
    [-2, -4, -8],
  ]);
});

Deno.test("scalars, strings and raw samples have their own types", () => {
  const grid = seconds(5, 5);
  const scalar = query(cpus, { query: "1 + 2 * 3", grid });
  ok(scalar.type === "scalar" && scalar.values[0] === 7);
  const text = query(cpus, { query: "'hi'", grid });
  ok(text.type === "string" && text.value === "hi");
  const raw = query(cpus, { query: 'cpu{id="0"}[3s]', grid });
  ok(raw.type === "matrix" && raw.samples[0]!.kind === "number");
  deepStrictEqual([...raw.samples[0]!.times], [3, 4, 5]);
  throws(
    () => query(cpus, { query: "cpu[3s]", grid: seconds(0, 5) }),
    /invalid expression type "range vector" for range query/,
  );
});

Deno.test("range answers are ordered by labels, and sort says that it cannot help there", () => {
  const result = query(cpus, { query: "sort_desc(cpu)", grid: seconds(5, 6) });
  deepStrictEqual(rows(result).map(({ labels }) => labels.id), ["0", "1", "2", "3"]);
  ok(result.warnings[0]!.startsWith("sort_desc is ineffective for range queries"));
  const instant = query(cpus, { query: "sort_desc(cpu)", grid: seconds(5, 5) });
  deepStrictEqual(rows(instant).map(({ labels }) => labels.id), ["3", "2", "1", "0"]);
});

Deno.test("names that are dropped must not make two series one", () => {
  const source = sourceOf([numbers({ __name__: "a" }, [1, 1]), numbers({ __name__: "b" }, [2, 2])]);
  throws(
    () => table(source, '-{__name__=~"a|b"}', seconds(1, 1)),
    /vector cannot contain metrics with the same labelset/,
  );
  throws(() => table(source, 'rate({__name__=~"a|b"}[5s])', seconds(1, 1)), /same labelset/);
});

Deno.test("label_replace and label_join rewrite labels", () => {
  const at = seconds(5, 5);
  deepStrictEqual(
    Object.keys(table(cpus, 'label_replace(cpu{id="1"}, "new", "$2-${1}", "state", "(u)(.*)")', at)),
    ["__name__=cpu,id=1,new=ser-u,state=user"],
  );
  deepStrictEqual(Object.keys(table(cpus, 'label_join(cpu{id="1"}, "new", "/", "id", "state")', at)), [
    "__name__=cpu,id=1,new=1/user,state=user",
  ]);
  deepStrictEqual(Object.keys(table(cpus, 'label_replace(cpu{id="1"}, "id", "", "state", "user")', at)), [
    "__name__=cpu,state=user",
  ]);
});

Deno.test("absent tells of what is not there, with the labels it must have had", () => {
  deepStrictEqual(table(cpus, 'absent(cpu{id="9",x!="y"})', seconds(5, 5)), { "id=9": [1] });
  deepStrictEqual(table(cpus, "absent(cpu)", seconds(5, 5)), {});
  deepStrictEqual(table(cpus, "absent_over_time(nothing[5s])", seconds(5, 6)), { "": [1, 1] });
  deepStrictEqual(table(cpus, 'timestamp(cpu{id="0"} offset 2s)', seconds(5, 5)), {
    "id=0,state=system": [3],
  });
});

Deno.test("matchers are anchored and follow RE2: no lookaround, no backreference, no runaway", () => {
  const names = (text: string) => Object.keys(table(cpus, text, seconds(5, 5))).length;
  strictEqual(names('cpu{id=~"1|2"}'), 2);
  strictEqual(names('cpu{state=~"use"}'), 0);
  strictEqual(names('cpu{state=~"(?i)US.*"}'), 2);
  strictEqual(names('cpu{state!~"us.+"}'), 2);
  strictEqual(names('cpu{missing=""}'), 4);
  for (const bad of ["(?=a)", "(?<!a)b", "(a)\\\\1", "(", "a**", "x{1001}", "[z-a]", "a?".repeat(5000)]) {
    throws(
      () => table(cpus, `cpu{id=~"${bad}"}`, seconds(5, 5)),
      /invalid regular expression in matcher of label "id"/,
      bad,
    );
  }
  const all = cpus.series();
  strictEqual(
    selectSeries(all, [{ name: "__name__", op: "=", value: "cpu" }, { name: "id", op: "!=", value: "0" }])
      .length,
    3,
  );
  ok(
    matches({ a: "b" }, [{ name: "a", op: "=~", value: "[bc]" }]) &&
      !matches({ a: "b" }, [{ name: "a", op: "!=", value: "b" }]),
  );
});

Deno.test("times, numbers and label sets are written and ordered as Prometheus does", () => {
  strictEqual(timeAt({ startMs: 1_790_000_000_100, stepMs: 100, count: 9 }, 3), 1_790_000_000.4);
  deepStrictEqual([0.1, Infinity, -Infinity, NaN, -0, 1e21].map(formatValue), [
    "0.1",
    "+Inf",
    "-Inf",
    "NaN",
    "-0",
    "1e+21",
  ]);
  deepStrictEqual([{ b: "1" }, { a: "2" }, { a: "1", c: "1" }, { a: "1" }].sort(compareLabels), [
    { a: "1" },
    { a: "1", c: "1" },
    { a: "2" },
    { b: "1" },
  ]);
  deepStrictEqual([LOOKBACK_MS, SUBQUERY_STEP_MS], [300_000, 60_000]);
});

Deno.test("an answer with more numbers than the limit is refused", () => {
  const times = Float64Array.of(0);
  const source = sourceOf(
    Array.from({ length: 600 }, (_, id) => numbers({ __name__: "m", id: String(id) }, [1], times)),
  );
  throws(
    () =>
      query(source, { query: "m @ 0", grid: { startMs: 0, stepMs: 1, count: Math.ceil(MAX_SAMPLES / 500) } }),
    /too many samples/,
  );
});
