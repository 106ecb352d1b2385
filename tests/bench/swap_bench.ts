/**
 * The rows of restarts in `deno task bench`, three minutes; alone: `deno run -A tests/bench/swap_bench.ts`. What is
 * counted are requests that failed or took over two seconds while a server was restarted 20 times, each new one ready
 * before the old one was ended.
 * @module
 */
import { startInstance } from "../../lib/keeper/mod.ts";
import { Proxy } from "../../lib/swap/mod.ts";
import { openListener } from "../../ffi/sockets/mod.ts";
import { Instance } from "../swap/_instance.ts";
import { build, Load, type LoadResult, SERVERS } from "../swap/_programs.ts";
import { portOf, proxyRestarts, sharedRestarts } from "../swap/_restarts.ts";

/** One figure; `ok` tells whether it reaches its bar. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bar?: string;
  readonly ok?: boolean;
}

const RESTARTS = 20;
const LOAD_MS = 1_500;
const KEEPERS = 1_000;

/** Measures everything. */
export async function swapRows(): Promise<BenchRow[]> {
  return [...await restartRows(), ...await throughputRows(), await endRow()];
}

async function restartRows(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const clients of [16, 128]) {
    for (const keepAlive of [false, true]) {
      const load = { clients, keepAlive, restarts: RESTARTS };
      const how = `${clients} clients, ${keepAlive ? "kept alive" : "a connection each"}`;
      rows.push(
        lossRow(`inherited socket, c, ${how}`, await sharedRestarts("inherited", { ...load, server: "c" })),
      );
      for (const server of ["node", "deno", "python", "static"] as const) {
        rows.push(lossRow(`proxy, ${server}, ${how}`, await proxyRestarts({ ...load, server })));
      }
      // Clients that keep their connections are for the proxy: see `chooseRung`.
      if (keepAlive) continue;
      for (const server of ["node", "deno", "python", "c"] as const) {
        rows.push(
          lossRow(`interposer, ${server}, ${how}`, await sharedRestarts("interposer", { ...load, server })),
        );
      }
    }
  }
  return rows;
}

function lossRow(name: string, { answered, failed, slow, firstFailure }: LoadResult): BenchRow {
  if (firstFailure !== "") console.error(`swap: ${name}: ${firstFailure}`);
  const value = failed + slow;
  return {
    name: `swap: ${name}: lost of ${answered}`,
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

function freePort(): number {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  return portOf(listener);
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
