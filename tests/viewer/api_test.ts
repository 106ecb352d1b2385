import { existsSync } from "node:fs";
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { encodeSnapshotV3 } from "../../lib/metrics/mod.ts";
import { openRecording } from "../../lib/recording/mod.ts";
import { LiveStore, type SeriesInfo } from "../../lib/tsdb/mod.ts";
import {
  COLUMNS_TYPE,
  decodeColumns,
  encodeColumns,
  followAgent,
  followGrid,
  POLL_INTERVAL_MS,
  recordingSource,
  SECTIONS,
  startViewer,
  viewerApp,
} from "../../lib/viewer/mod.ts";
import { fixedGrid } from "../../lib/viewer/follow.ts";
import { expandQuery } from "../../lib/viewer/views/mod.ts";
import { parse, query, queryBatch } from "../../lib/promql/mod.ts";
import { formatAddress, listen } from "../../lib/web/mod.ts";
import { numbers, sourceOf } from "../promql/series.ts";
import { CPU_COUNT, syntheticHost } from "./synthetic_host.ts";
import { until } from "../keeper/_log.ts";

const series = sourceOf(
  [0, 1].map((id) =>
    numbers({ __name__: "cpu", id: String(id) }, [0, 1, 3, 6, 10, 15].map((v) => v * (id + 1)))
  ),
);
const app = viewerApp(recordingSource({ ...series, help: () => ({ cpu: "CPU time." }) }, "small.parquet"));

async function get(
  path: string,
): Promise<{ status: number; body: { status: string; data?: never; error?: string; errorType?: string } }> {
  const response = await app.request(`/api/v1${path}`);
  return { status: response.status, body: await response.json() };
}

Deno.test("query and query_range answer in the JSON of Prometheus, by GET and by POST", async () => {
  const instant = await get("/query?query=cpu&time=3");
  deepStrictEqual(instant.body, {
    status: "success",
    data: {
      resultType: "vector",
      result: [
        { metric: { __name__: "cpu", id: "0" }, value: [3, "6"] },
        { metric: { __name__: "cpu", id: "1" }, value: [3, "12"] },
      ],
    },
  });
  const range = await get("/query_range?query=sum(irate(cpu[5s]))&start=0&end=1970-01-01T00:00:03Z&step=1s");
  const expected = {
    status: "success",
    data: { resultType: "matrix", result: [{ metric: {}, values: [[1, "3"], [2, "6"], [3, "9"]] }] },
  };
  deepStrictEqual(range.body, expected);
  const body = new URLSearchParams({ query: "sum(irate(cpu[5s]))", start: "0", end: "3", step: "1" });
  const posted = await app.request("/api/v1/query_range", { method: "POST", body });
  deepStrictEqual(await posted.json(), expected);
  deepStrictEqual((await get("/query?query=1%2B1&time=2")).body.data, {
    resultType: "scalar",
    result: [2, "2"],
  });
  deepStrictEqual((await get("/query?query=%22a%22&time=2")).body.data, {
    resultType: "string",
    result: [2, "a"],
  });
  deepStrictEqual((await get('/query?query=cpu{id="0"}[2s]&time=2')).body.data, {
    resultType: "matrix",
    result: [{ metric: { __name__: "cpu", id: "0" }, values: [[1, "1"], [2, "3"]] }],
  });
  strictEqual((await get("/query?query=cpu")).body.status, "success", "the newest time is the default");
});

Deno.test("a long batch lets others have their turn, and ends when nobody waits for it", async () => {
  let reads = 0;
  const slow = {
    ...series,
    read(info: SeriesInfo) {
      reads++;
      for (const began = performance.now(); performance.now() - began < 30;); // Longer than a turn.
      return series.read(info);
    },
  };
  const patient = viewerApp(recordingSource(slow, "slow.parquet"));
  const leave = new AbortController();
  const long = patient.request("/api/v1/batch", {
    method: "POST",
    body: JSON.stringify({ queries: new Array(5).fill('cpu{id="0"}'), start: 0, end: 5, step: 1 }),
    signal: leave.signal,
  });
  const ready = Promise.resolve(patient.request("/-/ready")).then(() => leave.abort());
  const answer = await long;
  await ready;
  strictEqual(answer.status, 503);
  strictEqual((await answer.json()).errorType, "canceled");
  ok(reads < 5, `${reads} of 5 queries were evaluated`);
});

Deno.test("a viewer reads what its page begins with before anybody asks, and ends with it", async () => {
  const many = Array.from({ length: 1000 }, (_, id) => String(id));
  const busy = sourceOf(many.map((id) => numbers({ __name__: "cpu_usage", id }, [0, 1, 2])));
  const begun = Promise.withResolvers<void>();
  const read = (info: SeriesInfo) => {
    begun.resolve();
    return busy.read(info);
  };
  {
    const show = recordingSource({ ...busy, read }, "busy.parquet");
    await using _viewer = await startViewer({ show, listen: { kind: "tcp", host: "127.0.0.1", port: 0 } });
    await begun.promise;
  }
  ok(busy.reads.get("cpu_usage")! < many.length, "the rest is left to who asks for it");
  const damaged = recordingSource({
    ...busy,
    read() {
      throw new SyntaxError("it is damaged");
    },
  }, "damaged.parquet");
  await using _viewer = await startViewer({
    show: damaged,
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
  });
});

Deno.test("bad queries and parameters are errors in the form of Prometheus", async () => {
  const cases: [string, number, string, RegExp][] = [
    [
      "/query?query=sum(",
      400,
      "bad_data",
      /^invalid parameter "query": 1:5: parse error: unexpected end of input/,
    ],
    ["/query", 400, "bad_data", /invalid parameter "query": it is missing/],
    [
      "/query?query=cpu&time=yesterday",
      400,
      "bad_data",
      /invalid parameter "time": cannot parse "yesterday"/,
    ],
    ["/query?query=cpu*on()cpu&time=1", 422, "execution", /found duplicate series/],
    ["/query_range?query=cpu&start=0&end=9&step=0", 400, "bad_data", /zero or negative query resolution/],
    [
      "/query_range?query=cpu&start=9&end=0&step=1",
      400,
      "bad_data",
      /end timestamp must not be before start/,
    ],
    [
      "/query_range?query=cpu&start=0&end=11001&step=1",
      400,
      "bad_data",
      /exceeded maximum resolution of 11,000 points/,
    ],
    ["/query_range?query=cpu&start=0&end=9&step=x", 400, "bad_data", /valid duration/],
    ["/query_range?query=cpu[1m]&start=0&end=9&step=1", 422, "execution", /range vector/],
    ["/series", 400, "bad_data", /no match\[\]/],
    ["/series?match[]=1", 400, "bad_data", /is no selector/],
    ["/nope", 404, "not_found", /no such endpoint/],
  ];
  for (const [path, status, kind, message] of cases) {
    const { status: found, body } = await get(path);
    deepStrictEqual([found, body.status, body.errorType], [status, "error", kind], path);
    ok(message.test(body.error!), `${path}: ${body.error}`);
  }
  for (
    const body of [
      "",
      "[]",
      "{}",
      '{"queries":["a"]}',
      '{"queries":[1],"step":1}',
      '{"queries":["a"],"step":"1"}',
      '{"queries":["a"],"step":1}',
    ]
  ) {
    const response = await app.request("/api/v1/batch", { method: "POST", body });
    strictEqual(response.status, 400, body);
    strictEqual((await response.json()).errorType, "bad_data");
  }
});

Deno.test("series, labels, values, metadata and build information can be listed", async () => {
  deepStrictEqual((await get('/series?match[]=cpu{id="1"}')).body.data, [{ __name__: "cpu", id: "1" }]);
  deepStrictEqual((await get("/labels")).body.data, ["__name__", "id"]);
  deepStrictEqual((await get("/label/id/values")).body.data, ["0", "1"]);
  deepStrictEqual((await get("/label/id/values?limit=1")).body.data, ["0"]);
  deepStrictEqual((await get("/label/none/values")).body.data, []);
  deepStrictEqual((await get("/metadata")).body.data, {
    cpu: [{ type: "counter", help: "CPU time.", unit: "" }],
  });
  deepStrictEqual((await get("/metadata?metric=x")).body.data, {});
  strictEqual((await get("/status/buildinfo")).body.status, "success");
  deepStrictEqual((await get("/status/source")).body.data, {
    title: "small.parquet",
    mode: "file",
    intervalSeconds: 1,
    start: 0,
    end: 5,
  });
  strictEqual((await get("/format_query?query=sum(cpu)by(id)")).body.data, "sum by (id) (cpu)");
});

Deno.test("a batch gives binary columns: absent is NaN, a failed query has its error, the rest is there", async () => {
  const queries = ["sum(irate(cpu[5s]))", "nope(", "cpu * NaN", "7"];
  const response = await app.request("/api/v1/batch", {
    method: "POST",
    body: JSON.stringify({ queries, start: 0, end: 2, step: 1 }),
  });
  strictEqual(response.headers.get("content-type"), COLUMNS_TYPE);
  const { source, results } = decodeColumns(await response.arrayBuffer());
  strictEqual(source.title, "small.parquet");
  deepStrictEqual(results.map(({ error }) => error), [
    undefined,
    "1:6: parse error: unexpected end of input",
    undefined,
    undefined,
  ]);
  deepStrictEqual([...results[0]!.series[0]!.values], [NaN, 3, 6]);
  deepStrictEqual(results[2]!.series.map(({ labels, nan }) => [labels.id, nan]), [["0", [0, 1, 2]], ["1", [
    0,
    1,
    2,
  ]]]);
  deepStrictEqual([...results[3]!.series[0]!.values], [7, 7, 7]);
  deepStrictEqual([results[0]!.startMs, results[0]!.stepMs, results[0]!.count], [0, 1000, 3]);
  for (const init of [{ headers: { accept: COLUMNS_TYPE } }, {}]) {
    const one = await app.request(
      `/api/v1/query_range?query=cpu&start=0&end=2&step=1${init.headers ? "" : "&format=columns"}`,
      init,
    );
    deepStrictEqual([...decodeColumns(await one.arrayBuffer()).results[0]!.series[1]!.values], [0, 2, 6]);
  }
});

Deno.test("columns that are cut short or foreign are refused", () => {
  const body = encodeColumns(
    { title: "t", mode: "file", intervalSeconds: 1 },
    queryBatch(series, [{ query: "cpu", grid: { startMs: 0, stepMs: 1000, count: 3 } }]),
  );
  strictEqual(body.length % 8, 0);
  deepStrictEqual(decodeColumns(body.buffer).results[0]!.series.length, 2);
  throws(() => decodeColumns(body.slice(0, 4).buffer), /do not begin with "HKC1"/);
  throws(() => decodeColumns(new Uint8Array(16).buffer), SyntaxError);
  throws(() => decodeColumns(body.slice(0, 40).buffer), /header has \d+ bytes/);
  throws(() => decodeColumns(body.slice(0, -8).buffer), /a column at/);
});

Deno.test("the page and its files are served, with a policy that lets nothing else in", async () => {
  const page = await app.request("/");
  strictEqual(page.status, 200);
  ok((await page.text()).includes('src="/viewer.js"'));
  ok(page.headers.get("content-security-policy")!.startsWith("default-src 'self'"));
  strictEqual((await app.request("/-/ready")).status, 200);
  strictEqual((await app.request("/-/healthy")).status, 200);
  strictEqual((await app.request("/other")).status, 404);
  strictEqual(
    (await app.request("/", { headers: { host: "127.0.0.1", origin: "http://evil.example" } })).status,
    403,
  );
});

Deno.test("a following grid lies between the points where steps are as fine as they, else on whole steps", () => {
  const source = { start: 0.1, end: 100.998, intervalSeconds: 1 };
  deepStrictEqual(followGrid(source, { spanMs: 10_000, stepMs: 1000 }), { startMs: 91_500, endMs: 101_500 });
  deepStrictEqual(followGrid({ ...source, end: 101.003 }, { spanMs: 10_000, stepMs: 1000 }), {
    startMs: 91_500,
    endMs: 101_500,
  });
  deepStrictEqual(followGrid(source, { spanMs: 60_000, stepMs: 5000 }), { startMs: 40_000, endMs: 100_000 });
  deepStrictEqual(fixedGrid(source, { startMs: 5000, endMs: 9000, stepMs: 1000 }), {
    startMs: 5600,
    endMs: 8600,
  });
  deepStrictEqual(fixedGrid(source, { startMs: 5000, endMs: 29_000, stepMs: 10_000 }), {
    startMs: 10_000,
    endMs: 20_000,
  });
});

Deno.test("every query of every view is PromQL at every resolution, and every chart has its own name", () => {
  const ids = new Set<string>();
  for (const section of SECTIONS) {
    for (const chart of section.groups.flatMap(({ charts }) => charts)) {
      ok(!ids.has(`${section.id}.${chart.id}`), chart.id);
      ids.add(`${section.id}.${chart.id}`);
      ok(/^[A-Z].*\.$/.test(chart.help), chart.help);
      for (const step of [1, 60]) {
        for (const { query } of chart.queries) {
          const text = expandQuery(query, { step, interval: 1, range: 300 });
          ok(!text.includes("$"), text);
          parse(text);
        }
      }
    }
  }
  const at = (step: number) =>
    expandQuery('sum($rate(cpu{a="b"})) + rate(x[$range])', { step, interval: 1, range: 300 });
  strictEqual(at(1), 'sum(irate(cpu{a="b"}[10s])) + rate(x[300s])');
  strictEqual(at(15), 'sum(rate(cpu{a="b"}[15s])) + rate(x[300s])');
});

Deno.test("a step of two ticks has no gaps, however the ticks jitter", () => {
  const store = new LiveStore();
  const host = syntheticHost(1_790_000_000);
  for (let tick = 0; tick < 120; tick++) store.append(host.snapshot(tick));
  const resolution = { step: 2, interval: 1, range: 100 };
  const grid = { startMs: 1_790_000_010_000, stepMs: 2000, count: 50 };
  const answer = query(store, { query: expandQuery("sum($rate(cpu_usage))", resolution), grid });
  ok(answer.type === "vector");
  deepStrictEqual([...answer.rows[0]!.present], new Array(50).fill(1));
});

Deno.test("an agent is followed over HTTP and over a unix socket; when it goes away the page says so", async () => {
  strictEqual(POLL_INTERVAL_MS, 1000);
  const folder = await Deno.makeTempDir();
  const addresses = [
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    { kind: "unix", path: `${folder}/agent.sock` },
  ] as const;
  for (const address of addresses) {
    const host = syntheticHost(1_790_000_000);
    const [polled, down, back] = [0, 1, 2].map(() => Promise.withResolvers<void>());
    let tick = 0;
    let failing = false;
    const agent = await listen(address, (request) => {
      const { pathname } = new URL(request.url);
      if (failing) return new Response("going down", { status: 503 });
      if (pathname === "/systeminfo") return Response.json({ hostname: "a-host" });
      if (pathname === "/metrics/descriptions") return Response.json({ cpu_usage: "CPU time" });
      // The seventh is asked for when six have been taken.
      if (tick === 6) polled!.resolve();
      return new Response(encodeSnapshotV3(host.snapshot(tick++)));
    });
    const logged: string[] = [];
    await using source = followAgent({
      agent: address.kind === "unix" ? address.path : formatAddress(agent.address),
      intervalMs: 20,
      points: 100,
      log(line) {
        logged.push(line.replace(/agent \S+/i, "agent"));
        if (logged.length === 1) down!.resolve();
        else back!.resolve();
      },
    });
    await source.ready;
    await polled!.promise;
    ok(source.state().end! >= 1_790_000_004.9, `${source.state().end}`);
    deepStrictEqual([source.state().mode, source.state().problem], ["live", undefined]);
    strictEqual(source.series.help().cpu_usage, "CPU time");
    strictEqual(source.state().title, "a-host");
    const usage = source.series.series().filter(({ labels }) => labels.__name__ === "cpu_usage");
    strictEqual(usage.length, 2 * CPU_COUNT);
    failing = true;
    await down!.promise;
    deepStrictEqual(logged, ["Cannot poll agent /metrics/binary gives status 503: going down"]);
    failing = false;
    await back!.promise;
    deepStrictEqual(logged.slice(1), ["agent answers again"]);
    strictEqual(source.state().problem, undefined);
    await agent[Symbol.asyncDispose]();
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("events of an agent are taken once each, kept over its restart, and served by number; foreign ones are not", async () => {
  const host = syntheticHost(1_790_000_000);
  let tick = 0;
  const all = [1, 2, 3].map((id) => ({ id, timeMs: 1_790_000_000_000 + id, text: `event ${id}` }));
  let there: readonly unknown[] = [all[0], all[1], null, { id: "x" }, { id: 9 }];
  const asked: string[] = [];
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  await using agent = await listen(address, (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/metrics/binary") return new Response(encodeSnapshotV3(host.snapshot(tick++)));
    if (pathname !== "/events") return new Response("", { status: 404 });
    asked.push(searchParams.get("since")!);
    return Response.json({ events: there });
  });
  await using source = followAgent({ agent: formatAddress(agent.address), intervalMs: 10 });
  const app = viewerApp(source);
  const get = async (path: string) => (await (await app.request(`/api/v1/${path}`)).json()).data;
  await until("two events", () => source.state().newestEvent === 2);
  // An agent that has begun anew knows none of before, and numbers go on above them.
  there = [all[2]];
  await until("the third", () => source.state().newestEvent === 3);
  deepStrictEqual([asked[0], asked.at(-1)], ["0", "2"]);
  deepStrictEqual(await get("events"), all);
  deepStrictEqual(await get("events?since=2"), [all[2]]);
  strictEqual((await app.request("/api/v1/events?since=new")).status, 400);
  const state = await get("status/source");
  deepStrictEqual([state.newestEvent, state.sections], [3, ["builds"]]);
});

Deno.test("a source without Nix' metrics has no section for builds, and none has events that are not told", async () => {
  const app = viewerApp(recordingSource(series, "x"));
  const { data } = await (await app.request("/api/v1/status/source")).json();
  deepStrictEqual([data.sections, data.newestEvent], [undefined, undefined]);
  deepStrictEqual((await (await app.request("/api/v1/events")).json()).data, []);
});

Deno.test("startViewer serves a recording or an agent, and refuses an occupied address", async () => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  await using viewer = await startViewer({ show: recordingSource(series, "x"), listen: address });
  const url = formatAddress(viewer.address);
  strictEqual(
    (await (await fetch(`${url}/api/v1/query?query=count(cpu)&time=1`)).json()).data.result[0].value[1],
    "2",
  );
  await rejects(
    startViewer({ show: { agent: "127.0.0.1:1", intervalMs: 10 }, listen: viewer.address }),
    /is occupied/,
  );
  const abort = new AbortController();
  const live = await startViewer({
    show: { agent: "127.0.0.1:1", intervalMs: 10 },
    listen: address,
    signal: abort.signal,
  });
  const ready = await fetch(`${formatAddress(live.address)}/-/ready`);
  strictEqual(ready.status, 503);
  await ready.body?.cancel();
  abort.abort();
  await live.finished;
});

Deno.test("a live store behind the API answers what was appended", async () => {
  const store = new LiveStore();
  const host = syntheticHost(1_790_000_000);
  for (let t = 0; t < 30; t++) store.append(host.snapshot(t));
  const live = viewerApp(recordingSource(store, "live"));
  const response = await live.request(
    "/api/v1/query?query=histogram_quantile(0.5,sum(irate(syscall_latency[10s])))",
  );
  const { data } = await response.json();
  ok(Number(data.result[0].value[1]) > 100);
  const native = await (await live.request("/api/v1/query?query=sum(irate(syscall_latency[10s]))")).json();
  ok(native.data.result[0].histogram[1].buckets.length > 10);
});

const DEMO = new URL("../../../shared/testdata/rezolus/demo.parquet", import.meta.url).pathname;

Deno.test({
  name: "upstream's demo recording gives its known counts of run queue waits (needs ../shared/testdata)",
  ignore: !existsSync(DEMO),
  async fn() {
    using recording = openRecording(DEMO);
    const demo = viewerApp(recordingSource(recording.series, "demo.parquet"));
    const { start, end } = recording.series.range()!;
    const counts = await Promise.all([start, end].map(async (time) => {
      const params = new URLSearchParams({
        query: "sum(histogram_count(scheduler_runqueue_latency))",
        time: String(Math.ceil(time * 1000) / 1000),
      });
      const { data } = await (await demo.request(`/api/v1/query?${params}`)).json();
      return Number(data.result[0].value[1]);
    }));
    deepStrictEqual(counts, [1_907_473, 2_549_755]);
  },
});

Deno.test("an interval that cannot be kept is refused before an agent is asked", () => {
  for (const intervalMs of [0, 9, 2 ** 31]) {
    throws(
      () => followAgent({ agent: "http://127.0.0.1:1", intervalMs }),
      /Cannot ask agent every \d+ ms: expected 10 to/,
    );
  }
});
