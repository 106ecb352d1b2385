/** The agent around its samplers: TTL, failures, states, endpoints, and what a host without privileges gets. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { decode } from "@msgpack/msgpack";
import { defaults } from "../../lib/config/mod.ts";
import { Log } from "../../lib/log/mod.ts";
import { counter, decodeSnapshot, gauge, wordsToBigint } from "../../lib/metrics/mod.ts";
import {
  Agent,
  AGENT_CONFIG,
  agentRoutes,
  type AgentStatus,
  enabledSamplers,
  type Kernel,
  probeKernel,
  Procfs,
  type Sampler,
  SAMPLERS,
  systemInfo,
  unavailable,
} from "../../lib/telemetry/mod.ts";
import { EventLog } from "../../lib/events/mod.ts";
import { NETWORK } from "../../lib/telemetry/bpf/network.ts";
import { SOFTIRQ } from "../../lib/telemetry/bpf/softirq.ts";
import { Columns } from "../../lib/telemetry/columns.ts";
import { PIECE_BYTES } from "../../lib/telemetry/body_stream.ts";
import { encodingOf } from "../../lib/telemetry/routes.ts";
import { parseCpuList } from "../../lib/telemetry/procfs.ts";

const procfs = new Procfs();
const NO_BPF: Kernel = {
  release: "4.19.0-test",
  possibleCpus: 2,
  mayLoadBpf: true,
  btfPath: undefined,
  hasBtf: false,
  hasTracepoint: () => false,
  tracepointArguments: () => undefined,
  hasKprobes: false,
  avoided: [],
};

function quiet(lines: string[] = []): Log {
  return new Log({
    level: "info",
    format: "text",
    colour: false,
    now: () => Date.now(),
    write: (line) => lines.push(line),
  });
}

const COUNT = counter("test_count", { help: "Samples taken" });
const LEVEL = gauge("test_level", { help: "A level", unit: "bytes" });

/** A sampler that counts how often it was asked. */
function counting(more: { fail?: () => boolean } = {}): Sampler & { samples: number; disposed: number } {
  const sampler = {
    name: "cpu_cores",
    summary: "Counts.",
    metrics: [COUNT, LEVEL],
    samples: 0,
    disposed: 0,
    open: () => {
      const columns = Columns.of("cpu_cores", "host", [{ metric: COUNT }, {
        metric: LEVEL,
        labels: { id: "0" },
      }]);
      return {
        sample() {
          if (more.fail?.()) throw new Error("the device is gone");
          columns.setCounter(0, BigInt(++sampler.samples));
          columns.setGauge(0, -5n);
          return [columns.toGroup()];
        },
        [Symbol.dispose]: () => void sampler.disposed++,
      };
    },
  };
  return sampler;
}

function agentOf(samplers: readonly Sampler[], more: { now?: () => number; lines?: string[] } = {}): Agent {
  const now = more.now ?? (() => 0);
  return new Agent({
    config: defaults(AGENT_CONFIG),
    version: "1.2.3",
    procfs,
    kernel: NO_BPF,
    log: quiet(more.lines),
    samplers,
    clock: { unixNs: () => 1_700_000_000_000_000_000n + BigInt(now()) * 1_000_000n, steadyMs: now },
  });
}

Deno.test("a look within the TTL gets the same snapshot, a later one a new one", () => {
  let now = 1_000;
  const sampler = counting();
  using agent = agentOf([sampler], { now: () => now });
  const first = agent.snapshot();
  now += 9;
  strictEqual(agent.snapshot(), first);
  now += 1;
  const second = agent.snapshot();
  strictEqual(sampler.samples, 2);
  strictEqual(second.groups[0]!.schema, first.groups[0]!.schema, "the schema is the same object");
  strictEqual(second.timeNs - first.timeNs, 10_000_000n);
});

Deno.test("a sampler that fails is told and tried again, and the others go on", () => {
  let [now, broken] = [0, true];
  const lines: string[] = [];
  const bad = { ...counting({ fail: () => broken }), name: "memory_meminfo" };
  using agent = agentOf([bad, counting()], { now: () => now, lines });
  deepStrictEqual(agent.snapshot().groups.map(({ name }) => name), ["cpu_cores/host"]);
  const failed = agent.status().samplers.find(({ name }) => name === "memory_meminfo")!;
  deepStrictEqual([failed.state, failed.reason], ["failed", "the device is gone"]);
  ok(lines.some((line) => line.includes("the device is gone") && line.includes("sampler=memory_meminfo")));
  [now, broken] = [100, false];
  strictEqual(agent.snapshot().groups.length, 2);
  strictEqual(agent.status().samplers.find(({ name }) => name === "memory_meminfo")!.state, "ok");
});

Deno.test("states tell disabled, unavailable and failed apart, and disposing closes what is open", () => {
  const config = { ...defaults(AGENT_CONFIG), samplers: { pressure: { enabled: false } } } as never;
  const samplers: Sampler[] = [
    { name: "pressure", summary: "", metrics: [], open: () => unavailable("never asked") },
    { name: "memory_vmstat", summary: "", metrics: [], open: () => unavailable("no such file") },
    {
      name: "memory_meminfo",
      summary: "",
      metrics: [],
      open: () => {
        throw new Error("a bug");
      },
    },
  ];
  const open = counting();
  const agent = new Agent({
    config,
    version: "1",
    procfs,
    kernel: NO_BPF,
    log: quiet(),
    samplers: [...samplers, open],
  });
  deepStrictEqual(
    agent.status().samplers.map(({ name, state, reason }) => [name, state, reason]),
    [
      ["cpu_cores", "ok", undefined],
      ["memory_meminfo", "failed", "a bug"],
      ["memory_vmstat", "unavailable", "no such file"],
      ["pressure", "disabled", undefined],
    ],
  );
  agent[Symbol.dispose]();
  strictEqual(open.disposed, 1);
});

Deno.test("without BTF the agent samples what files tell and says of each program why it is off", () => {
  using agent = new Agent({
    config: defaults(AGENT_CONFIG),
    version: "1",
    procfs,
    kernel: NO_BPF,
    log: quiet(),
  });
  const state = (name: string) => agent.status().samplers.find((each) => each.name === name)!;
  strictEqual(state("memory_meminfo").state, "ok");
  for (const name of ["syscall_counts", "tcp_traffic", "blockio_latency", "scheduler_runqueue"]) {
    strictEqual(state(name).state, "unavailable", name);
    match(state(name).reason!, /the kernel has no/, name);
    ok(state(name).programs.length > 0, name);
    for (const program of state(name).programs) strictEqual(program.verdict, "unsupported");
  }
  for (const [name, from] of [["cpu_usage", "/proc/stat"], ["network_traffic", "/proc/net/dev"]] as const) {
    strictEqual(state(name).state, "degraded");
    ok(state(name).reason!.includes(`read from ${from}`), state(name).reason);
  }
  const { groups } = agent.snapshot();
  ok(groups.some(({ name }) => name === "memory_meminfo/host"));
  const cpu = groups.find(({ name }) => name === "cpu_usage/cpu")!;
  deepStrictEqual(cpu.schema.counters[0]!.metadata, {
    metric: "cpu_usage",
    sampler: "cpu_usage",
    unit: "nanoseconds",
    state: "user",
    id: "0",
  });
  ok(
    wordsToBigint(cpu.counters.words, 0) > 1_000_000_000n,
    "this machine has used its first CPU for a second",
  );
});

Deno.test("without the right to load programs the agent says so once for all of them", () => {
  const lines: string[] = [];
  const kernel = { ...NO_BPF, hasBtf: true, hasTracepoint: () => true, mayLoadBpf: false };
  using agent = new Agent({
    config: defaults(AGENT_CONFIG),
    version: "1",
    procfs,
    kernel,
    log: quiet(lines),
  });
  const told = lines.filter((line) => line.includes("not sampled"));
  strictEqual(told.length, 1);
  match(
    told[0]!,
    /needs root, or CAP_BPF and CAP_PERFMON samplers=\S*syscall_counts/,
  );
  ok(agent.status().samplers.some(({ name, state }) => name === "memory_meminfo" && state === "ok"));
  const { programs } = agent.status().samplers.find(({ name }) => name === "cpu_usage")!;
  ok(
    programs.length >= 5,
    "every program has its verdict and reason, also of a sampler that reads files instead",
  );
  for (const { verdict, reason } of programs) {
    deepStrictEqual([verdict, /CAP_BPF/.test(reason!)], ["failed", true]);
  }
});

Deno.test("a sampler that works without one of its objects is told as degraded, with the programs of all", () => {
  const partly: Sampler = {
    name: "pressure",
    summary: "Asks for two objects.",
    metrics: [],
    open(env) {
      ok("unavailable" in env.bpf(NETWORK) && "unavailable" in env.bpf(SOFTIRQ));
      return { sample: () => [], [Symbol.dispose]() {} };
    },
  };
  using agent = agentOf([partly]);
  const [{ state, reason, programs }] = agent.status().samplers as [AgentStatus["samplers"][number]];
  deepStrictEqual([state, programs.map(({ event }) => event)], [
    "degraded",
    ["netif_receive_skb", "net_dev_start_xmit", "softirq_entry", "softirq_exit"],
  ]);
  match(reason!, /the kernel has no/);
});

Deno.test("descriptions have the help of every metric of every sampler", () => {
  using agent = agentOf(SAMPLERS.filter(({ name }) => name === "pressure"));
  deepStrictEqual(Object.keys(agent.descriptions()), ["pressure_stalled"]);
  for (const { name, metrics } of SAMPLERS) {
    ok(metrics.length > 0, name);
    for (const metric of metrics) ok(metric.help.length > 10, metric.name);
  }
});

Deno.test("enabledSamplers() lets a section decide before the defaults", () => {
  const config = defaults(AGENT_CONFIG);
  strictEqual(enabledSamplers(config).size, SAMPLERS.length);
  const only = {
    ...config,
    defaults: { enabled: false },
    samplers: { ...config.samplers, pressure: { enabled: true } },
  };
  deepStrictEqual([...enabledSamplers(only as never)], ["pressure"]);
});

Deno.test("the endpoints answer as upstream's: formats, encodings, help, state and hardware", async () => {
  let now = 0;
  using agent = agentOf([counting()], { now: () => now += 100 });
  const app = agentRoutes({
    agent,
    format: "v3",
    systemInfo: () => systemInfo(procfs, "x86_64"),
    guarded: true,
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    app.request(`http://127.0.0.1${path}`, { headers: { host: "127.0.0.1", ...headers } });
  const bytes = async (response: Response) => new Uint8Array(await response.arrayBuffer());

  match(await (await get("/")).text(), /^Rezolus 1\.2\.3 agent/);
  const binary = await get("/metrics/binary");
  strictEqual(binary.headers.get("content-type"), "application/msgpack");
  const v3 = await bytes(binary);
  strictEqual((decode(v3) as unknown[]).length, 4, "V3 has four parts");
  const snapshot = decodeSnapshot(v3);
  strictEqual(BigInt.asIntN(64, wordsToBigint(snapshot.groups[0]!.gauges.words, 0)), -5n);
  strictEqual(
    (decode(await bytes(await get("/metrics/binary?format=v2")), { useBigInt64: true }) as unknown[]).length,
    6,
  );
  const unknown = await get("/metrics/binary?format=v9");
  strictEqual(unknown.status, 400);
  match(await unknown.text(), /format is "v9", this agent has v2 and v3/);

  const json = await (await get("/metrics/json")).json();
  deepStrictEqual(Object.keys(json), ["systemtime", "duration", "metadata", "groups"]);
  deepStrictEqual(await (await get("/metrics/descriptions")).json(), {
    test_count: "Samples taken",
    test_level: "A level",
  });
  deepStrictEqual(await (await get("/samplers")).json(), [{ name: "cpu_cores", state: "ok" }]);
  strictEqual((await (await get("/status")).json()).kernel, "4.19.0-test");
  ok((await (await get("/systeminfo")).json()).cpus.length > 0);
  strictEqual((await get("/nothing")).status, 404);
  strictEqual((await get("/", { host: "evil.example" })).status, 421);
  strictEqual((await get("/", { origin: "http://evil.example" })).status, 403);

  const open = agentRoutes({ agent, format: "v2", systemInfo: () => undefined, guarded: false });
  strictEqual(
    (await open.request("http://web1.example/", { headers: { host: "web1.example" } })).status,
    200,
  );
  strictEqual((await open.request("http://x/systeminfo")).status, 404);
  const startedMs = Date.now();
  const events = new EventLog({ events: 1, keepMs: 60_000 }, startedMs);
  for (const text of ["one", "two"]) {
    events.add({ timeMs: startedMs, source: "bpm", name: "restart", text, severity: "warning" });
  }
  const eventful = agentRoutes({
    agent,
    format: "v2",
    systemInfo: () => undefined,
    events,
    guarded: false,
  });
  const id = 1_000 * startedMs + 2;
  deepStrictEqual(await (await eventful.request("http://x/events")).json(), {
    events: [{ id, timeMs: startedMs, source: "bpm", name: "restart", text: "two", severity: "warning" }],
    next: id,
    dropped: 1,
    expired: 0,
  });
  deepStrictEqual((await (await eventful.request(`http://x/events?since=${id}`)).json()).events, []);
  strictEqual((await eventful.request("http://x/events?since=-1")).status, 400);
  strictEqual(
    (decode(await bytes(await open.request("http://x/metrics/binary")), { useBigInt64: true }) as unknown[])
      .length,
    6,
  );
});

Deno.test("bodies are compressed as the client likes, and hold the same", async () => {
  const big: Sampler = {
    name: "cpu_cores",
    summary: "Counts.",
    metrics: [COUNT],
    open: () => {
      const columns = Columns.of(
        "cpu_cores",
        "host",
        Array.from({ length: 2_000 }, (_, id) => ({ metric: COUNT, labels: { id: String(id) } })),
      );
      return { sample: () => [columns.toGroup()], [Symbol.dispose]() {} };
    },
  };
  using agent = agentOf([big]);
  const app = agentRoutes({ agent, format: "v3", systemInfo: () => undefined, guarded: false });
  strictEqual(
    (await app.request("http://x/events")).status,
    404,
    "an agent that takes none has no such page",
  );
  const get = async (accept: string) => {
    const response = await app.request("http://x/metrics/binary", { headers: { "accept-encoding": accept } });
    return [response.headers.get("content-encoding"), new Uint8Array(await response.arrayBuffer())] as const;
  };
  const [none, plain] = await get("identity");
  const [gzip, zipped] = await get("gzip");
  const [zstd, packed] = await get("gzip, zstd");
  deepStrictEqual([none, gzip, zstd], [null, "gzip", "zstd"]);
  deepStrictEqual(new Uint8Array(gunzipSync(zipped)), plain);
  deepStrictEqual(new Uint8Array(zstdDecompressSync(packed)), plain);
  ok(packed.length < plain.length / 2);
  const reader = (await app.request("http://x/metrics/binary")).body!.getReader();
  strictEqual((await reader.read()).value!.length, PIECE_BYTES, "a large body goes out in pieces");
  await reader.cancel();
});

Deno.test("encodingOf() reads quality values", () => {
  deepStrictEqual(
    [undefined, "", "gzip", "GZIP;q=0.5", "gzip;q=0", "zstd;q=0, gzip", "br, zstd", "deflate"].map(
      encodingOf,
    ),
    ["identity", "identity", "gzip", "gzip", "identity", "gzip", "zstd", "identity"],
  );
});

Deno.test("parseCpuList() reads ranges and refuses other text", () => {
  deepStrictEqual([parseCpuList("0-3,8\n"), parseCpuList("5"), parseCpuList("\n")], [
    [0, 1, 2, 3, 8],
    [5],
    [],
  ]);
  throws(() => parseCpuList("0-3,x"), /Cannot parse CPU list: "x" in "0-3,x"/);
});

Deno.test("a kernel is known by its files, and one without BTF says so", async () => {
  const root = await Deno.makeTempDir();
  const write = async (path: string, text: string | Uint8Array) => {
    await Deno.mkdir(root + path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await (typeof text === "string"
      ? Deno.writeTextFile(root + path, text)
      : Deno.writeFile(root + path, text));
  };
  await write("/proc/sys/kernel/osrelease", "6.1.0\n");
  await write("/sys/devices/system/cpu/possible", "0-7\n");
  const bare = probeKernel(new Procfs(root));
  deepStrictEqual([bare.release, bare.possibleCpus, bare.hasBtf, bare.hasKprobes], [
    "6.1.0",
    8,
    false,
    false,
  ]);

  const strings = new TextEncoder().encode("\0btf_trace_sched_switch\0tcp_sendmsg\0");
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint32(4, 24, true);
  view.setUint32(20, strings.length, true);
  await write("/sys/kernel/btf/vmlinux", Uint8Array.from([...header, ...strings]));
  await write("/sys/bus/event_source/devices/kprobe/type", "6");
  await write("/proc/self/status", "Name:\tx\nCapEff:\t0000008000000000\n");
  const full = probeKernel(new Procfs(root));
  deepStrictEqual([bare.mayLoadBpf, full.mayLoadBpf], [false, true]);
  deepStrictEqual(
    [full.hasBtf, full.hasKprobes, full.hasTracepoint("sched_switch"), full.hasTracepoint("sched")],
    [true, true, true, false],
  );
  await write("/sys/kernel/btf/vmlinux", "no BTF at all, only text that is long enough");
  strictEqual(probeKernel(new Procfs(root)).hasBtf, false);
  strictEqual(new Procfs(root).text("/proc/nothing"), undefined);
  deepStrictEqual(new Procfs(root).names("/sys/kernel/btf"), ["vmlinux"]);
  deepStrictEqual(new Procfs(root).names("/sys/nothing"), []);
  strictEqual(systemInfo(new Procfs(`${root}/nothing`), "x"), undefined);
  await Deno.remove(root, { recursive: true });
});
