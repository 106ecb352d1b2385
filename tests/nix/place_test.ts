/** The scenarios that other tests rely on, each with real Nix: what they are to show they do show. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  chain,
  diamond,
  endless,
  failingChain,
  hasNix,
  multiOutput,
  nameOf,
  NixPlace,
  nondeterministic,
  type Recorded,
  single,
  wide,
  wrongHash,
} from "./_nix.ts";
import { until } from "../keeper/_log.ts";

interface Activity {
  readonly action: string;
  readonly type?: number;
  readonly text?: string;
  readonly fields?: readonly (string | number)[];
  readonly msg?: string;
}

const BUILD = 105;
const FILE_TRANSFER = 101;
const COPY_PATH = 100;
const SET_PHASE = 104;
const BUILD_WAITING = 111;

function nixTest(name: string, body: (place: NixPlace) => Promise<void>): void {
  Deno.test({
    name: `nix: ${name}`,
    ignore: !hasNix,
    async fn() {
      await using place = new NixPlace();
      await body(place);
    },
  });
}

function activities({ lines }: Recorded): Activity[] {
  return lines.flatMap((line) => line.startsWith("@nix ") ? [JSON.parse(line.slice(5))] : []);
}

/** Names of the derivations whose build was started, in order. */
function built(recorded: Recorded): string[] {
  return started(recorded, BUILD).map(({ fields }) => nameOf(String(fields![0])));
}

function started(recorded: Recorded, type: number): Activity[] {
  return activities(recorded).filter((each) => each.action === "start" && each.type === type);
}

function said(recorded: Recorded): string {
  // deno-lint-ignore no-control-regex -- Nix colours what it says.
  return activities(recorded).map(({ msg }) => msg ?? "").join("\n").replaceAll(/\x1b\[[0-9;]*m/g, "");
}

nixTest("a single derivation is built in its phases, and not again", async (place) => {
  const args = place.build(single("single", { phases: ["unpackPhase", "buildPhase"] }));
  const first = await place.records(args);
  deepStrictEqual([first.code, built(first)], [0, ["single"]]);
  const phases = activities(first).filter(({ action, type }) => action === "result" && type === SET_PHASE);
  deepStrictEqual(phases.map(({ fields }) => fields![0]), ["unpackPhase", "buildPhase"]);
  strictEqual(Deno.readTextFileSync(first.paths[0]!), "single\n");
  ok(first.paths[0]!.startsWith(place.storeFolder));
  const again = await place.records(args);
  deepStrictEqual([again.code, built(again), again.paths], [0, [], first.paths]);
});

nixTest("a chain is built from its end, and a salt makes others of it", async (place) => {
  const names = ["chain-3", "chain-2", "chain-1"];
  deepStrictEqual(built(await place.records(place.build(chain(3)))), names);
  deepStrictEqual(built(await place.records(place.build(chain(3)))), []);
  deepStrictEqual(built(await place.records(place.build(chain(3, { salt: "other" })))), names);
});

nixTest("a diamond has its edges", async (place) => {
  deepStrictEqual(await place.edges(diamond()), {
    bottom: [],
    left: ["bottom"],
    right: ["bottom"],
    top: ["left", "right"],
  });
  deepStrictEqual(built(await place.records(place.build(diamond()))).length, 4);
});

nixTest("of a wide graph several are built at once", async (place) => {
  const graph = wide(3, { gate: place.gate("leaves") });
  const child = place.command("nix-build", [...place.build(graph), "-j3"], { stdout: "null", stderr: "null" })
    .spawn();
  try {
    await until("three at once", () => place.building().join() === "wide-1,wide-2,wide-3");
  } finally {
    place.openGate("leaves");
    strictEqual((await child.status).code, 0);
  }
});

nixTest("a chain fails in a named phase", async (place) => {
  const failed = await place.records(place.build(failingChain()));
  strictEqual(failed.code, 100);
  deepStrictEqual(built(failed), ["chain-3", "chain-2"]);
  match(said(failed), /builder for '.*-chain-2\.drv' failed with exit code 3/);
  ok(failed.lines.some((line) => line.includes(`"fields":["checkPhase"]`)));
});

nixTest("several outputs are made by one build", async (place) => {
  const recorded = await place.records(place.build(multiOutput()));
  deepStrictEqual(built(recorded), ["several"]);
  const [drv] = await place.derivations(multiOutput());
  const outputs = await place.lines("nix-store", ["--query", "--outputs", drv!]);
  deepStrictEqual(outputs.map(nameOf).sort(), ["several", "several-dev", "several-doc"]);
});

nixTest("a wrong hash, a time limit and a difference at the second time are told as such", async (place) => {
  const mismatch = await place.records(place.build(wrongHash()));
  match(said(mismatch), /hash mismatch in fixed-output derivation '.*-fetched\.drv'/);
  strictEqual(mismatch.code, 102);
  const late = await place.records(["--timeout", "1", ...place.build(endless())]);
  match(said(late), /timed out after 1 seconds/);
  strictEqual(late.code, 101);
  const args = place.build(nondeterministic());
  strictEqual((await place.records(args)).code, 0);
  const different = await place.records(["--check", ...args]);
  match(said(different), /may not be deterministic/);
  strictEqual(different.code, 104);
});

nixTest("what a cache has is fetched over HTTP and not built", async (place) => {
  const args = place.build(chain(2));
  const { paths } = await place.records(args);
  await using cache = await place.serveCache(paths);
  await place.forget(paths);
  const fetched = await place.records([...cache.options, ...args]);
  deepStrictEqual([fetched.code, built(fetched), fetched.paths], [0, [], paths]);
  ok(started(fetched, FILE_TRANSFER).some(({ fields }) => String(fields![0]).startsWith(cache.url)));
  deepStrictEqual(started(fetched, COPY_PATH).map(({ fields }) => nameOf(String(fields![0]))), ["chain-1"]);
  ok(cache.requests.some((path) => path.endsWith(".narinfo")));
});

nixTest("a second requester waits for the build of the first", async (place) => {
  const args = place.build(single("shared", { gate: place.gate("shared") }));
  const first = place.records(args);
  await until("the first build", () => place.building().length === 1);
  const second = place.command("nix-build", ["--log-format", "internal-json", "-v", ...args], {
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let told = "";
  for await (const text of second.stderr.pipeThrough(new TextDecoderStream())) {
    told += text;
    if (told.includes(`"type":${BUILD_WAITING}`)) place.openGate("shared");
  }
  deepStrictEqual([(await second.status).code, built(await first)], [0, ["shared"]]);
  match(told, /waiting for lock on/);
  deepStrictEqual(built({ code: 0, lines: told.split("\n"), paths: [] }), []);
});

nixTest("a daemon builds for others, whose messages all come with level 0", async (place) => {
  await using daemon = await place.startDaemon();
  const recorded = await place.records(["-vvv", ...place.build(chain(2))], daemon.env);
  deepStrictEqual([recorded.code, built(recorded)], [0, ["chain-2", "chain-1"]]);
  ok(
    recorded.lines.some((line) => line.includes('"level":0,"msg":"acquiring write lock')),
    recorded.lines.join("\n"),
  );
});

nixTest("a monitor's socket is fed by a separate process, and is not needed", async (place) => {
  const path = `${place.folder}/monitor`;
  const args = place.build(chain(2));
  const without = await place.feed(path, args).output();
  strictEqual(without.code, 0);
  using listener = Deno.listen({ transport: "unix", path });
  const accepted = listener.accept();
  const child = place.feed(path, place.build(chain(2, { salt: "again" })));
  const connection = await accepted;
  const heard = (await new Response(connection.readable).text()).split("\n");
  const { code, stderr } = await child.output();
  const lines = new TextDecoder().decode(stderr).split("\n");
  deepStrictEqual([code, heard], [0, lines.map((line) => line.replace(/^@nix /, ""))]);
  deepStrictEqual(built({ code, lines, paths: [] }), ["chain-2", "chain-1"]);
});
