/** A recording of the live agent holds exactly what scraping gave, from .rez and from parquet. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { decodeSnapshot, signedWordsToNumber, type Snapshot, wordsToNumber } from "../../lib/metrics/mod.ts";
import { openRecording } from "../../lib/recording/mod.ts";
import { AgentProcess, CAN_LOAD_BPF } from "../telemetry/_agent_process.ts";

/** How long is recorded: the soak run takes half a minute. */
const DURATION = Deno.env.get("HOSTKIT_SOAK") === undefined ? "2s" : "30s";

/** Runs `rezolus` and returns its exit code and what it said. */
async function rezolus(...args: string[]): Promise<{ code: number; said: string }> {
  const [program, ...own] = toolCommand("rezolus");
  const { code, stderr } = await new Deno.Command(program, { args: [...own, ...args], stdin: "null" })
    .output();
  return { code, said: new TextDecoder().decode(stderr) };
}

/** Passes requests on to an agent and keeps every snapshot that went through. */
class Tap implements AsyncDisposable {
  readonly seen: Snapshot[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(agent: AgentProcess) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const bytes = await agent.get(new URL(request.url).pathname);
      if (request.url.includes("/metrics/binary")) this.#keep(decodeSnapshot(bytes));
      return new Response(Uint8Array.from(bytes));
    });
  }

  /** A late tick is followed by one within the agent's TTL, which gets the same look: it is recorded once. */
  #keep(snapshot: Snapshot): void {
    if (this.seen.at(-1)?.timeNs !== snapshot.timeNs) this.seen.push(snapshot);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Points of every counter and gauge by its labels, as scraping gave them. */
function scraped(snapshots: readonly Snapshot[]): Map<string, number[]> {
  const series = new Map<string, number[]>();
  for (const { groups } of snapshots) {
    for (const group of groups) {
      const add = (metadata: Readonly<Record<string, string>>, value: number) => {
        const key = identity(metadata);
        series.set(key, [...series.get(key) ?? [], value]);
      };
      group.schema.counters.forEach(({ metadata }, at) =>
        add(metadata, wordsToNumber(group.counters.words, at))
      );
      group.schema.gauges.forEach(({ metadata }, at) =>
        add(metadata, signedWordsToNumber(group.gauges.words, at))
      );
      group.schema.histograms.forEach(({ metadata }, at) => {
        const words = group.histograms[at]!.words;
        let total = 0;
        for (let bucket = 0; bucket < words.length / 2; bucket++) total += wordsToNumber(words, bucket);
        add(metadata, total);
      });
    }
  }
  return series;
}

function identity(labels: Readonly<Record<string, string>>): string {
  const {
    metric,
    __name__,
    unit: _unit,
    metric_type: _type,
    grouping_power: _p,
    max_value_power: _m,
    ...rest
  } = labels;
  return JSON.stringify([metric ?? __name__, ...Object.entries(rest).sort(([a], [b]) => a < b ? -1 : 1)]);
}

/** The same of a recording: only points that are there. */
function recorded(path: string): Map<string, number[]> {
  using recording = openRecording(path);
  ok(recording.complete, `${path} is complete`);
  const series = new Map<string, number[]>();
  for (const info of recording.series.series()) {
    const read = recording.series.read(info);
    const present = (at: number) => read.missing === undefined || read.missing[at] === 0;
    const points = [...read.times.keys()].filter(present);
    const values = points.map((at) => {
      if (read.kind === "number") return read.values[at]!;
      return read.counts.subarray(at * read.bucketCount, (at + 1) * read.bucketCount).reduce(
        (sum, each) => sum + each,
        0,
      );
    });
    series.set(identity(info.labels), values);
  }
  return series;
}

for (const format of ["rez", "parquet"]) {
  Deno.test({
    name: `a recording as ${format} holds exactly what scraping the live agent gave`,
    ignore: !CAN_LOAD_BPF,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await using agent = await AgentProcess.start("");
        await using tap = new Tap(agent);
        const file = `${folder}/out.${format}`;
        const { code, said } = await rezolus(
          "record",
          "-d",
          DURATION,
          "-i",
          "200ms",
          "-m",
          "note=a=b",
          tap.url,
          file,
        );
        strictEqual(code, 0, said);
        match(said, /recorded \d+ ticks/);
        const [expected, found] = [scraped(tap.seen), recorded(file)];
        deepStrictEqual([...found.keys()].sort(), [...expected.keys()].sort());
        for (const [key, values] of expected) deepStrictEqual(found.get(key), values, key);
        ok(
          // Ten, where nobody else wants the CPUs.
          tap.seen.length >= 3 && expected.size > 200,
          `${tap.seen.length} ticks of ${expected.size} series`,
        );
        using recording = openRecording(file);
        strictEqual(recording.metadata.note, "a=b");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test(
  "record runs for as long as its command and gives its exit code",
  { ignore: !CAN_LOAD_BPF },
  async () => {
    const folder = await Deno.makeTempDir();
    await using agent = await AgentProcess.start("");
    const { code, said } = await rezolus(
      "record",
      "-i",
      "50ms",
      agent.socket,
      `${folder}/out.rez`,
      "--",
      "/bin/sh",
      "-c",
      "sleep 0.5; exit 7",
    );
    strictEqual(code, 7, said);
    using recording = openRecording(`${folder}/out.rez`);
    ok(recording.complete);
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("mistakes are told in one line with what was done, to what, and what was found", async () => {
  const folder = await Deno.makeTempDir();
  const write = (name: string, text: string) => Deno.writeTextFileSync(`${folder}/${name}`, text);
  write("unknown.toml", "[general]\nlisten = '127.0.0.1:0'\nlisen = 'x'\n");
  write("type.toml", "[general]\nttl = 7\n");
  write("syntax.toml", "[general\n");
  write("sampler.toml", "[samplers.cpu_usag]\nenabled = true\n");
  write("text.parquet", "this is no recording at all, but it has some length to it");
  write("empty.rez", "");
  using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = busy.addr;
  const cases: [string[], number, RegExp][] = [
    [
      ["agent", `${folder}/unknown.toml`],
      1,
      /unknown\.toml:3: unknown key "general\.lisen"; did you mean "listen"\?/,
    ],
    [["agent", `${folder}/type.toml`], 1, /type\.toml:2: "general\.ttl" is 7, expected a duration/],
    [["agent", `${folder}/syntax.toml`], 1, /Cannot parse configuration .*syntax\.toml:1/],
    [["agent", `${folder}/sampler.toml`], 1, /unknown key "samplers\.cpu_usag"; did you mean "cpu_usage"\?/],
    [["agent", `${folder}/none.toml`], 1, /Cannot read configuration .*none\.toml: there is no such file/],
    [["agent", "--listen", `127.0.0.1:${port}`], 1, /Cannot listen on .*:\d+: the port is occupied/],
    [["agent", "--listen", "nonsense"], 1, /Cannot read address: text is "nonsense"/],
    [["view", `${folder}/text.parquet`], 1, /Cannot (open|read) .*text\.parquet/],
    [["view", `${folder}/empty.rez`], 1, /Cannot (open|read) .*empty\.rez/],
    [["view", `${folder}/nothing.rez`], 1, /Cannot (open|read) .*nothing\.rez/],
    [
      ["record", "-d", "300ms", "-i", "100ms", `http://127.0.0.1:1`, `${folder}/out.rez`],
      1,
      /127\.0\.0\.1:1/,
    ],
    [["record", "--interval", "soon"], 2, /option --interval is "soon", expected a duration/],
    [["record", "--intervall", "1s"], 2, /unknown option "--intervall"; did you mean "--interval"\?/],
    [["view"], 2, /missing SOURCE/],
    [["reocrd"], 2, /unknown command "reocrd"; did you mean "record"\?/],
  ];
  for (const [args, expectedCode, expected] of cases) {
    const { code, said } = await rezolus(...args);
    strictEqual(code, expectedCode, `${args.join(" ")}: ${said}`);
    match(said, expected);
    ok(!said.includes("    at "), `no stack for people: ${said}`);
  }
  await Deno.remove(folder, { recursive: true });
});
