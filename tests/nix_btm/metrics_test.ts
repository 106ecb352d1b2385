/** Metrics of the daemon and of builds, as rows and as text. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { PushedRow } from "../../lib/agent_client/mod.ts";
import {
  applyUpdate,
  BuildUse,
  daemonRows,
  emptyWorld,
  NIX_METRICS_HELP,
  processesOf,
  prometheusText,
  type World,
} from "../../lib/nix_btm/mod.ts";
import type { BuilderBuild } from "../../lib/nix_btm/processes/mod.ts";

const COUNTS = {
  commands: 1,
  builds: 2,
  waiting: 3,
  ended: new Map([["succeeded", 4], ["failed", 1]]),
  connections: 5,
  refused: 0,
  bytes: 600,
  dropped: 0,
};

/** A build by what it has used. */
function build(id: string, cpuSeconds: number, more: Partial<BuilderBuild> = {}): BuilderBuild {
  return {
    id,
    name: "hello-1.0",
    drvPath: undefined,
    outputs: {},
    foundBy: [],
    uid: 30_001,
    user: "nixbld1",
    requesterUid: undefined,
    nixPid: undefined,
    folder: undefined,
    cgroup: undefined,
    startedMs: 0,
    isPaused: false,
    usage: {
      source: "processes",
      cpuSeconds,
      cpuRatio: undefined,
      waitRatio: undefined,
      residentBytes: 50,
      memoryBytes: 100,
      readBytes: 1_000 * cpuSeconds,
      writtenBytes: undefined,
      readBytesPerSecond: undefined,
      writtenBytesPerSecond: undefined,
      hasEnded: false,
    },
    processes: [],
    ...more,
  };
}

function worldOf(...builds: readonly BuilderBuild[]): World {
  return { ...emptyWorld(), builders: { atMs: 0, builds, users: [] } };
}

function look(use: BuildUse, world: World): void {
  use.see(world, { found: processesOf(world), hostname: "host" });
}

function valuesOf(use: BuildUse, metric: string): Record<string, number> {
  const rows = use.rows().filter(({ name }) => name === metric);
  return Object.fromEntries(
    rows.map(({ labels, value }) => [`${labels!.derivation} ${labels!.user}`, value]),
  );
}

Deno.test("the daemon tells counts by outcome and what each cache gave, and Prometheus reads them", () => {
  const world = emptyWorld();
  applyUpdate(world, { caches: [{ store: "https://cache", paths: 2, bytes: 70, busyMs: 1 }] });
  const rows = daemonRows(COUNTS, world);
  const text = prometheusText(rows, NIX_METRICS_HELP);
  ok(rows.every(({ name }) => NIX_METRICS_HELP[name] !== undefined), "each has its help");
  deepStrictEqual(text.split("\n").filter((line) => /ended|cache_bytes/.test(line)), [
    "# HELP nix_btm_builds_ended Builds that are over, by how they ended",
    "# TYPE nix_btm_builds_ended counter",
    'nix_btm_builds_ended{outcome="succeeded"} 4',
    'nix_btm_builds_ended{outcome="failed"} 1',
    "# HELP nix_btm_cache_bytes Bytes that a cache or store has given",
    "# TYPE nix_btm_cache_bytes counter",
    'nix_btm_cache_bytes{cache="https://cache"} 70',
  ]);
  const odd: PushedRow = { name: "x", type: "gauge", labels: { a: '"\\\n' }, value: 1.9 };
  strictEqual(prometheusText([odd], {}), '# HELP x \n# TYPE x gauge\nx{a="\\"\\\\\\n"} 1\n');
});

Deno.test("builds are told by derivation, machine and user, and are gone when they are over", () => {
  const use = new BuildUse();
  const world = worldOf(build("1", 2));
  applyUpdate(world, {
    commands: [{ id: 7, requester: { source: "socket", user: "alice" } }],
    jobs: [{
      id: 9,
      command: 7,
      kind: "build",
      name: "hello-1.0",
      subject: "/x",
      state: { kind: "running" },
    }],
  } as never);
  look(use, world);
  deepStrictEqual(use.rows().map(({ name, labels, value }) => [name, labels!.op, value]), [
    ["nix_build_cpu_usage", undefined, 2e9],
    ["nix_build_memory", undefined, 100],
    ["nix_build_io_bytes", "read", 2_000],
    ["nix_build_io_bytes", "write", 0],
  ]);
  deepStrictEqual(use.rows()[0]!.labels, { derivation: "hello-1.0", machine: "host", user: "alice" });
  ok(use.rows().every(({ name }) => NIX_METRICS_HELP[name] !== undefined));
  look(use, worldOf());
  deepStrictEqual(use.rows(), []);
});

Deno.test("a counter of several builds of one name never falls, however they come and go", () => {
  const use = new BuildUse();
  const told: number[] = [];
  const looks = [[build("1", 2)], [build("1", 3), build("2", 1)], [build("2", 4)], [build("2", 3.5)]];
  for (const builds of looks) {
    look(use, worldOf(...builds));
    told.push(valuesOf(use, "nix_build_cpu_usage")["hello-1.0 nixbld1"]! / 1e9);
  }
  deepStrictEqual(told, [2, 4, 7, 7]);
  strictEqual(valuesOf(use, "nix_build_memory")["hello-1.0 nixbld1"], 100);
});

Deno.test("more than 100 sets of labels are one", () => {
  const use = new BuildUse();
  const many = Array.from({ length: 130 }, (_, at) => build(`${at}`, 1, { name: `b${at}` }));
  look(use, worldOf(...many));
  const values = valuesOf(use, "nix_build_cpu_usage");
  deepStrictEqual([Object.keys(values).length, values["(others) (others)"]], [101, 30e9]);
});
