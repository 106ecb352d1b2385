import { tableFromArrays, tableToIPC, Uint64, vectorFromArray } from "apache-arrow";
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { wordsOf, wordsToBigint } from "../../lib/metrics/mod.ts";
import {
  type ArrowField,
  type ColumnData,
  concatColumns,
  decodeArrowSchema,
  encodeArrowSchema,
  memorySource,
  ParquetError,
  ParquetFile,
  ParquetWriter,
  readFooter,
} from "../../lib/recording/parquet/mod.ts";
import { CODEC } from "../../lib/recording/parquet/codecs.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { samplePath, SAMPLES, SAMPLES_PRESENT } from "./samples.ts";
import { type ColumnSummary, secondReader, summarize } from "./second_reader.ts";

/** The same summary as the second reader's, from our reader. */
function ours(parquet: Uint8Array): ColumnSummary[] {
  const file = new ParquetFile(memorySource(parquet));
  return file.fields.map((field, index) => {
    const data = file.read(index);
    const signed = field.type === "i64";
    const value = (at: number) => {
      const raw = wordsToBigint(data.words, at);
      return signed ? BigInt.asIntN(64, raw) : raw;
    };
    const text = (row: number) => {
      if (data.missing?.[row] === 1) return "null";
      if (data.offsets === undefined) return String(value(row));
      const [from, to] = [data.offsets[row]!, data.offsets[row + 1]!];
      return `[${Array.from({ length: to - from }, (_, at) => value(from + at))}]`;
    };
    let sum = 0n;
    for (let at = 0; 2 * at < data.words.length; at++) {
      if (data.words[2 * at] !== 0 || data.words[2 * at + 1] !== 0) sum += value(at);
    }
    return {
      name: field.name,
      metadata: Object.fromEntries(Object.entries(field.metadata).sort()),
      nullable: field.nullable,
      signed: field.type !== "u64",
      rows: data.rowCount,
      nulls: data.missing?.reduce((count, one) => count + one, 0) ?? 0,
      first: text(0),
      last: text(data.rowCount - 1),
      sum,
    };
  });
}

function write(
  fields: readonly ArrowField[],
  groups: readonly (readonly ColumnData[])[],
  keyValues: readonly [string, string][] = [],
): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new ParquetWriter(fields, keyValues, (bytes) => parts.push(bytes.slice()));
  for (const columns of groups) writer.writeRowGroup(columns[0]!.rowCount, (index) => columns[index]!);
  const { sizeBytes } = writer.finish();
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  strictEqual(out.length, sizeBytes);
  return out;
}

for (const name of SAMPLES) {
  Deno.test({
    name:
      `every column of ${name} has the ends, nulls and sum that a second reader finds, also when written again`,
    ignore: !SAMPLES_PRESENT,
    fn: async () => {
      const bytes = Deno.readFileSync(samplePath(name));
      const expected = (await summarize(bytes)).columns;
      deepStrictEqual(ours(bytes), expected);
      const file = new ParquetFile(memorySource(bytes));
      const again = write(file.fields, [file.fields.map((_, index) => file.read(index))]);
      deepStrictEqual((await summarize(again)).columns, expected);
      ok(again.length < bytes.length, `written again it has ${again.length} bytes, before ${bytes.length}`);
    },
  });
}

const MAX = (1n << 64n) - 1n;
const FIELDS: ArrowField[] = [
  { name: "timestamp", type: "u64", nullable: false, metadata: { metric_type: "timestamp" } },
  { name: "c", type: "u64", nullable: true, metadata: { metric: "c", "ü": "ö\n" } },
  { name: "g", type: "i64", nullable: true, metadata: {} },
  { name: "h:buckets", type: "list<u64>", nullable: true, metadata: { grouping_power: "3" } },
];

function column(values: readonly (bigint | number | undefined)[]): ColumnData {
  const words = wordsOf(values.map((value) => value ?? 0));
  if (!values.includes(undefined)) return { rowCount: values.length, words };
  return {
    rowCount: values.length,
    words,
    missing: Uint8Array.from(values, (value) => value === undefined ? 1 : 0),
  };
}

function lists(values: readonly (readonly (bigint | number)[] | undefined)[]): ColumnData {
  const offsets = new Uint32Array(values.length + 1);
  values.forEach((list, row) => offsets[row + 1] = offsets[row]! + (list?.length ?? 0));
  const words = wordsOf(values.flatMap((list) => list ?? []));
  if (!values.includes(undefined)) return { rowCount: values.length, words, offsets };
  const missing = Uint8Array.from(values, (list) => list === undefined ? 1 : 0);
  return { rowCount: values.length, words, offsets, missing };
}

Deno.test("extremes, gaps, empty lists and several row groups are read by both readers as written", async () => {
  const groups = [
    [
      column([1, 2, MAX]),
      column([0, undefined, MAX]),
      column([-1, 1n << 62n, -(1n << 63n)]),
      lists([[1, MAX, 0], undefined, []]),
    ],
    [column([5]), column([undefined]), column([undefined]), lists([undefined])],
    [column([6, 7]), column([MAX, 0]), column([1, 2]), lists([[], [3]])],
  ];
  const bytes = write(FIELDS, groups, [["source", "test"], ["descriptions", "{}"]]);
  deepStrictEqual(ours(bytes), (await summarize(bytes)).columns);
  const file = new ParquetFile(memorySource(bytes));
  strictEqual(file.groupCount, 3);
  strictEqual(file.rowCount, 6);
  deepStrictEqual(file.fields, FIELDS);
  strictEqual(file.footer.keyValues.get("source"), "test");
  FIELDS.forEach((_, index) => {
    groups.forEach((columns, group) => deepStrictEqual(file.readGroup(group, index), columns[index]));
    deepStrictEqual(file.read(index), concatColumns(groups.map((columns) => columns[index]!)));
  });
});

Deno.test("random columns of every shape survive the way through both readers", async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 12; round++) {
    const rows = 1 + random.below(700);
    const bits = 1 + random.below(64);
    const gaps = random.below(3);
    const maybe = <T>(value: T): T | undefined => gaps > 0 && random.below(10) < gaps * 3 ? undefined : value;
    let running = 0n;
    const groups = [[
      column(Array.from({ length: rows }, (_, row) => row)),
      column(Array.from({ length: rows }, () => maybe(running = (running + random.bigint(bits)) & MAX))),
      column(Array.from({ length: rows }, () => maybe(BigInt.asIntN(64, random.bigint(64))))),
      lists(
        Array.from(
          { length: rows },
          () =>
            maybe(Array.from({ length: random.below(20) }, () => random.below(2) ? random.bigint(bits) : 0)),
        ),
      ),
    ]];
    const bytes = write(FIELDS, groups);
    deepStrictEqual(ours(bytes), (await summarize(bytes)).columns, `seed ${seed}, round ${round}`);
    const file = new ParquetFile(memorySource(bytes));
    FIELDS.forEach((_, index) =>
      deepStrictEqual(file.read(index), groups[0]![index], `seed ${seed}, round ${round}`)
    );
  }
});

Deno.test("numbers are compressed where that pays, lists always", async () => {
  const random = seededRandom(11);
  const noise = column(Array.from({ length: 300 }, () => random.below(2 ** 31)));
  const pattern = column(Array.from({ length: 300 }, (_, row) => (row % 4) ** 9));
  const noisyLists = lists(Array.from({ length: 300 }, () => [random.below(2 ** 31)]));
  const bytes = write([FIELDS[1]!, FIELDS[2]!, FIELDS[3]!], [[noise, pattern, noisyLists]]);
  const { codec } = new ParquetFile(memorySource(bytes)).footer.chunks;
  deepStrictEqual([...codec], [CODEC.none, CODEC.zstd, CODEC.zstd]);
  deepStrictEqual(ours(bytes), (await summarize(bytes)).columns);
});

Deno.test("a column too large for one page is written in several", async () => {
  const rows = 600;
  const wide = lists(
    Array.from({ length: rows }, (_, row) => Array.from({ length: 2_500 }, (_, at) => (row * at) % 97)),
  );
  const bytes = write([FIELDS[0]!, FIELDS[3]!], [[
    column(Array.from({ length: rows }, (_, row) => row)),
    wide,
  ]]);
  deepStrictEqual(new ParquetFile(memorySource(bytes)).read(1), wide);
  deepStrictEqual(ours(bytes), (await summarize(bytes)).columns);
});

const FOREIGN = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZ4_RAW", "ZSTD"] as const;
const ENCODINGS = ["PLAIN", "DELTA_BINARY_PACKED", "dictionary"] as const;
for (const codec of FOREIGN) {
  Deno.test(`foreign files under ${codec} are read, pages v1 and v2, in every encoding`, async () => {
    const wasm = await secondReader();
    const random = seededRandom(7);
    const rows = 3_000;
    const numbers = Array.from(
      { length: rows },
      (_, row) => row % 7 === 0 ? null : random.bigint(row % 64) & 0xfffn,
    );
    const table = tableFromArrays({ wide: BigUint64Array.from({ length: rows }, () => random.bigint(60)) })
      .assign(tableFromArrays({ numbers: vectorFromArray(numbers, new Uint64()) as never }));
    for (const encoding of ENCODINGS) {
      for (const version of [wasm.WriterVersion.V1, wasm.WriterVersion.V2]) {
        let properties = new wasm.WriterPropertiesBuilder()
          .setCompression(wasm.Compression[codec])
          .setWriterVersion(version)
          .setDataPageSizeLimit(4_096)
          .setMaxRowGroupSize(1_000)
          .setDictionaryEnabled(encoding === "dictionary");
        if (encoding !== "dictionary") properties = properties.setEncoding(wasm.Encoding[encoding]);
        const bytes = wasm.writeParquet(
          wasm.Table.fromIPCStream(tableToIPC(table, "stream")),
          properties.build(),
        );
        deepStrictEqual(ours(bytes), (await summarize(bytes)).columns, `${encoding}, ${version}`);
      }
    }
  });
}

Deno.test("an Arrow schema keeps names, types and metadata on the way there and back", () => {
  deepStrictEqual(decodeArrowSchema(encodeArrowSchema(FIELDS)), FIELDS);
  deepStrictEqual(decodeArrowSchema(encodeArrowSchema([])), []);
  throws(() => decodeArrowSchema("!"), /ARROW:schema is not base64/);
  throws(() => decodeArrowSchema("AAAA"), /ARROW:schema has 3 bytes/);
  throws(() => decodeArrowSchema("/////wgAAAAEAAAAAAAAAA=="), ParquetError);
  throws(() => encodeArrowSchema([{ ...FIELDS[0]!, type: "other" }]), /Cannot write column "timestamp"/);
});

Deno.test("columns that do not fit their row group or their field are not written", () => {
  const writer = new ParquetWriter(FIELDS.slice(0, 1), [], () => {});
  throws(() => writer.writeRowGroup(2, () => column([1])), /column "timestamp": it has 1 rows of 2/);
  throws(() => writer.writeRowGroup(1, () => lists([[1]])), /Cannot write column "timestamp"/);
  throws(() => writer.writeRowGroup(1, () => column([undefined])), /a value is missing where none may be/);
});

const SMALL = write(FIELDS, [[
  column([1, 2]),
  column([3, undefined]),
  column([-4, 5]),
  lists([[1, 2, 3], undefined]),
]]);

const DAMAGED: [string, Uint8Array, RegExp][] = [
  ["an empty file", new Uint8Array(0), /it has 0 bytes, too few/],
  ["a file cut short", SMALL.subarray(0, SMALL.length - 9), /does not end in PAR1: cut short/],
  ["a file of something else", new TextEncoder().encode("not parquet at all"), /does not end in PAR1/],
  ["an encrypted file", new TextEncoder().encode("PARE0000000000000PARE"), /its footer is encrypted/],
  [
    "a footer larger than the file",
    new TextEncoder().encode("PAR1PPPP~~~~PAR1"),
    /its footer claims 2122219134 bytes/,
  ],
];
for (const [name, bytes, message] of DAMAGED) {
  Deno.test(`${name} is refused in one line`, () => {
    throws(() => readFooter(memorySource(bytes)), (error: unknown) => {
      ok(error instanceof ParquetError);
      ok(message.test(error.message), error.message);
      return true;
    });
  });
}

Deno.test("mutated files are read or give a ParquetError, nothing else", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = fuzzCount(10_000); round > 0; round--) {
    const bytes = mutate(SMALL, random);
    try {
      const file = new ParquetFile(memorySource(bytes));
      file.fields.forEach((_, index) => file.read(index));
    } catch (error) {
      ok(
        error instanceof ParquetError,
        `seed ${seed}, round ${round}: ${error instanceof Error ? error.stack : error}`,
      );
    }
  }
});
