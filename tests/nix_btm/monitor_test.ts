/** Logs to worlds: what lies in the store is read, edges are the real ones, ends are found in the store. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  applyUpdate,
  emptyWorld,
  Monitor,
  snapshotOf,
  type Update,
  waitingText,
  whyWaiting,
} from "../../lib/nix_btm/mod.ts";
import { scenario, scenarios } from "../nix/_scenarios.ts";
import { readTar } from "../nix/_tar.ts";

const DRVS = readTar(new URL("../testdata/nix/drvs-salt0.tar.gz", import.meta.url).pathname);

function readFile(path: string): Promise<string> {
  const text = DRVS.get(path.slice(path.lastIndexOf("/") + 1));
  return text === undefined ? Promise.reject(new Deno.errors.NotFound(path)) : Promise.resolve(text);
}

/** A monitor that has read a log to its end; a flush takes a second. */
async function read(bytes: Uint8Array, exists?: (path: string) => Promise<boolean>) {
  let nowMs = 0;
  const monitor = new Monitor({ now: () => nowMs, readFile, ...(exists === undefined ? {} : { exists }) });
  const log = monitor.open({ source: "replay" });
  const updates: Update[] = [];
  const flush = () => {
    nowMs += 1_000;
    const update = monitor.flush();
    if (update !== undefined) updates.push(structuredClone(update));
  };
  for (let at = 0; at < bytes.length; at += 4_096) {
    log.push(bytes.subarray(at, at + 4_096));
    flush();
  }
  log.end();
  flush();
  await monitor.settled();
  flush();
  return { monitor, updates };
}

function sorted(edges: readonly (readonly [string, string])[]): string[] {
  return edges.map(([from, to]) => `${from} ${to}`).sort();
}

for (const { name, bytes, expected: { ground_truth } } of scenarios()) {
  const edges = ground_truth?.edges ?? [];
  const inStore = edges.length > 0 &&
    edges.flat().every((path) => DRVS.has(path.slice(path.lastIndexOf("/") + 1)));
  if (!inStore) continue;
  Deno.test(`${name}: the edges are those that nix show-derivation tells`, async () => {
    const { monitor } = await read(bytes);
    const found = [...monitor.world.graph.nodes()].flatMap(({ path, inputs }) =>
      inputs.map((input): [string, string] => [path, input])
    );
    deepStrictEqual(sorted(found), sorted(edges));
  });
}

Deno.test("where no derivation can be read a talkative log tells the edges", async () => {
  for (const name of ["14-new-cli-build", "53-waiting-for-uid"]) {
    const { bytes, expected } = scenario(name);
    const { monitor } = await read(bytes);
    const found = [...monitor.world.graph.nodes()].flatMap(({ path, inputs }) =>
      inputs.map((input): [string, string] => [path, input])
    );
    deepStrictEqual(sorted(found), sorted(expected.ground_truth!.edges), name);
  }
});

Deno.test("updates one after the other, and a snapshot, make the same world", async () => {
  for (const name of ["03-diamond", "33-mixed-substitute-and-build", "56-remote-ssh-ng"]) {
    const { monitor, updates } = await read(scenario(name).bytes);
    const world = emptyWorld();
    for (const update of updates) applyUpdate(world, update);
    deepStrictEqual(snapshotOf(world), structuredClone(snapshotOf(monitor.world)), name);
    const again = emptyWorld();
    applyUpdate(again, snapshotOf(monitor.world));
    deepStrictEqual(snapshotOf(again), snapshotOf(monitor.world), name);
    deepStrictEqual(snapshotOf(again).notes, [], "of a host that can be heard there is nothing to note");
  }
});

Deno.test("builds of a log for people have succeeded where their outputs are", async () => {
  const text = new TextDecoder().decode(scenario("16-old-human-format").bytes);
  const drvs = [...new Set(text.match(/\/nix\/store\/\S+\.drv/g))];
  const known = new Map(
    drvs.map((
      path,
    ) => [path, `Derive([("out","${path.replace(".drv", "-out")}","","")],[],[],"x","/b",[],[])`]),
  );
  const monitor = new Monitor({
    readFile: (path) => Promise.resolve(known.get(path)!),
    exists: (path) => Promise.resolve(!path.includes("slow-2")),
  });
  const log = monitor.open({ source: "pipe" });
  log.push(new TextEncoder().encode(text));
  log.end();
  monitor.flush();
  await monitor.settled();
  monitor.flush();
  const states = Object.fromEntries(
    [...monitor.world.jobs.values()].map(({ name, state }) => [name, state.kind]),
  );
  deepStrictEqual(states, {
    "slow-1": "succeeded",
    "slow-2": "ended",
    "slow-3": "succeeded",
    "slow-4": "succeeded",
    "slow-top": "succeeded",
  });
});

Deno.test("what was asked for is built when Nix counts it and has its outputs, not when all of it is over", async () => {
  const hash = "0".repeat(32);
  const path = (name: string) => `/nix/store/${hash}-${name}`;
  const registered = new Set<string>();
  let nowMs = 0;
  const monitor = new Monitor({
    now: () => nowMs,
    readFile: (drv) => {
      const output = drv.replace(/\.drv$/, "-out");
      return Promise.resolve(`Derive([("out","${output}","","")],[],[],"x","/b",[],[])`);
    },
    isRegistered: (output) => Promise.resolve(registered.has(output)),
  });
  const log = monitor.open({ source: "socket" });
  const write = (value: unknown) => log.push(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  const names = ["quick", "broken", "slow"];
  write({ action: "start", id: 2, level: 0, text: "", type: 104 });
  for (const [at, name] of names.entries()) {
    write({ action: "start", id: 3 + at, level: 3, text: "", type: 105, fields: [path(`${name}.drv`), ""] });
  }
  const look = async (...[done, running, failed]: number[]) => {
    write({ action: "result", id: 2, type: 105, fields: [done, 3, running, failed] });
    nowMs += 1_000;
    monitor.flush();
    await monitor.settled();
    monitor.flush();
    return [...monitor.world.jobs.values()].map(({ state, endedMs }) => [state.kind, endedMs]);
  };
  const going = ["running", undefined];
  deepStrictEqual(await look(0, 3, 0), [going, going, going]);
  deepStrictEqual(await look(0, 2, 1), [going, going, going]);
  registered.add(path("quick-out"));
  deepStrictEqual(await look(1, 1, 1), [["succeeded", 3_000], going, going]);
  // Its end, when Nix tells it, is no news, and takes the proof of no other.
  write({ action: "stop", id: 3 });
  write({ action: "result", id: 2, type: 105, fields: [2, 3, 0, 1] });
  write({ action: "stop", id: 5 });
  monitor.flush();
  deepStrictEqual([...monitor.world.jobs.values()].map(({ state }) => state.kind), [
    "succeeded",
    "running",
    "succeeded",
  ]);
});

Deno.test("outputs that are built once more do not tell which of two builds is over", async () => {
  const hash = "0".repeat(32);
  const monitor = new Monitor({
    readFile: () => Promise.resolve(`Derive([("out","/nix/store/${hash}-out","","")],[],[],"x","/b",[],[])`),
    isRegistered: () => Promise.resolve(true),
  });
  const log = monitor.open({ source: "socket" });
  const write = (value: unknown) => log.push(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  write({ action: "start", id: 2, level: 0, text: "", type: 104 });
  for (const id of [3, 4]) {
    const fields = [`/nix/store/${hash}-checked-${id}.drv`, ""];
    write({ action: "start", id, level: 3, text: "checking outputs of", type: 105, fields });
  }
  write({ action: "result", id: 2, type: 105, fields: [1, 2, 1, 0] });
  monitor.flush();
  await monitor.settled();
  monitor.flush();
  deepStrictEqual([...monitor.world.jobs.values()].map(({ state }) => state.kind), ["running", "running"]);
});

Deno.test("a cache is told with what it gave", async () => {
  const { monitor } = await read(scenario("32-substitute-http").bytes);
  const [cache] = monitor.world.caches.values();
  deepStrictEqual([cache!.paths, monitor.world.caches.size], [31, 1]);
});

Deno.test("what a build waits for is told while it does", async () => {
  const { bytes } = scenario("03-diamond");
  const text = new TextDecoder().decode(bytes);
  const at = text.indexOf("unpackPhase of dia-b");
  let nowMs = 0;
  const monitor = new Monitor({ readFile, now: () => nowMs += 10 });
  const log = monitor.open({ source: "replay" });
  log.push(bytes.subarray(0, text.lastIndexOf("\n", at) + 1));
  monitor.flush();
  await monitor.settled();
  nowMs += 1_000; // An estimate is made once a second.
  monitor.flush();
  const [top] = [...monitor.world.jobs.values()].filter(({ name }) => name === "dia-d");
  const waiting = whyWaiting(monitor.world, top!);
  strictEqual(waiting?.kind, "inputs");
  strictEqual(waitingText(waiting!).startsWith("waiting for dia-"), true);
  const estimate = [...monitor.world.estimates.values()][0]?.estimate;
  strictEqual(estimate?.left, 3);
  strictEqual(estimate?.criticalPath.at(-1), top!.subject);
});

Deno.test("derivations that no job needs any more are forgotten when there are very many", async () => {
  const hash = (at: number) => String(at).padStart(32, "0");
  const drv = (at: number) => `/nix/store/${hash(at)}-n${at}.drv`;
  // Each of 30,000 builds, of which 10,000 are kept, needs one derivation that is not built.
  const text = (path: string) =>
    `Derive([("out","/nix/store/${hash(1)}-o","","")],[("${
      path.replace("-n", "-i")
    }",["out"])],[],"x","/b",[],[])`;
  const leaf = `Derive([("out","","","")],[],[],"x","/b",[],[])`;
  const monitor = new Monitor({
    readFile: (path) => Promise.resolve(path.includes("-i") ? leaf : text(path)),
  });
  const log = monitor.open({ source: "replay" });
  const world = emptyWorld();
  const write = (value: unknown) => log.push(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  write({ action: "start", id: 1, level: 0, text: "", type: 104 });
  for (let at = 1; at <= 30_000; at++) {
    write({ action: "start", id: 10 + at, level: 3, text: "", type: 105, fields: [drv(at), "", 1, 1] });
    write({ action: "stop", id: 10 + at });
    if (at % 5_000 !== 0) continue;
    await monitor.settled();
    const update = monitor.flush();
    if (update !== undefined) applyUpdate(world, update);
  }
  strictEqual(monitor.world.graph.size <= 50_000, true, `${monitor.world.graph.size} are kept`);
  strictEqual(world.graph.size, monitor.world.graph.size);
  strictEqual(monitor.world.graph.node(drv(30_000))?.inputs.length, 1);
});

Deno.test("a clock that is set changes nothing of how long builds take and when they will be over", () => {
  for (const byMs of [3_600_000, -3_600_000]) {
    let [steadyMs, wallMs] = [0, 5_000_000];
    const monitor = new Monitor({
      now: () => wallMs + steadyMs,
      steadyMs: () => steadyMs,
      durationsOf: () => ({ count: 1, medianMs: 60_000, p90Ms: 60_000 }),
    });
    const log = monitor.open({ source: "replay" });
    const record = {
      action: "start",
      id: 1,
      type: 105,
      level: 3,
      text: "",
      fields: [`/nix/store/${"0".repeat(32)}-a.drv`, "", 1, 1],
    };
    log.push(new TextEncoder().encode(`@nix ${JSON.stringify(record)}\n`));
    steadyMs += 10_000;
    wallMs += byMs;
    const update = monitor.flush()!;
    const [job] = monitor.world.jobs.values();
    strictEqual(wallMs + steadyMs - job!.startedMs!, 10_000);
    strictEqual(update.estimates![0]!.estimate!.medianMs, 50_000);
    wallMs -= 2 * byMs;
    steadyMs += 1_000;
    strictEqual(monitor.flush()!.estimates![0]!.estimate!.medianMs, 49_000);
  }
});

Deno.test("an estimate that took long is made anew the later, and of too many builds there is none", () => {
  let [nowMs, steadyMs] = [0, 0];
  const monitor = new Monitor({
    now: () => nowMs,
    steadyMs: () => steadyMs + nowMs,
    durationsOf: () => {
      steadyMs += 300;
      return { count: 1, medianMs: 60_000, p90Ms: 60_000 };
    },
  });
  const log = monitor.open({ source: "replay" });
  const plan = (from: number, to: number) => {
    const paths = Array.from(
      { length: to - from },
      (_, at) => `/nix/store/${"0".repeat(32)}-${from + at}.drv`,
    );
    const msg = ["these derivations will be built:", ...paths.map((path) => `  ${path}`)].join("\n");
    log.push(new TextEncoder().encode(`@nix ${JSON.stringify({ action: "msg", level: 0, msg })}\n`));
  };
  const estimated = (atMs: number) => {
    nowMs = atMs;
    return monitor.flush()?.estimates?.map(({ estimate }) => estimate?.left);
  };
  plan(0, 1);
  deepStrictEqual([0, 2_000, 2_999, 3_000].map(estimated), [[1], undefined, undefined, [1]]);
  plan(1, 50_001);
  deepStrictEqual(estimated(100_000), [undefined]);
});

Deno.test("a build is told to be over when it is known how, or its reason does not come", async () => {
  const path = `/nix/store/${"0".repeat(32)}-a.drv`;
  const start = { action: "start", id: 1, type: 105, level: 3, text: "", fields: [path, "", 1, 1] };
  const failure = { action: "msg", level: 0, msg: `error: builder for '${path}' failed with exit code 7` };
  for (const isTold of [true, false]) {
    for (const exists of [undefined, () => Promise.resolve(false)]) {
      let nowMs = 0;
      const told: string[] = [];
      const monitor = new Monitor({
        now: () => nowMs,
        exists,
        onBuildEnd: ({ state }) => void told.push(state.kind),
      });
      const log = monitor.open({ source: "replay" });
      const say = async (...records: readonly Record<string, unknown>[]) => {
        for (const record of records) {
          log.push(new TextEncoder().encode(`@nix ${JSON.stringify(record)}\n`));
        }
        monitor.flush();
        await monitor.settled();
        monitor.flush();
      };
      await say(start, { action: "stop", id: 1 });
      nowMs += 1_999;
      await say();
      deepStrictEqual(told, []);
      if (isTold) await say(failure);
      nowMs += 1;
      await say();
      deepStrictEqual(told, [isTold ? "failed" : "ended"]);
      log.end(1);
      await say();
      strictEqual(told.length, 1);
    }
  }
});

Deno.test("with the end of its command a build is over, whatever is known of it", async () => {
  const told: string[] = [];
  const monitor = new Monitor({ now: () => 0, onBuildEnd: ({ state }) => void told.push(state.kind) });
  const log = monitor.open({ source: "replay" });
  const path = `/nix/store/${"0".repeat(32)}-a.drv`;
  for (
    const record of [
      { action: "start", id: 1, type: 105, level: 3, text: "", fields: [path, "", 1, 1] },
      { action: "stop", id: 1 },
    ]
  ) log.push(new TextEncoder().encode(`@nix ${JSON.stringify(record)}\n`));
  monitor.flush();
  deepStrictEqual(told, []);
  log.end();
  monitor.flush();
  await monitor.settled();
  strictEqual(told.length, 1);
});
