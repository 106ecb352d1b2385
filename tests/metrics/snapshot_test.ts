import { decode as decodeMsgpack, encode as encodeMsgpack } from "@msgpack/msgpack";
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  counter,
  decodeSnapshot,
  decodeSnapshotAt,
  encodeSnapshotJson,
  encodeSnapshotV2,
  encodeSnapshotV3,
  fnv1a128,
  gauge,
  type Group,
  histogram,
  MsgpackError,
  type Schema,
  SchemaCache,
  schemaWire,
  type Snapshot,
  wordsOf,
} from "../../lib/metrics/mod.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "./seeded.ts";

const MAX = (1n << 64n) - 1n;
const MIN = -(1n << 63n);

const schema: Schema = {
  counters: [
    { name: "13x0", metadata: { metric: "cpu_usage", sampler: "cpu_usage", state: "user", id: "0" } },
    { name: "13x1", metadata: { metric: "cpu_usage", sampler: "cpu_usage", state: "user", id: "1" } },
  ],
  gauges: [
    { name: "14", metadata: { metric: "cpu_cores", sampler: "cpu_usage" } },
    { name: "15", metadata: { metric: "temperature", sampler: "cpu_usage", unit: "°C" } },
    { name: "16", metadata: { metric: "lost", sampler: "cpu_usage" } },
  ],
  histograms: [
    { name: "17", metadata: { metric: "latency", sampler: "cpu_usage", op: "read" } },
    { name: "18", metadata: { metric: "latency", sampler: "cpu_usage", op: "write" } },
  ],
};

const buckets = Array.from({ length: 12 }, (_, index) => index === 3 ? MAX : BigInt(index * 50));

const group: Group = {
  name: "cpu_usage/percpu",
  schema,
  window: { beginNs: 1_700_000_000_000_000_123n, widthNs: 900 },
  counters: { words: wordsOf([MAX, 0]) },
  gauges: { words: wordsOf([MIN, -33, 0]), missing: Uint8Array.of(0, 0, 1) },
  histograms: [{ groupingPower: 2, maxValuePower: 4, words: wordsOf(buckets) }, undefined],
};

const snapshot: Snapshot = {
  timeNs: 1_700_000_000_000_000_001n,
  durationNs: 1_500n,
  metadata: { source: "rezolus", version: "5.17.0" },
  groups: [group, {
    name: "empty/none",
    schema: { counters: [], gauges: [], histograms: [] },
    counters: { words: new Uint32Array(0) },
    gauges: { words: new Uint32Array(0) },
    histograms: [],
  }],
};

const CONFIG = [15, 2, 4, 3, 8, 8, 4, 4];

/** What an independent decoder makes of the bytes; integers as bigint where they are 64-bit on the wire. */
function independent(bytes: Uint8Array): unknown {
  return decodeMsgpack(bytes, { useBigInt64: true });
}

const HEAD = [[1_700_000_000, 1], [0, 1_500], { source: "rezolus", version: "5.17.0" }];
const WINDOW = [1_700_000_000_000_000_123n, 1_700_000_000_000_001_023n];
const BUCKETS = buckets.map((value) => value === MAX ? MAX : Number(value));

Deno.test("a V3 snapshot has the fields of upstream's, in order and in shortest form", () => {
  const { hash } = schemaWire(schema);
  const entry = ({ name, metadata }: Schema["counters"][number]) => [name, metadata];
  deepStrictEqual(independent(encodeSnapshotV3(snapshot)), [...HEAD, [
    [
      "cpu_usage/percpu",
      [hash.high, hash.low],
      [schema.counters.map(entry), schema.gauges.map(entry), schema.histograms.map(entry)],
      WINDOW,
      [MAX, 0],
      [MIN, -33, null],
      [[CONFIG, BUCKETS], null],
    ],
    [
      "empty/none",
      (independent(encodeSnapshotV3(snapshot)) as never[][][])[3]![1]![1],
      [[], [], []],
      null,
      [],
      [],
      [],
    ],
  ]]);
});

Deno.test("a V2 snapshot has flat entries with windows and leaves out what could not be read", () => {
  deepStrictEqual(independent(encodeSnapshotV2(snapshot)), [
    ...HEAD,
    schema.counters.map(({ name, metadata }, index) => [name, [MAX, 0][index], metadata, WINDOW]),
    schema.gauges.slice(0, 2).map(({ name, metadata }, index) => [name, [MIN, -33][index], metadata, WINDOW]),
    [["17", [CONFIG, BUCKETS], {
      ...schema.histograms[0]!.metadata,
      grouping_power: "2",
      max_value_power: "4",
    }, WINDOW]],
  ]);
  const windowless = {
    ...snapshot,
    groups: [{ ...group, window: undefined }].map(({ window: _, ...rest }) => rest),
  };
  const entries = independent(encodeSnapshotV2(windowless)) as unknown[][][];
  strictEqual(entries[3]![0]!.length, 3);
});

Deno.test("a V2 entry of a histogram follows a change of its layout", () => {
  const other = { groupingPower: 0, maxValuePower: 1, words: wordsOf([1, 2]) };
  encodeSnapshotV2(snapshot);
  const changed = { ...snapshot, groups: [{ ...group, histograms: [other, undefined] }] };
  const metadata = (independent(encodeSnapshotV2(changed)) as Record<string, string>[][][])[5]![0]![2]!;
  deepStrictEqual([metadata["grouping_power"], metadata["max_value_power"]], ["0", "1"]);
});

Deno.test("the schema's hash is FNV-1a of its msgpack with sorted metadata", () => {
  const hex = (text: string) => {
    const { high, low } = fnv1a128(new TextEncoder().encode(text));
    return high.toString(16).padStart(16, "0") + low.toString(16).padStart(16, "0");
  };
  strictEqual(hex(""), "6c62272e07bb014262b821756295c58d");
  strictEqual(hex("a"), "d228cb696f1a8caf78912b704e4a8964");
  strictEqual(hex("foobar"), "343e1662793c64bf6f0d3597ba446f18");
  const keys = ["z", "é", "a", "\u{1f600}", "\uff5e"];
  const wire = schemaWire({
    counters: [{ name: "0", metadata: Object.fromEntries(keys.map((key) => [key, key])) }],
    gauges: [],
    histograms: [],
  });
  const sorted = { a: "a", z: "z", "é": "é", "\uff5e": "\uff5e", "\u{1f600}": "\u{1f600}" };
  deepStrictEqual(wire.bytes, encodeMsgpack([[["0", sorted]], [], []]));
  deepStrictEqual(wire.hash, fnv1a128(wire.bytes));
});

Deno.test("integers take the shortest form at every edge of width", () => {
  const edges = [0n, 127n, 128n, 255n, 256n, 65535n, 65536n, 0xffff_ffffn, 1n << 32n, (1n << 63n) - 1n];
  const negative = [-1n, -32n, -33n, -128n, -129n, -32768n, -32769n, -(1n << 31n), -(1n << 31n) - 1n, MIN];
  const values = [...edges, ...negative];
  const bytes = encodeSnapshotV3({
    ...snapshot,
    groups: [{
      ...group,
      schema: { ...schema, gauges: values.map((value) => ({ name: `${value}`, metadata: {} })) },
      gauges: { words: wordsOf(values) },
    }],
  });
  deepStrictEqual(decodeSnapshot(bytes).groups[0]!.gauges.words, wordsOf(values));
  const isSmall = (value: bigint) => value >= -(1n << 31n) && value < 1n << 32n;
  const gauges = encodeMsgpack(values.map((value) => isSmall(value) ? Number(value) : value), {
    useBigInt64: true,
  });
  const hex = (part: Uint8Array) => [...part].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // The independent encoder writes non-negative bigints signed (d3), upstream unsigned (cf); same width.
  ok(hex(bytes).includes(hex(gauges).replaceAll("d300000001", "cf00000001").replaceAll("d37fff", "cf7fff")));
});

for (const [version, encode] of [[2, encodeSnapshotV2], [3, encodeSnapshotV3]] as const) {
  Deno.test(`a V${version} snapshot decodes to the values that were encoded`, () => {
    const bytes = encode(snapshot);
    const decoded = decodeSnapshotAt(bytes, 0, new SchemaCache());
    strictEqual(decoded.version, version);
    strictEqual(decoded.end, bytes.length);
    const { timeNs, durationNs, metadata, groups } = decoded.snapshot;
    deepStrictEqual([timeNs, durationNs, metadata], [
      snapshot.timeNs,
      snapshot.durationNs,
      snapshot.metadata,
    ]);
    if (version === 3) deepStrictEqual(groups, snapshot.groups);
    else {
      strictEqual(groups.length, 1);
      strictEqual(groups[0]!.name, "cpu_usage");
      deepStrictEqual(groups[0]!.window, group.window);
      deepStrictEqual(groups[0]!.counters.words, group.counters.words);
      deepStrictEqual(groups[0]!.gauges.words, wordsOf([MIN, -33]));
      deepStrictEqual(groups[0]!.histograms, [group.histograms[0]]);
      deepStrictEqual(groups[0]!.schema.counters, schema.counters);
    }
  });
}

Deno.test("V1, which has no duration, is told by its five fields", () => {
  const bytes = encodeMsgpack([[7, 5], {}, [["a", 1, {}], ["b", 2, { sampler: "s" }, [10, 4]]], [[
    "c",
    -1,
    {},
  ]], []]);
  const decoded = decodeSnapshot(bytes);
  strictEqual(decoded.timeNs, 7_000_000_005n);
  strictEqual(decoded.durationNs, 0n);
  deepStrictEqual(decoded.groups.map(({ name }) => name), ["unknown", "s"]);
  deepStrictEqual(decoded.groups[0]!.gauges.words, wordsOf([-1]));
  deepStrictEqual(decoded.groups[1]!.window, { beginNs: 10n, widthNs: 0 });
});

Deno.test("windows of one sampler's V2 entries become one that spans them", () => {
  const entries = [["a", 1, {}, [100, 150]], ["b", 1, {}, [90, 120]], ["c", 1, {}, [110, 170]]];
  const decoded = decodeSnapshot(encodeMsgpack([[1, 0], [0, 0], {}, entries, [], []]));
  deepStrictEqual(decoded.groups[0]!.window, { beginNs: 90n, widthNs: 80 });
});

Deno.test("with one cache equal schemas stay one object and may be left out", () => {
  const cache = new SchemaCache();
  const first = decodeSnapshot(encodeSnapshotV3(snapshot), cache);
  const second = decodeSnapshot(encodeSnapshotV3(snapshot), cache);
  strictEqual(second.groups[0]!.schema, first.groups[0]!.schema);
  const short = encodeSnapshotV3(snapshot, { omitSchema: ({ name }) => name === group.name });
  ok(short.length < encodeSnapshotV3(snapshot).length - schemaWire(schema).bytes.length + 2);
  strictEqual(decodeSnapshot(short, cache).groups[0]!.schema, first.groups[0]!.schema);
  throws(
    () => decodeSnapshot(short),
    /group "cpu_usage\/percpu" comes without its schema, which was not seen before/,
  );
  const flat = [
    decodeSnapshot(encodeSnapshotV2(snapshot), cache),
    decodeSnapshot(encodeSnapshotV2(snapshot), cache),
  ];
  strictEqual(flat[0]!.groups[0]!.schema, flat[1]!.groups[0]!.schema);
  strictEqual(cache.intern(structuredClone(schema)), first.groups[0]!.schema);
  strictEqual(cache.get(schemaWire(schema).hash), first.groups[0]!.schema);
});

Deno.test("a snapshot that is not needed any more lends its memory to the next", () => {
  const cache = new SchemaCache();
  const first = decodeSnapshot(encodeSnapshotV3(snapshot), cache);
  const words = first.groups[0]!.histograms[0]!.words;
  const counts = wordsOf([...buckets].reverse());
  const later = {
    ...snapshot,
    groups: [{ ...group, histograms: [{ ...group.histograms[0]!, words: counts }, undefined] }],
  };
  const second = decodeSnapshot(encodeSnapshotV3(later), cache, { recycle: first });
  strictEqual(second.groups[0]!.histograms[0]!.words, words);
  deepStrictEqual(words, counts);
  const wider = { groupingPower: 0, maxValuePower: 1, words: wordsOf([1, 2]) };
  const third = decodeSnapshot(
    encodeSnapshotV3({ ...snapshot, groups: [{ ...group, histograms: [wider, wider] }] }),
    cache,
    { recycle: second },
  );
  deepStrictEqual(third.groups[0]!.histograms, [wider, wider]);
});

Deno.test("a cache forgets the schema unused longest when its bytes are too many", () => {
  const cache = new SchemaCache();
  const large = (name: string): Schema => ({
    counters: [{ name, metadata: { text: "x".repeat(1 << 20) } }],
    gauges: [],
    histograms: [],
  });
  const [oldest, second] = [cache.intern(large("0")), cache.intern(large("1"))];
  cache.intern(large("0")); // now used after the second
  for (let number = 2; number < 8; number++) cache.intern(large(`${number}`));
  strictEqual(cache.get(schemaWire(oldest).hash), oldest);
  strictEqual(cache.get(schemaWire(second).hash), undefined);
  const huge = cache.intern({
    ...large("h"),
    gauges: [{ name: "", metadata: { text: "y".repeat(9 << 20) } }],
  });
  strictEqual(cache.get(schemaWire(huge).hash), huge);
  strictEqual(cache.get(schemaWire(oldest).hash), undefined);
});

Deno.test("values that do not match their schema are not encoded", () => {
  const wrong = { ...snapshot, groups: [{ ...group, counters: { words: wordsOf([1]) } }] };
  throws(
    () => encodeSnapshotV3(wrong),
    /Cannot encode group "cpu_usage\/percpu": it has 1,3,2 .* its schema 2,3,2/,
  );
  throws(() => encodeSnapshotV2(wrong), /Cannot encode group "cpu_usage\/percpu"/);
});

Deno.test("JSON keeps every digit of 64 bits, in both versions", () => {
  const v2 = encodeSnapshotJson(snapshot);
  ok(v2.endsWith("]}\n"));
  ok(v2.includes(`"value":${MAX},`) && v2.includes(`"value":${MIN},`) && v2.includes(`,${MAX},`));
  const flat = JSON.parse(v2);
  deepStrictEqual(flat.systemtime, { secs_since_epoch: 1_700_000_000, nanos_since_epoch: 1 });
  deepStrictEqual(flat.duration, { secs: 0, nanos: 1_500 });
  deepStrictEqual(flat.counters.length, 2);
  deepStrictEqual(flat.gauges[1].value, -33);
  deepStrictEqual(flat.gauges.length, 2);
  deepStrictEqual(flat.histograms[0].value.config, {
    max: 15,
    grouping_power: 2,
    max_value_power: 4,
    cutoff_power: 3,
    cutoff_value: 8,
    lower_bin_count: 8,
    upper_bin_divisions: 4,
    upper_bin_count: 4,
  });
  strictEqual(flat.histograms[0].metadata.grouping_power, "2");
  ok(v2.includes(`"window":{"begin_ns":1700000000000000123,"end_ns":1700000000000001023}`));
  const v3 = encodeSnapshotJson(snapshot, 3);
  ok(v3.includes(`"schema_hash":[${schemaWire(schema).hash.high},${schemaWire(schema).hash.low}]`));
  const grouped = JSON.parse(v3);
  deepStrictEqual(grouped.groups[0].schema, schema);
  deepStrictEqual(grouped.groups[0].gauges.slice(1), [-33, null]);
  deepStrictEqual(grouped.groups[0].histograms[1], null);
  strictEqual(grouped.groups[1].window, null);
});

Deno.test("metrics carry type, name, unit and labels", () => {
  deepStrictEqual(counter("c", { help: "h" }), { type: "counter", name: "c", help: "h", labels: {} });
  strictEqual(gauge("g", { help: "h", unit: "bytes" }).unit, "bytes");
  deepStrictEqual(histogram("x", { help: "h", labels: { op: "read" } }).labels, { op: "read" });
});

const REFUSED: [string, Uint8Array, RegExp][] = [
  ["nothing", new Uint8Array(0), /^Cannot decode snapshot: the data ends at byte 0, inside snapshot$/],
  ["text", new TextEncoder().encode("<html>"), /snapshot at byte 0: expected an array, found format 0x3c/],
  [
    "another arity",
    encodeMsgpack([1, 2]),
    /it has 2 fields, this build reads V1 \(5\), V2 \(6\) and V3 \(4\)/,
  ],
  [
    "a count beyond the bytes",
    Uint8Array.of(0xdd, 255, 255, 255, 255),
    /claims 4294967295 elements, 0 bytes remain/,
  ],
  [
    "a time beyond 64 bits",
    encodeMsgpack([[MAX, 0], [0, 0], {}, []], { useBigInt64: true }),
    /beyond 64 bits/,
  ],
  [
    "too many nanoseconds",
    encodeMsgpack([[1, 1e9], [0, 0], {}, []]),
    /system time has 1000000000 nanoseconds/,
  ],
  [
    "a negative counter",
    encodeMsgpack([[1, 0], [0, 0], {}, [["c", -1, {}]], [], []]),
    /counters at byte .* is negative/,
  ],
  [
    "a foreign window",
    encodeMsgpack([[1, 0], [0, 0], {}, [["c", 1, {}, [1]]], [], []]),
    /window has 1 fields/,
  ],
  [
    "a gauge above 2^63",
    encodeMsgpack([[1, 0], [0, 0], {}, [], [["c", MAX, {}]], []], { useBigInt64: true }),
    /above 2\^63-1/,
  ],
  [
    "too few buckets",
    encodeMsgpack([[1, 0], [0, 0], {}, [], [], [["h", [CONFIG, [1, 2]], {}]]]),
    /2 buckets, its config has 12/,
  ],
  [
    "an impossible layout",
    encodeMsgpack([[1, 0], [0, 0], {}, [], [], [["h", [[0, 9, 4, 0, 0, 0, 0, 0], []], {}]]]),
    /grouping power is 9, max value power is 4/,
  ],
  [
    "a wrong schema hash",
    encodeMsgpack([[1, 0], [0, 0], {}, [["g", [1, 2], [[], [], []], null, [], [], []]]]),
    /its group says 00000000000000010000000000000002/,
  ],
];
for (const [name, bytes, message] of REFUSED) {
  Deno.test(`decoding refuses ${name} in one line`, () => {
    throws(() => decodeSnapshot(bytes), (error: unknown) => {
      ok(error instanceof MsgpackError);
      ok(message.test(error.message), error.message);
      return !error.message.includes("\n");
    });
  });
}

Deno.test("a second snapshot behind the first is refused, unless asked for by offset", () => {
  const one = encodeSnapshotV3(snapshot);
  const two = new Uint8Array([...one, ...one]);
  throws(() => decodeSnapshot(two), /bytes follow its end at byte/);
  strictEqual(decodeSnapshotAt(two, one.length, new SchemaCache()).end, two.length);
});

Deno.test("every cut-off snapshot is an error that says so", () => {
  for (const bytes of [encodeSnapshotV2(snapshot), encodeSnapshotV3(snapshot)]) {
    for (let size = 0; size < bytes.length; size++) {
      throws(
        () => decodeSnapshot(bytes.subarray(0, size)),
        (error: unknown) => error instanceof MsgpackError && error.truncated,
      );
    }
  }
});

Deno.test("mutated snapshots decode or give a MsgpackError, nothing else", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (const original of [encodeSnapshotV2(snapshot), encodeSnapshotV3(snapshot)]) {
    for (let round = fuzzCount(10_000); round > 0; round--) {
      const bytes = mutate(original, random);
      try {
        decodeSnapshot(bytes);
      } catch (error) {
        ok(error instanceof MsgpackError, `seed ${seed}, round ${round}: ${error}`);
      }
    }
  }
});
