/**
 * The agent's rows of `deno task bench`; alone: `deno run -A tests/bench/agent_bench.ts [SECONDS]`.
 *
 * The agent runs as it is run, from source and packed, with all samplers; what it costs is read from `/proc`. The
 * BPF programs' own times come from `kernel.bpf_stats_enabled`, beside programs that do nothing on the same hooks.
 * @module
 */
import { tableLines } from "../../cmd/dev/bench.ts";
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { BpfObject } from "../../ffi/bpf/mod.ts";
import { pack, PACKED } from "../../lib/build/pack.ts";
import { ROOT, TEST_BUILD } from "../../lib/build/paths.ts";
import { exec } from "../../lib/build/step.ts";
import { decodeSnapshot, wordsToNumber } from "../../lib/metrics/mod.ts";
import { AgentClient } from "../../lib/agent_client/mod.ts";
import type { AgentStatus } from "../../lib/telemetry/mod.ts";
import { temporaryFolder } from "../executables/packed.ts";

/** Until heaps and code have settled. */
const WARM_UP_S = 10;
const MEASURED_S = 20;
const INTERVALS: readonly { name: string; ms: number; maxCpuPercent: number; maxMib: number }[] = [
  { name: "1 s", ms: 1000, maxCpuPercent: 1, maxMib: 90 },
  { name: "100 ms", ms: 100, maxCpuPercent: 5, maxMib: 110 },
];
const MAX_MAP_MIB = 16;
/** What systemd sets on 64-bit hosts; maps that grow with it would show. */
const LARGE_PID_MAX = "4194304";
const LOAD = ["1000000", "200000"];
/** Of several rounds the quietest counts: others use the machine too. */
const LOAD_ROUNDS = 3;
const MAX_SYSCALL_PAIR_NS = 200;
const MAX_SWITCH_NS = 500;
/** A program that ran less often than this tells no time worth printing. */
const MIN_RUNS = 200;
const CLOCK_TICKS_PER_S = 100; // USER_HZ, fixed in the kernel's interface
const MIB = 2 ** 20;

/** Measures everything; takes about two and a half minutes. */
export async function agentRows(measuredS = MEASURED_S): Promise<BenchRow[]> {
  using folder = temporaryFolder();
  await pack(folder.path, { answers: await packedAnswers("bench"), commit: "bench", say: () => {} });
  const packed: [string, ...string[]] = [`${folder.path}/${PACKED}`, "rezolus"];
  const warmUpS = Math.min(WARM_UP_S, measuredS);
  const rows = [
    ...await costRows("from source", toolCommand("rezolus"), folder.path, { measuredS, warmUpS }),
    ...await costRows("packed", packed, folder.path, { measuredS, warmUpS }),
  ];
  if (Deno.uid() !== 0) return rows;
  return [...rows, ...await mapRows(folder.path), ...await programRows(folder.path)];
}

/** An agent with all samplers on a unix socket. */
class BenchAgent implements AsyncDisposable {
  readonly client: AgentClient;
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<void>;

  private constructor(child: Deno.ChildProcess, socket: string, log: Promise<void>) {
    this.#child = child;
    this.pid = child.pid;
    this.#log = log;
    this.client = new AgentClient({ kind: "unix", path: socket });
  }

  static async start(
    [program, ...args]: readonly [string, ...string[]],
    folder: string,
  ): Promise<BenchAgent> {
    const socket = `${folder}/agent.sock`;
    const child = new Deno.Command(program, {
      args: [...args, "agent", "--listen", "", "--socket", socket],
      env: { HOSTKIT_CACHE_DIR: `${folder}/cache` },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const listening = Promise.withResolvers<void>();
    const log = (async () => {
      let text = "";
      for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
        if ((text += chunk).includes("listening")) listening.resolve();
      }
      listening.reject(new Error(`Cannot measure the agent: it ended with\n${text}`));
    })();
    await listening.promise;
    return new BenchAgent(child, socket, log);
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse(new TextDecoder().decode(await this.client.get("/status")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    this.#child.kill("SIGTERM");
    await Promise.all([this.#child.status, this.#log.catch(() => "The log ends with the agent.")]);
  }
}

/** CPU and memory of one agent that is scraped at each of the intervals in turn. */
async function costRows(
  form: string,
  command: readonly [string, ...string[]],
  folder: string,
  { warmUpS, measuredS }: { warmUpS: number; measuredS: number },
): Promise<BenchRow[]> {
  await using agent = await BenchAgent.start(command, folder);
  const rows: BenchRow[] = [];
  for (const { name, ms, maxCpuPercent, maxMib } of INTERVALS) {
    await scrape(agent, ms, warmUpS);
    const [startedMs, usedS] = [performance.now(), cpuSeconds(agent.pid)];
    const peakMib = await scrape(agent, ms, measuredS);
    const percent = 100 * (cpuSeconds(agent.pid) - usedS) / ((performance.now() - startedMs) / 1000);
    rows.push(
      atMost(`agent ${form}: CPU at ${name}`, percent, "% of a core", maxCpuPercent),
      atMost(`agent ${form}: RSS at ${name}`, peakMib, "MiB", maxMib),
    );
  }
  return rows;
}

/** Scrapes for some seconds; returns the highest resident size that was seen, in MiB. */
async function scrape(agent: BenchAgent, intervalMs: number, seconds: number): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  let peakMib = 0;
  for (let nextMs = performance.now(); nextMs < endMs; nextMs += intervalMs) {
    const waitMs = nextMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await agent.client.get("/metrics/binary");
    peakMib = Math.max(peakMib, residentMib(agent.pid));
  }
  return peakMib;
}

/** User and system time of all threads of a process. */
function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name may hold spaces; utime and stime are the 12th and 13th fields behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Number(kib) / 1024;
}

/** Memory of all BPF maps, here and where pids go up to four million. */
async function mapRows(folder: string): Promise<BenchRow[]> {
  const mapMib = async () => {
    await using agent = await BenchAgent.start(toolCommand("rezolus"), folder);
    const { bpf } = await agent.status();
    return bpf.reduce((sum, { map_bytes }) => sum + map_bytes, 0) / MIB;
  };
  const rows = [atMost("agent: BPF maps", await mapMib(), "MiB", MAX_MAP_MIB)];
  using _large = kernelSetting("pid_max", LARGE_PID_MAX);
  rows.push(atMost(`agent: BPF maps with pid_max ${LARGE_PID_MAX}`, await mapMib(), "MiB", MAX_MAP_MIB));
  return rows;
}

/** Runs and time of a program. */
interface Spent {
  readonly runs: number;
  readonly ns: number;
}

/** Time per event of every program under a load of calls and switches, in the quietest of some rounds. */
async function programRows(folder: string): Promise<BenchRow[]> {
  const load = `${folder}/agent_load`;
  await exec("gcc", ["-std=c11", "-D_GNU_SOURCE", "-O2", "-o", load, `${ROOT}tests/bench/agent_load.c`]);
  using _statistics = kernelSetting("bpf_stats_enabled", "1");
  using floor = loadFloor();
  await using agent = await BenchAgent.start(toolCommand("rezolus"), folder);
  const best = new Map<string, number>();
  for (let round = 0; round < LOAD_ROUNDS; round++) {
    const before = await spentTimes(agent, floor);
    await exec(load, LOAD);
    for (const [name, { runs, ns }] of await spentTimes(agent, floor)) {
      const { runs: runsBefore, ns: nsBefore } = before.get(name) ?? { runs: 0, ns: 0 };
      if (runs - runsBefore < MIN_RUNS) continue;
      const perEvent = (ns - nsBefore) / (runs - runsBefore);
      best.set(name, Math.min(perEvent, best.get(name) ?? Infinity));
    }
  }
  const of = (program: RegExp) => [...best].find(([name]) => program.test(name))?.[1] ?? NaN;
  const pair = of(/ sys_enter/) + of(/ sys_exit/);
  const floorPair = of(/^empty_sys_enter/) + of(/^empty_sys_exit/);
  return [
    atMost("agent: BPF for a system call, enter and exit", pair, "ns", MAX_SYSCALL_PAIR_NS),
    { name: "  the same, programs that do nothing", value: floorPair, unit: "ns" },
    atMost("agent: BPF for a switch, merged", of(/ sched_switch/), "ns", MAX_SWITCH_NS),
    { name: "  the same, a program that does nothing", value: of(/^empty_sched_switch/), unit: "ns" },
    ...[...best].filter(([name]) => !name.startsWith("empty_")).sort().map(([name, value]) => ({
      name: `agent: BPF program ${name}`,
      value,
      unit: "ns/event",
    })),
  ];
}

const FLOOR_PROGRAMS = ["empty_sys_enter", "empty_sys_exit", "empty_sched_switch"];

function loadFloor(): BpfObject {
  const floor = new BpfObject(Deno.readFileSync(`${TEST_BUILD}bpf/empty.bpf.o`), { name: "empty" });
  floor.load();
  for (const program of FLOOR_PROGRAMS) floor.attach(program);
  return floor;
}

/** What each of the agent's programs and of the floor's has run so far. */
async function spentTimes(agent: BenchAgent, floor: BpfObject): Promise<Map<string, Spent>> {
  const times = new Map<string, Spent>(FLOOR_PROGRAMS.map((program) => {
    const { runCount, runNs } = floor.program(program);
    return [program, { runs: runCount, ns: runNs }];
  }));
  for (const { schema, counters } of decodeSnapshot(await agent.client.get("/metrics/binary")).groups) {
    schema.counters.forEach(({ metadata }, at) => {
      const name = `${metadata.object} ${metadata.program}`;
      const spent = times.get(name) ?? { runs: 0, ns: 0 };
      const value = wordsToNumber(counters.words, at);
      if (metadata.metric === "rezolus_bpf_run_count") times.set(name, { ...spent, runs: value });
      if (metadata.metric === "rezolus_bpf_run_time") times.set(name, { ...spent, ns: value });
    });
  }
  return times;
}

/** Sets `kernel.<name>` until the end of the block. */
function kernelSetting(name: string, value: string): Disposable {
  const path = `/proc/sys/kernel/${name}`;
  const before = Deno.readTextFileSync(path).trim();
  Deno.writeTextFileSync(path, value);
  return { [Symbol.dispose]: () => Deno.writeTextFileSync(path, before) };
}

if (import.meta.main) {
  const rows = await agentRows(Deno.args[0] === undefined ? undefined : Number(Deno.args[0]));
  for (const line of tableLines(rows)) console.log(line);
}
