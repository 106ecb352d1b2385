/** How builds of real Nix end, with and without a nix-daemon between: read from what Nix itself says on standard error. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type Job, LogReader, NixState } from "../../lib/nix/mod.ts";
import {
  chain,
  endless,
  failingChain,
  hasNix,
  NixPlace,
  nondeterministic,
  type Recorded,
  wide,
  wrongHash,
} from "../nix/_nix.ts";

/** What a monitor makes of what Nix has said; the exit code is not told to it. */
function read({ lines }: Recorded): { state: NixState; builds: Record<string, Job["state"]> } {
  const state = new NixState();
  const log = state.open({ source: "wrapped" }, 0);
  let nowMs = 0;
  const reader = new LogReader((record) => state.apply(log, record, ++nowMs));
  reader.push(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
  reader.end();
  state.close(log, ++nowMs);
  const builds = [...state.jobs.values()].filter(({ kind }) => kind === "build");
  return { state, builds: Object.fromEntries(builds.map((job) => [job.name, job.state])) };
}

function kinds(builds: Record<string, Job["state"]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(builds).map((
      [name, state],
    ) => [name, state.kind === "failed" ? state.failure.kind : state.kind]),
  );
}

function commandOf(state: NixState): string {
  strictEqual(state.commands.size, 1);
  return [...state.commands.values()][0]!.state;
}

for (const through of ["itself", "a nix-daemon"]) {
  Deno.test({
    name: `real Nix that builds through ${through}: every end is told as it was`,
    ignore: !hasNix,
    async fn() {
      await using place = new NixPlace();
      await using stack = new AsyncDisposableStack();
      await place.run("nix-store", ["--init"]);
      const env = through === "itself" ? {} : stack.use(await place.startDaemon()).env;
      const records = (args: readonly string[]) => place.records(args, env);

      const good = read(await records(place.build(chain(3))));
      deepStrictEqual([kinds(good.builds), commandOf(good.state)], [
        { "chain-1": "succeeded", "chain-2": "succeeded", "chain-3": "succeeded" },
        "succeeded",
      ]);

      const failed = read(await records(place.build(failingChain({ salt: "f" }))));
      deepStrictEqual([kinds(failed.builds), commandOf(failed.state)], [
        { "chain-1": "dependency", "chain-2": "exit", "chain-3": "succeeded" },
        "failed",
      ]);
      const [job] = [...failed.state.jobs.values()].filter(({ name }) => name === "chain-2");
      deepStrictEqual([job!.phases.at(-1)?.name, job!.tail.at(-1)], [
        "checkPhase",
        "assertion failed: 1 == 2",
      ]);
      ok(job!.state.kind === "failed" && job!.state.failure.kind === "exit" && job!.state.failure.code === 3);

      const [bad, good2] = [failingChain({ salt: "k" }), wide(2, { salt: "k" })];
      const both = { roots: [...bad.roots, ...good2.roots], nodes: [...bad.nodes, ...good2.nodes] };
      const going = read(await records(["--keep-going", ...place.build(both)]));
      strictEqual(kinds(going.builds)["chain-2"], "exit");
      strictEqual(kinds(going.builds)["wide"], "succeeded");

      const hash = read(await records(place.build(wrongHash({ salt: "h" }))));
      strictEqual(Object.values(kinds(hash.builds)).includes("hash-mismatch"), true);

      const late = read(await records(["--timeout", "1", ...place.build(endless({ salt: "l" }))]));
      deepStrictEqual([kinds(late.builds), commandOf(late.state)], [{ endless: "timeout" }, "failed"]);

      const args = place.build(nondeterministic({ salt: "n" }));
      deepStrictEqual(kinds(read(await records(args)).builds), { random: "succeeded" });
      const different = read(await records(["--check", ...args]));
      deepStrictEqual([kinds(different.builds), commandOf(different.state)], [
        { random: "not-deterministic" },
        "failed",
      ]);

      const nothing = read(await records(place.build(chain(3))));
      deepStrictEqual(nothing.builds, {});
    },
  });
}
