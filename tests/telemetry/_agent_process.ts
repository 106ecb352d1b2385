/** A real agent as a child process with exactly the tool's permissions, and scraping it over its unix socket. */
import { existsSync } from "node:fs";
import { AgentClient } from "../../lib/agent_client/mod.ts";
import { decodeSnapshot, type Snapshot, wordsToBigint, wordsToNumber } from "../../lib/metrics/mod.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import type { AgentStatus } from "../../lib/telemetry/mod.ts";

/** Whether this host lets BPF programs be loaded: root on Linux with BTF. */
export const CAN_LOAD_BPF: boolean = Deno.uid() === 0 && existsSync("/sys/kernel/btf/vmlinux");

/** A running agent. */
export class AgentProcess implements AsyncDisposable {
  readonly socket: string;
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #client: AgentClient;

  private constructor(folder: string, child: Deno.ChildProcess) {
    this.#folder = folder;
    this.#child = child;
    this.pid = child.pid;
    this.socket = `${folder}/agent.sock`;
    this.#client = new AgentClient({ kind: "unix", path: this.socket });
  }

  /** Starts an agent with the configuration and waits until it answers. */
  static async start(toml: string): Promise<AgentProcess> {
    const folder = await Deno.makeTempDir({ prefix: "hostkit-agent-" });
    await Deno.writeTextFile(`${folder}/agent.toml`, toml);
    const [program, ...args] = toolCommand("rezolus");
    const child = new Deno.Command(program, {
      args: [...args, "agent", `${folder}/agent.toml`, "--listen", "", "--socket", `${folder}/agent.sock`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const agent = new AgentProcess(folder, child);
    await agent.#untilListening();
    return agent;
  }

  async snapshot(): Promise<Snapshot> {
    return decodeSnapshot(await this.#client.get("/metrics/binary"));
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse(new TextDecoder().decode(await this.#client.get("/status")));
  }

  get(path: string): Promise<Uint8Array> {
    return this.#client.get(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** The log is read to its end in the background, so that the agent never blocks on a full pipe. */
  async #untilListening(): Promise<void> {
    const lines = this.#child.stderr.pipeThrough(new TextDecoderStream());
    const listening = Promise.withResolvers<void>();
    let log = "";
    void (async () => {
      for await (const text of lines) {
        log += text;
        if (log.includes("listening")) listening.resolve();
      }
      listening.reject(new Error(`The agent ended before it listened:\n${log}`));
    })();
    listening.promise.catch(() => {});
    await listening.promise;
  }
}

/** Sum of the counters (or of the buckets' counts of histograms) that have all the labels given. */
export function total(snapshot: Snapshot, metric: string, labels: Record<string, string> = {}): number {
  let sum = 0;
  const matches = (metadata: Readonly<Record<string, string>>) =>
    metadata.metric === metric && Object.entries(labels).every(([name, value]) => metadata[name] === value);
  for (const group of snapshot.groups) {
    group.schema.counters.forEach(({ metadata }, at) => {
      if (matches(metadata)) sum += wordsToNumber(group.counters.words, at);
    });
    group.schema.gauges.forEach(({ metadata }, at) => {
      if (matches(metadata)) sum += Number(BigInt.asIntN(64, wordsToBigint(group.gauges.words, at)));
    });
    group.schema.histograms.forEach(({ metadata }, at) => {
      const words = matches(metadata) ? group.histograms[at]?.words : undefined;
      for (let bucket = 0; words !== undefined && bucket < words.length / 2; bucket++) {
        sum += wordsToNumber(words, bucket);
      }
    });
  }
  return sum;
}

/** Distinct label sets of a metric. */
export function labelSets(snapshot: Snapshot, metric: string): Readonly<Record<string, string>>[] {
  return snapshot.groups.flatMap(({ schema }) =>
    [...schema.counters, ...schema.gauges, ...schema.histograms].map(({ metadata }) => metadata)
      .filter((metadata) => metadata.metric === metric)
  );
}
