import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { StatusError } from "../../lib/agent_client/mod.ts";
import { encodeSnapshotV2, encodeSnapshotV3 } from "../../lib/metrics/mod.ts";
import {
  inlineSealer,
  openRecording,
  type RecordClock,
  type RecordOptions,
  type RecordResult,
  runRecord,
  type SnapshotSource,
  TickClock,
} from "../../lib/recording/mod.ts";
import { folder, SECOND_NS, snapshotAt, START_NS } from "./fixture.ts";

/** A clock on which waiting takes no time. */
class FakeClock implements RecordClock {
  now = 1_000_250;
  readonly waits: number[] = [];
  nowMs = () => this.now;
  monotonicNs = () => BigInt(this.now) * 1_000_000n;
  sleepUntil = (atMs: number) => {
    this.waits.push(atMs);
    this.now = Math.max(this.now, atMs);
    return Promise.resolve();
  };
}

/** An agent whose snapshot of tick n is given at the n-th asking, unless it is away then. */
function fakeAgent(
  away: (asking: number) => boolean = () => false,
  encode = encodeSnapshotV3,
): SnapshotSource {
  let asked = 0;
  return {
    get(path) {
      if (path === "/metrics/descriptions") {
        return Promise.resolve(new TextEncoder().encode(`{"level":"How high"}`));
      }
      if (path !== "/metrics/binary") return Promise.reject(new StatusError(path, 404));
      const asking = asked++;
      return away(asking)
        ? Promise.reject(new Error("connection refused"))
        : Promise.resolve(encode(snapshotAt(asking)));
    },
    [Symbol.dispose]: () => {},
  };
}

function record(
  { agent = fakeAgent(), ...options }: Partial<RecordOptions> & {
    readonly output: string;
    readonly agent?: SnapshotSource;
  },
) {
  const lines: string[] = [];
  const clock = new FakeClock();
  const full: RecordOptions = {
    endpoints: [{ url: "fake" }],
    clock,
    connect: () => agent,
    sealer: inlineSealer(),
    durationMs: 30_000,
    log: (line, level) => level === "info" && lines.push(line),
    ...options,
  };
  return { lines, clock, result: runRecord(full, new AbortController().signal).then(totals) };
}

/** Ticks of all endpoints together. */
function totals({ endpoints, exitCode }: RecordResult): { ticks: number; missed: number; exitCode: number } {
  const sum = (key: "ticks" | "missed") => endpoints.reduce((all, each) => all + each[key], 0);
  return { ticks: sum("ticks"), missed: sum("missed"), exitCode };
}

/** Values of the gauge `level`, which is known at each tick. */
function levels(path: string): (number | undefined)[] {
  using recording = openRecording(path);
  const info = recording.series.series().find(({ labels }) => labels.__name__ === "level")!;
  const series = recording.series.read(info);
  if (series.kind !== "number") throw new TypeError("level is a gauge");
  return Array.from(series.values, (value, point) => series.missing?.[point] === 1 ? undefined : value);
}

const levelAt = (tick: number) => tick % 2 === 0 ? tick : -tick;
const ticks = (count: number) => Array.from({ length: count }, (_, tick) => tick);

for (const name of ["r.rez", "r.parquet", "r.raw"]) {
  Deno.test(`${name} holds each tick of the duration, and what the agent tells of itself`, async () => {
    using dir = folder();
    const output = dir.path(name);
    const { clock, lines, result } = record({ output, metadata: { site: "x", node: "n" } });
    deepStrictEqual(await result, { ticks: 30, missed: 0, exitCode: 0 });
    deepStrictEqual(levels(output), ticks(30).map(levelAt));
    deepStrictEqual(clock.waits.slice(0, 3), [1_001_000, 1_002_000, 1_003_000]);
    deepStrictEqual(lines, []);
    deepStrictEqual([...Deno.readDirSync(dir.path("."))].map((entry) => entry.name), [name]);
    using recording = openRecording(output);
    strictEqual(recording.complete, true);
    if (name === "r.raw") return;
    const { per_source_metadata, ...metadata } = recording.metadata;
    deepStrictEqual(metadata, {
      source: "rezolus",
      version: "9.9.9",
      sampling_interval_ms: "1000",
      descriptions: `{"level":"How high"}`,
      node: "n",
      site: "x",
    });
    deepStrictEqual(JSON.parse(per_source_metadata!), {
      rezolus: {
        endpoint: "fake",
        first_sample_ns: Number(START_NS),
        last_sample_ns: Number(START_NS + 29n * SECOND_NS),
        ticks: 30,
        missed_ticks: 0,
      },
    });
    if (name === "r.rez") deepStrictEqual(recording.labels, { source: "rezolus" });
  });
}

Deno.test("an agent of the older flat format is recorded too", async () => {
  using dir = folder();
  const { result } = record({ output: dir.path("r.rez"), agent: fakeAgent(() => false, encodeSnapshotV2) });
  strictEqual((await result).ticks, 30);
  deepStrictEqual(levels(dir.path("r.rez")), ticks(30).map(levelAt));
});

Deno.test("an agent that goes away leaves a gap and one line, and one when it is back", async () => {
  using dir = folder();
  const { lines, result } = record({
    output: dir.path("r.parquet"),
    agent: fakeAgent((asking) => asking >= 10 && asking < 15),
  });
  deepStrictEqual(await result, { ticks: 25, missed: 5, exitCode: 0 });
  deepStrictEqual(lines, [
    "fake does not answer, recording goes on when it does: connection refused",
    "fake answers again, 5 ticks are missing",
  ]);
  deepStrictEqual(
    levels(dir.path("r.parquet")),
    ticks(30).filter((tick) => tick < 10 || tick >= 15).map(levelAt),
  );
});

Deno.test("an agent that does not come back gives a failure and keeps what was recorded", async () => {
  using dir = folder();
  const { lines, result } = record({
    output: dir.path("r.parquet"),
    agent: fakeAgent((asking) => asking >= 12),
  });
  deepStrictEqual(await result, { ticks: 12, missed: 18, exitCode: 1 });
  strictEqual(lines.at(-1), "fake was away when the recording ended");
  strictEqual(levels(dir.path("r.parquet")).length, 12);
});

Deno.test("an agent that never answers gives a failure and no file", async () => {
  using dir = folder();
  const { lines, result } = record({ output: dir.path("r.parquet"), agent: fakeAgent(() => true) });
  deepStrictEqual(await result, { ticks: 0, missed: 30, exitCode: 1 });
  strictEqual(lines.at(-1), "Nothing was recorded: fake never answered");
  deepStrictEqual([...Deno.readDirSync(dir.path("."))], []);
});

Deno.test("what is no snapshot counts as a missing answer", async () => {
  using dir = folder();
  const agent: SnapshotSource = {
    get: () => Promise.resolve(new TextEncoder().encode("<html>")),
    [Symbol.dispose]: () => {},
  };
  const { lines, result } = record({ output: dir.path("r.rez"), agent });
  strictEqual((await result).missed, 30);
  ok(
    /fake gives no snapshot, .*: Cannot decode snapshot: snapshot at byte 0: expected an array/.test(
      lines[0]!,
    ),
    lines[0],
  );
});

Deno.test("a snapshot that an agent's cache gives twice is recorded once", async () => {
  using dir = folder();
  let asked = 0;
  const agent: SnapshotSource = {
    get: (path) =>
      path === "/metrics/binary"
        ? Promise.resolve(encodeSnapshotV3(snapshotAt(Math.floor(asked++ / 2))))
        : Promise.reject(new Error("not there")),
    [Symbol.dispose]: () => {},
  };
  const { result } = record({ output: dir.path("r.rez"), agent, intervalMs: 500 });
  strictEqual((await result).ticks, 30);
  deepStrictEqual(levels(dir.path("r.rez")), ticks(30).map(levelAt));
});

Deno.test("a journal of an earlier recording is not overwritten", async () => {
  using dir = folder();
  Deno.writeTextFileSync(dir.path("r.parquet.rez"), "precious");
  const { result, clock } = record({ output: dir.path("r.parquet") });
  await rejects(
    result,
    /Cannot create recording .*r.parquet.rez: an earlier recording left its journal there/,
  );
  deepStrictEqual(clock.waits, []); // told before anything is recorded
  strictEqual(Deno.readTextFileSync(dir.path("r.parquet.rez")), "precious");
});

Deno.test("an output that cannot be written leaves the journal", async () => {
  using dir = folder();
  Deno.mkdirSync(dir.path("r.parquet.partial"));
  await rejects(
    record({ output: dir.path("r.parquet") }).result,
    /Cannot convert recording .*r.parquet.rez to .*r.parquet: .*; .*r.parquet.rez keeps what was recorded/,
  );
  deepStrictEqual(levels(dir.path("r.parquet.rez")), ticks(30).map(levelAt));
});

Deno.test("an interval too short to keep, or longer than a timer holds, is refused", async () => {
  await rejects(
    record({ output: "unused", intervalMs: 2_592_000_000 }).result,
    /Cannot record every 2592000000 ms: expected 10 to 2147483647 ms/,
  );
  await rejects(
    record({ output: "unused", intervalMs: 1 }).result,
    /Cannot record every 1 ms: expected 10 to/,
  );
});

Deno.test("with a command it records as long as that runs, over HTTP, and gives its exit code", async () => {
  using dir = folder();
  let asked = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== "/metrics/binary") return new Response("no", { status: 404 });
    // The command ends when the third tick was asked for, so that no time is waited for.
    if (asked === 2) Deno.writeTextFileSync(dir.path("go"), "");
    return new Response(encodeSnapshotV3(snapshotAt(asked++)));
  });
  const lines: string[] = [];
  try {
    const output = dir.path("r.rez");
    const result = await runRecord({
      endpoints: [{ url: `http://127.0.0.1:${server.addr.port}` }],
      output,
      intervalMs: 10,
      sealer: inlineSealer(),
      command: ["sh", "-c", `until [ -e ${dir.path("go")} ]; do sleep 0.01; done; exit 7`],
      log: (line) => lines.push(line),
    }, new AbortController().signal).then(totals);
    strictEqual(result.exitCode, 7);
    ok(result.ticks >= 1 && result.ticks <= asked, `${result.ticks} of ${asked}`);
    strictEqual(levels(output).length, result.ticks);
  } finally {
    await server.shutdown();
  }
});

Deno.test("a command that cannot be started is an error", async () => {
  using dir = folder();
  const options = { output: dir.path("r.rez"), command: ["/no/such/command"] };
  await rejects(record(options).result, /Cannot run \/no\/such\/command: /);
});

Deno.test("a signal that came before the command was started ends it too", async () => {
  using dir = folder();
  const { exitCode } = await runRecord({
    endpoints: [{ url: "fake" }],
    output: dir.path("r.rez"),
    connect: () => fakeAgent(),
    sealer: inlineSealer(),
    command: ["sleep", "1000"],
  }, AbortSignal.abort());
  strictEqual(exitCode, 143);
});

Deno.test("a signal ends a recording, and its command, in order", async () => {
  using dir = folder();
  const stop = new AbortController();
  const path = dir.path("agent.sock");
  let asked = 0;
  const server = Deno.serve({ path, onListen: () => {} }, (request) => {
    if (new URL(request.url).pathname !== "/metrics/binary") return new Response("{}");
    if (asked === 3) stop.abort();
    return new Response(encodeSnapshotV3(snapshotAt(asked++)));
  });
  try {
    const output = dir.path("r.parquet");
    const result = await runRecord(
      {
        endpoints: [{ url: path }],
        output,
        intervalMs: 10,
        sealer: inlineSealer(),
        command: ["sleep", "1000"],
      },
      stop.signal,
    ).then(totals);
    strictEqual(result.ticks, 3);
    strictEqual(result.exitCode, 128 + 15);
    deepStrictEqual(levels(output), ticks(3).map(levelAt));
  } finally {
    await server.shutdown();
  }
});

Deno.test("a recording's time ascends by the agent's clock and does not follow when that is set", () => {
  const clock = new TickClock();
  const ms = 1_000_000n;
  const at = (wallMs: bigint, monotonicMs: bigint) => clock.tick(START_NS + wallMs * ms, monotonicMs * ms);
  const time = (shiftMs: bigint, offsetMs: bigint) => ({
    timestampNs: START_NS + shiftMs * ms,
    wallOffsetNs: offsetMs * ms,
  });
  deepStrictEqual(at(0n, 50n), time(0n, 0n));
  deepStrictEqual(at(1_003n, 1_050n), time(1_003n, 0n)); // jitter stays as it is
  strictEqual(at(1_003n, 1_060n), undefined); // given twice
  const stepped = (byMs: bigint, tick: object) => ({ ...tick, steppedNs: byMs * ms });
  deepStrictEqual(at(-3_598_000n, 2_050n), stepped(-3_600_003n, time(2_003n, -3_600_003n))); // back by an hour
  deepStrictEqual(at(-3_597_000n, 3_050n), time(3_003n, -3_600_003n));
  deepStrictEqual(at(4_000n, 4_050n), stepped(3_600_000n, time(4_003n, -3n))); // and forward again
  deepStrictEqual(at(3_900n, 4_150n), stepped(-200n, time(4_103n, -203n))); // back by less than jitter could be
  strictEqual(at(3_890n, 4_150n), undefined); // two answers at one instant
  deepStrictEqual(at(3_990n, 4_240n), time(4_193n, -203n)); // leave no trace
});

Deno.test("raw recordings are read under ZSTD, and up to where they are cut off", () => {
  using dir = folder();
  const all = new Uint8Array(ticks(5).flatMap((tick) => [...encodeSnapshotV3(snapshotAt(tick))]));
  Deno.writeFileSync(dir.path("a.raw.zst"), zstdCompressSync(all));
  deepStrictEqual(levels(dir.path("a.raw.zst")), ticks(5).map(levelAt));
  Deno.writeFileSync(dir.path("cut.raw"), all.subarray(0, all.length - 10));
  deepStrictEqual(levels(dir.path("cut.raw")), ticks(4).map(levelAt));
  using cut = openRecording(dir.path("cut.raw"));
  strictEqual(cut.complete, false);
  ok(
    /what follows byte \d+ \(tick 4\) is left out: Cannot decode snapshot: /.test(cut.notes[0]!),
    cut.notes[0],
  );
  strictEqual(cut.durations.get(START_NS + SECOND_NS), 1_001n);
});
