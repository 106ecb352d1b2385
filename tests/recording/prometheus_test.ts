/** Prometheus' text format as snapshots. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import {
  bucketIndex,
  type Group,
  histogramLayout,
  signedWordsToNumber,
  wordsToBigint,
  wordsToNumber,
} from "../../lib/metrics/mod.ts";
import { parsePrometheusPage } from "../../lib/recording/_prometheus_lines.ts";
import { PrometheusText } from "../../lib/recording/mod.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";

const WINDOW = { beginNs: 1_700_000_000_000_000_000n, widthNs: 5_000 };

const PAGE = `# HELP http_requests_total Requests\\nby code.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{code="400",method="post",} 3
# TYPE go_goroutines gauge
go_goroutines -12

# TYPE rpc_seconds summary
rpc_seconds{quantile="0.5"} 4773
rpc_seconds_sum 1.7560473e+07
rpc_seconds_count 2693
# TYPE lat_seconds histogram
lat_seconds_bucket{le="0.001"} 1
lat_seconds_bucket{le="0.1"} 5 # {trace="x"} 0.05 1.0
lat_seconds_bucket{le="+Inf"} 9
lat_seconds_sum 0.5
lat_seconds_count 9
vllm:tokens_total 7
weird{path="C:\\\\DIR\\n\\"q\\""} NaN
bare 2.5
# EOF
`;

function groupOf(text: string, converter = new PrometheusText()): Group {
  return converter.snapshot(text, WINDOW).groups[0]!;
}

/** Values by name and labels; a missing one is undefined. */
function valuesOf(group: Group): Record<string, number | undefined> {
  const found: Record<string, number | undefined> = {};
  const key = ({ metric, ...labels }: Readonly<Record<string, string>>) =>
    `${metric}${Object.entries(labels).map(([name, value]) => ` ${name}=${value}`).join("")}`;
  group.schema.counters.forEach(({ metadata }, at) =>
    found[key(metadata)] = group.counters.missing?.[at] === 1
      ? undefined
      : wordsToNumber(group.counters.words, at)
  );
  group.schema.gauges.forEach(({ metadata }, at) =>
    found[key(metadata)] = group.gauges.missing?.[at] === 1
      ? undefined
      : signedWordsToNumber(group.gauges.words, at)
  );
  return found;
}

Deno.test("counters, gauges, summaries and what has no type become whole numbers with their labels", () => {
  const converter = new PrometheusText();
  const snapshot = converter.snapshot(PAGE, WINDOW);
  deepStrictEqual([snapshot.timeNs, snapshot.durationNs], [WINDOW.beginNs, 5_000n]);
  const [group] = snapshot.groups;
  deepStrictEqual([group!.name, group!.window], ["prometheus/scrape", WINDOW]);
  deepStrictEqual(valuesOf(group!), {
    "http_requests_total code=200 method=post": 1_027,
    "http_requests_total code=400 method=post": 3,
    go_goroutines: -12,
    "rpc_seconds quantile=0.5": 4_773,
    rpc_seconds_sum: 17_560_473,
    rpc_seconds_count: 2_693,
    lat_seconds_sum: 1, // 0.5 is rounded
    lat_seconds_count: 9,
    vllm_tokens_total: 7,
    'weird path=C:\\DIR\n"q"': undefined,
    bare: 3,
  });
  deepStrictEqual(group!.schema.counters.map(({ metadata }) => metadata["metric"]), [
    "http_requests_total",
    "http_requests_total",
    "rpc_seconds_sum",
    "rpc_seconds_count",
    "lat_seconds_sum",
    "lat_seconds_count",
    "vllm_tokens_total",
  ]);
  strictEqual(converter.roundedSeries, 2);
  deepStrictEqual(converter.help, { http_requests_total: "Requests\nby code." });
});

Deno.test("a histogram's bounds are values, in seconds nanoseconds, and what lies above the last is not lost", () => {
  const group = groupOf(PAGE);
  const [value] = group.histograms;
  deepStrictEqual(group.schema.histograms[0]!.metadata, {
    metric: "lat_seconds",
    grouping_power: "7",
    max_value_power: String(value!.maxValuePower),
  });
  const layout = histogramLayout(7, value!.maxValuePower);
  const count = (ns: bigint) => wordsToNumber(value!.words, bucketIndex(layout, ns));
  strictEqual(value!.words.length, 2 * layout.bucketCount);
  strictEqual(count(1_000_000n), 1);
  strictEqual(count(100_000_000n), 4 + 4); // 4 up to the bound, 4 just above: the same bucket
  strictEqual(value!.words.reduce((sum, word) => sum + word, 0), 9);
});

Deno.test("bounds below 1 are scaled, and a histogram without a bound is left out", () => {
  const page = (bounds: string[]) =>
    `# TYPE r histogram\n${bounds.map((le, at) => `r_bucket{le="${le}"} ${at + 1}\n`).join("")}`;
  const [scaled] = groupOf(page(["0.01", "0.5", "1"])).histograms;
  const layout = histogramLayout(7, scaled!.maxValuePower);
  deepStrictEqual(
    [1n, 50n, 100n].map((value) => wordsToNumber(scaled!.words, bucketIndex(layout, value))),
    [1, 1, 1],
  );
  deepStrictEqual(groupOf(page(["+Inf"])).histograms, []);
  const [huge] = groupOf(page(["1e30", "+Inf"])).histograms;
  strictEqual(huge!.maxValuePower, 64);
  strictEqual(wordsToNumber(huge!.words, huge!.words.length / 2 - 1), 2);
});

Deno.test("the same series keep their ids and schema from answer to answer, others get new ones", () => {
  const converter = new PrometheusText();
  const first = groupOf("a 1\nb 2\n", converter);
  strictEqual(groupOf("a 5\nb 6\n", converter).schema, first.schema);
  const wider = groupOf("c 1\nb 2\na 1\n", converter).schema;
  deepStrictEqual(wider.gauges.map(({ name }) => name), ["2", "1", "0"]);
  deepStrictEqual(first.schema.gauges.map(({ name }) => name), ["0", "1"]);
});

Deno.test("numbers that no column holds are missing, the extremes are there", () => {
  const group = groupOf(
    "a_total 18446744073709550000\nb_total 18446744073709551616\nc_total -1\nd -9223372036854775808\ne 1e19\nf +Inf\n",
  );
  strictEqual(wordsToBigint(group.counters.words, 0), 18_446_744_073_709_549_568n);
  deepStrictEqual([...group.counters.missing!], [0, 1, 1]);
  strictEqual(BigInt.asIntN(64, wordsToBigint(group.gauges.words, 0)), -(1n << 63n));
  deepStrictEqual([...group.gauges.missing!], [0, 1, 1]);
});

for (
  const line of ['{a="b"} 1', "a", "a{b=c} 1", 'a{b="c} 1', "a one", 'a{b="c"}1x', "<html>", "a 1 2 3"]
) {
  Deno.test(`a line such as ${line} is refused with its number`, () => {
    throws(() => groupOf(`ok 1\n${line}\n`), (error: Error) => {
      strictEqual(error.name, "SyntaxError");
      match(error.message, /^Cannot read metrics page: line 2 is ".*, expected a sample$/);
      return true;
    });
  });
}

Deno.test("a page of too many samples is refused", () => {
  throws(
    () => parsePrometheusPage("a 1\n".repeat(200_001)),
    /Cannot read metrics page: it has over 200000 samples/,
  );
});

Deno.test("mutated pages are read or refused, nothing else", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const bytes = new TextEncoder().encode(PAGE);
  const converter = new PrometheusText();
  for (let round = fuzzCount(2_000); round > 0; round--) {
    const text = new TextDecoder().decode(mutate(bytes, random));
    try {
      const { groups: [group] } = converter.snapshot(text, WINDOW);
      strictEqual(group!.counters.words.length, 2 * group!.schema.counters.length);
      strictEqual(group!.histograms.length, group!.schema.histograms.length);
    } catch (error) {
      ok(error instanceof SyntaxError, `seed ${seed}: ${error}`);
    }
  }
});
