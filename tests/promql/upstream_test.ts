/** Prometheus' own test scripts, where they are at hand. The floor only rises. */
import { existsSync } from "node:fs";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { runScript } from "./promqltest.ts";

const SCRIPTS = new URL("../../../shared/testdata/promql/", import.meta.url).pathname;

/**
 * Of each script, how many evaluations pass; all others need native histograms or start timestamps, which no store of
 * ours holds yet, but for the named failures.
 */
const FLOOR: Readonly<Record<string, { pass: number; failures?: readonly string[] }>> = {
  "collision.test": { pass: 2 },
  "duration_expression.test": { pass: 59 },
  "functions.test": { pass: 319, failures: ["mad_over_time(metric_nan[40s])"] },
  "limit.test": { pass: 0 },
  "literals.test": { pass: 25 },
  "native_histograms.test": { pass: 3 },
  "range_queries.test": { pass: 16 },
  "selectors.test": { pass: 31 },
  "staleness.test": { pass: 17 },
  "subquery.test": { pass: 32 },
  "trig_functions.test": { pass: 19 },
};

for (const [name, { pass, failures = [] }] of Object.entries(FLOOR)) {
  Deno.test({
    name:
      `upstream's ${name} gives upstream's answers in at least ${pass} evaluations (needs ../shared/testdata)`,
    ignore: !existsSync(SCRIPTS),
    fn() {
      const outcomes = runScript(Deno.readTextFileSync(SCRIPTS + name));
      const failed = outcomes.filter(({ state }) => state === "fail");
      deepStrictEqual(
        failed.map(({ query }) => query),
        failures,
        failed.map(({ line, why }) => `${line}: ${why}`).join("\n"),
      );
      const passed = outcomes.filter(({ state }) => state === "pass").length;
      ok(passed >= pass, `${passed} of ${outcomes.length} pass, the floor is ${pass}`);
    },
  });
}

Deno.test("the runner of scripts tells a wrong answer from a right one", () => {
  const script = (expected: string) =>
    `load 1m\n  m{a="b"} 1+1x3 _ stale 9\n\neval instant at 2m m\n  ${expected}\n`;
  const states = ['m{a="b"} 3', 'm{a="b"} 4', 'm{a="c"} 3', 'n{a="b"} 3', ""].map((expected) =>
    runScript(script(expected))[0]!.state
  );
  deepStrictEqual(states, ["pass", "fail", "fail", "fail", "fail"]);
  strictEqual(
    runScript("load 1m\n  m {{count:1}}\n\neval instant at 0 m\n  m {{count:1}}\n")[0]!.state,
    "unsupported",
  );
  strictEqual(runScript("eval instant at 0 1 +\n  expect fail\n")[0]!.state, "pass");
  strictEqual(runScript("eval instant at 0 1\n  expect fail\n")[0]!.state, "fail");
});
