/** The real recorder on several endpoints at once: from the command line, from a file, with what goes wrong. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { encodeSnapshotV3 } from "../../lib/metrics/mod.ts";
import { openRecording, type Recording } from "../../lib/recording/mod.ts";
import { snapshotAt } from "../recording/fixture.ts";

async function rezolus(...args: string[]): Promise<{ code: number; said: string; printed: string }> {
  const [program, ...own] = toolCommand("rezolus");
  const { code, stderr, stdout } = await new Deno.Command(program, { args: [...own, ...args], stdin: "null" })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: text(stderr), printed: text(stdout) };
}

/** An agent whose snapshot of the n-th asking is known; `wallMs` is what its clock says then. */
class FakeAgent implements AsyncDisposable {
  asked = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(host: string, options: { lives?: number; wallMs?: (asking: number) => number } = {}) {
    const { lives = Infinity, wallMs = () => Date.now() } = options;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
      const { pathname } = new URL(url);
      if (pathname === "/systeminfo") return Response.json({ hostname: host });
      if (pathname !== "/metrics/binary") return new Response("", { status: 404 });
      if (this.asked === lives) return new Response("going down", { status: 503 });
      const asking = this.asked++;
      const timeNs = BigInt(Math.round(wallMs(asking) * 1e6));
      return new Response(encodeSnapshotV3({ ...snapshotAt(asking), timeNs }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Points of `level` that are there, by a label. */
function points(recording: Recording, label: string): Record<string, number> {
  return Object.fromEntries(
    recording.series.series().filter(({ labels }) => labels.__name__ === "level").map((info) => {
      const { times, missing } = recording.series.read(info);
      return [info.labels[label], times.length - (missing?.reduce((sum, each) => sum + each, 0) ?? 0)];
    }),
  );
}

Deno.test("a file names agents and a page of metrics; one that goes away stops no other, and all is told", async () => {
  const folder = await Deno.makeTempDir();
  await using first = new FakeAgent("web1");
  await using second = new FakeAgent("web2", { lives: 4 });
  const page = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("level 3\n"));
  await Deno.writeTextFile(
    `${folder}/record.toml`,
    `[recording]\ninterval = "50ms"\noutput = "${folder}/fleet.parquet"\n` +
      `[[endpoints]]\nurl = "${first.url}"\nsource = "one"\n[[endpoints]]\nurl = "${second.url}"\nsource = "two"\n` +
      `[[endpoints]]\nurl = "http://127.0.0.1:${page.addr.port}/metrics"\nsource = "page"\nrole = "service"\n`,
  );
  const config = `${folder}/record.toml`;
  const { code, said, printed } = await rezolus("record", "--config", config, "-d", "1500ms", "--json", "-v");
  strictEqual(code, 1, said);
  match(
    said,
    /two \(http:\S+\) gives no snapshot, recording goes on when it does: \/metrics\/binary gives status 503/,
  );
  match(said, /one \(http:\S+\): 2 groups in [\d.]+ ms/);
  match(
    said,
    /recorded \d+ ticks of one; 4 ticks, \d+ missed, away of two; \d+ ticks of page to \S+fleet\.parquet/,
  );
  const summary = JSON.parse(printed);
  deepStrictEqual(summary.endpoints.map(({ name, away }: { name: string; away: boolean }) => [name, away]), [
    ["one", false],
    ["two", true],
    ["page", false],
  ]);
  strictEqual(summary.files[0].bytes, Deno.statSync(`${folder}/fleet.parquet`).size);
  {
    using recording = openRecording(`${folder}/fleet.parquet`);
    const found = points(recording, "source");
    const ticks = (at: number) => summary.endpoints[at].ticks;
    deepStrictEqual(found, { one: ticks(0), two: 4, page: ticks(2) });
    ok(ticks(0) >= 10, said);
    const { two, page: role } = JSON.parse(recording.metadata["per_source_metadata"]!);
    deepStrictEqual([two.ticks, role.role], [4, "service"]);
    match(recording.metadata["events"]!, /"kind":"source_away"/);
  }
  deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    "fleet.parquet",
    "record.toml",
  ]);
  await page.shutdown();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("separate files for two agents, refused when one is there, replaced by force", async () => {
  const folder = await Deno.makeTempDir();
  await using first = new FakeAgent("web1");
  await using second = new FakeAgent("web2");
  const args = ["record", "--separate", "-i", "50ms", "-d", "300ms", "-o", `${folder}/run.rez`]
    .concat("--endpoint", `${first.url},source=a`, "--endpoint", `${second.url},source=b`);
  strictEqual((await rezolus(...args)).code, 0);
  const again = await rezolus(...args);
  strictEqual(again.code, 1);
  match(
    again.said,
    /Cannot create recording \S+run_a\.rez: the file exists already; use --force to replace it\n$/,
  );
  strictEqual((await rezolus(...args, "--force")).code, 0);
  deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["run_a.rez", "run_b.rez"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an agent whose clock is set back by an hour leaves times that ascend, and the step is marked", async () => {
  const folder = await Deno.makeTempDir();
  await using agent = new FakeAgent("web1", {
    wallMs: (asking) => Date.now() - (asking < 5 ? 0 : 3_600_000),
  });
  const output = `${folder}/stepped.rez`;
  const { code, said } = await rezolus("record", "-i", "50ms", "-d", "1s", agent.url, output);
  strictEqual(code, 0, said);
  match(said, /The clock of http:\S+ was set back by 3\d{3}\.\d{3} s; recorded times do not follow/);
  using recording = openRecording(output);
  const info = recording.series.series().find(({ labels }) => labels.__name__ === "level")!;
  const { times } = recording.series.read(info);
  ok(times.length >= 8, said);
  for (let at = 1; at < times.length; at++) {
    const step = times[at]! - times[at - 1]!;
    ok(step > 0 && step < 2, `${step} s between ticks ${at - 1} and ${at}`);
  }
  match(
    recording.metadata["events"]!,
    /"kind":"clock_step","description":"The clock of \S+ was set back by 3/,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what is recorded is told in one way, and mistakes in it by their place", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(
    `${folder}/wrong.toml`,
    `[[endpoints]]\nurl = "http://a"\n[[endpoints]]\nprotocol = "http"\n`,
  );
  const out = ["-o", `${folder}/x.rez`];
  const cases: [string[], number, RegExp][] = [
    [["--endpoint", "a", "--url", "b"], 2, /what is recorded is told twice: "b" and "a"/],
    [["--config", "x.toml", "a"], 2, /what is recorded is told twice: "a" and "x.toml"/],
    [
      ["--config", `${folder}/wrong.toml`],
      1,
      /wrong\.toml:4: "endpoints\.protocol" is "http", expected one of "msgpack"/,
    ],
    [
      ["--endpoint", "a,sorce=b"],
      1,
      /Cannot read endpoint "a,sorce=b": unknown key "sorce"; did you mean "source"\?/,
    ],
    [["--endpoint", "a", "--endpoint", "a"], 1, /Cannot record a twice in one recording/],
    [["ftp://a"], 1, /Cannot read agent address "ftp:\/\/a": expected http/],
  ];
  for (const [args, expectedCode, expected] of cases) {
    const { code, said } = await rezolus("record", ...out, ...args);
    strictEqual(code, expectedCode, `${args.join(" ")}: ${said}`);
    match(said, expected);
  }
  await Deno.remove(folder, { recursive: true });
});
