import { encode as encodeMsgpack } from "@msgpack/msgpack";
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { wordsToBigint } from "../../lib/metrics/mod.ts";
import {
  convertToParquet,
  inlineSealer,
  Journal,
  JournalError,
  openRecording,
  type Recording,
  RecordingError,
  type Sealer,
  workerSealer,
} from "../../lib/recording/mod.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { encodeGroupRow } from "../../lib/recording/group_row.ts";
import { GroupRows } from "../../lib/recording/group_rows.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { folder, groupAt, SECOND_NS, snapshotAt, START_NS } from "./fixture.ts";
import { secondReader, summarize } from "./second_reader.ts";

function appendTicks(journal: Journal, from: number, to: number, widerFrom?: number): void {
  for (let tick = from; tick < to; tick++) {
    const snapshot = snapshotAt(tick, widerFrom);
    journal.append(snapshot, { timestampNs: snapshot.timeNs, wallOffsetNs: 0n });
  }
}

/** Checks every series of a recording of ticks 0 to `ticks` − 1 against the snapshots. */
function checkSeries(recording: Recording, ticks: number, widerFrom = Infinity): void {
  const points: Record<string, [string, (number | undefined)[]]> = {};
  for (const info of recording.series.series()) {
    const series = recording.series.read(info);
    const { __name__: name, id = "", op = "" } = info.labels;
    const values = Array.from(series.times, (_, point) => {
      if (series.missing?.[point] === 1) return undefined;
      if (series.kind === "number") return series.values[point];
      let total = 0;
      for (let bucket = 0; bucket < series.bucketCount; bucket++) {
        total += series.counts[point * series.bucketCount + bucket]! * (series.firstBucket + bucket);
      }
      return total;
    });
    points[`${name} ${id}${op}`] = [info.type, values];
    deepStrictEqual(series.times[0], Number(START_NS) / 1e9);
  }
  const all = Array.from({ length: ticks }, (_, tick) => tick);
  const expected: typeof points = {
    "cpu_usage 0": ["counter", all.map((tick) => 1_000 * tick)],
    "cpu_usage 1": [
      "counter",
      all.map((tick) => tick % 5 === 4 ? undefined : Number((1n << 60n) + BigInt(tick))),
    ],
    "level ": ["gauge", all.map((tick) => tick % 2 === 0 ? tick : -tick)],
    "latency read": ["histogram", all.map((tick) => tick % 7 === 6 ? undefined : 17 * tick + 40 * 3 * tick)],
  };
  if (widerFrom < ticks) {
    expected["cpu_usage 2"] = [
      "counter",
      all.map((tick) => tick < widerFrom ? undefined : tick),
    ];
  }
  const memory = points["memory_free "];
  delete points["memory_free "];
  deepStrictEqual(points, expected);
  const values = memory![1].filter((value) => value !== undefined);
  deepStrictEqual(values, all.filter((tick) => tick % 10 !== 9).map((tick) => 4_096 * tick));
}

const SEALERS: [string, () => Sealer][] = [
  ["this thread", inlineSealer],
  ["a worker", () =>
    workerSealer((text) => {
      throw new Error(text);
    })],
];

for (const [where, makeSealer] of SEALERS) {
  Deno.test(`what is appended is read back from the journal, sealed by ${where}, and from parquet`, async () => {
    using dir = folder();
    using sealer = makeSealer();
    const path = dir.path("a.rez");
    const metadata = {
      source: "rezolus",
      sampling_interval_ms: "1000",
      descriptions: `{"level":"How high"}`,
    };
    const problems: string[] = [];
    using journal = Journal.create(path, START_NS, {
      metadata,
      labels: { host: "h" },
      sealer,
      segmentRows: 40,
      onProblem: (text) => problems.push(text),
    });
    appendTicks(journal, 0, 100, 55);
    strictEqual(journal.ticks, 100);
    {
      using running = openRecording(path);
      strictEqual(running.complete, false);
      checkSeries(running, 100, 55);
    }
    await journal.finish();
    deepStrictEqual(problems, []);
    {
      using finished = openRecording(path);
      strictEqual(finished.format, "rez");
      strictEqual(finished.complete, true);
      deepStrictEqual(finished.metadata, metadata);
      deepStrictEqual(finished.labels, { host: "h" });
      deepStrictEqual(finished.notes, []);
      deepStrictEqual(finished.series.help(), { level: "How high" });
      strictEqual(finished.series.intervalSeconds, 1);
      checkSeries(finished, 100, 55);
      strictEqual(finished.durations.get(START_NS), 1_000n);
    }
    const output = dir.path("a.parquet");
    const written = await sealer.run({
      kind: "convert",
      path,
      output,
      options: { metadata: { node: "n1" } },
    });
    strictEqual(written?.rowCount, 100);
    strictEqual(Deno.statSync(output).size, written.sizeBytes);
    using parquet = openRecording(output);
    strictEqual(parquet.format, "parquet");
    deepStrictEqual(parquet.metadata, { ...metadata, node: "n1" });
    checkSeries(parquet, 100, 55);
    const { columns } = await summarize(Deno.readFileSync(output));
    deepStrictEqual(columns.map(({ name }) => name), [
      ...["timestamp", "duration", "1x0", "1x1", "2", "3:buckets", "1x2", "9"],
    ]);
    const byName = Object.fromEntries(columns.map((column) => [column.name, column]));
    strictEqual(byName["timestamp"]!.first, String(START_NS));
    strictEqual(byName["timestamp"]!.last, String(START_NS + 99n * SECOND_NS));
    strictEqual(byName["duration"]!.last, "1099");
    strictEqual(byName["1x1"]!.nulls, 20);
    strictEqual(byName["1x2"]!.nulls, 55);
    strictEqual(byName["9"]!.nulls, 10);
    strictEqual(byName["1x0"]!.sum, 4_950_000n);
    deepStrictEqual(byName["3:buckets"]!.metadata, {
      grouping_power: "3",
      max_value_power: "64",
      metric: "latency",
      metric_type: "histogram",
      op: "read",
      sampler: "cpu",
    });
  });
}

Deno.test("a journal has upstream's tables, and its segments are parquet that a second reader reads", async () => {
  using dir = folder();
  using sealer = inlineSealer();
  const path = dir.path("a.rez");
  using journal = Journal.create(path, START_NS, { sealer, segmentRows: 10 });
  deepStrictEqual([...Deno.readDirSync(dir.path("."))].map(({ name }) => name).sort(), [
    "a.rez",
    "a.rez-shm",
    "a.rez-wal",
  ]);
  appendTicks(journal, 0, 25);
  await journal.finish();
  deepStrictEqual([...Deno.readDirSync(dir.path("."))].map(({ name }) => name), ["a.rez"]);
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const get = (sql: string) => Object.values(db.prepare(sql).get()!);
    deepStrictEqual(get("SELECT version FROM schema_version"), [3]);
    deepStrictEqual(get("SELECT complete FROM recordings"), [1]);
    deepStrictEqual(get("PRAGMA auto_vacuum"), [2]);
    deepStrictEqual(get("PRAGMA journal_mode"), ["delete"]); // finished: one file
    deepStrictEqual(get("SELECT count(*) FROM wal"), [0]);
    deepStrictEqual(get("SELECT count(*) FROM segments WHERE sampler = 'cpu/percpu'"), [3]);
    const bytes = get("SELECT bytes FROM segments WHERE sampler = 'cpu/percpu' AND seq = 1")[0] as Uint8Array;
    const { columns } = await summarize(bytes);
    deepStrictEqual(columns.map(({ name }) => name), [
      ...["timestamp", ":wall_offset", ":window_begin", ":window_width", "1x0", "1x1", "2", "3:buckets"],
    ]);
    strictEqual(columns[0]!.first, String(START_NS + 10n * SECOND_NS));
    deepStrictEqual([columns[2]!.first, columns[3]!.first], ["5", "900"]);
  } finally {
    db.close();
  }
});

Deno.test("a member whose labels change gets a column of its own, in the journal and in parquet", async () => {
  using dir = folder();
  using sealer = inlineSealer();
  const path = dir.path("a.rez");
  using journal = Journal.create(path, START_NS, { sealer });
  for (let tick = 0; tick < 6; tick++) {
    const snapshot = snapshotAt(tick);
    const group = snapshot.groups[0]!;
    const gauges = [{ name: "2", metadata: { metric: "level", owner: tick < 3 ? "a" : "b" } }];
    const changed = { ...snapshot, groups: [{ ...group, schema: { ...group.schema, gauges } }] };
    journal.append(changed, { timestampNs: snapshot.timeNs, wallOffsetNs: 0n });
  }
  await journal.finish();
  convertToParquet(path, dir.path("a.parquet"));
  using parquet = openRecording(dir.path("a.parquet"));
  const names = parquet.tables[0]!.columns.map(({ field }) => field.name);
  ok(names.includes("2") && names.includes("2#2"), String(names));
  const owners = parquet.series.series().filter(({ labels }) => labels.__name__ === "level").map((info) => {
    const series = parquet.series.read(info);
    return [info.labels.owner, [...series.missing!], series.kind === "number" ? series.values[4] : undefined];
  });
  deepStrictEqual(owners, [["a", [0, 0, 0, 1, 1, 1], 0], ["b", [1, 1, 1, 0, 0, 0], 4]]);
});

Deno.test("a second journal at the same path is refused, the first stays", () => {
  using dir = folder();
  using sealer = inlineSealer();
  using journal = Journal.create(dir.path("a.rez"), START_NS, { sealer });
  appendTicks(journal, 0, 1);
  throws(
    () => Journal.create(dir.path("a.rez"), START_NS, { sealer }),
    (error: unknown) =>
      error instanceof JournalError &&
      /Cannot create recording .*: the file exists already/.test(error.message),
  );
  using recording = openRecording(dir.path("a.rez"));
  checkSeries(recording, 1);
});

Deno.test("a tick that cannot be appended leaves nothing of itself and all before it", () => {
  using dir = folder();
  using sealer = inlineSealer();
  using journal = Journal.create(dir.path("a.rez"), START_NS, { sealer });
  appendTicks(journal, 0, 3);
  const snapshot = snapshotAt(3);
  throws(
    () =>
      journal.append({ ...snapshot, groups: [snapshot.groups[0]!, snapshot.groups[0]!] }, {
        timestampNs: snapshot.timeNs,
        wallOffsetNs: 0n,
      }),
    /the snapshot has two groups named "cpu\/percpu"/,
  );
  throws(() => appendTicks(journal, 2, 3), JournalError); // a time that is there already
  appendTicks(journal, 3, 8);
  using recording = openRecording(dir.path("a.rez"));
  checkSeries(recording, 8);
});

Deno.test("metadata can be completed while a recording runs, and wall clock offsets are kept", async () => {
  using dir = folder();
  using sealer = inlineSealer();
  using journal = Journal.create(dir.path("a.rez"), START_NS, { sealer });
  journal.setMetadata({ source: "late" });
  const snapshot = snapshotAt(0);
  journal.append(snapshot, { timestampNs: START_NS, wallOffsetNs: -77n });
  await journal.finish();
  using recording = openRecording(dir.path("a.rez"));
  deepStrictEqual(recording.metadata, { source: "late" });
  const table = recording.tables[0]!;
  const column = table.columns.find(({ field }) => field.name === ":wall_offset")!;
  strictEqual(BigInt.asIntN(64, wordsToBigint(table.readRows(column, 0, 1).words, 0)), -77n);
});

Deno.test("a sealing failure is told, loses nothing and is made good at the end", async () => {
  using dir = folder();
  const path = dir.path("a.rez");
  const problems: string[] = [];
  const working = inlineSealer();
  const failing: Sealer = {
    run: (job) => job.kind === "seal" ? Promise.reject(new Error("no worker today")) : working.run(job),
    [Symbol.dispose]: () => {},
  };
  using journal = Journal.create(path, START_NS, {
    sealer: failing,
    segmentRows: 10,
    onProblem: (text) => problems.push(text),
  });
  appendTicks(journal, 0, 30);
  await journal.finish();
  ok(problems.length > 0 && problems.every((text) => /Cannot seal ".*" of .*: no worker today/.test(text)));
  using recording = openRecording(path);
  checkSeries(recording, 30);
});

Deno.test("a worker whose module is missing is told of once and its jobs are done all the same", async () => {
  using dir = folder();
  const problems: string[] = [];
  using sealer = workerSealer((text) => problems.push(text), new URL("./no_such_worker.ts", import.meta.url));
  using journal = Journal.create(dir.path("a.rez"), START_NS, { sealer, segmentRows: 10 });
  appendTicks(journal, 0, 25);
  await journal.finish();
  strictEqual(problems.length, 1);
  ok(/The sealing worker has failed, sealing goes on in the main thread/.test(problems[0]!));
  using recording = openRecording(dir.path("a.rez"));
  checkSeries(recording, 25);
  strictEqual(recording.complete, true);
  await rejects(
    () => sealer.run({ kind: "finish", path: dir.path("none.rez") }),
    /no such table|unable to open/,
  );
});

Deno.test("a worker's failure reaches the one who gave the job", async () => {
  using dir = folder();
  using sealer = workerSealer(() => {});
  await rejects(
    () => sealer.run({ kind: "convert", path: dir.path("none.rez"), output: dir.path("o"), options: {} }),
    /Cannot open recording .*none.rez: there is no such file/,
  );
});

const KILLS = 20;

Deno.test(`a recorder killed at ${KILLS} random instants leaves a journal short of at most one tick`, async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  await Promise.all([0, 1].map(async (half) => {
    for (let round = half; round < KILLS; round += 2) {
      using dir = folder();
      const path = dir.path("killed.rez");
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--quiet", "--allow-read", "--allow-write", KILLED_WRITER, path],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const wanted = 1 + random.below(60);
      // The child says each tick's number once `append` has returned; the kill falls somewhere into what follows.
      let acknowledged = -1;
      const lines = child.stdout.pipeThrough(new TextDecoderStream());
      let rest = "";
      for await (const text of lines) {
        rest += text;
        const complete = rest.slice(0, rest.lastIndexOf("\n") + 1);
        rest = rest.slice(complete.length);
        if (complete !== "") acknowledged = Number(complete.trimEnd().split("\n").at(-1));
        if (acknowledged >= wanted && child.pid > 0) {
          try {
            child.kill("SIGKILL");
          } catch (error) {
            ok(error instanceof TypeError || error instanceof Deno.errors.NotFound); // it is dead already
          }
        }
      }
      strictEqual((await child.status).signal, "SIGKILL");
      using recording = openRecording(path);
      const rows = recording.tables.find(({ name }) => name === "cpu/percpu")!.rowCount;
      const where = `seed ${seed}, round ${round}: ${rows} rows, tick ${acknowledged} acknowledged`;
      ok(rows === acknowledged + 1 || rows === acknowledged + 2, where);
      checkSeries(recording, rows);
      strictEqual(recording.complete, false);
      convertToParquet(path, dir.path("killed.parquet"));
      using parquet = openRecording(dir.path("killed.parquet"));
      checkSeries(parquet, rows);
    }
  }));
});

const KILLED_WRITER = new URL("./killed_writer.ts", import.meta.url).pathname;

Deno.test("what is no recording, or damaged, is refused in one line that names file and finding", () => {
  using dir = folder();
  const write = (name: string, bytes: Uint8Array | string) => {
    Deno.writeFileSync(dir.path(name), typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    return dir.path(name);
  };
  const database = (name: string, sql: string) => {
    const db = new DatabaseSync(dir.path(name));
    db.exec(sql);
    db.close();
    return dir.path(name);
  };
  const cases: [string, RegExp][] = [
    [dir.path("none"), /none: there is no such file$/],
    [write("empty", ""), /empty: the file is empty$/],
    [
      write("text", "hello"),
      /text: it begins with 68 65 6c 6c, neither parquet, .rez nor msgpack snapshots$/,
    ],
    [
      write("tar", `${"x".repeat(257)}ustar\0`),
      /tar: it is a tar archive, .rez version 1 or 2, this build reads version 3$/,
    ],
    [write("half.parquet", "PAR1....................."), /half.parquet: it does not end in PAR1/],
    [database("other.db", "CREATE TABLE t(a)"), /other.db: it is an SQLite database, but no .rez/],
    [
      database("newer.rez", "CREATE TABLE schema_version(version); INSERT INTO schema_version VALUES (4)"),
      /newer.rez: its .rez version is 4, this build reads 3$/,
    ],
    [
      write("raw", Uint8Array.of(0x94, 0x92, 1)),
      /raw: Cannot decode snapshot: snapshot claims 4 elements, 2 bytes remain$/,
    ],
    [write("page.rez", "SQLite format 3\0garbage"), /page.rez: /],
  ];
  for (const [path, message] of cases) {
    throws(() => openRecording(path), (error: unknown) => {
      ok(error instanceof RecordingError, String(error));
      ok(message.test(error.message), error.message);
      return !error.message.includes("\n");
    });
  }
});

Deno.test("a damaged segment is an error that names it; a recording's number that is not there too", async () => {
  using dir = folder();
  using sealer = inlineSealer();
  const path = dir.path("a.rez");
  using journal = Journal.create(path, START_NS, { sealer, segmentRows: 5 });
  appendTicks(journal, 0, 10);
  await journal.finish();
  throws(() => openRecording(path, { recordingId: 7 }), /it has no recording 7, there are: 1/);
  const db = new DatabaseSync(path);
  db.exec("UPDATE segments SET bytes = x'50415231' WHERE sampler = 'cpu/percpu' AND seq = 1");
  db.exec("DELETE FROM segments WHERE sampler = 'memory/info' AND seq = 0");
  db.close();
  throws(
    () => {
      using recording = openRecording(path);
      for (const info of recording.series.series()) recording.series.read(info);
    },
    /Cannot read cpu_usage of .*a.rez: segment 1 of "cpu\/percpu": it has 4 bytes, too few for a parquet file/,
  );
  const again = new DatabaseSync(path);
  again.exec("UPDATE recordings SET metadata = 'null'");
  again.close();
  throws(() => openRecording(path), /a.rez: the recording's metadata are null, expected names with texts$/);
});

Deno.test("a .rez as upstream writes it, without our tables and with LZ4 segments, is read all the same", async () => {
  using dir = folder();
  using sealer = inlineSealer();
  const path = dir.path("a.rez");
  using journal = Journal.create(path, START_NS, { sealer, segmentRows: 10 });
  appendTicks(journal, 0, 24);
  await journal.finish();
  const wasm = await secondReader();
  const db = new DatabaseSync(path);
  try {
    const update = db.prepare("UPDATE segments SET bytes = ? WHERE sampler = ? AND seq = ?");
    for (const row of db.prepare("SELECT sampler, seq, bytes FROM segments").all()) {
      const properties = new wasm.WriterPropertiesBuilder().setCompression(wasm.Compression.LZ4_RAW)
        .setDictionaryEnabled(false).build();
      update.run(
        wasm.writeParquet(wasm.readParquet(row["bytes"] as Uint8Array), properties),
        row["sampler"]!,
        row["seq"]!,
      );
    }
    db.exec("DROP TABLE hostkit_ticks; DROP TABLE hostkit_fields; DROP TABLE hostkit_segment_fields");
  } finally {
    db.close();
  }
  using recording = openRecording(path);
  checkSeries(recording, 24);
  strictEqual(recording.durations.size, 0);
  deepStrictEqual(recording.notes, []);
});

const FLAT_VALUES: [string, (variant: string, index: number, payload: unknown) => unknown][] = [
  ["maps by name", (variant, _, payload) => ({ [variant]: payload })],
  ["pairs by number", (_, index, payload) => [index, payload]],
  ["pairs by name", (variant, _, payload) => [variant, payload]],
];
for (const [form, tagged] of FLAT_VALUES) {
  Deno.test(`unsealed rows of the older flat form are read, values as ${form}`, () => {
    using dir = folder();
    using sealer = inlineSealer();
    const path = dir.path("a.rez");
    Journal.create(path, START_NS, { sealer })[Symbol.dispose]();
    const db = new DatabaseSync(path);
    try {
      const insert = db.prepare("INSERT INTO wal VALUES (1, 'cpu', ?, 0, ?)");
      for (let tick = 0; tick < 3; tick++) {
        const metadata = (metric: string) => tick === 0 ? { metric } : null;
        const cells = [
          ["1", metadata("c"), tagged("Counter", 0, 10 * tick), [5, 9]],
          ["2", metadata("g"), tagged("Gauge", 1, -tick), null],
          ["3", metadata("h"), tagged("Histogram", 2, [0, 2, [0, tick, 0]]), null],
        ];
        insert.run(
          START_NS + BigInt(tick) * SECOND_NS,
          encodeMsgpack(tick === 1 ? cells.slice(0, 1) : cells),
        );
      }
    } finally {
      db.close();
    }
    using recording = openRecording(path);
    const found = recording.series.series().map((info) => {
      const series = recording.series.read(info);
      const points = series.kind === "number" ? series.values : series.counts;
      return [info.labels.__name__, info.type, [...points], [...series.missing ?? []]];
    });
    deepStrictEqual(
      found,
      [
        ["c", "counter", [0, 10, 20], []],
        ["g", "gauge", [-0, 0, -2], [0, 1, 0]],
        ["h", "histogram", [0, 0, 2], [0, 1, 0]],
      ].map((
        [name, type, values, missing],
      ) => [name, type, (values as number[]).map((value) => value + 0), missing]),
    );
  });
}

Deno.test("rows whose schema was in a row that retention has removed are left out and noted", () => {
  using dir = folder();
  using sealer = inlineSealer();
  const path = dir.path("a.rez");
  using journal = Journal.create(path, START_NS, { sealer });
  appendTicks(journal, 0, 6, 3); // the schema stands in rows 0 and 3
  const db = new DatabaseSync(path);
  db.exec(`DELETE FROM wal WHERE ts = ${START_NS}`);
  db.close();
  using recording = openRecording(path);
  ok(
    recording.notes.some((note) =>
      /2 rows of "cpu\/percpu" are left out: the row with their schema is gone/.test(note)
    ),
  );
  strictEqual(recording.tables.find(({ name }) => name === "cpu/percpu")!.rowCount, 3);
});

Deno.test("mutated rows are read or give an error, nothing else", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const anchored = encodeGroupRow(groupAt(3), true);
  const plain = encodeGroupRow(groupAt(4), false);
  for (let round = fuzzCount(5_000); round > 0; round--) {
    const rows = new GroupRows();
    try {
      rows.add(START_NS, 0n, random.below(2) === 0 ? anchored : mutate(anchored, random));
      rows.add(START_NS + 1n, 0n, mutate(plain, random));
      rows.fields.forEach((_, column) => strictEqual(rows.read(column).rowCount, rows.rowCount));
    } catch (error) {
      ok(
        error instanceof SyntaxError || error instanceof RangeError,
        `seed ${seed}, round ${round}: ${error}`,
      );
    }
  }
});

Deno.test("a journal that cannot be begun leaves nothing behind, and no other's file is touched", () => {
  using dir = folder();
  using sealer = inlineSealer();
  const path = dir.path("a.rez");
  throws(() => Journal.create(path, 1n << 64n, { sealer }), (error: Error) => {
    ok(error instanceof JournalError);
    ok(/^Cannot create recording \S*a\.rez: (?!Cannot)/.test(error.message), error.message);
    return true;
  });
  deepStrictEqual([...Deno.readDirSync(dir.path("."))], []);
  Deno.writeTextFileSync(path, "another's");
  throws(() => Journal.create(path, START_NS, { sealer }), /the file exists already/);
  strictEqual(Deno.readTextFileSync(path), "another's");
});
