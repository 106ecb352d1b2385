/**
 * The rows of restarts in `deno task bench`, two minutes; alone: `deno run -A tests/bench/swap_bench.ts`. A supervisor
 * restarts a server 20 times under load in the way that it picks by itself, as bpm does; what is counted are requests
 * that failed or took over two seconds. Requests that must not be sent twice are listed apart.
 * @module
 */
import type { BenchRow } from "../../cmd/dev/bench_row.ts";
import { startInstance } from "../../lib/keeper/mod.ts";
import { type ListenSpec, type ServiceSpec, Supervisor } from "../../lib/supervisor/mod.ts";
import { Proxy } from "../../lib/swap/mod.ts";
import { freePort } from "../free_port.ts";
import { Instance } from "../swap/_instance.ts";
import { build, Load, type LoadOptions, type LoadResult, SERVERS } from "../swap/_programs.ts";
import { portOf } from "../swap/_restarts.ts";

const RESTARTS = 20;
const LOAD_MS = 1_500;
/** Between two restarts: some servers are ready within 3 ms, and clients are to meet old and new. */
const PAUSE_MS = 50;
/** So long an old instance may finish what it has begun. */
const DRAIN_MS = 10_000;
const KEEPERS = 1_000;

/** Measures everything. */
export async function swapRows(): Promise<BenchRow[]> {
  return [...await restartRows(), ...await throughputRows(), await endRow()];
}

/** How a server is declared; nothing of it says how it is to be restarted. */
const DECLARED: Readonly<Record<string, Partial<ListenSpec>>> = {
  c: { takesSockets: true },
  node: {},
  deno: {},
  python: {},
  static: {},
};

async function restartRows(): Promise<BenchRow[]> {
  await build("server");
  await build("server", "-static");
  const rows: BenchRow[] = [];
  for (const [server, listen] of Object.entries(DECLARED)) {
    for (const clients of [16, 128]) {
      for (const keepAlive of [false, true]) {
        const { result, way, readyMs } = await restarts(server, listen, { clients, keepAlive });
        const how = `${clients} clients, ${keepAlive ? "kept alive" : "a connection each"}`;
        rows.push(lossRow(`${server} (${way}), ${how}`, result));
        if (clients === 16 && keepAlive) {
          rows.push({
            name: `swap: ${server} (${way}), ${how}: from restart to ready, median`,
            value: readyMs,
            unit: "ms",
          });
        }
      }
    }
  }
  // What is not HTTP has no proxy: clients that do not keep their connections lose nothing either.
  for (const server of ["node", "deno", "python"]) {
    const load = { clients: 16, keepAlive: false };
    const { result, way } = await restarts(server, { protocol: "tcp" }, load);
    rows.push(lossRow(`${server} as not HTTP (${way}), 16 clients, a connection each`, result));
  }
  for (const server of ["node", "static"]) {
    const load = { clients: 16, keepAlive: true, method: "POST" } as const;
    const { result, way } = await restarts(server, {}, load);
    const { name, value, unit } = lossRow(`${server} (${way}), POST, 16 clients, kept alive`, result);
    rows.push({ name: `${name}, not to be sent twice`, value, unit });
  }
  return rows;
}

/** Restarts a server under load; tells what the clients saw, and the way that was picked. */
async function restarts(
  server: string,
  listen: Partial<ListenSpec>,
  load: Omit<LoadOptions, "port">,
): Promise<{ readonly result: LoadResult; readonly way: string; readonly readyMs: number }> {
  const port = freePort();
  const { command, ready } = SERVERS[server]!(port);
  const spec: ServiceSpec = {
    name: "web",
    command: { argv: command },
    listen: { host: "127.0.0.1", port, protocol: "http", drainMs: DRAIN_MS, ...listen },
    // Of the others an answer tells that they are ready.
    ...(listen.protocol === "tcp" || listen.takesSockets === true
      ? { readiness: { kind: "log", pattern: ready } }
      : {}),
  };
  const folder = Deno.makeTempDirSync({ prefix: "swap-bench-" });
  const times: number[] = [];
  try {
    await using supervisor = Supervisor.open([spec], folder);
    await supervisor.start(new AbortController().signal);
    const service = supervisor.services.get("web")!;
    const way = service.front!.rung.kind;
    const clients = await Load.start({ port, ...load });
    for (let round = 0; round < RESTARTS; round++) {
      const before = service.current!.place.number;
      const startedMs = performance.now();
      service.request("restart");
      await supervisor.until(service, (each) => each.is("running") && each.current!.place.number > before);
      times.push(performance.now() - startedMs);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return { result: await clients.stop(), way, readyMs: times.sort((a, b) => a - b)[RESTARTS / 2]! };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function lossRow(name: string, { answered, failed, slow, longestMs, firstFailure }: LoadResult): BenchRow {
  if (firstFailure !== "") console.error(`swap: ${name}: ${firstFailure}`);
  const value = failed + slow;
  return {
    name: `swap: ${name}: lost of ${answered}, the longest ${longestMs.toFixed(0)} ms`,
    value,
    unit: "requests",
    bar: "<= 0",
    ok: value === 0,
  };
}

/** What the proxy costs: the share of a server's own rate, of one that needs 2 ms and of one that needs nothing. */
async function throughputRows(): Promise<BenchRow[]> {
  await build("server", "-static");
  const rows: BenchRow[] = [];
  for (const serviceUs of [2_000, 0]) {
    for (const keepAlive of [false, true]) {
      const port = freePort();
      const env = { PORT: String(port), SERVICE_US: String(serviceUs) };
      await using _server = await Instance.start(SERVERS["static"]!(port), () => ({ env }));
      await using proxy = await Proxy.start({});
      proxy.use({ host: "127.0.0.1", port });
      const direct = await rate(port, keepAlive);
      const proxied = await rate(portOf(proxy), keepAlive);
      proxy.use(undefined);
      const how = `${serviceUs / 1_000} ms a request, ${keepAlive ? "kept alive" : "a connection each"}`;
      rows.push(
        { name: `swap: through the proxy, ${how}`, value: proxied, unit: "requests/s" },
        {
          name: `swap: share of ${Math.round(direct)} requests/s without it`,
          value: proxied / direct,
          unit: "ratio",
        },
      );
    }
  }
  return rows;
}

async function rate(port: number, keepAlive: boolean): Promise<number> {
  const load = await Load.start({ port, clients: 16, keepAlive });
  await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
  const { answered, failed, seconds, firstFailure } = await load.stop();
  if (failed > 0) throw new Error(`Cannot measure: ${firstFailure}`);
  return answered / seconds;
}

/** A thousand keepers that are told to end at the same time. */
async function endRow(): Promise<BenchRow> {
  const root = Deno.makeTempDirSync({ prefix: "keepers-" });
  const sizes = { segmentBytes: 4_096, retainBytes: 2 * (4_096 + 8_192) };
  const keepers = [];
  for (let at = 0; at < KEEPERS; at++) {
    const folder = `${root}/${at}`;
    Deno.mkdirSync(folder);
    const keeper = startInstance({ folder, command: ["sleep", "1000"], ...sizes });
    keepers.push(keeper);
    await keeper.begun;
  }
  const began = performance.now();
  for (const { pid } of keepers) Deno.kill(pid, "SIGTERM");
  await Promise.all(keepers.map(({ ended }) => ended));
  const value = performance.now() - began;
  Deno.removeSync(root, { recursive: true });
  return { name: `keeper: ${KEEPERS} with their children end at once`, value, unit: "ms" };
}

if (import.meta.main) {
  for (const { name, value, unit, ok } of await swapRows()) {
    console.log(`${name}: ${value.toPrecision(4)} ${unit}${ok === false ? " MISSED" : ""}`);
  }
}
