/**
 * The rows of the supervising MCP proxy in `deno task bench`: what it adds to a call. The same server is called directly
 * and through the proxy, by turns. Alone: `deno run -A tests/bench/proxy_bench.ts`.
 * @module
 */
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { FIXTURE_COMMAND } from "../mcp/outside_tools.ts";
import { INITIALIZE } from "../mcp/side.ts";

const ROUNDS = 20;
const CALLS_A_ROUND = 100;
const CONCURRENT = 200;
const CROWDED_ROUNDS = 10;
const MIB = 2 ** 20;

/** A server as a process, spoken to line by line. */
class Peer {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reading: Promise<void>;
  readonly #waiting = new Map<number, (line: string) => void>();
  #lastId = 0;

  constructor([program, ...args]: readonly string[]) {
    this.#child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped", stderr: "null" })
      .spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async ask(method: string, params: unknown): Promise<string> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#waiting.set(id, resolve);
    await this.say({ jsonrpc: "2.0", id, method, params });
    return await promise;
  }

  async say(message: unknown): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  }

  async end(): Promise<void> {
    await this.#writer.close();
    await this.#reading;
    await this.#child.status;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { id } = JSON.parse(line);
        this.#waiting.get(id)?.(line);
        this.#waiting.delete(id);
      }
    }
  }
}

const GREET = { name: "greet", arguments: { name: "you" } };

async function begin(command: readonly string[]): Promise<{ peer: Peer; startMs: number }> {
  const startedMs = performance.now();
  const peer = new Peer(command);
  await peer.ask("initialize", INITIALIZE.params);
  await peer.say({ jsonrpc: "2.0", method: "notifications/initialized" });
  return { peer, startMs: performance.now() - startedMs };
}

async function callTimes(peer: Peer, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const startedMs = performance.now();
    const line = await peer.ask("tools/call", GREET);
    times.push(performance.now() - startedMs);
    if (!line.includes("Hello, you!")) throw new Error(`Cannot measure: the answer is ${line}`);
  }
  return times;
}

async function perSecond(peer: Peer): Promise<number> {
  const startedMs = performance.now();
  for (let round = 0; round < CROWDED_ROUNDS; round++) {
    await Promise.all(Array.from({ length: CONCURRENT }, () => peer.ask("tools/call", GREET)));
  }
  return CROWDED_ROUNDS * CONCURRENT / (performance.now() - startedMs) * 1_000;
}

/** Measures everything; takes some seconds. */
export async function proxyRows(): Promise<BenchRow[]> {
  const server = [Deno.execPath(), ...FIXTURE_COMMAND, "stdio"];
  const { peer: direct, startMs: directMs } = await begin(server);
  const { peer: proxied, startMs: proxiedMs } = await begin([
    ...toolCommand("ichimi-server"),
    ...["proxy", "--", ...server],
  ]);
  const times = { direct: [] as number[], proxied: [] as number[] };
  await callTimes(direct, CALLS_A_ROUND);
  await callTimes(proxied, CALLS_A_ROUND);
  for (let round = 0; round < ROUNDS; round++) {
    times.direct.push(...await callTimes(direct, CALLS_A_ROUND));
    times.proxied.push(...await callTimes(proxied, CALLS_A_ROUND));
  }
  const added = (ratio: number) => quantile(times.proxied, ratio) - quantile(times.direct, ratio);
  const rows: BenchRow[] = [
    {
      name: "MCP proxy: a call of the same server without it, p50",
      value: quantile(times.direct, 0.5),
      unit: "ms",
    },
    atMost("MCP proxy: what it adds to a call, p50", added(0.5), "ms", 1),
    { name: "MCP proxy: what it adds to a call, p99", value: added(0.99), unit: "ms" },
    {
      name: `MCP proxy: ${CONCURRENT} calls at a time, without it`,
      value: await perSecond(direct),
      unit: "calls/s",
    },
    {
      name: `MCP proxy: ${CONCURRENT} calls at a time, with it`,
      value: await perSecond(proxied),
      unit: "calls/s",
    },
    { name: "MCP proxy: what it adds to the first answer", value: proxiedMs - directMs, unit: "ms" },
    { name: "MCP proxy: its own memory (PSS)", value: pss(proxied.pid) / MIB, unit: "MiB" },
  ];
  await direct.end();
  await proxied.end();
  return rows;
}

function quantile(values: readonly number[], ratio: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * ratio)]!;
}

function pss(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}

if (import.meta.main) console.table(await proxyRows());
