/** Several endpoints in one run: each has its own ticks, and what became of it stands in the file. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { StatusError } from "../../lib/agent_client/mod.ts";
import type { Snapshot } from "../../lib/metrics/mod.ts";
import {
  inlineSealer,
  Journal,
  JournalError,
  openRecording,
  type RecordClock,
  type Recording,
  type SnapshotSource,
} from "../../lib/recording/mod.ts";
import { folder, SECOND_NS, snapshotAt, START_NS } from "./fixture.ts";
import { agent, record, SharedClock } from "./run_fixture.ts";

function files(dir: ReturnType<typeof folder>): string[] {
  return [...Deno.readDirSync(dir.path("."))].map(({ name }) => name).sort();
}

/** A snapshot of the tick, read `lateNs` after it. */
function late(tick: number, lateNs: bigint): Snapshot {
  const snapshot = snapshotAt(tick);
  return { ...snapshot, timeNs: snapshot.timeNs + lateNs };
}

/** Values of `level` by the value of a label. */
function levelsBy(recording: Recording, label: string): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const info of recording.series.series().filter(({ labels }) => labels.__name__ === "level")) {
    const series = recording.series.read(info);
    if (series.kind !== "number") throw new TypeError("level is a gauge");
    found[info.labels[label] ?? ""] = [...series.values].filter((_, point) => series.missing?.[point] !== 1);
  }
  return found;
}

const levels = (ticks: readonly number[]) => ticks.map((tick) => tick % 2 === 0 ? tick : -tick);
const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, tick) => from + tick);

Deno.test("what stands in the query of an endpoint's URL is not recorded", async () => {
  for (const name of ["r.rez", "r.parquet"]) {
    using dir = folder();
    const output = dir.path(name);
    const sources = {
      "web1:4241?token=secret": agent("web1", (asking) => snapshotAt(asking)),
      "web2:4241?token=secret": agent("web2", (asking) => snapshotAt(asking)),
    };
    await record({ output, sources }).result;
    using recording = openRecording(output);
    const bytes = new TextDecoder("latin1").decode(Deno.readFileSync(output));
    deepStrictEqual([bytes.includes("web2:4241"), bytes.includes("secret")], [true, false]);
    ok(!JSON.stringify(recording.metadata).includes("secret"));
  }
});

for (const name of ["r.rez", "r.parquet"]) {
  Deno.test(`${name} holds both of two endpoints, told apart by host and endpoint`, async () => {
    using dir = folder();
    const output = dir.path(name);
    const sources = {
      "web1:4241": agent("web1", (asking) => snapshotAt(asking)),
      "web2:4241": agent("web2", (asking) => late(asking, 3_000_000n)),
    };
    const { result } = record({ output, sources, labels: { run: "7" } });
    const { endpoints, files: written, exitCode } = await result;
    deepStrictEqual(
      endpoints.map(({ name, ticks, missed }) => [name, ticks, missed]),
      [["web1-4241", 30, 0], ["web2-4241", 30, 0]],
    );
    deepStrictEqual([written, exitCode], [[output], 0]);
    deepStrictEqual(files(dir), [name]);
    using recording = openRecording(output);
    const all = levels(upTo(30));
    deepStrictEqual(levelsBy(recording, "host"), { web1: all, web2: all });
    deepStrictEqual(Object.keys(levelsBy(recording, "endpoint")), ["web1:4241", "web2:4241"]);
    strictEqual(recording.metadata["source"], "rezolus");
    deepStrictEqual(recording.notes, []);
    const perSource = JSON.parse(recording.metadata["per_source_metadata"]!);
    deepStrictEqual(Object.keys(perSource), ["web1-4241", "web2-4241"]);
    deepStrictEqual(perSource["web1-4241"].systeminfo, `{"hostname":"web1"}`);
    deepStrictEqual(perSource["web1-4241"].sampler_status, [{ name: "cpu", state: "ok" }]);
    deepStrictEqual([perSource["web2-4241"].ticks, perSource["web2-4241"].endpoint], [30, "web2:4241"]);
    if (name === "r.rez") {
      deepStrictEqual(recording.labels, { source: "rezolus", run: "7" });
      using one = openRecording(output, { recordingId: 2 });
      deepStrictEqual(one.labels, { source: "rezolus", host: "web2", endpoint: "web2:4241", run: "7" });
      deepStrictEqual(Object.keys(levelsBy(one, "host")), [""]);
    } else {
      // Ticks that were meant to be one are one row.
      strictEqual(recording.tables[0]!.rowCount, 30);
      ok(recording.tables[0]!.columns.some(({ field }) => field.name === "web2-4241::3:buckets"));
    }
  });
}

Deno.test("separate endpoints whose files would have one name are refused before anything is replaced", async () => {
  using dir = folder();
  const looks = agent("h", (asking) => snapshotAt(asking));
  await rejects(
    record({
      output: dir.path("run.rez"),
      separate: true,
      force: true,
      endpoints: [{ url: "a", source: "x/" }, { url: "b", source: "x-" }],
      sources: { a: looks, b: looks },
    }).result,
    /Cannot record two endpoints into one file: both are .*run_x-\.rez/,
  );
  deepStrictEqual(files(dir), []);
});

Deno.test("separate endpoints get files of their own, with what is said of each", async () => {
  using dir = folder();
  const { result } = record({
    output: dir.path("run.parquet"),
    separate: true,
    endpoints: [{ url: "a" }, { url: "b", source: "svc", role: "loadgen" }],
    sources: { a: agent("h", (asking) => snapshotAt(asking)), b: agent("h", (asking) => snapshotAt(asking)) },
  });
  deepStrictEqual((await result).files, [dir.path("run_rezolus.parquet"), dir.path("run_svc.parquet")]);
  using recording = openRecording(dir.path("run_svc.parquet"));
  strictEqual(recording.metadata["source"], "svc");
  const perSource = JSON.parse(recording.metadata["per_source_metadata"]!);
  deepStrictEqual([Object.keys(perSource), perSource.svc.role], [["svc"], "loadgen"]);
  deepStrictEqual(levelsBy(recording, "host"), { "": levels(upTo(30)) });
});

Deno.test("a file that cannot be finished does not keep the others from it", async () => {
  using dir = folder();
  const looks = () => agent("h", (asking) => snapshotAt(asking));
  const names = ["a", "b", "c"];
  const run = () =>
    record({
      output: dir.path("run.parquet"),
      separate: true,
      force: true,
      sources: Object.fromEntries(names.map((name) => [name, looks()])),
    }).result;
  Deno.mkdirSync(dir.path("run_a.parquet.partial"));
  await rejects(
    run(),
    /Cannot convert recording \S*run_a\.parquet\.rez .*; \S*run_a\.parquet\.rez keeps what/,
  );
  deepStrictEqual(files(dir), [
    "run_a.parquet.partial",
    "run_a.parquet.rez",
    "run_b.parquet",
    "run_c.parquet",
  ]);
  Deno.mkdirSync(dir.path("run_c.parquet.partial"));
  await rejects(run(), /run_a\.parquet\.rez keeps what was recorded; .*run_c\.parquet\.rez keeps what/);
});

Deno.test("a recording that is looked at until its end leaves nothing beside its parquet file", async () => {
  using dir = folder();
  const output = dir.path("r.parquet");
  using looked = new DisposableStack();
  const looks = agent("h", (asking) => {
    if (asking === 5) looked.use(openRecording(`${output}.rez`));
    return snapshotAt(asking);
  });
  await record({ output, sources: { a: looks } }).result;
  deepStrictEqual(files(dir), ["r.parquet"]);
});

Deno.test("raw recordings of several endpoints are one file each", async () => {
  using dir = folder();
  const sources = {
    a: agent("h", (asking) => snapshotAt(asking)),
    b: agent("h", (asking) => snapshotAt(asking)),
  };
  const { result } = record({ output: dir.path("run.raw"), sources });
  await result;
  deepStrictEqual(files(dir), ["run_a.raw", "run_b.raw"]);
  using recording = openRecording(dir.path("run_b.raw"));
  deepStrictEqual(levelsBy(recording, "host"), { "": levels(upTo(30)) });
});

Deno.test("an endpoint that goes away does not stop the other, and its gap is marked in the file", async () => {
  using dir = folder();
  const sources = {
    a: agent("one", (asking) => snapshotAt(asking)),
    b: agent("two", (asking) => asking >= 10 && asking < 15 ? new Error("gone") : snapshotAt(asking)),
    c: agent("three", (asking) => asking >= 20 ? new Error("gone for good") : snapshotAt(asking)),
    d: agent("four", () => new Error("never there")),
  };
  const { result, lines } = record({ output: dir.path("r.rez"), sources });
  const { endpoints, exitCode } = await result;
  deepStrictEqual(endpoints.map(({ ticks, missed, away }) => [ticks, missed, away]), [
    [30, 0, false],
    [25, 5, false],
    [20, 10, true],
    [0, 30, true],
  ]);
  strictEqual(exitCode, 1);
  deepStrictEqual(lines, [
    "d (d) does not answer, recording goes on when it does: never there",
    "b (b) does not answer, recording goes on when it does: gone",
    "b (b) answers again, 5 ticks are missing",
    "c (c) does not answer, recording goes on when it does: gone for good",
    "d never answered",
    "c was away when the recording ended",
  ]);
  using recording = openRecording(dir.path("r.rez"));
  deepStrictEqual(levelsBy(recording, "host"), {
    one: levels(upTo(30)),
    two: levels([...upTo(10), ...upTo(30, 15)]),
    three: levels(upTo(20)),
  });
  const { events } = JSON.parse(recording.metadata["events"]!);
  deepStrictEqual(events.map(({ kind, source }: Record<string, string>) => `${kind} ${source}`), [
    "source_away d",
    "source_away b",
    "source_back b",
    "source_away c",
  ]);
  match(recording.metadata["events"]!, new RegExp(`"timestamp":${START_NS + 10n * SECOND_NS},`));
  const { d } = JSON.parse(recording.metadata["per_source_metadata"]!);
  deepStrictEqual(d, { endpoint: "d", ticks: 0, missed_ticks: 30 });
});

Deno.test("an endpoint that hangs makes no other late", async () => {
  using dir = folder();
  const hanging = Promise.withResolvers<never>();
  const sources = {
    a: agent("one", (asking) => {
      if (asking === 29) hanging.reject(new Error("at last"));
      return snapshotAt(asking);
    }),
    b: agent("two", (asking) => asking === 3 ? hanging.promise : snapshotAt(asking)),
  };
  const { result } = record({ output: dir.path("r.rez"), sources });
  const { endpoints } = await result;
  deepStrictEqual(endpoints.map(({ ticks }) => ticks), [30, 3]);
});

Deno.test("a page of Prometheus' text format is recorded beside an agent, found out by asking", async () => {
  using dir = folder();
  let asked = 0;
  const page: SnapshotSource = {
    get(path) {
      if (path !== "/metrics") return Promise.reject(new StatusError(path, 404));
      return Promise.resolve(new TextEncoder().encode(
        `# HELP level A level\n# TYPE level gauge\nlevel ${asked++}\n# TYPE h_seconds histogram\n` +
          `h_seconds_bucket{le="0.1"} ${asked}\nh_seconds_bucket{le="+Inf"} ${asked}\n`,
      ));
    },
    [Symbol.dispose]: () => {},
  };
  const { result, lines } = record({
    output: dir.path("r.parquet"),
    sources: { a: agent("one", (asking) => snapshotAt(asking)), "svc:9090": page },
  });
  strictEqual((await result).exitCode, 0);
  deepStrictEqual(lines, []);
  using recording = openRecording(dir.path("r.parquet"));
  deepStrictEqual(levelsBy(recording, "source"), { rezolus: levels(upTo(30)), "svc-9090": upTo(30) });
  deepStrictEqual(JSON.parse(recording.metadata["source"]!), ["rezolus", "svc-9090"]);
  strictEqual(recording.series.help()["level"], "A level");
  ok(
    recording.series.series().some(({ labels, type }) =>
      labels.__name__ === "h_seconds" && type === "histogram"
    ),
  );
});

Deno.test("a server that answers anything anywhere is read as what it answers, and told of by what is nearer", async () => {
  using dir = folder();
  const answers = (text: (path: string) => string): SnapshotSource => ({
    get: (path) => Promise.resolve(new TextEncoder().encode(text(path))),
    [Symbol.dispose]: () => {},
  });
  const pageOnly = (text: string): SnapshotSource => ({
    ...answers(() => text),
    get: (path) =>
      path === "/metrics"
        ? Promise.resolve(new TextEncoder().encode(text))
        : Promise.reject(new StatusError(path, 404)),
  });
  const sources = {
    "p:1": answers(() => "level 1\n"),
    "q:1": answers(() => "<html>"),
    "r:1": pageOnly("level one\n"),
    "s:1": agent("failing", () => new StatusError("/metrics/binary", 500)),
    "t:1": pageOnly("a 1\n".repeat(200_001)),
  };
  const { result, lines } = record({ output: dir.path("r.rez"), sources, durationMs: 3_000 });
  deepStrictEqual((await result).endpoints.map(({ ticks }) => ticks), [3, 0, 0, 0, 0]);
  const told = lines.filter((line) => line.includes("gives no snapshot")).toSorted();
  match(told[0]!, /^q-1 \(q:1\) gives no snapshot, .*: Cannot decode snapshot: /);
  match(told[1]!, /^r-1 \(r:1\) gives no snapshot, .*: Cannot read metrics page: line 1 is "level one"/);
  strictEqual(
    told[2],
    "s-1 (s:1) gives no snapshot, recording goes on when it does: /metrics/binary gives status 500",
  );
  match(
    told[3]!,
    /^t-1 \(t:1\) gives no snapshot, .*: Cannot read metrics page: it has over 200000 samples$/,
  );
});

Deno.test("an endpoint that is said to be an agent is not asked for anything else", async () => {
  using dir = folder();
  const asked: string[] = [];
  const none: SnapshotSource = {
    get(path) {
      asked.push(path);
      return Promise.reject(new StatusError(path, 404));
    },
    [Symbol.dispose]: () => {},
  };
  const { result } = record({
    output: dir.path("r.rez"),
    endpoints: [{ url: "a", protocol: "msgpack" }],
    sources: { a: none },
    durationMs: 3_000,
  });
  strictEqual((await result).exitCode, 1);
  deepStrictEqual([...new Set(asked)], ["/metrics/binary"]);
});

Deno.test("a clock that is set back or forward does not bend recorded time, and is marked", async () => {
  using dir = folder();
  const lines: string[] = [];
  const stepNs = (tick: number) => tick < 10 ? 0n : tick < 20 ? -3_600n * SECOND_NS : 7n * SECOND_NS;
  for (const name of ["r.rez", "r.parquet"]) {
    const run = record({
      output: dir.path(name),
      sources: { a: agent("one", (asking) => late(asking, stepNs(asking))) },
    });
    deepStrictEqual((await run.result).endpoints[0]!.ticks, 30);
    lines.push(...run.lines);
    using recording = openRecording(dir.path(name));
    const info = recording.series.series().find(({ labels }) => labels.__name__ === "level")!;
    const { times } = recording.series.read(info);
    deepStrictEqual([...times], upTo(30).map((tick) => Number(START_NS / SECOND_NS) + tick));
    const { events } = JSON.parse(recording.metadata["events"]!);
    deepStrictEqual(
      events.map((
        { kind, description, timestamp }: Record<string, string>,
      ) => [kind, description, timestamp]),
      [
        ["clock_step", "The clock of a was set back by 3600.000 s", Number(START_NS + 10n * SECOND_NS)],
        ["clock_step", "The clock of a was set forward by 3607.000 s", Number(START_NS + 20n * SECOND_NS)],
      ],
    );
  }
  strictEqual(lines[0], "The clock of a was set back by 3600.000 s; recorded times do not follow");
});

Deno.test("the recorder's own clock being set makes a recording neither longer nor shorter", async () => {
  using dir = folder();
  const clock = new SharedClock();
  let setMs = 0;
  const set: RecordClock = {
    nowMs: () => clock.now + setMs,
    monotonicNs: clock.monotonicNs,
    sleepUntil: (atMs) => clock.sleepUntil(atMs - setMs),
  };
  const sources = {
    a: agent("one", (asking) => {
      setMs = asking < 10 ? 0 : asking < 20 ? -3_600_000 : 86_400_000;
      return snapshotAt(asking);
    }),
  };
  const { result } = record({ output: dir.path("r.rez"), sources, clock: set });
  deepStrictEqual((await result).endpoints[0]!.ticks, 30);
});

Deno.test("what is there is replaced as the format has it: a .rez only by force, and only by a first tick", async () => {
  using dir = folder();
  const sources = () => ({ a: agent("one", (asking) => snapshotAt(asking)) });
  for (const name of ["r.parquet", "r.raw"]) {
    Deno.writeTextFileSync(dir.path(name), "old");
    const { result, lines } = record({ output: dir.path(name), sources: sources() });
    strictEqual((await result).exitCode, 0);
    deepStrictEqual(lines, [`${dir.path(name)} exists and will be replaced`]);
    using recording = openRecording(dir.path(name));
    deepStrictEqual(levelsBy(recording, "host"), { "": levels(upTo(30)) });
  }
  for (const each of ["r.rez", "r.rez-wal", "s.parquet.rez"]) Deno.writeTextFileSync(dir.path(each), "old");
  await rejects(
    record({ output: dir.path("r.rez"), sources: sources() }).result,
    /Cannot create recording .*r\.rez: the file exists already; use --force to replace it/,
  );
  await rejects(
    record({ output: dir.path("s.parquet"), sources: sources() }).result,
    /Cannot create recording .*s\.parquet\.rez: an earlier recording left its journal there; view it, .*--force/,
  );
  const silent = { a: agent("one", () => new Error("away")) };
  await record({ output: dir.path("r.rez"), sources: silent, force: true, durationMs: 3_000 }).result;
  strictEqual(Deno.readTextFileSync(dir.path("r.rez")), "old");
  await record({ output: dir.path("r.rez"), sources: sources(), force: true }).result;
  await record({ output: dir.path("s.parquet"), sources: sources(), force: true }).result;
  deepStrictEqual(files(dir), ["r.parquet", "r.raw", "r.rez", "s.parquet"]);
  using recording = openRecording(dir.path("r.rez"));
  deepStrictEqual(levelsBy(recording, "host"), { "": levels(upTo(30)) });
});

Deno.test("an output that cannot be there is refused before anything is recorded", async () => {
  using dir = folder();
  Deno.mkdirSync(dir.path("is_folder.parquet"));
  Deno.writeTextFileSync(dir.path("file"), "");
  const cases: [string, RegExp][] = [
    [dir.path("none/r.rez"), /Cannot create recording .*none\/r\.rez: there is no such folder/],
    [dir.path("file/r.rez"), /Cannot create recording .*file\/r\.rez: /],
    [dir.path("is_folder.parquet"), /Cannot create recording .*is_folder\.parquet: it is a folder/],
  ];
  for (const [output, expected] of cases) {
    const sources = {
      a: agent("one", () => {
        throw new Error("it was asked");
      }),
    };
    await rejects(record({ output, sources }).result, (error: Error) => {
      ok(error instanceof JournalError, String(error));
      match(error.message, expected);
      return true;
    });
  }
});

Deno.test("a duration that is over before the command ends it, with 124 and in the file", async () => {
  using dir = folder();
  const { result } = record({
    output: dir.path("r.rez"),
    sources: { a: agent("one", (asking) => snapshotAt(asking)) },
    durationMs: 5_000,
    command: ["sleep", "1000"],
    commandLine: true,
  });
  strictEqual((await result).exitCode, 124);
  using recording = openRecording(dir.path("r.rez"));
  const { events } = JSON.parse(recording.metadata["events"]!);
  deepStrictEqual(events.map(({ timestamp: _time, ...rest }: Record<string, unknown>) => rest), [
    { kind: "run_start", description: "sleep", details: "sleep 1000" },
    { kind: "run_end", description: "sleep capped" },
  ]);
});

Deno.test("a recording that fails does not leave its command running", async () => {
  using dir = folder();
  const sources = {
    a: agent("one", (asking) => {
      // The journal cannot be created any more.
      if (asking === 2) Deno.writeTextFileSync(dir.path("r.rez"), "somebody else's");
      return asking < 2
        ? (() => {
          throw new Error("not yet");
        })()
        : snapshotAt(asking);
    }),
  };
  const { result } = record({ output: dir.path("r.rez"), sources, command: ["sleep", "1000"] });
  await rejects(result, /Cannot create recording .*: the file exists already/);
  strictEqual(Deno.readTextFileSync(dir.path("r.rez")), "somebody else's");
});

Deno.test("an endpoint that takes most of the interval to answer is told of once, as fractions are", async () => {
  using dir = folder();
  const clock = new SharedClock();
  const slow: SnapshotSource = {
    get(path) {
      if (path !== "/metrics") return Promise.reject(new StatusError(path, 404));
      clock.now += 800;
      return Promise.resolve(new TextEncoder().encode("a 1.5\nb 2.5\n"));
    },
    [Symbol.dispose]: () => {},
  };
  const { result, lines } = record({ output: dir.path("r.rez"), sources: { a: slow }, clock });
  strictEqual((await result).exitCode, 0);
  deepStrictEqual(lines, [
    "a takes 800 ms to answer, the interval is 1000 ms",
    "a: recordings hold whole numbers, fractions of 2 series are rounded",
  ]);
});

Deno.test("progress is told behind each tick, also one that was missed", async () => {
  using dir = folder();
  const told: [number, number, number][] = [];
  await record({
    output: dir.path("r.rez"),
    sources: { a: agent("one", (asking) => asking === 1 ? new Error("away") : snapshotAt(asking)) },
    durationMs: 3_000,
    onProgress: ([each], elapsedMs) => told.push([elapsedMs, each!.ticks, each!.missed]),
  }).result;
  deepStrictEqual(told, [[750, 1, 0], [1_750, 1, 1], [2_750, 2, 1]]);
});

Deno.test("recordings of one container that share all labels are told apart by their number", async () => {
  using dir = folder();
  using sealer = inlineSealer();
  using journal = Journal.create(dir.path("r.rez"), START_NS, {
    sealer,
    labels: { arm: "x" },
    metadata: { a: "1" },
  });
  const second = journal.addRecording(START_NS, {
    labels: { arm: "x" },
    metadata: { a: "2", events: "no JSON" },
  });
  for (let tick = 0; tick < 3; tick++) {
    const snapshot = snapshotAt(tick);
    const time = { timestampNs: snapshot.timeNs, wallOffsetNs: 0n };
    journal.append(snapshot, time);
    second.append(snapshot, time);
  }
  deepStrictEqual([journal.ticks, second.ticks, journal.first.ticks], [3, 3, 3]);
  await journal.finish();
  using recording = openRecording(dir.path("r.rez"));
  deepStrictEqual(levelsBy(recording, "recording"), { 1: levels(upTo(3)), 2: levels(upTo(3)) });
  deepStrictEqual(recording.labels, { arm: "x" });
  deepStrictEqual(recording.metadata, {
    events: "no JSON",
    per_source_metadata: `{"1":{"a":"1"},"2":{"a":"2"}}`,
  });
});
