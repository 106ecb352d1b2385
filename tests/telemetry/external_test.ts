/** Pushed metrics: both protocols, limits, expiry, and what arrives at an agent's endpoint. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { setUmask } from "../../ffi/sys/mod.ts";
import { wordsToBigint } from "../../lib/metrics/mod.ts";
import { Log } from "../../lib/log/mod.ts";
import { ExternalServer, ExternalStore, parseLine, parseMessage, Session } from "../../lib/telemetry/mod.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";

const LIMITS = { maxMetrics: 3, ttlMs: 1_000, reserved: new Set(["cpu_usage"]) };

function quiet(lines: string[] = []): Log {
  return new Log({
    level: "trace",
    format: "text",
    colour: false,
    now: () => Date.now(),
    write: (line) => lines.push(line),
  });
}

function session(
  store: ExternalStore,
  more: { protocol?: "auto" | "line" | "binary"; limit?: number; lines?: string[] } = {},
) {
  return new Session({
    protocol: more.protocol ?? "auto",
    maxMetricsPerConnection: more.limit ?? 100,
    store,
    log: quiet(more.lines),
    now: () => 0,
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** A message of the binary protocol, put together by hand. */
function message(items: number[][], count = items.length): Uint8Array {
  const payload = items.flat();
  const size = [payload.length & 255, payload.length >> 8 & 255, 0, 0];
  return Uint8Array.from([...bytes("REZL"), 1, 0, count & 255, count >> 8, ...size, ...payload]);
}

const named = (name: string, labels: [string, string][] = []) => [
  name.length,
  0,
  ...bytes(name),
  labels.length,
  0,
  ...labels.flatMap(([key, value]) => [key.length, ...bytes(key), value.length, ...bytes(value)]),
];

Deno.test("parseLine() reads counters, gauges and histograms with labels", () => {
  const cases: [string, string, Record<string, string>, string, bigint][] = [
    ["jobs counter:42", "jobs", {}, "counter", 42n],
    ['temp{sensor="cpu 0",x="a,b"} gauge:-5', "temp", { sensor: "cpu 0", x: "a,b" }, "gauge", -5n],
    [
      'q{text="say \\"hi\\"\\n"} counter:18446744073709551615',
      "q",
      { text: 'say "hi"\n' },
      "counter",
      2n ** 64n - 1n,
    ],
  ];
  for (const [line, name, labels, type, value] of cases) {
    const item = parseLine(line);
    ok(item?.kind === "metric");
    deepStrictEqual([item.metric.name, item.metric.labels, item.metric.value.type], [name, labels, type]);
    const found = wordsToBigint(item.metric.value.words, 0);
    strictEqual(type === "gauge" ? BigInt.asIntN(64, found) : found, value);
  }
  const item = parseLine("latency histogram:3,7:0 0 100");
  ok(item?.kind === "metric" && item.metric.value.type === "histogram");
  strictEqual(item.metric.value.words.length, 2 * 40);
  strictEqual(wordsToBigint(item.metric.value.words, 2), 100n);
  deepStrictEqual(parseLine('# SESSION service="api",pid="7"'), {
    kind: "session",
    labels: { service: "api", pid: "7" },
  });
  strictEqual(parseLine("# a comment"), undefined);
  strictEqual(parseLine("   "), undefined);
});

Deno.test("parseLine() says what is wrong with a line, and where", () => {
  const cases: [string, RegExp][] = [
    ["jobs", /column 5: found its end, expected a space/],
    ['{a="b"} counter:1', /column 1: .* expected a metric's name/],
    ["jobs{a=} counter:1", /expected a label's value/],
    ['jobs{a="b counter:1', /at the end of a label's value/],
    ["jobs counter:-1", /-1 does not fit/],
    ["jobs gauge:9223372036854775808", /does not fit 64 bits/],
    ["jobs timer:1", /expected counter:, gauge: or histogram:/],
    ["jobs counter:1.5", /expected a whole number/],
    ["jobs histogram:9:1", /expected histogram:GROUPING,MAX:BUCKETS/],
    ["jobs histogram:3,2:1", /./],
    [`jobs histogram:3,7:${"1 ".repeat(41)}`, /41 buckets, its layout has 40/],
  ];
  for (const [line, expected] of cases) {
    throws(() => parseLine(line), (error: Error) => expected.test(error.message), line);
  }
});

Deno.test("parseMessage() reads every kind of item, and waits for a message that has not arrived in full", () => {
  const counter = [1, 42, 0, 0, 0, 0, 0, 0, 0, ...named("jobs", [["env", "prod"]])];
  const gauge = [2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...named("temp")];
  const buckets = [3, 3, 7, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, ...named("lat")];
  const whole = message([[0, 1, 0, 3, ...bytes("pid"), 1, ...bytes("7")], counter, gauge, buckets]);
  for (let cut = 4; cut < whole.length; cut++) {
    deepStrictEqual(parseMessage(whole.subarray(0, cut)), { kind: "partial" });
  }
  const found = parseMessage(whole);
  ok(found.kind === "message");
  strictEqual(found.bytes, whole.length);
  deepStrictEqual(found.items[0], { kind: "session", labels: { pid: "7" } });
  const metrics = found.items.flatMap((item) => item.kind === "metric" ? [item.metric] : []);
  deepStrictEqual(metrics.map(({ name, labels, value }) => [name, labels, value.type]), [
    ["jobs", { env: "prod" }, "counter"],
    ["temp", {}, "gauge"],
    ["lat", {}, "histogram"],
  ]);
  strictEqual(BigInt.asIntN(64, wordsToBigint(metrics[1]!.value.words, 0)), -1n);
  strictEqual(wordsToBigint(metrics[2]!.value.words, 0), 5n);
});

Deno.test("parseMessage() gives up on a wrong header and goes on behind a wrong payload", () => {
  throws(() => parseMessage(bytes("NOPE00000000")), /does not begin with REZL/);
  throws(
    () => parseMessage(Uint8Array.from([...bytes("REZL"), 2, 0, 0, 0, 0, 0, 0, 0])),
    /version is 2.0, this build reads 1/,
  );
  throws(
    () => parseMessage(Uint8Array.from([...bytes("REZL"), 1, 0, 0, 0, 1, 0, 1, 0])),
    /65537 bytes, at most 65536/,
  );
  const cases: [Uint8Array, RegExp][] = [
    [message([[9]]), /type is 9/],
    [message([[1, 0]]), /payload ends at byte 2, 9 are needed/],
    [message([[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]), /name is empty/],
    [message([[1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xff, 0, 0]]), /./],
    [message([], 1), /payload ends/],
  ];
  for (const [data, expected] of cases) {
    const found = parseMessage(data);
    ok(found.kind === "invalid");
    match(found.reason, expected);
    strictEqual(found.bytes, data.length);
  }
});

Deno.test("a session merges its labels, keeps its limit of metrics, and takes bytes in any pieces", () => {
  const store = new ExternalStore({ ...LIMITS, maxMetrics: 100 });
  const one = session(store, { limit: 2 });
  for (
    const byte of bytes(
      '# SESSION app="x",env="a"\njobs{env="b"} counter:1\n\ntemp gauge:2\nmore counter:1\njobs{env="b"} counter:9',
    )
  ) {
    one.feed(Uint8Array.of(byte));
  }
  one.end();
  const [group] = store.groups(0);
  deepStrictEqual(group!.schema.counters.map(({ metadata }) => metadata), [
    { app: "x", env: "b", metric: "jobs", sampler: "external" },
  ]);
  strictEqual(wordsToBigint(group!.counters.words, 0), 9n);
  strictEqual(group!.schema.gauges[0]!.metadata.env, "a");
  strictEqual(store.counts().invalid, 1, "the third metric was over the connection's limit");

  const two = session(store);
  const data = message([[1, 7, 0, 0, 0, 0, 0, 0, 0, ...named("binary")]]);
  two.feed(data.subarray(0, 2));
  two.feed(data.subarray(2, 20));
  two.feed(Uint8Array.from([...data.subarray(20), ...data]));
  strictEqual(store.groups(0)[0]!.schema.counters.at(-1)!.name, "ext_binary");
  throws(() => session(store, { protocol: "line" }).feed(new Uint8Array(70_000).fill(65)), /without an end/);
});

Deno.test("the store refuses the agent's own names and more metrics than it may hold, and forgets what expires", () => {
  const store = new ExternalStore(LIMITS);
  const push = (name: string, nowMs: number) => {
    const item = parseLine(`${name} counter:1`);
    ok(item?.kind === "metric");
    return store.push(item.metric, nowMs);
  };
  match(push("cpu_usage", 0)!, /metric of the agent itself/);
  deepStrictEqual(["a", "b", "c"].map((name) => push(name, 0)), [undefined, undefined, undefined]);
  match(push("d", 0)!, /3 metrics already/);
  const before = store.groups(500)[0]!;
  strictEqual(push("a", 900), undefined);
  strictEqual(store.groups(901)[0]!.schema, before.schema, "the schema stays while the members do");
  const after = store.groups(1_500)[0]!;
  deepStrictEqual(after.schema.counters.map(({ name }) => name), ["ext_a"]);
  strictEqual(store.groups(2_000).length, 1, "only the store's own");
  deepStrictEqual(store.counts(), { metrics: 0, received: 4, refused: 2, invalid: 0, expired: 3 });
});

Deno.test("the store tells beside the pushed metrics what became of them", () => {
  const store = new ExternalStore(LIMITS);
  for (const name of ["a", "b", "c", "d", "rezolus_external_metrics"]) {
    const item = parseLine(`${name} counter:1`);
    ok(item?.kind === "metric");
    store.push(item.metric, 0);
  }
  store.countInvalid();
  const own = (nowMs: number) => {
    const { schema, counters, gauges } = store.groups(nowMs).at(-1)!;
    const names = [...schema.counters, ...schema.gauges].map(({ name }) => name);
    const words = Uint32Array.of(...counters.words, ...gauges.words);
    return Object.fromEntries(names.map((name, at) => [name, Number(wordsToBigint(words, at))]));
  };
  const seen = {
    "rezolus_external_values/kept": 3,
    "rezolus_external_values/refused": 2,
    "rezolus_external_values/invalid": 1,
    "rezolus_external_events/kept": 0,
    "rezolus_external_events/refused": 0,
    "rezolus_external_events/dropped": 0,
    "rezolus_external_events/expired": 0,
  };
  deepStrictEqual(own(0), { ...seen, rezolus_external_expired: 0, rezolus_external_metrics: 3 });
  deepStrictEqual(own(1_001), { ...seen, rezolus_external_expired: 3, rezolus_external_metrics: 0 });
  ok(store.metrics.every(({ help }) => help !== ""));
});

Deno.test("what is pushed takes bounded memory: long names, wide histograms, many of them", () => {
  throws(() => parseLine("h histogram:18,64:1"), /layout has 12320768 buckets, at most 16384 are taken/);
  const store = new ExternalStore({ maxMetrics: 1e6, ttlMs: 1_000, reserved: new Set() });
  const push = (line: string, nowMs = 0) => {
    const item = parseLine(line);
    ok(item?.kind === "metric");
    return store.push(item.metric, nowMs);
  };
  match(push(`m{a="${"x".repeat(3_000)}"} counter:1`)!, /have 30\d\d characters, at most 2048 are taken/);
  let taken = 0;
  while (push(`h${taken} histogram:8,64:1`) === undefined) taken++;
  ok(taken > 400 && taken < 600, `${taken} histograms of 117 kB fit 64 MiB`);
  match(push("one_more histogram:8,64:1")!, /the metrics already take \d+ of 67108864 bytes/);
  strictEqual(push("h0 histogram:3,64:1"), undefined, "a smaller one in the place of a larger one");
  strictEqual(store.groups(2_000).length, 1);
  strictEqual(push("one_more histogram:8,64:1", 2_000), undefined, "what expired makes room");
});

Deno.test("a connection's mistakes are counted, but only the first are told; long session labels are refused", () => {
  const store = new ExternalStore(LIMITS);
  const lines: string[] = [];
  const one = session(store, { lines });
  for (let line = 0; line < 100; line++) one.feed(bytes(`?${line}\n`));
  strictEqual(store.counts().invalid, 100);
  strictEqual(lines.length, 8);
  match(lines.at(-1)!, /no more is told of this connection/);
  const two = session(store, { lines });
  two.feed(bytes(`# SESSION a="${"x".repeat(3_000)}"\njobs counter:1\n`));
  match(lines.at(-1)!, /session labels have 30\d\d characters/);
  deepStrictEqual(store.groups(0)[0]!.schema.counters[0]!.metadata, { metric: "jobs", sampler: "external" });
});

Deno.test("mutated pushes never hang a session or break the store", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const line = bytes(
    '# SESSION a="b"\njobs{env="b"} counter:1\nlat histogram:3,7:0 0 100 250\ntemp gauge:-2\n# EVENT source="a",name="b",text="c"\n# GONE temp\n# HELP jobs What\n',
  );
  const binary = message([[1, 42, 0, 0, 0, 0, 0, 0, 0, ...named("jobs", [["env", "prod"]])], [
    3,
    3,
    7,
    1,
    0,
    5,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    ...named("lat"),
  ]]);
  const store = new ExternalStore({ maxMetrics: 50, ttlMs: 1e9, reserved: new Set() });
  for (let round = 0; round < fuzzCount(20_000); round++) {
    const data = mutate(round % 2 === 0 ? line : binary, random);
    try {
      const one = session(store);
      one.feed(data);
      one.end();
    } catch (error) {
      ok(error instanceof SyntaxError, `HOSTKIT_SEED=${seed}, round ${round}: ${error}`);
    }
  }
  ok(store.counts().metrics <= 50 && store.counts().metrics > 0);
});

Deno.test("the socket takes connections up to its limit, has its mode, replaces a dead one's file and leaves none", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/external.sock`;
  const store = new ExternalStore({ ...LIMITS, maxMetrics: 100 });
  const lines: string[] = [];
  const options = {
    path,
    protocol: "auto",
    maxConnections: 1,
    maxMetricsPerConnection: 10,
    mode: 0o660,
    store,
    log: quiet(lines),
    now: () => 0,
  } as const;
  try {
    {
      const atFirst = modeBeforeChmod(path);
      const umask = setUmask(0);
      await using _server = await ExternalServer.start(options).finally(() => setUmask(umask));
      deepStrictEqual([atFirst(), (await Deno.stat(path)).mode! & 0o777], [0o600, 0o660]);
      await assertOccupied(options);
      const first = await Deno.connect({ transport: "unix", path });
      await first.write(bytes("jobs counter:5\n"));
      while (store.counts().received === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      using second = await Deno.connect({ transport: "unix", path });
      strictEqual(await second.read(new Uint8Array(1)), null, "the second connection is closed at once");
      first.close();
    }
    strictEqual(await Deno.stat(path).then(() => "there", () => "gone"), "gone");
    Deno.listen({ transport: "unix", path }).close();
    await Deno.writeTextFile(`${folder}/plain`, "data");
    const refused = await ExternalServer.start({ ...options, path: `${folder}/plain` }).then(
      () => "started",
      () => "refused",
    );
    deepStrictEqual([refused, await Deno.readTextFile(`${folder}/plain`)], ["refused", "data"]);
    await using _again = await ExternalServer.start(options);
    ok(lines.some((line) => line.includes("1 connections already")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Looks, once, how a file stands there before its permissions are changed. */
function modeBeforeChmod(path: string): () => number | undefined {
  const { chmod } = Deno;
  let mode: number | undefined;
  Deno.chmod = (...args) => {
    Deno.chmod = chmod;
    mode = Deno.statSync(path).mode! & 0o777;
    return chmod(...args);
  };
  return () => mode;
}

async function assertOccupied(options: Parameters<typeof ExternalServer.start>[0]): Promise<void> {
  const error = await ExternalServer.start(options).then(() => undefined, (error: Error) => error);
  match(error!.message, /another process answers there/);
}

Deno.test("events, help and metrics that are over come by both protocols", () => {
  deepStrictEqual(parseLine('# EVENT source="bpm",name="restart",text="api ended with 1"'), {
    kind: "event",
    labels: { source: "bpm", name: "restart", text: "api ended with 1" },
  });
  deepStrictEqual(parseLine('# GONE jobs{a="b"}'), { kind: "gone", name: "jobs", labels: { a: "b" } });
  deepStrictEqual(parseLine("# HELP jobs What is done"), {
    kind: "help",
    name: "jobs",
    text: "What is done",
  });
  strictEqual(parseLine("# HELP"), undefined);
  throws(() => parseLine("# GONE {}"), /expected a metric's name/);
  const text = (value: string) => [value.length, 0, ...bytes(value)];
  const found = parseMessage(message([
    [4, 1, 0, 4, ...bytes("name"), 3, ...bytes("job")],
    [5, ...named("jobs", [["a", "b"]])],
    [6, ...text("jobs"), ...text("What is done")],
  ]));
  ok(found.kind === "message");
  deepStrictEqual(found.items, [
    { kind: "event", labels: { name: "job" } },
    { kind: "gone", name: "jobs", labels: { a: "b" } },
    { kind: "help", name: "jobs", text: "What is done" },
  ]);
});

Deno.test("an event takes its session's labels; one that is wrong is counted, and the connection goes on", () => {
  const store = new ExternalStore({ ...LIMITS, events: { events: 2, keepMs: 1e12 } });
  const lines: string[] = [];
  const one = session(store, { lines });
  one.feed(bytes('# SESSION source="cron"\n# EVENT name="job"\n'));
  match(lines.at(-1)!, /Cannot take event: it has no text/);
  for (const each of "abc") one.feed(bytes(`# EVENT name="job",text="${each}"\n`));
  const { events } = store.events.since(0, Date.now());
  deepStrictEqual(events.map(({ source, text, severity }) => [source, text, severity]), [
    ["cron", "b", "info"],
    ["cron", "c", "info"],
  ]);
  deepStrictEqual([store.events.counts.dropped, store.counts().invalid], [1, 0]);
});

Deno.test("a metric that is said to be over is gone at once and makes room; help has its limits", () => {
  const store = new ExternalStore({ ...LIMITS, maxMetrics: 100 });
  const one = session(store, { limit: 1 });
  for (let each = 0; each < 10; each++) {
    one.feed(bytes(`jobs{n="${each}"} counter:1\n# GONE jobs{n="${each}"}\n`));
  }
  deepStrictEqual([store.counts().metrics, store.counts().received, store.counts().expired], [0, 10, 0]);
  match(store.describe("cpu_usage", "Mine")!, /metric of the agent itself/);
  match(store.describe("jobs", "x".repeat(500))!, /has 500 characters/);
  one.feed(bytes("# HELP jobs What is done\n"));
  deepStrictEqual(store.metrics.find(({ name }) => name === "jobs"), { name: "jobs", help: "What is done" });
});
