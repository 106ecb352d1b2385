/** The whole line with real Nix 2.8, fed as Nix 2.30 does by a separate process: daemon, two clients, the store. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { BuilderBuild } from "../../lib/nix_btm/processes/mod.ts";
import type { World } from "../../lib/nix_btm/mod.ts";
import {
  chain,
  diamond,
  failingChain,
  type Graph,
  hasNix,
  multiOutput,
  nameOf,
  NixPlace,
  wide,
  wrongHash,
} from "../nix/_nix.ts";
import { DaemonProcess, Follower } from "./_daemon.ts";

/** A store, a daemon and two clients. */
class Scene implements AsyncDisposable {
  readonly place = new NixPlace();
  readonly daemon = new DaemonProcess();
  readonly clients: Follower[] = [];
  /** Commands that were begun: clients hear of them later. */
  #begun = 0;

  static async open(): Promise<Scene> {
    const scene = new Scene();
    await scene.daemon.start();
    // Two that come first at the same time are in each other's way.
    await scene.place.run("nix-store", ["--init"]);
    for (let count = 0; count < 2; count++) {
      scene.clients.push(new Follower(scene.daemon.control, scene.daemon.folder));
    }
    return scene;
  }

  /** Begins a build that somebody waits for. */
  begin(graph: Graph, more: readonly string[] = []): Deno.ChildProcess {
    this.#begun++;
    return this.place.feed(this.daemon.socket, [...this.place.build(graph), ...more]);
  }

  async run(graph: Graph, more: readonly string[] = []): Promise<number> {
    const { code } = await this.begin(graph, more).output();
    await this.both(
      "its end",
      ({ commands }) =>
        commands.size === this.#begun && [...commands.values()].every(({ state }) => state !== "running"),
    );
    return code;
  }

  get world(): World {
    return this.clients[0]!.client.worlds.get("")!;
  }

  /** Both clients come to see it. */
  async both(what: string, holds: (world: World) => boolean): Promise<void> {
    for (const client of this.clients) {
      await client.until(what, () => {
        const world = client.client.worlds.get("");
        return world !== undefined && holds(world);
      });
    }
  }

  /** Processes of builds of this store: there may be others on the machine. */
  own({ builders }: World): readonly BuilderBuild[] {
    return builders?.builds.filter(({ folder }) => folder?.startsWith(this.place.folder) === true) ?? [];
  }

  /** How builds stand, in both clients the same. */
  builds(): Record<string, string> {
    const [one, other] = this.clients.map(({ builds }) => builds);
    deepStrictEqual(one, other);
    return one!;
  }

  /** What the clients know of who needs what, as `place.edges` tells it. */
  edges(): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    for (const { path, inputs } of this.world.graph.nodes()) found[nameOf(path)] = inputs.map(nameOf).sort();
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) await client[Symbol.asyncDispose]();
    await this.daemon[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}

function nixTest(name: string, body: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name: `nix-btm with real Nix 2.8, fed: ${name}`,
    ignore: !hasNix,
    async fn() {
      await using scene = await Scene.open();
      await body(scene);
    },
  });
}

for (
  const [name, graph] of Object.entries({
    chain: chain(4),
    diamond: diamond(),
    wide: wide(6),
    outputs: multiOutput(),
  })
) {
  nixTest(`all builds and edges of a ${name}, without -vvv`, async (scene) => {
    strictEqual(await scene.run(graph), 0);
    const names = graph.nodes.map((node) => node.name).sort();
    await scene.both(
      "all of them",
      ({ jobs }) =>
        [...jobs.values()].filter(({ kind, state }) => kind === "build" && state.kind === "succeeded")
          .length === names.length,
    );
    deepStrictEqual(Object.keys(scene.builds()).sort(), names);
    const edges = await scene.place.edges(graph);
    await scene.both("the edges", ({ graph }) => graph.size >= names.length);
    deepStrictEqual(
      scene.edges(),
      Object.fromEntries(Object.entries(edges).map(([path, inputs]) => [path, [...inputs].sort()])),
    );
  });
}

nixTest("what failed, in which phase, with its log, and what could not be built for it", async (scene) => {
  ok(await scene.run(failingChain()) !== 0);
  const states = scene.builds();
  strictEqual(states["chain-2"], "failed");
  const [history] = await scene.clients[0]!.client.history({ outcome: "failed", name: "chain-2", limit: 1 });
  deepStrictEqual([history?.phase, history?.name], ["checkPhase", "chain-2"]);
  match(history!.failure!, /failed with exit code 3/);
  ok(history!.tail.length > 0);
  deepStrictEqual(await scene.clients[0]!.client.log({ file: history!.log! }), [...history!.tail]);
  const [command] = scene.world.commands.values();
  strictEqual(command!.state, "failed");
});

nixTest("what is built first of several that were asked for is over before the others are", async (scene) => {
  const gate = scene.place.gate("slow");
  const graph: Graph = { roots: ["quick", "slow"], nodes: [{ name: "quick" }, { name: "slow", gate }] };
  const child = scene.begin(graph, ["-j2"]);
  await scene.both("the first one", ({ jobs }) => {
    const states = [...jobs.values()].map(({ name, state }) => `${name} ${state.kind}`).sort();
    return `${states}` === "quick succeeded,slow running";
  });
  scene.place.openGate("slow");
  strictEqual((await child.output()).code, 0);
  await scene.both("the end", ({ commands }) => [...commands.values()][0]?.state === "succeeded");
  deepStrictEqual(scene.builds(), { quick: "succeeded", slow: "succeeded" });
});

nixTest("a wrong hash, with both of them", async (scene) => {
  ok(await scene.run(wrongHash()) !== 0);
  const failed = [...scene.world.jobs.values()].flatMap(({ state }) =>
    state.kind === "failed" ? [state.failure] : []
  );
  const mismatch = failed.find((failure) => "specified" in failure);
  match(mismatch?.specified ?? "", /^sha256-/);
  match(mismatch?.got ?? "", /^sha256-/);
});

nixTest("what a cache gives over HTTP, and what is built beside", async (scene) => {
  const { place } = scene;
  const graph = diamond({ salt: "cached" });
  strictEqual(await scene.run(graph), 0);
  const outputs = [...scene.world.graph.nodes()].flatMap((node) => Object.values(node.outputs));
  await using cache = await place.serveCache(outputs);
  await place.forget(outputs);
  strictEqual(await scene.run(graph, cache.options), 0);
  await scene.both(
    "the copies",
    ({ jobs }) =>
      [...jobs.values()].filter(({ kind, state }) => kind === "copy" && state.kind === "succeeded").length >
        0,
  );
  const [given] = scene.world.caches.values();
  ok(given!.paths >= 1);
  match(given!.store, /^http:\/\/127\.0\.0\.1:/);
});

nixTest(
  "two commands at the same time, each with its own builds, and which process is which",
  async (scene) => {
    const { place } = scene;
    const gates = ["one", "other"].map((name) => place.gate(name));
    const children = [
      scene.begin(chain(1, { salt: "one", gate: gates[0]! })),
      scene.begin(wide(1, { salt: "other", gate: gates[1]! })),
    ];
    await scene.both(
      "both",
      ({ jobs }) =>
        [...jobs.values()].filter(({ kind, state }) => kind === "build" && state.kind === "running")
          .length === 2,
    );
    const running = [...scene.world.jobs.values()].filter(({ state }) => state.kind === "running");
    strictEqual(new Set(running.map(({ command }) => command)).size, 2);
    await scene.both("the processes", (world) => scene.own(world).length === 2);
    deepStrictEqual(scene.own(scene.world).map(({ name }) => name).sort(), ["chain-1", "wide-1"]);
    for (const name of ["one", "other"]) place.openGate(name);
    for (const child of children) strictEqual((await child.output()).code, 0);
    await scene.both(
      "their ends",
      ({ commands }) => [...commands.values()].every(({ state }) => state === "succeeded"),
    );
  },
);

nixTest(
  "a command that waits for another one's build says so, and has nothing to build in the end",
  async (scene) => {
    const gate = scene.place.gate("both");
    const first = scene.begin(chain(2, { gate }));
    await scene.both(
      "the first one's build",
      ({ jobs }) => [...jobs.values()].some(({ state }) => state.kind === "running"),
    );
    const second = scene.begin(chain(2, { gate }));
    await scene.both(
      "the wait",
      ({ jobs }) => [...jobs.values()].some(({ state }) => state.kind === "waiting"),
    );
    const waiting = [...scene.world.jobs.values()].find(({ state }) => state.kind === "waiting")!;
    deepStrictEqual([waiting.name, waiting.state.kind === "waiting" && waiting.state.why], [
      "chain-2",
      "waiting for lock on",
    ]);
    scene.place.openGate("both");
    for (const child of [first, second]) strictEqual((await child.output()).code, 0);
    await scene.both(
      "their ends",
      ({ commands }) => [...commands.values()].every(({ state }) => state === "succeeded"),
    );
    const succeeded = [...scene.world.jobs.values()].filter(({ kind, state }) =>
      kind === "build" && state.kind === "succeeded"
    );
    deepStrictEqual(
      succeeded.map(({ name }) => name).sort(),
      ["chain-1", "chain-2"],
    );
  },
);

nixTest("a command that is interrupted leaves nothing running", async (scene) => {
  const gate = scene.place.gate("never");
  const child = scene.begin(chain(2, { gate }));
  await scene.both("a build", ({ jobs }) => [...jobs.values()].some(({ state }) => state.kind === "running"));
  await scene.both("its process", (world) => scene.own(world)[0]?.nixPid !== undefined);
  Deno.kill(scene.own(scene.world)[0]!.nixPid!, "SIGINT");
  await child.output();
  await scene.both(
    "its end",
    ({ commands }) => [...commands.values()].every(({ state }) => state !== "running"),
  );
  strictEqual(Object.values(scene.builds()).includes("running"), false);
});

nixTest("why something is built again", async (scene) => {
  strictEqual(await scene.run(chain(2, { salt: "before" })), 0);
  await scene.both("the first one", ({ graph }) => graph.size === 2);
  const first = scene.world.graph.roots([...scene.world.graph.nodes()].map(({ path }) => path))[0]!;
  const [second] = await scene.place.derivations(chain(2, { salt: "after" }));
  const { out, code } = await scene.daemon.run("why-rebuilt", second!);
  strictEqual(code, 0);
  match(
    out,
    new RegExp(`^${second}\ninstead of ${first}\n  input chain-2: .*\n  environment salt: before → after\n$`),
  );
  const other = await scene.daemon.run("why-rebuilt", "/tmp/x");
  deepStrictEqual([other.code, /is no derivation/.test(other.err)], [2, true]);
});
