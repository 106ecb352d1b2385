/** The figures of the Nix monitor: reading logs, derivations, the terminal client, and the daemon with its clients. */
import process from "node:process";
import { atLeast, atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { LogReader, NixState, parseDerivation } from "../../lib/nix/mod.ts";
import { Renderer } from "../../lib/tui/mod.ts";
import { DaemonProcess, Follower } from "../nix_btm/_daemon.ts";
import { aBuild, Player } from "../nix_btm/_tui_player.ts";
import { recordsOf, scenario } from "../nix/_scenarios.ts";

const LOG = "05-wide-200-j8";
/** Of the log again and again. */
const LOG_BYTES = 500e6;
const CHUNK_BYTES = 65_536;
const DERIVATIONS = 1_462;
const ROWS = 2_000;
const HZ = 5;
const SECONDS = 5;
/** Jobs that change between two frames. */
const CHANGES = 20;
const FINISHED = 10_000;
const RUNNING = 500;
const CLIENTS = 8;
const SAMPLES = 200;

/** Rows of the bench. */
export async function nixRows(): Promise<BenchRow[]> {
  return [
    ...readingRows(),
    ...derivationRows(),
    await clientRow("jobs", ["3"]),
    await clientRow("eagle eye", ["2"]),
    ...await daemonRows(),
    ...await latencyRows(),
  ];
}

/** A log of 500 MB, each round of it another command. */
function readingRows(): BenchRow[] {
  const { bytes } = scenario(LOG);
  const rounds = Math.ceil(LOG_BYTES / bytes.length);
  const round = () => {
    const state = new NixState();
    const id = state.open({ source: "replay" }, 0);
    let nowMs = 0;
    const reader = new LogReader((record) => state.apply(id, record, ++nowMs));
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) reader.push(bytes.subarray(at, at + CHUNK_BYTES));
    reader.end();
    state.close(id, nowMs);
    return reader.counts;
  };
  const counts = round();
  const begunMs = performance.now();
  for (let turn = 0; turn < rounds; turn++) round();
  const seconds = (performance.now() - begunMs) / 1_000;
  const lines = counts.lines * rounds;
  const { records } = recordsOf(bytes);
  const eventNs = [0, 1, 2, 3, 4].map(() => {
    const state = new NixState();
    const id = state.open({ source: "replay" }, 0);
    const from = performance.now();
    for (const [at, record] of records.entries()) state.apply(id, record, at);
    return (performance.now() - from) * 1e6 / records.length;
  });
  const what = `${Math.round(rounds * bytes.length / 1e6)} MB of ${LOG}`;
  return [
    atLeast(`nix: lines through reader and reducer, ${what}`, lines / seconds / 1e6, "M/s", 3),
    { name: "nix: the same in bytes", value: rounds * bytes.length / seconds / 1e6, unit: "MB/s" },
    { name: "nix: reducer, each record", value: Math.min(...eventNs), unit: "ns" },
  ];
}

/** As those of a system's closure: some 20 inputs and 40 variables each. */
function derivationRows(): BenchRow[] {
  const folder = Deno.makeTempDirSync();
  try {
    const names = Array.from({ length: DERIVATIONS }, (_, at) => `${hash(at)}-package-${at}.drv`);
    for (const [at, name] of names.entries()) {
      Deno.writeTextFileSync(`${folder}/${name}`, derivationText(at, names));
    }
    const begunMs = performance.now();
    let edges = 0;
    for (const name of names) {
      edges +=
        parseDerivation(`/nix/store/${name}`, Deno.readTextFileSync(`${folder}/${name}`)).inputs.length;
    }
    const seconds = (performance.now() - begunMs) / 1_000;
    if (edges < DERIVATIONS) throw new Error(`only ${edges} edges were found`);
    return [atMost(`nix: ${DERIVATIONS} derivations read and parsed`, seconds, "s", 0.4)];
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function derivationText(at: number, names: readonly string[]): string {
  const inputs = names.slice(Math.max(0, at - 20), at).map((name) => `("/nix/store/${name}",["dev","out"])`);
  const sources = [1, 2, 3].map((each) => `"/nix/store/${hash(at * 7 + each)}-setup-${each}.sh"`);
  const variables = Array.from(
    { length: 40 },
    (_, each) =>
      `("variable${each}","a value of some length \\"with quotes\\"\\nand\\tlines, for ${at} and ${each}")`,
  );
  const out = `/nix/store/${hash(at + 1e6)}-package-${at}`;
  return `Derive([("out","${out}","","")],[${inputs}],[${sources}],"x86_64-linux","/nix/store/${
    hash(1)
  }-bash/bin/bash",` +
    `["-e","/nix/store/${hash(2)}-default-builder.sh"],[${variables}])`;
}

function hash(at: number): string {
  return (at * 2_654_435_761 % 2 ** 32).toString(36).replaceAll(/[eotu]/g, "x").padStart(32, "0");
}

/** CPU of the client's own work at 2,000 rows: an update put in, rows, a frame, and what the terminal is sent. */
async function clientRow(view: string, keys: readonly string[]): Promise<BenchRow> {
  const player = new Player({ width: 80, height: 40, depth: 256 });
  const { world } = player.monitor;
  fill(player);
  player.processes(aBuild("package-7", { children: 8 })).press(...keys);
  const ids = [...world.jobs.keys()];
  const renderer = new Renderer(256);
  const turn = (at: number) => {
    for (let each = 0; each < CHANGES; each++) {
      const id = ids[(at * 31 + each * 97) % ROWS]!;
      const job = world.jobs.get(id)!;
      const state = { kind: (["running", "succeeded", "planned"] as const)[(at + each) % 3]! };
      world.jobs.set(id, { ...job, state, startedMs: player.nowMs - 5_000 });
    }
    player.nowMs += 1_000 / HZ;
    player.changed();
    renderer.render(player.frame());
  };
  for (let at = 0; at < 300; at++) turn(at);
  // A second at its own pace, while the garbage of the first frames is collected.
  for (let at = 0; at < HZ; at++) await pause(() => turn(at));
  const before = process.cpuUsage();
  const begunMs = performance.now();
  for (let at = 0; at < HZ * SECONDS; at++) await pause(() => turn(at));
  const { user, system } = process.cpuUsage(before);
  const percent = (user + system) / 1_000 / (performance.now() - begunMs) * 100;
  return atMost(`nix: client's CPU at ${HZ} Hz, ${view} of ${ROWS} builds`, percent, "%", 1);
}

async function pause(turn: () => void): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000 / HZ));
  turn();
}

/** A tree of 2,000 builds, each of which ten others need. */
export function fill({ monitor, nowMs }: Player): void {
  const log = monitor.open({ source: "socket", user: "alice" });
  const path = (at: number) => `/nix/store/${hash(at)}-package-${at}.drv`;
  for (let at = 1; at <= ROWS; at++) {
    log.push(
      record({ action: "start", id: at, level: 3, type: 105, text: "", fields: [path(at), "", 1, 1] }),
    );
  }
  monitor.flush();
  for (let at = 1; at <= ROWS; at++) {
    const inputs = Array.from({ length: 10 }, (_, each) => at * 10 + each).filter((each) => each <= ROWS).map(
      path,
    );
    monitor.world.graph.add({ path: path(at), inputs, outputs: {}, system: "x86_64-linux" });
  }
  for (const [id, job] of monitor.world.jobs) {
    monitor.world.jobs.set(id, { ...job, state: { kind: "planned" }, startedMs: nowMs });
  }
}

function record(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

/** Lines of builds, as standard error has them. */
function buildLines(from: number, count: number, ends: boolean): string {
  const lines: string[] = [];
  const put = (value: unknown) => lines.push(`@nix ${JSON.stringify(value)}`);
  for (let at = from; at < from + count; at++) {
    const drv = `/nix/store/${hash(at)}-package-${at}.drv`;
    put({ action: "start", id: at, level: 3, type: 105, text: `building '${drv}'`, fields: [drv, "", 1, 1] });
    put({ action: "result", id: at, type: 104, fields: ["buildPhase"] });
    for (let line = 0; line < 10; line++) {
      put({ action: "result", id: at, type: 101, fields: [`line ${line} of ${at}, of some length`] });
    }
    if (ends) put({ action: "stop", id: at });
  }
  return `${lines.join("\n")}\n`;
}

/** Memory of a daemon that has seen 10,000 builds end, and 500 that run. */
async function daemonRows(): Promise<BenchRow[]> {
  await using daemon = await new DaemonProcess().start("--agent", "off", "--usage-from", "off");
  const before = rssBytes(daemon.pid);
  await using client = new Follower(daemon.control, daemon.folder);
  const each = 500;
  for (let from = 1; from <= FINISHED; from += each) {
    using feed = await daemon.connect();
    await feed.write(buildLines(from, each, true));
  }
  using running = await daemon.connect();
  await running.write(buildLines(1e6, RUNNING, false));
  await client.until(
    "all builds",
    () => Object.values(client.builds).filter((kind) => kind === "running").length === RUNNING,
  );
  const after = rssBytes(daemon.pid);
  return [
    { name: "nix: the daemon's memory before anything is built", value: before / 2 ** 20, unit: "MiB" },
    {
      name: `nix: the same with ${FINISHED} finished and ${RUNNING} running builds`,
      value: after / 2 ** 20,
      unit: "MiB",
    },
  ];
}

function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]) * 1_024;
}

/** From a record's writing to the news of it in each of 8 clients; a picture follows within 33 ms. */
async function latencyRows(): Promise<BenchRow[]> {
  await using daemon = await new DaemonProcess().start("--agent", "off", "--usage-from", "off");
  await using stack = new AsyncDisposableStack();
  const clients = Array.from(
    { length: CLIENTS },
    () => stack.use(new Follower(daemon.control, daemon.folder)),
  );
  using feed = await daemon.connect();
  const delays: number[] = [];
  for (let at = 0; at < SAMPLES; at++) {
    // Not in step with the daemon's own pace.
    await new Promise((resolve) => setTimeout(resolve, 5 + at * 7 % 30));
    const name = `package-${at + 1}`;
    const begunMs = performance.now();
    await feed.write(buildLines(at + 1, 1, false));
    const waiting = new Set(clients);
    while (waiting.size > 0) {
      for (const client of waiting) {
        if (client.changes === 0 || client.builds[name] !== "running") continue;
        waiting.delete(client);
        delays.push(performance.now() - begunMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  delays.sort((one, other) => one - other);
  const part = (ratio: number) => delays[Math.floor(delays.length * ratio)]!;
  return [
    atMost(`nix: from the socket to ${CLIENTS} clients, p50`, part(0.5), "ms", 50),
    atMost(`nix: the same, p99`, part(0.99), "ms", 200),
  ];
}
