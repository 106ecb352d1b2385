/** What the console makes of looks back: put together, cut and drawn. Without a browser. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { mergedEvents, pathOf, shownTimes, SPAN_MS, spanOf } from "../../lib/ichimi/web/history.ts";

const numbered = (...numbers: number[]) => numbers.map((number) => ({ number }));

Deno.test("happenings that come in two ways are there once, the newest first, whichever came first", () => {
  const cases: [number[], number[], number[]][] = [
    // The answer is older than what was told meanwhile, and newer than it.
    [[3, 2, 1], [4, 5], [5, 4, 3, 2, 1]],
    [[5, 4, 3, 2, 1], [4, 5], [5, 4, 3, 2, 1]],
    [[4, 3], [3, 4, 5, 6], [6, 5, 4, 3]],
    [[], [2, 1], [2, 1]],
    [[2, 1], [], [2, 1]],
  ];
  for (const [some, others, expected] of cases) {
    deepStrictEqual(mergedEvents(numbered(...some), numbered(...others)), numbered(...expected));
    deepStrictEqual(mergedEvents(numbered(...others), numbered(...some)), numbered(...expected));
  }
  const many = mergedEvents(numbered(...Array.from({ length: 1_000 }, (_, at) => at)), numbered(5_000));
  deepStrictEqual([many.length, many[0]!.number, many.at(-1)!.number], [1_000, 5_000, 1]);
});

Deno.test("charts show three minutes at most, and say how much they show", () => {
  const every = (ms: number, count: number) => Array.from({ length: count }, (_, at) => 1_000_000 + at * ms);
  const seconds = (times: readonly number[]) => spanOf(shownTimes(times)) / 1_000;
  deepStrictEqual(
    [[], every(2_000, 1), every(2_000, 5), every(2_000, 31), every(2_000, 180), every(20_000, 180)].map(
      seconds,
    ),
    [24, 24, 24, 60, 180, 180],
  );
  strictEqual(shownTimes(every(2_000, 180)).length, 1 + SPAN_MS / 2_000);
  strictEqual(shownTimes(every(20_000, 180)).length, 1 + SPAN_MS / 20_000);
  deepStrictEqual(shownTimes([0, 1_000_000]), [1_000_000], "what is too old is not shown beside what is new");
});

Deno.test("a look stands where its time is: twenty seconds are ten times as wide as two", () => {
  const times = [0, 20_000, 40_000, 42_000, 44_000];
  strictEqual(pathOf([0, 50, 100, 50, 0], times, 100).line, "M0 100.0L20 50.0L40 0.0L42 50.0L44 100.0");
  strictEqual(pathOf([100, 100], times, 100).line, "M42 0.0L44 0.0", "a column that has begun later");
  strictEqual(pathOf([100, 100], [0, 2_000], 100).line, "M22 0.0L24 0.0", "what has just begun");
  strictEqual(pathOf([], times, 100).line, "");
  strictEqual(pathOf([1, 2, 3], [], 100).line, "");
});

Deno.test("where there was nothing, or nobody has looked, there is a gap in line and area", () => {
  deepStrictEqual(pathOf([50, 50, null, 50, 50], [0, 20_000, 40_000, 60_000, 80_000], 100), {
    line: "M0 50.0L20 50.0M60 50.0L80 50.0",
    area: "M0 100L0 50.0L20 50.0L20 100ZM60 100L60 50.0L80 50.0L80 100Z",
  });
  deepStrictEqual(pathOf([50, 50, 50, 50], [0, 2_000, 100_000, 102_000], 100), {
    line: "M0 50.0L2 50.0M100 50.0L102 50.0",
    area: "M0 100L0 50.0L2 50.0L2 100ZM100 100L100 50.0L102 50.0L102 100Z",
  });
});
