/** What the page computes without a browser. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ColumnResult, DecodedSeries } from "../../lib/viewer/columns.ts";
import type { ChartDef } from "../../lib/viewer/views/mod.ts";
import { chartModel, type Heat, MAX_LINES, shapeData } from "../../lib/viewer/web/chart_model.ts";
import { faded, heatColors, heatGradient, seriesColor } from "../../lib/viewer/web/colors.ts";
import {
  formatInstant,
  formatSpan,
  formatTick,
  formatTime,
  formatTook,
  formatValue,
  niceSteps,
  timeTicks,
} from "../../lib/viewer/web/format.ts";
import { frameTicks, LEFT, RIGHT, timeOf, xOf } from "../../lib/viewer/web/geometry.ts";
import { bucketLower, HISTOGRAM_LAYOUT } from "../../lib/metrics/mod.ts";
import { stepAt } from "../../lib/viewer/web/painter.ts";

Deno.test("values are written with three digits and the unit that fits", () => {
  const cases: [number, Parameters<typeof formatValue>[1], string, string][] = [
    [0, "ns", "0 ns", "0"],
    [850, "ns", "850 ns", "850 ns"],
    [1_000, "ns", "1 µs", "1 µs"],
    [999.9, "ns", "1 µs", "1 µs"],
    [81_900, "ns", "81.9 µs", "81.9 µs"],
    [1_700_000, "ns", "1.7 ms", "1.7 ms"],
    [12e9, "ns", "12 s", "12 s"],
    [1536, "bytes", "1.5 KiB", "1.5 KiB"],
    [7.84 * 2 ** 30, "bytes", "7.84 GiB", "7.84 GiB"],
    [2 ** 20, "bytes/s", "1 MiB/s", "1 MiB"],
    [12_800, "per second", "12.8 k/s", "12.8k"],
    [5, "per second", "5/s", "5"],
    [0.157, "ratio", "15.7%", "15.7%"],
    [1, "ratio", "100%", "100%"],
    [2.4e9, "hertz", "2.4 GHz", "2.4G"],
    [0.00074, "cores", "0.00074", "0.00074"],
    [-3.5, "count", "-3.5", "-3.5"],
    [NaN, "count", "–", "–"],
  ];
  for (const [value, unit, text, tick] of cases) {
    strictEqual(formatValue(value, unit), text);
    strictEqual(formatTick(value, unit), tick);
  }
});

Deno.test("axis steps are round in their unit's base, begin at zero and cover the largest value", () => {
  deepStrictEqual(niceSteps(0.27, "ratio", 4), [0, 0.1, 0.2, 0.30000000000000004]);
  deepStrictEqual(niceSteps(1, "ratio", 4), [0, 0.25, 0.5, 0.75, 1]);
  deepStrictEqual(niceSteps(24 * 2 ** 30, "bytes", 4).map((value) => value / 2 ** 30), [0, 8, 16, 24]);
  deepStrictEqual(niceSteps(0, "count", 4), [0, 1]);
  for (let max = 1e-6; max < 1e15; max *= 1.7) {
    for (const unit of ["count", "bytes"] as const) {
      const steps = niceSteps(max, unit, 4);
      ok(steps.at(-1)! >= max * 0.999 && steps.length >= 2 && steps.length <= 7, `${max} ${unit}: ${steps}`);
    }
  }
});

Deno.test("times on axes are round, and written as finely as the span needs", () => {
  const noon = new Date(2026, 10, 21, 12, 0, 0).getTime();
  deepStrictEqual(
    timeTicks(noon - 1, noon + 300_000, 5),
    [0, 1, 2, 3, 4, 5].map((minute) => noon + minute * 60_000),
  );
  strictEqual(formatTime(noon, 300_000), "12:00:00");
  strictEqual(formatTime(noon, 3_600_000), "12:00");
  strictEqual(formatTime(noon, 3 * 86_400_000), "11-21 12:00");
  strictEqual(formatInstant(noon + 61_000), "12:01:01");
  deepStrictEqual([340, 12_300, 301_000].map(formatTook), ["340 ms", "12.3 s", "5m 1s"]);
  deepStrictEqual([45, 300, 301, 5_400, 86_400].map(formatSpan), ["45s", "5m", "5m 1s", "1h 30m", "24h"]);
});

Deno.test("pixels and times of a plot are each other's inverse, and no label is cut off", () => {
  const frame = { width: 500, startMs: 1_000_000, endMs: 1_300_000 };
  strictEqual(xOf(frame.startMs, frame), LEFT);
  strictEqual(xOf(frame.endMs, frame), 500 - RIGHT);
  for (const x of [LEFT, 123, 300, 500 - RIGHT]) ok(Math.abs(xOf(timeOf(x, frame), frame) - x) < 1e-6);
  strictEqual(timeOf(0, frame), frame.startMs);
  strictEqual(timeOf(900, frame), frame.endMs);
  ok(frameTicks(frame).every((ms) => xOf(ms, frame) <= 475));
  deepStrictEqual([0, 1400, 1600, 99_999].map((ms) => stepAt(ms, { startMs: 0, stepMs: 1000, count: 5 })), [
    0,
    1,
    2,
    4,
  ]);
});

const def: ChartDef = {
  id: "x",
  title: "X",
  unit: "count",
  help: "",
  queries: [{ query: "a", name: "{{op}}" }, { query: "b" }],
};

function result(series: DecodedSeries[], error?: string): ColumnResult<DecodedSeries> {
  const base = { startMs: 0, stepMs: 1000, count: 3, series, warnings: [] };
  return error === undefined ? base : { ...base, error };
}

const line = (labels: Record<string, string>, ...values: number[]): DecodedSeries => ({
  labels,
  values: Float64Array.from(values),
});

Deno.test("the form of a chart follows from the shape of its answers", () => {
  const lines = shapeData(def, [result([line({ op: "read" }, 1, 2, 3)]), result([line({}, 4, 5, 6)])]);
  ok(lines.kind === "lines");
  deepStrictEqual(lines.lines.map(({ name, query }) => [name, query]), [["read", 0], ["X", 1]]);
  const cpus = shapeData(def, [result([line({ id: "10" }, 1, 2, 3), line({ id: "9" }, 4, 5, 6)])]);
  ok(cpus.kind === "heat" && cpus.heat.kind === "id");
  deepStrictEqual([...cpus.heat.cells], [4, 5, 6, 1, 2, 3], "CPUs in the order of their numbers, from below");
  strictEqual(shapeData(def, [result([line({ id: "0" }, 1, 2, 3)])]).kind, "lines", "one CPU is a line");
  strictEqual(shapeData(def, [result([])]).kind, "none");
  strictEqual(shapeData(def, [result([line({}, NaN, NaN, NaN)])]).kind, "none");
  deepStrictEqual(shapeData(def, [result([], "it failed")]), {
    kind: "none",
    steps: { startMs: 0, stepMs: 1000, count: 3 },
    error: "it failed",
  });
  const many = shapeData(def, [
    result(Array.from({ length: 40 }, (_, i) => line({ op: String(i) }, 1, 1, 1))),
  ]);
  ok(many.kind === "lines" && many.lines.length === MAX_LINES);
  const ranked = shapeData({ ...def, order: "largest" }, [
    result([line({ op: "a" }, 1, NaN, 1), line({ op: "b" }, 9, 9, 9)]),
  ]);
  ok(ranked.kind === "lines");
  deepStrictEqual(ranked.lines.map(({ name, color }) => [name, color]), [["b", 1], ["a", 0]]);
  const model = chartModel(def);
  deepStrictEqual([model.def, model.data.value, model.visible], [def, undefined, false]);
});

Deno.test("a histogram becomes the rows between its first and its last bucket that counted", () => {
  const buckets = { groupingPower: 3, maxValuePower: 64, firstBucket: 100, bucketCount: 4 };
  const values = Float64Array.of(0, 1, 0, 0, NaN, 0, 0, 0, 0, 0, 2, 0);
  const data = shapeData(def, [result([{ labels: {}, buckets, values }])]);
  ok(data.kind === "heat");
  const heat: Heat = data.heat;
  deepStrictEqual([...heat.cells], [1, NaN, 0, 0, NaN, 2]);
  deepStrictEqual(
    [...heat.bounds!],
    [101, 102, 103].map((index) => Number(bucketLower(HISTOGRAM_LAYOUT, index))),
  );
  const empty = shapeData(def, [result([{ labels: {}, buckets, values: new Float64Array(12) }])]);
  strictEqual(empty.kind, "none");
});

Deno.test("series have distinct colours in both themes, and heat goes from the card's shade to a bright or deep one", () => {
  for (const theme of ["light", "dark"] as const) {
    const colors = Array.from({ length: 10 }, (_, index) => seriesColor(index, theme, false));
    strictEqual(new Set(colors).size, 10);
    strictEqual(new Set([0, 1, 2, 3].map((index) => seriesColor(index, theme, true))).size, 4);
    strictEqual(heatColors(theme).length, 256);
    strictEqual(heatColors(theme), heatColors(theme));
    ok(heatGradient(theme).startsWith("linear-gradient(90deg, rgb("));
  }
  strictEqual(faded("#ffffff", 0.5), "#ffffff80");
});
