/**
 * The rows of supervision in `deno task bench`: a thousand services, capture, search, time of a restart. Alone:
 * `deno run -A tests/bench/supervisor_bench.ts`.
 * @module
 */
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { Searcher } from "../../lib/services/mod.ts";
import { ROOT, TEST_BUILD } from "../../lib/build/paths.ts";
import { exec } from "../../lib/build/step.ts";
import { RUNTIME_FLAGS } from "../../lib/build/tools.ts";
import { inspectInstance, startInstance } from "../../lib/keeper/mod.ts";
import { Supervisor } from "../../lib/supervisor/mod.ts";

const SERVICES = 1_000;
const SETTLE_MS = 5_000;
const MEASURED_MS = 10_000;
/** Keepers whose memory is looked at. */
const SAMPLE = 20;
const CAPTURE_BYTES = 4 * 2 ** 30;
const SEARCHED_BYTES = 100_000_000;
const RESTARTS = 10;
const CLOCK_TICKS_PER_S = 100; // USER_HZ, fixed in the kernel's interface
const KIB = 1024;
const MIB = 2 ** 20;

/** Measures everything; takes about a minute. */
export async function supervisorRows(): Promise<BenchRow[]> {
  const talker = `${TEST_BUILD}talker`;
  await Deno.mkdir(TEST_BUILD, { recursive: true });
  await exec("gcc", ["-O2", "-static", `${ROOT}tests/bench/talker.c`, "-o", talker]);
  const folder = await Deno.makeTempDir({ prefix: "supervisor-bench-" });
  try {
    return [
      ...await manyRows(folder, talker),
      await captureRow(`${folder}/capture`, talker),
      ...await searchRows(`${folder}/search`, talker),
      await restartRow(`${folder}/restart`),
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function manyRows(folder: string, talker: string): Promise<BenchRow[]> {
  const startedMs = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-all",
      ...RUNTIME_FLAGS,
      `${ROOT}tests/bench/manager_child.ts`,
      folder,
      talker,
      `${SERVICES}`,
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: said = "" } = await reader.read();
  const startMs = performance.now() - startedMs;
  const { before } = JSON.parse(said);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const keepers = (await exec("pgrep", ["-P", `${child.pid}`])).trim().split("\n").map(Number);
  const cpu = () =>
    [cpuSeconds(child.pid), keepers.reduce((sum, pid) => sum + threadSeconds(pid), 0)] as const;
  const [manager, kept] = cpu();
  await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
  const [managerAfter, keptAfter] = cpu();
  const percent = (seconds: number) => 100_000 * seconds / MEASURED_MS;
  const anonymous = (rollup(child.pid, "Anonymous") - before) / SERVICES;
  const sampled = keepers.filter((_, at) => at % Math.ceil(keepers.length / SAMPLE) === 0);
  const pss = sampled.reduce((sum, pid) => sum + rollup(pid, "Pss"), 0) / sampled.length;
  const stoppingMs = performance.now();
  child.kill("SIGTERM");
  await reader.cancel();
  await child.status;
  const stopMs = performance.now() - stoppingMs;
  const of = `${SERVICES} services`;
  return [
    atMost(`supervisor: ${of}: the manager's anonymous memory for each`, anonymous / MIB, "MiB", 0.1),
    atMost(`supervisor: ${of}: a keeper's memory (PSS)`, pss / KIB, "KiB", 100),
    {
      name: `supervisor: ${of}: keepers that run`,
      value: keepers.length,
      unit: "keepers",
      bar: `>= ${SERVICES}`,
      ok: keepers.length >= SERVICES,
    },
    {
      name: `supervisor: ${of}, a line a second each: CPU of the manager`,
      value: percent(managerAfter - manager),
      unit: "% of a core",
    },
    {
      name: `supervisor: ${of}, a line a second each: CPU of all keepers`,
      value: percent(keptAfter - kept),
      unit: "% of a core",
    },
    { name: `supervisor: ${of}: until all run`, value: startMs / 1_000, unit: "s" },
    { name: `supervisor: ${of}: until all are stopped`, value: stopMs / 1_000, unit: "s" },
    { name: "supervisor: segments of one of them at most", value: 64, unit: "KiB" },
  ];
}

/** A program that only writes, into a log of 64 MiB. */
async function captureRow(folder: string, talker: string): Promise<BenchRow> {
  await Deno.mkdir(folder);
  const startedMs = performance.now();
  const keeper = startInstance({
    folder,
    command: [talker, `${CAPTURE_BYTES}`],
    segmentBytes: 2 ** 22,
    retainBytes: 2 ** 26,
  });
  await keeper.ended;
  const perSecond = CAPTURE_BYTES / (performance.now() - startedMs) * 1_000 / 1e9;
  const status = inspectInstance(folder);
  if (status.kind !== "exited" || status.exit.code !== 0) {
    throw new Error(`Cannot measure: ${Deno.inspect(status)}`);
  }
  return {
    name: "supervisor: capture of 256 B lines",
    value: perSecond,
    unit: "GB/s",
    bar: ">= 1",
    ok: perSecond >= 1,
  };
}

async function searchRows(folder: string, talker: string): Promise<BenchRow[]> {
  await Deno.mkdir(folder);
  const keeper = startInstance({
    folder,
    command: ["/bin/sh", "-c", `${talker} ${SEARCHED_BYTES}; echo a needle`],
    retainBytes: 2 * SEARCHED_BYTES,
    segmentBytes: 2 ** 22,
  });
  await keeper.ended;
  using searcher = new Searcher(60_000);
  const search = async (pattern: string) => {
    const startedMs = performance.now();
    const { lines } = await searcher.search({
      folder,
      kind: "run",
      query: { pattern },
      speaker: "bpm",
      secrets: [],
    });
    if (lines.length !== 1) throw new Error(`Cannot measure: the search found ${lines.length} lines`);
    return performance.now() - startedMs;
  };
  const first = await search("needle");
  return [
    { name: "supervisor: search over 100 MB, the first one", value: first, unit: "ms" },
    { name: "supervisor: search over 100 MB", value: await search("n.edle"), unit: "ms" },
  ];
}

/** Of a shell that says that it is up. */
async function restartRow(folder: string): Promise<BenchRow> {
  await using supervisor = Supervisor.open([{
    name: "web",
    command: { argv: ["/bin/sh", "-c", "echo up; exec sleep 1000"] },
    readiness: { kind: "log", pattern: /^up$/ },
    policy: { overlap: true },
  }], folder);
  await supervisor.start(new AbortController().signal);
  const service = supervisor.services.get("web")!;
  const times: number[] = [];
  for (let round = 0; round < RESTARTS; round++) {
    const startedMs = performance.now();
    const before = service.current!.place.number;
    service.request("restart");
    await supervisor.until(service, (each) => each.is("running") && each.current!.place.number > before);
    times.push(performance.now() - startedMs);
  }
  const median = times.sort((a, b) => a - b)[RESTARTS / 2]!;
  return { name: "supervisor: from restart to ready, median of 10", value: median, unit: "ms" };
}

function rollup(pid: number, field: string): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * KIB;
}

/** User and system time of all threads of a process. */
function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name may hold spaces; utime and stime are the 12th and 13th fields behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

/** Of a process of one thread, in ns: what a keeper needs in ten seconds is less than a tick. */
function threadSeconds(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ")[0]) / 1e9;
}

if (import.meta.main) console.table(await supervisorRows());
