/** Where instances are placed, and what is said of nodes that will not do. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type Instance, type NodeLive, plan, refusal, type Weights, whyNot } from "../../lib/cluster/mod.ts";
import { candidatesOf, place } from "../../lib/cluster/schedule/mod.ts";
import { seededRandom } from "../metrics/seeded.ts";
import { asking, instanceOf, liveOf, nodeOf, snapshotOf } from "./_model.ts";

const VM = {
  driver: "microvm",
  kernel: { name: "k", sha256: "aa" },
  initrd: { name: "i", sha256: "bb" },
  cmdline: "",
  acceleration: null,
} as const;

Deno.test("each filter says what it has against a node, the first that objects is told", () => {
  const db = instanceOf("db", { labels: { role: "db" } });
  const full = instanceOf("full", { resources: { cpuMillis: 3_500, memoryMib: 100, diskMib: 0 } });
  const noQemu: NodeLive["drivers"] = [{ kind: "microvm", problem: "there is no qemu", accelerations: [] }];
  const snapshot = snapshotOf([
    [nodeOf("away"), undefined],
    [nodeOf("cordoned", { isCordoned: true }), liveOf("cordoned")],
    [nodeOf("full"), liveOf("full"), full],
    [nodeOf("plain", { labels: { disk: "hdd" } }), liveOf("plain", { drivers: noQemu })],
    [nodeOf("tainted", { taints: [{ key: "gpu", value: "yes" }] }), liveOf("tainted")],
    [nodeOf("zone-b", { zone: "b" }), liveOf("zone-b"), db],
  ]);
  const says = (instance: Instance) =>
    [...whyNot(snapshot, instance)].map(([node, refused]) => `${node}: ${refused?.filter ?? "-"}`).join(", ");
  const reason = (instance: Instance, node: string) => whyNot(snapshot, instance).get(node)?.reason;
  strictEqual(
    says(instanceOf("x")),
    "away: ready, cordoned: cordon, full: capacity, plain: driver, tainted: taint, zone-b: -",
  );
  strictEqual(reason(instanceOf("x"), "full"), "has 0.5 CPUs of 4 CPUs free, 1 CPUs is asked for");
  strictEqual(
    reason(instanceOf("x", { workload: VM }), "plain"),
    'cannot use its driver "microvm": there is no qemu',
  );
  strictEqual(
    reason(instanceOf("x", { workload: { ...VM, acceleration: "kvm" } }), "zone-b"),
    "has no kvm, it has tcg",
  );
  strictEqual(reason(asking("x", { tolerations: ["gpu"] }), "tainted"), undefined);
  strictEqual(
    reason(asking("x", { tolerations: ["gpu=no"] }), "tainted"),
    "has the taint gpu=yes, which is not tolerated",
  );
  strictEqual(reason(asking("x", { zones: ["a", "c"] }), "zone-b"), 'is in zone "b", a or c is asked for');
  const ssd = { ...asking("x", { nodeLabels: { disk: "ssd" } }), workload: { ...VM } };
  strictEqual(reason(ssd, "zone-b"), "has no label disk=ssd");
  strictEqual(
    reason(asking("x", { near: { role: "db" } }), "tainted"),
    "has the taint gpu=yes, which is not tolerated",
  );
  strictEqual(
    reason(asking("x", { near: { role: "db" }, tolerations: ["gpu"] }), "tainted"),
    "has no instance with role=db, which is to be near",
  );
  strictEqual(reason(asking("x", { near: { role: "db" } }), "zone-b"), undefined);
  strictEqual(
    reason(asking("x", { apart: { role: "db" } }), "zone-b"),
    'has "db" with role=db, which is to be apart',
  );
  strictEqual(reason(asking("x", { node: "full" }), "zone-b"), "is not the node that is asked for, full");
});

Deno.test("what is promised is what is there times the overcommit, and disk is never promised twice", () => {
  const node = nodeOf("n", { overcommit: { cpu: 2, memory: 1.5 } });
  const [candidate] = candidatesOf(snapshotOf([[node, liveOf("n"), instanceOf("a")]]));
  deepStrictEqual(candidate!.total, { cpuMillis: 8_000, memoryMib: 6_144, diskMib: 10_000 });
  deepStrictEqual(candidate!.free, { cpuMillis: 7_000, memoryMib: 5_632, diskMib: 10_000 });
});

Deno.test("weights decide between nodes that would do; equal nodes come in the order of their ids", () => {
  const only = (weights: Partial<Weights>): Weights => ({
    pack: 0,
    spread: 0,
    image: 0,
    balance: 0,
    ...weights,
  });
  const snapshot = snapshotOf([
    [nodeOf("a"), liveOf("a"), instanceOf("1"), instanceOf("2")],
    [nodeOf("b"), liveOf("b", { images: ["aa"] })],
    [nodeOf("c"), liveOf("c")],
  ]);
  const goesTo = (weights: Partial<Weights>, instance = instanceOf("x")) =>
    plan(snapshot, [instance], only(weights))[0]?.node;
  deepStrictEqual(
    [
      goesTo({}),
      goesTo({ pack: 1 }),
      goesTo({ spread: 1 }),
      goesTo({ image: 1 }, instanceOf("x", { workload: VM })),
    ],
    ["a", "a", "b", "b"],
  );
  const hungry = instanceOf("x", { resources: { cpuMillis: 100, memoryMib: 1_024, diskMib: 0 } });
  strictEqual(goesTo({ balance: 1 }, hungry), "a");
});

Deno.test("what is placed first takes room from what comes behind it", () => {
  const snapshot = snapshotOf([[nodeOf("a"), liveOf("a")], [nodeOf("b"), liveOf("b")]]);
  const waiting = Array.from({ length: 9 }, (_, at) => instanceOf(`${at}`));
  const decisions = plan(snapshot, waiting);
  const nodes = decisions.map(({ node }) => node);
  deepStrictEqual(
    [nodes.filter((node) => node === "a").length, nodes.filter((node) => node === "b").length],
    [4, 4],
  );
  const last = decisions.at(-1)!;
  ok(last.node === undefined);
  deepStrictEqual([...last.refusals.values()].map(({ filter }) => filter), ["capacity", "capacity"]);
  const apart = Array.from({ length: 3 }, (_, at) => ({
    ...asking(`${at}`, { apart: { role: "web" } }),
    labels: { role: "web" },
  }));
  deepStrictEqual(plan(snapshot, apart).map(({ node }) => node), ["a", "b", undefined]);
});

Deno.test("chance: no plan promises more than there is, or goes where a filter objects; it is always the same", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const some = <T>(values: readonly T[]): T => values[random.below(values.length)]!;
    const nodes = Array.from({ length: 1 + random.below(8) }, (_, at) => {
      const id = `n${at}`;
      const node = nodeOf(id, {
        zone: some(["a", "b"]),
        isCordoned: random.below(6) === 0,
        taints: random.below(4) === 0 ? [{ key: "gpu", value: "yes" }] : [],
        overcommit: { cpu: some([1, 2]), memory: 1 },
      });
      const live = random.below(6) === 0 ? undefined : liveOf(id);
      return [node, live, instanceOf(`old${at}`, { labels: { role: some(["db", "web"]) } })] as const;
    });
    const snapshot = snapshotOf(nodes);
    const waiting = Array.from({ length: random.below(30) }, (_, at) => ({
      ...asking(`${at}`, {
        zones: random.below(3) === 0 ? ["a"] : [],
        tolerations: random.below(2) === 0 ? ["gpu"] : [],
        apart: random.below(3) === 0 ? { role: some(["db", "web"]) } : null,
      }),
      labels: { role: some(["db", "web"]) },
      resources: { cpuMillis: 500 * (1 + random.below(4)), memoryMib: 256 * random.below(6), diskMib: 0 },
    }));
    const decisions = plan(snapshot, waiting);
    deepStrictEqual(decisions, plan(snapshot, waiting), `seed ${seed}`);
    // Done one after the other, each decision is right at its time.
    const candidates = candidatesOf(snapshot);
    for (const [at, decision] of decisions.entries()) {
      const instance = waiting[at]!;
      const fitting = candidates.filter((each) => refusal(instance, each) === undefined);
      if (decision.node === undefined) {
        deepStrictEqual([fitting.length, decision.refusals.size], [0, candidates.length], `seed ${seed}`);
        continue;
      }
      const chosen = fitting.find(({ node }) => node.id === decision.node);
      ok(chosen !== undefined, `seed ${seed}: ${instance.id} goes where it may not be`);
      place(chosen, instance);
      ok(chosen.free.cpuMillis >= 0 && chosen.free.memoryMib >= 0, `seed ${seed}: overcommitted`);
    }
  }
});
