/**
 * The figures of processes for assistants: how long one waits for the first answer, for a list of a thousand processes, and
 * for the end of a large log. All of it as an assistant sees it, over standard input and output, of the packed file.
 */
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { pack, PACKED } from "../../lib/build/pack.ts";
import { managerOf } from "../../lib/supervisor/mod.ts";
import { temporaryFolder } from "../executables/packed.ts";
import { INITIALIZE } from "../mcp/side.ts";

const COLD_STARTS = 15;
const CALLS = 30;
const PROCESSES = 1_000;
const LOG_BYTES = 2 ** 30;
const LINE = "2026-01-02T03:04:05.678Z INFO request served path=/api/v1/items status=200 ms=12\n";

/** Rows of the bench. */
export async function ichimiRows(): Promise<BenchRow[]> {
  using folder = temporaryFolder();
  await pack(folder.path, { answers: await packedAnswers("bench"), commit: "bench", say: () => {} });
  const home = `${folder.path}/home`;
  Deno.mkdirSync(`${home}/.config/hostkit`, { recursive: true });
  Deno.writeTextFileSync(`${home}/.config/hostkit/ichimi.toml`, "[processes]\nlog_mib = 2048\n");
  const world = new Packed(`${folder.path}/${PACKED}`, home);
  try {
    return await rows(world);
  } finally {
    await world.end();
  }
}

async function rows(world: Packed): Promise<BenchRow[]> {
  const withoutDaemon = await world.coldStartMs();
  const starts: number[] = [];
  for (let at = 0; at < COLD_STARTS; at++) starts.push(await world.coldStartMs());
  await using assistant = await world.assistant();
  for (let at = 0; at < PROCESSES; at++) {
    await assistant.call("create_process", { id: `process-${at}`, command: "sleep", args: ["1000"] });
  }
  const lists = await assistant.times("list_processes", {});
  const filtered = await assistant.times("list_processes", { filter: { name_pattern: "process-99*" } });
  const script = `yes "${LINE.trim()}" | head -c ${LOG_BYTES}`;
  await assistant.call("create_process", { id: "talker", command: "sh", args: ["-c", script] });
  await assistant.call("start_process", { id: "talker" });
  await assistant.call("wait", { process: "talker", exit: true, timeout_seconds: 600 });
  const tails = await assistant.times("get_process_output", { id: "talker", stream: "Both", lines: 100 });
  const errors = await assistant.times("get_process_output", { id: "process-1", stream: "Stderr" });
  return [
    row("ichimi: cold start to the first answer, daemon running", quantile(starts, 0.5), { max: 150 }),
    row("ichimi: the same, the slowest", Math.max(...starts)),
    row("ichimi: the same, with the daemon to be started", withoutDaemon),
    row(`ichimi: ${PROCESSES} processes listed, p50`, quantile(lists, 0.5), { max: 20 }),
    row(`ichimi: ten of ${PROCESSES} listed by a pattern, p50`, quantile(filtered, 0.5)),
    row("ichimi: the last 100 lines of a log of 1 GiB, p50", quantile(tails, 0.5), { max: 20 }),
    row("ichimi: the same, the slowest", Math.max(...tails)),
    row("ichimi: output of a process that never ran, p50", quantile(errors, 0.5)),
  ];
}

function row(name: string, value: number, { max }: { readonly max?: number } = {}): BenchRow {
  return max === undefined ? { name, value, unit: "ms" } : atMost(name, value, "ms", max);
}

function quantile(values: readonly number[], of: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(of * sorted.length))]!;
}

/** The packed file with a home of its own. */
class Packed {
  readonly #file: string;
  readonly #home: string;

  constructor(file: string, home: string) {
    this.#file = file;
    this.#home = home;
  }

  assistant(): Promise<Stdio> {
    return Stdio.start(this.#spawn());
  }

  /** From the start of the program until it has answered. */
  async coldStartMs(): Promise<number> {
    const started = performance.now();
    await using assistant = await this.assistant();
    void assistant;
    return performance.now() - started;
  }

  async end(): Promise<void> {
    const state = `${this.#home}/state/hostkit/ichimi`;
    const pid = managerOf(state);
    if (pid === undefined) return;
    Deno.kill(pid, "SIGTERM");
    while (managerOf(state) === pid) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  #spawn(): Deno.ChildProcess {
    return new Deno.Command(this.#file, {
      args: ["ichimi-server"],
      cwd: this.#home,
      env: { ...Deno.env.toObject(), HOME: this.#home, XDG_STATE_HOME: `${this.#home}/state` },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  }
}

/** An assistant that has said hello. */
class Stdio implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #read = "";
  #id = 0;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async start(child: Deno.ChildProcess): Promise<Stdio> {
    const assistant = new Stdio(child);
    await assistant.#send(INITIALIZE);
    await assistant.#receive(0);
    return assistant;
  }

  async call(name: string, args: Record<string, unknown>): Promise<void> {
    const id = ++this.#id;
    await this.#send({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } });
    const { result, error } = await this.#receive(id);
    if (error !== undefined || result?.isError === true) {
      throw new Error(`${name}: ${JSON.stringify(error ?? result)}`);
    }
  }

  /** Milliseconds of some calls, without the first ones. */
  async times(name: string, args: Record<string, unknown>): Promise<number[]> {
    for (let at = 0; at < 3; at++) await this.call(name, args);
    const times: number[] = [];
    for (let at = 0; at < CALLS; at++) {
      const started = performance.now();
      await this.call(name, args);
      times.push(performance.now() - started);
    }
    return times;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
  }

  async #send(message: object): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  }

  async #receive(id: number): Promise<{ result?: { isError?: boolean }; error?: unknown }> {
    for (;;) {
      const end = this.#read.indexOf("\n");
      if (end >= 0) {
        const message = JSON.parse(this.#read.slice(0, end));
        this.#read = this.#read.slice(end + 1);
        if (message.id === id) return message;
        continue;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the server has ended");
      this.#read += value;
    }
  }
}
