import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { histogramLayout, wordsOf } from "../../lib/metrics/mod.ts";
import {
  columnRole,
  openRecording,
  RecordedSeries,
  RecordedTable,
  type TablePart,
} from "../../lib/recording/mod.ts";
import type { ArrowField, ColumnData } from "../../lib/recording/parquet/mod.ts";
import type { HistogramSeries, NumberSeries } from "../../lib/tsdb/mod.ts";
import { samplePath, SAMPLES, SAMPLES_PRESENT } from "./samples.ts";
import { summarize } from "./second_reader.ts";

const TIMESTAMP: ArrowField = {
  name: "timestamp",
  type: "u64",
  nullable: false,
  metadata: { metric_type: "timestamp" },
};

function field(name: string, type: ArrowField["type"], metadata: Record<string, string> = {}): ArrowField {
  return { name, type, nullable: true, metadata };
}

function numbers(...values: (bigint | number | undefined)[]): ColumnData {
  const data = { rowCount: values.length, words: wordsOf(values.map((value) => value ?? 0)) };
  if (!values.includes(undefined)) return data;
  return { ...data, missing: Uint8Array.from(values, (value) => value === undefined ? 1 : 0) };
}

function lists(...values: (number[] | undefined)[]): ColumnData {
  const offsets = Uint32Array.from(
    { length: values.length + 1 },
    (_, row) => values.slice(0, row).flatMap((v) => v ?? []).length,
  );
  const data = { rowCount: values.length, words: wordsOf(values.flatMap((list) => list ?? [])), offsets };
  if (!values.includes(undefined)) return data;
  return { ...data, missing: Uint8Array.from(values, (list) => list === undefined ? 1 : 0) };
}

/** A part from columns; `reads` collects what was decoded. */
function part(columns: [ArrowField, ColumnData][], reads: string[] = []): TablePart {
  return {
    rowCount: columns[0]![1].rowCount,
    fields: columns.map(([field]) => field),
    read(column) {
      reads.push(columns[column]![0].name);
      return columns[column]![1];
    },
  };
}

const seconds = (...values: number[]) => numbers(...values.map((value) => value * 1e9));

function readAll(...tables: RecordedTable[]): Record<string, (number | undefined)[]> {
  const source = new RecordedSeries(tables);
  return Object.fromEntries(
    source.series().map((info) => {
      const series = source.read(info) as NumberSeries;
      const name = Object.entries(info.labels).map(([key, value]) =>
        key === "__name__" ? value : `${key}=${value}`
      ).join(" ");
      return [
        name,
        Array.from(series.values, (value, point) => series.missing?.[point] === 1 ? undefined : value),
      ];
    }),
  );
}

const HISTOGRAM = { grouping_power: "0", max_value_power: "3", metric: "h" }; // 4 buckets

const ROLES: [string, ArrowField, string][] = [
  ["the time stamp by its name", field("timestamp", "u64"), "timestamp"],
  ["the time stamp by what it declares", field("t", "u64", { metric_type: "timestamp" }), "timestamp"],
  ["the duration of a look", field("duration", "u64"), "duration"],
  ["a window beside a metric", field("13x2:window_begin", "i64"), "sidecar"],
  ["a window of the whole table", field(":window_width", "u64"), "sidecar"],
  ["the offset of the wall clock", field(":wall_offset", "i64"), "sidecar"],
  ["a counter", field("1", "u64", { metric_type: "counter", metric: "c" }), "number"],
  ["a histogram", field("2:buckets", "list<u64>", HISTOGRAM), "histogram"],
  ["indices of a sparse histogram", field("2:bucket_indices", "list<u64>", HISTOGRAM), "sparseIndices"],
  ["counts of a sparse histogram", field("2:bucket_counts", "list<u64>", HISTOGRAM), "sparseCounts"],
  ["a list without a layout", field("2:buckets", "list<u64>", { metric: "h" }), "ignored"],
  [
    "a list with an impossible layout",
    field("2:buckets", "list<u64>", { ...HISTOGRAM, grouping_power: "x" }),
    "ignored",
  ],
  ["a column of texts", field("3", "other"), "ignored"],
];
for (const [name, column, kind] of ROLES) {
  Deno.test(`${name} is seen as ${kind}`, () => strictEqual(columnRole(column).kind, kind));
}

Deno.test("a column's type decides where its metadata does not say counter or gauge", () => {
  const typeOf = (column: ArrowField) => {
    const role = columnRole(column);
    return role.kind === "number" ? role.series.type : role.kind;
  };
  deepStrictEqual([typeOf(field("a", "u64")), typeOf(field("a", "i64"))], ["counter", "gauge"]);
  strictEqual(typeOf(field("a", "u64", { metric_type: "gauge" })), "gauge");
});

Deno.test("a column of a combined file without a metric's name is called as on its node", () => {
  const role = columnRole(field("node1::cpu/0", "u64", { node: "node1" }));
  deepStrictEqual(role.kind === "number" && role.series.labels, { __name__: "cpu/0", node: "node1" });
});

Deno.test("signed and unsigned values, gaps and absent columns become points and missing points", () => {
  const a = field("a", "u64", { metric: "a" });
  const b = field("b", "i64", { metric: "b" });
  const table = new RecordedTable("t", [
    part([[TIMESTAMP, seconds(1, 2)], [a, numbers(5, undefined)], [b, numbers(-1n, -(1n << 40n))]]),
    part([[b, numbers(7)], [TIMESTAMP, seconds(3)]]),
  ]);
  deepStrictEqual(readAll(table), { a: [5, undefined, undefined], b: [-1, -(2 ** 40), 7] });
  strictEqual(table.timestampNs(2), 3_000_000_000n);
});

Deno.test("all series of a table share one column of times", () => {
  const table = new RecordedTable("t", [
    part([[TIMESTAMP, seconds(1, 2)], [field("a", "u64"), numbers(1, 2)], [
      field("b", "u64"),
      numbers(1, 2),
    ]]),
  ]);
  const source = new RecordedSeries([table]);
  const [first, second] = source.series().map((info) => source.read(info));
  strictEqual(first!.times, second!.times);
  deepStrictEqual(source.range(), { start: 1, end: 2 });
  strictEqual(source.intervalSeconds, 1);
});

Deno.test("rows out of order are put in order, of rows with one time the last counts", () => {
  const table = new RecordedTable("t", [
    part([
      [TIMESTAMP, seconds(3, 1, 2, 2)],
      [field("a", "u64", { metric: "a" }), numbers(30, 10, 19, undefined)],
      [
        field("h:buckets", "list<u64>", HISTOGRAM),
        lists([0, 0, 3, 0], [0, 1, 0, 0], undefined, [0, 2, 2, 0]),
      ],
    ]),
  ]);
  const source = new RecordedSeries([table]);
  const [a, h] = source.series().map((info) => source.read(info)) as [NumberSeries, HistogramSeries];
  deepStrictEqual([...a.times], [1, 2, 3]);
  deepStrictEqual([...a.values], [10, 0, 30]);
  deepStrictEqual([...a.missing!], [0, 1, 0]);
  deepStrictEqual([h.firstBucket, h.bucketCount], [1, 2]);
  deepStrictEqual([...h.counts], [1, 0, 2, 2, 0, 3]);
  strictEqual(h.missing, undefined);
});

Deno.test("a histogram is dense over the buckets ever used, over all parts; a wrong number of buckets is missing", () => {
  const h = field("h:buckets", "list<u64>", HISTOGRAM);
  const table = new RecordedTable("t", [
    part([[TIMESTAMP, seconds(1, 2, 3)], [h, lists([0, 0, 1, 0], undefined, [1, 2])]]),
    part([[TIMESTAMP, seconds(4)], [h, lists([0, 5, 0, 0])]]),
    part([[TIMESTAMP, seconds(5)]]),
  ]);
  const source = new RecordedSeries([table]);
  const series = source.read(source.series()[0]!) as HistogramSeries;
  deepStrictEqual({
    ...series,
    times: [...series.times],
    counts: [...series.counts],
    missing: [...series.missing!],
  }, {
    kind: "histogram",
    labels: { __name__: "h" },
    type: "histogram",
    times: [1, 2, 3, 4, 5],
    groupingPower: 0,
    maxValuePower: 3,
    firstBucket: 1,
    bucketCount: 2,
    counts: [0, 1, 0, 0, 0, 0, 5, 0, 0, 0],
    missing: [0, 1, 1, 0, 1],
  });
});

Deno.test("a histogram that never counted has no buckets, not a missing one", () => {
  const table = new RecordedTable("t", [
    part([[TIMESTAMP, seconds(1)], [field("h:buckets", "list<u64>", HISTOGRAM), lists([0, 0, 0, 0])]]),
  ]);
  const source = new RecordedSeries([table]);
  const series = source.read(source.series()[0]!) as HistogramSeries;
  deepStrictEqual([series.firstBucket, series.bucketCount, series.missing], [0, 0, undefined]);
});

Deno.test("a sparse histogram is the dense one of its two columns", () => {
  const table = new RecordedTable("t", [
    part([
      [TIMESTAMP, seconds(1, 2, 3)],
      [field("h:bucket_indices", "list<u64>", HISTOGRAM), lists([1, 3], undefined, [2])],
      [field("h:bucket_counts", "list<u64>", HISTOGRAM), lists([7, 9], undefined, [4])],
    ]),
  ]);
  const source = new RecordedSeries([table]);
  strictEqual(source.series().length, 1);
  const series = source.read(source.series()[0]!) as HistogramSeries;
  deepStrictEqual([series.firstBucket, series.bucketCount, [...series.counts]], [1, 3, [
    7,
    0,
    9,
    0,
    0,
    0,
    0,
    4,
    0,
  ]]);
  deepStrictEqual([...series.missing!], [0, 1, 0]);
});

Deno.test("what is left out is noted by column and reason", () => {
  const table = new RecordedTable("t", [
    part([
      [TIMESTAMP, seconds(1)],
      [field("x", "other"), numbers(0)],
      [field("l:buckets", "list<u64>"), lists([1])],
      [field("h:bucket_counts", "list<u64>", HISTOGRAM), lists([1])],
      [field("a", "u64", { metric: "same" }), numbers(1)],
    ]),
  ]);
  const other = new RecordedTable("u", [
    part([[TIMESTAMP, seconds(1)], [field("b", "u64", { metric: "same" }), numbers(2)]]),
  ]);
  deepStrictEqual(new RecordedSeries([table, other]).notes, [
    `column "x" is left out: it holds neither 64-bit integers nor lists of them`,
    `column "l:buckets" is left out: its metadata lacks grouping_power or max_value_power`,
    `column "h:bucket_counts" is left out: "h:bucket_indices" is not there`,
    `column "b" of "u" is left out: "t" has the same labels`,
  ]);
});

Deno.test("columns of one table with the same labels are one series", () => {
  const table = new RecordedTable("t", [
    part([
      [TIMESTAMP, seconds(1, 2)],
      [field("a", "u64", { metric: "m", unit: "old" }), numbers(1, undefined)],
      [field("a#2", "u64", { metric: "m", unit: "new" }), numbers(undefined, 2)],
    ]),
  ]);
  deepStrictEqual(readAll(table), { m: [1, 2] });
});

Deno.test("decoded series are kept within the limit, the one unused longest goes first", () => {
  const reads: string[] = [];
  const columns: [ArrowField, ColumnData][] = ["a", "b", "c"].map((
    name,
  ) => [field(name, "u64"), numbers(1, 2)]);
  const table = new RecordedTable("t", [part([[TIMESTAMP, seconds(1, 2)], ...columns], reads)]);
  const source = new RecordedSeries([table], { cacheBytes: 40 }); // two series of two points
  const [a, b, c] = source.series();
  const first = source.read(a!);
  strictEqual(source.read(a!), first);
  source.read(b!);
  source.read(a!); // now b is the older
  source.read(c!);
  deepStrictEqual(reads, ["timestamp", "a", "b", "c"]);
  strictEqual(source.read(a!), first);
  source.read(b!);
  deepStrictEqual(reads, ["timestamp", "a", "b", "c", "b"]);
  throws(() => source.read({ labels: {}, type: "counter" }), /this recording did not list it/);
});

Deno.test("rows are read over parts, missing where a part lacks the column", () => {
  const l = field("l", "list<u64>");
  const table = new RecordedTable("t", [
    part([[TIMESTAMP, seconds(1, 2)], [l, lists([1, 2], [3])]]),
    part([[TIMESTAMP, seconds(3)]]),
    part([[TIMESTAMP, seconds(4, 5)], [l, lists(undefined, [4])]]),
  ]);
  const column = table.columns[1]!;
  deepStrictEqual(table.readRows(column, 1, 5), lists([3], undefined, undefined, [4]));
  deepStrictEqual(table.readRows(table.columns[0]!, 4, 5).words, wordsOf([5_000_000_000]));
});

Deno.test("the range of parts that know theirs is told without reading them", () => {
  const reads: string[] = [];
  const known = (firstNs: bigint, lastNs: bigint) => ({
    ...part([[TIMESTAMP, seconds(0)]], reads),
    span: { firstNs, lastNs },
  });
  const table = new RecordedTable("t", [
    known(1_000_000_000n, 2_000_000_000n),
    known(3_000_000_000n, 4_500_000_000n),
  ]);
  deepStrictEqual(new RecordedSeries([table]).range(), { start: 1, end: 4.5 });
  deepStrictEqual(reads, []);
  const unknown = new RecordedTable("u", [part([[TIMESTAMP, seconds(7, 6)]], reads)]);
  deepStrictEqual(new RecordedSeries([table, unknown]).range(), { start: 1, end: 7 });
});

Deno.test("damaged time stamps are an error that names the recording, whatever asks for them", () => {
  const damaged = {
    ...part([[TIMESTAMP, seconds(1)], [field("a", "u64"), numbers(1)]]),
    read(): ColumnData {
      throw new SyntaxError("a page is damaged");
    },
  };
  const source = () => new RecordedSeries([new RecordedTable("t", [damaged])], { name: "x.parquet" });
  throws(
    () => source().range(),
    /^SyntaxError: Cannot read its range of time of x.parquet: a page is damaged$/,
  );
  throws(() => source().intervalSeconds, /Cannot read its interval of x.parquet: a page is damaged$/);
});

Deno.test("a table without time stamps is refused, an empty store has no range", () => {
  throws(
    () => new RecordedTable("t", [part([[field("a", "u64"), numbers(1)]])]),
    /table "t" has no timestamp column/,
  );
  strictEqual(new RecordedSeries([]).range(), undefined);
  strictEqual(new RecordedSeries([]).intervalSeconds, 1);
});

for (const name of SAMPLES) {
  Deno.test({
    name: `every series of ${name} sums to what a second reader finds in its column`,
    ignore: !SAMPLES_PRESENT,
    fn: async () => {
      using recording = openRecording(samplePath(name));
      deepStrictEqual(recording.notes, []);
      const { columns } = await summarize(Deno.readFileSync(samplePath(name)));
      const expected = columns.filter(({ name }) => name !== "timestamp" && name !== "duration");
      const infos = recording.series.series();
      strictEqual(infos.length, expected.length);
      infos.forEach((info, index) => {
        const series = recording.series.read(info);
        const points = series.kind === "number" ? series.values : series.counts;
        const sum = points.reduce((total, value) => total + value, 0);
        const exact = Number(expected[index]!.sum);
        ok(Math.abs(sum - exact) <= Math.abs(exact) * 1e-12, `${expected[index]!.name}: ${sum} for ${exact}`);
        strictEqual(series.missing?.reduce((count, one) => count + one, 0) ?? 0, expected[index]!.nulls);
        strictEqual(series.times.length, expected[index]!.rows);
        strictEqual(info.labels.__name__, expected[index]!.metadata.metric);
      });
      if (name !== "demo") return;
      const info = infos.find(({ labels }) => labels.__name__ === "scheduler_runqueue_latency")!;
      const { counts, bucketCount, times } = recording.series.read(info) as HistogramSeries;
      const total = (point: number) =>
        counts.subarray(point * bucketCount, (point + 1) * bucketCount).reduce(
          (sum, count) => sum + count,
          0,
        );
      deepStrictEqual([total(0), total(times.length - 1)], [1_907_473, 2_549_755]);
      strictEqual(histogramLayout(3, 64).bucketCount, 496);
    },
  });
}
