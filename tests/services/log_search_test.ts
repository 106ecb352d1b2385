/** Answers of the log searches: selection, context, cutting, and upstream's texts. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { instanceAt, InstanceError, PatternError, searchLog } from "../../lib/services/mod.ts";
import { LineSearch, type LogQuery } from "../../lib/services/log_search.ts";

const LINES = ["a start", "b work", "[stderr] c error: x", "d work", "e work", "f error: y", "g end"];

const CASES: [string, Parameters<typeof searchLog>[1], string[]][] = [
  ["without a pattern lines are told as they are", {}, LINES],
  ["head takes the first", { head: 2 }, LINES.slice(0, 2)],
  ["tail takes the last", { tail: 2 }, LINES.slice(-2)],
  ["tail wins over head", { head: 1, tail: 2 }, LINES.slice(-2)],
  ["more than there is is all", { tail: 99 }, LINES],
  ["a pattern selects and marks", { pattern: "error" }, [" * [stderr] c error: x", " * f error: y"]],
  ["case counts", { pattern: "ERROR" }, ["No matches found"]],
  ["flags in front hold for the whole pattern", { pattern: "(?i)START" }, [" * a start"]],
  ["names of groups are written as Rust does", { pattern: "(?P<what>end)$" }, [" * g end"]],
  ["characters have properties", { pattern: "^\\p{L} start$" }, [" * a start"]],
  ["anchors are written as Rust does", { pattern: "\\Ag end\\z" }, [" * g end"]],
  ["context widens the selection", { pattern: "start", contextLines: 1 }, [" * a start", "   b work"]],
  [
    "contexts that meet tell each line once",
    { pattern: "error", contextLines: 2 },
    [
      "   a start",
      "   b work",
      " * [stderr] c error: x",
      "   d work",
      "   e work",
      " * f error: y",
      "   g end",
    ],
  ],
  [
    "head and tail cut what was selected",
    { pattern: "error", contextLines: 1, head: 4 },
    ["   b work", " * [stderr] c error: x", "   d work", "   e work"],
  ],
];
for (const [name, query, expected] of CASES) {
  Deno.test(`searchLog(): ${name}`, () => strictEqual(searchLog(LINES, query), expected.join("\n")));
}

Deno.test("searchLog(): of many lines those are told that are of one line after the other", () => {
  const lines = Array.from({ length: 10_000 }, (_, at) => `line ${at}${at % 2_500 === 2_400 ? " hit" : ""}`);
  const around = (at: number) => [`   line ${at - 1}`, ` * line ${at} hit`, `   line ${at + 1}`];
  const told = (query: Parameters<typeof searchLog>[1]) => searchLog(lines, query).split("\n");
  const all = [2_400, 4_900, 7_400, 9_900].flatMap(around);
  deepStrictEqual(told({ pattern: "hit", contextLines: 1 }), all);
  deepStrictEqual(told({ pattern: "hit", contextLines: 1, tail: 4 }), all.slice(-4));
  deepStrictEqual(told({ pattern: "line", head: 2 }), [" * line 0", " * line 1"]);
  deepStrictEqual(told({ pattern: "hit", contextLines: 1_500, head: 1 }), ["   line 900"]);
  deepStrictEqual(told({ tail: 1_200 }), lines.slice(-1_200));
  strictEqual(searchLog(lines, { pattern: "hit", head: 0 }), "");
});

Deno.test("searchLog(): a log without lines, and a pattern that is none", () => {
  strictEqual(searchLog([], { pattern: "x" }), "(empty)");
  throws(() => searchLog(LINES, { pattern: "(" }), (error: unknown) => {
    return error instanceof PatternError && error.message.startsWith("Invalid regex pattern: ");
  });
});

Deno.test("instanceAt() counts from the newest below zero and from the oldest above", () => {
  deepStrictEqual([-1, -3, 0, 2].map((index) => instanceAt(index, 3)), [2, 0, 0, 2]);
  for (const index of [3, -4, 0.5]) {
    throws(
      () => instanceAt(index, 3),
      new InstanceError(`Log instance ${index} not found (have 3 instances)`),
    );
  }
});

Deno.test("an answer has no more than four million characters: the last lines, or the first, and says so", () => {
  const line = "x".repeat(1_000);
  const lines = Array.from({ length: 20_000 }, (_, at) => `${at} ${line}`);
  const found = (query: LogQuery) => {
    const search = new LineSearch(query);
    for (const each of lines) search.take(each);
    const { lines: told, note } = search.selection;
    return [told[0]?.split(" ").find((word) => /\d/.test(word)), told.length, note?.split(":")[0]];
  };
  const [first, count, note] = found({});
  deepStrictEqual([Number(first) + Number(count), note], [20_000, `(the last ${count} lines`]);
  ok(Number(count) > 4_000 && Number(count) < 4_200, `${count} lines`);
  deepStrictEqual(found({ pattern: "x" })[0], String(20_000 - Number(found({ pattern: "x" })[1])));
  deepStrictEqual(found({ tail: 3 }), ["19997", 3, undefined]);
  deepStrictEqual(found({ tail: 10_000 }), [first, count, note]);
  deepStrictEqual(found({ head: 3 }), ["0", 3, undefined]);
  const [, most] = found({ head: 10_000 });
  deepStrictEqual(found({ head: 10_000 }), ["0", most, `(the first ${most} lines`]);
  ok(Number(most) > 4_000 && Number(most) < 4_200, `${most} lines`);
  deepStrictEqual(found({ head: 0 }), [undefined, 0, undefined]);
  deepStrictEqual(found({ tail: 0 }), [undefined, 0, undefined]);
});
