/** What needs what, how long it will take, and why it is built again. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  type Derivation,
  durations,
  estimate,
  Graph,
  type Job,
  type JobState,
  nameOf,
  packageOf,
  parseStorePath,
  whyRebuilt,
} from "../../lib/nix/mod.ts";

function graphOf(edges: Readonly<Record<string, readonly string[]>>): Graph {
  const graph = new Graph();
  for (const [path, inputs] of Object.entries(edges)) graph.add({ path, inputs, outputs: {}, system: "x" });
  return graph;
}

Deno.test("order() puts each one after all that it needs, also through those between", () => {
  const graph = graphOf({ top: ["mid", "left"], mid: ["deep"], deep: ["base"], left: [], base: [] });
  const order = graph.order(["top", "base", "left"]);
  deepStrictEqual([...order].sort(), ["base", "left", "top"]);
  ok(order.indexOf("base") < order.indexOf("top"));
  deepStrictEqual(graph.roots(["mid", "deep", "left"]), ["mid", "left"]);
  deepStrictEqual(graph.dependants("base"), ["deep"]);
});

Deno.test("order() walks 100,000 in a row, and a circle once", () => {
  const graph = new Graph();
  for (let at = 0; at < 100_000; at++) {
    graph.add({ path: `${at}`, inputs: at === 0 ? [] : [`${at - 1}`], outputs: {}, system: "x" });
  }
  strictEqual(graph.order(["99999", "0"])[0], "0");
  deepStrictEqual(graphOf({ a: ["b"], b: ["a"] }).order(["a", "b"]).sort(), ["a", "b"]);
});

Deno.test("a file takes the place of what logs told; what is not kept is forgotten", () => {
  const graph = new Graph();
  strictEqual(graph.addEdge("a", "b"), true);
  strictEqual(graph.addEdge("a", "b"), false);
  graph.add({ path: "a", inputs: ["c"], outputs: {}, system: "x" });
  strictEqual(graph.addEdge("a", "b"), false);
  deepStrictEqual([graph.inputs("a"), graph.dependants("b"), graph.dependants("c")], [["c"], [], ["a"]]);
  graph.retain((path) => path !== "a");
  deepStrictEqual([graph.size, graph.dependants("c")], [0, []]);
});

function build(
  subject: string,
  state: JobState["kind"],
  times: { startedMs?: number; endedMs?: number } = {},
): Job {
  return {
    id: 1,
    command: 1,
    kind: "build",
    subject,
    name: subject,
    host: "",
    to: "",
    state: { kind: state } as JobState,
    startedMs: times.startedMs,
    endedMs: times.endedMs,
    doneBytes: 0,
    expectedBytes: 0,
    phases: [],
    lineCount: 0,
    tail: [],
  };
}

const TOOK: Readonly<Record<string, number>> = { a: 10, b: 20, c: 30, d: 5 };
const durationsOf = ({ name }: { name: string }) =>
  TOOK[name] === undefined
    ? undefined
    : { count: 3, medianMs: TOOK[name] * 1_000, p90Ms: TOOK[name] * 2_000 };

Deno.test("a chain takes as long as all of it, side by side as long as the longest, on one slot all again", () => {
  const all = ["a", "b", "c"].map((name) => build(name, "planned"));
  const chain = graphOf({ a: [], b: ["a"], c: ["b"] });
  const apart = graphOf({ a: [], b: [], c: [] });
  const options = { durationsOf, nowMs: 0 };
  const found = estimate(all, { ...options, graph: chain, slots: 8 })!;
  deepStrictEqual([found.medianMs, found.p90Ms, found.left, found.unknown], [60_000, 120_000, 3, 0]);
  deepStrictEqual(found.criticalPath, ["a", "b", "c"]);
  strictEqual(estimate(all, { ...options, graph: apart, slots: 8 })!.medianMs, 30_000);
  strictEqual(estimate(all, { ...options, graph: apart, slots: 1 })!.medianMs, 60_000);
  deepStrictEqual(estimate(all, { ...options, graph: apart, slots: 1 })!.criticalPath, ["c"]);
});

Deno.test("what has run counts, what is done does not, and one that is late is nearly done for ever", () => {
  const graph = graphOf({ a: [], b: ["a"], d: [] });
  const options = { graph, durationsOf, slots: 4 };
  const running = build("b", "running", { startedMs: 5_000 });
  strictEqual(estimate([build("a", "succeeded"), running], { ...options, nowMs: 15_000 })!.medianMs, 10_000);
  strictEqual(estimate([running], { ...options, nowMs: 105_000 })!.medianMs, 10_000);
  strictEqual(estimate([build("a", "succeeded"), build("d", "failed")], { ...options, nowMs: 0 }), undefined);
});

Deno.test("without history the command's own builds tell: of the package first", () => {
  const graph = graphOf({});
  const done = [
    build("wide-1", "succeeded", { startedMs: 0, endedMs: 4_000 }),
    build("other-1", "succeeded", { startedMs: 0, endedMs: 9_000 }),
  ];
  const options = { graph, durationsOf: () => undefined, nowMs: 0, slots: 1 };
  strictEqual(estimate([...done, build("wide-2", "planned")], options)!.medianMs, 4_000);
  const strange = estimate([...done, build("strange", "planned")], options)!;
  deepStrictEqual([strange.medianMs, strange.unknown], [4_000, 1]);
});

Deno.test("durations() are by nearest rank", () => {
  deepStrictEqual(durations([5, 1, 3, 2, 4, 10, 9, 8, 7, 6]), { count: 10, medianMs: 5, p90Ms: 9 });
  deepStrictEqual(durations([7]), { count: 1, medianMs: 7, p90Ms: 7 });
  throws(() => durations([]), RangeError);
});

const HASH = "0".repeat(32);
const OTHER = "1".repeat(32);
const before: Derivation = {
  path: `/nix/store/${HASH}-app.drv`,
  outputs: [{ name: "out", path: `/nix/store/${HASH}-app`, hashAlgorithm: "", hash: "" }],
  inputs: [{ path: `/nix/store/${HASH}-lib-1.0.drv`, outputs: ["out"] }, {
    path: `/nix/store/${HASH}-cc.drv`,
    outputs: ["out"],
  }],
  sources: [`/nix/store/${HASH}-builder.sh`],
  system: "x86_64-linux",
  builder: "/bin/sh",
  args: ["-e", `/nix/store/${HASH}-builder.sh`],
  env: new Map([["out", `/nix/store/${HASH}-app`], ["deps", `/nix/store/${HASH}-lib-1.0`], ["flags", "-O1"]]),
};

Deno.test("why a derivation is another one is told by its cause, not by what follows from it", () => {
  deepStrictEqual(whyRebuilt(before, before), []);
  const after: Derivation = {
    ...before,
    path: `/nix/store/${OTHER}-app.drv`,
    outputs: [{ ...before.outputs[0]!, path: `/nix/store/${OTHER}-app` }],
    inputs: [{ path: `/nix/store/${OTHER}-lib-1.0.drv`, outputs: ["out"] }, before.inputs[1]!],
    env: new Map([["out", `/nix/store/${OTHER}-app`], ["deps", `/nix/store/${OTHER}-lib-1.0`], [
      "flags",
      "-O2",
    ], ["new", "1"]]),
  };
  deepStrictEqual(whyRebuilt(before, after), [
    {
      what: "input",
      name: "lib-1.0",
      before: `/nix/store/${HASH}-lib-1.0.drv`,
      after: `/nix/store/${OTHER}-lib-1.0.drv`,
    },
    { what: "environment", name: "flags", before: "-O1", after: "-O2" },
    { what: "environment", name: "new", before: undefined, after: "1" },
  ]);
  deepStrictEqual(
    whyRebuilt(before, { ...before, builder: "/bin/bash", args: ["-e", "x"] }).map((
      { what, name },
    ) => [what, name]),
    [
      ["builder", "builder"],
      ["argument", "2"],
    ],
  );
});

Deno.test("store paths are known by their form, whatever the store; packages by their names", () => {
  deepStrictEqual(parseStorePath(`/tmp/x/store/${HASH}-a-1.0.drv`), {
    store: "/tmp/x/store",
    hash: HASH,
    name: "a-1.0.drv",
  });
  strictEqual(parseStorePath(`/nix/store/${HASH}-a/bin/x`)?.name, "a");
  strictEqual(parseStorePath("/nix/store/short-a"), undefined);
  deepStrictEqual([nameOf(`/nix/store/${HASH}-a-1.0.drv`), nameOf("http://x")], ["a-1.0", "http://x"]);
  deepStrictEqual(["hello-2.12", "python3.12-requests-2.32", "lat-4-5", "source"].map(packageOf), [
    "hello",
    "python3.12-requests",
    "lat",
    "source",
  ]);
});
