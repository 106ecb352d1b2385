/** What builds use: gains between looks, cgroups, the agent's count, and a watch on files of a machine. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { systemConfig } from "../../ffi/sys/mod.ts";
import { BuilderWatch, withAgentUsage } from "../../lib/nix_btm/processes/mod.ts";
import { CgroupFiles, cgroupFolders } from "../../lib/nix_btm/processes/cgroup_files.ts";
import { type Counted, gainOf } from "../../lib/nix_btm/processes/gain.ts";
import { parseIo } from "../../lib/nix_btm/processes/sampling.ts";
import { Procfs } from "../../lib/procfs/mod.ts";
import { HASH, Machine } from "./_processes.ts";

const TICKS = systemConfig("clockTicksPerSecond");
const PAGE = systemConfig("pageBytes");

const one = (pid: number, ppid: number, own: number, ended = 0): Counted => (
  { pid, ppid, startTicks: pid, own, ended }
);

const GAINS: readonly [string, readonly Counted[], readonly Counted[], number][] = [
  ["what is there counts its growth", [one(1, 0, 5)], [one(1, 0, 8)], 3],
  ["what is new counts whole", [one(1, 0, 5)], [one(1, 0, 5), one(2, 1, 4, 1)], 5],
  ["an ended child's rest is what its parent gained over it", [one(1, 0, 5), one(2, 1, 10)], [
    one(1, 0, 5, 13),
  ], 3],
  ["a child that came and went in between is in its parent", [one(1, 0, 5)], [one(1, 0, 5, 7)], 7],
  [
    "grandchildren that ended with their parent count once",
    [one(1, 0, 0), one(2, 1, 10), one(3, 2, 20)],
    [one(1, 0, 1, 35)],
    6,
  ],
  ["nobody waited for it: what it used is not taken off others", [one(1, 0, 0), one(2, 1, 10)], [
    one(1, 0, 4),
  ], 4],
  ["a reused pid is another process", [one(1, 0, 100)], [{ ...one(1, 0, 3), startTicks: 9 }], 3],
  ["parents in a circle end the search", [one(2, 3, 5), one(3, 2, 5)], [], 0],
];
for (const [name, before, now, gained] of GAINS) {
  Deno.test(`gainOf(): ${name}`, () => strictEqual(gainOf(before, now), gained));
}

Deno.test("gainOf(): looks at any times add up to what was used in all", () => {
  const seed = 1 + Math.floor(Math.random() * (2 ** 31 - 2));
  let state = seed;
  const random = (below: number) => (state = (state * 48_271) % 0x7fffffff) % below;
  let processes = [one(1, 0, 0)];
  let [used, told, next, before] = [0, 0, 2, processes];
  for (let step = 0; step < 2_000; step++) {
    const at = random(processes.length);
    const chosen = processes[at]!;
    if (random(4) === 0) processes = [...processes, one(next++, chosen.pid, 0)];
    else if (random(3) === 0 && chosen.pid !== 1 && !processes.some(({ ppid }) => ppid === chosen.pid)) {
      processes = processes.filter((each) => each !== chosen).map((each) =>
        each.pid === chosen.ppid ? { ...each, ended: each.ended + chosen.own + chosen.ended } : each
      );
    } else {
      used += 1;
      processes = processes.with(at, { ...chosen, own: chosen.own + 1 });
    }
    if (random(5) > 0) continue;
    told += gainOf(before, processes);
    before = processes;
  }
  strictEqual(told + gainOf(before, processes), used, `seed ${seed}`);
});

Deno.test("IO is read where it is told", () => {
  deepStrictEqual(parseIo("rchar: 9\nwchar: 8\nread_bytes: 7\nwrite_bytes: 6\ncancelled_write_bytes: 0\n"), {
    readBytes: 7,
    writtenBytes: 6,
  });
  strictEqual(parseIo(""), undefined);
});

const MOUNTS =
  "25 1 0:2 / /proc rw - proc proc rw\n30 1 0:3 / /cg rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n" +
  "31 1 0:4 /docker/x /v1/cpu rw - cgroup cgroup rw,cpu,cpuacct\n32 1 0:5 / /v1/memory rw - cgroup cgroup rw,memory\n" +
  "33 1 0:6 / /v1/blkio rw - cgroup cgroup rw,blkio\n34 1 0:7 / /v1/freezer rw - cgroup cgroup rw,freezer\n";

Deno.test("trees of cgroups are found by controller, with what of them is mounted", () => {
  const found = cgroupFolders(MOUNTS);
  deepStrictEqual(found.get(""), { point: "/cg", root: "/" });
  deepStrictEqual(found.get("cpuacct"), { point: "/v1/cpu", root: "/docker/x" });
  strictEqual(found.has("proc"), false);
});

Deno.test("a cgroup of version 2 tells what it used, is frozen, let go on and killed", async () => {
  await using machine = new Machine();
  machine.file("/proc/self/mountinfo", MOUNTS);
  const path = "/nix-build-uid-7";
  for (
    const [file, text] of [
      ["cpu.stat", "usage_usec 2500000\nuser_usec 1\n"],
      ["memory.current", "4096\n"],
      ["io.stat", "8:0 rbytes=100 wbytes=200 rios=1\n8:16 rbytes=3 wbytes=4\n"],
      ["cgroup.events", "populated 1\nfrozen 1\n"],
      ["cgroup.freeze", ""],
      ["cgroup.kill", ""],
    ] as const
  ) machine.file(`/cg${path}/${file}`, text);
  const files = new CgroupFiles(new Procfs(machine.root));
  const cgroup = { path, byController: { "": path }, hash: undefined };
  deepStrictEqual(files.usage(cgroup), {
    cpuSeconds: 2.5,
    memoryBytes: 4096,
    readBytes: 103,
    writtenBytes: 204,
    isFrozen: true,
  });
  const text = (file: string) => Deno.readTextFileSync(`${machine.root}/cg${path}/${file}`);
  ok(files.freeze(cgroup, true));
  strictEqual(text("cgroup.freeze"), "1");
  ok(files.freeze(cgroup, false));
  strictEqual(text("cgroup.freeze"), "0");
  ok(files.kill(cgroup));
  strictEqual(text("cgroup.kill"), "1");
  const gone = { ...cgroup, byController: { "": "/nix-build-uid-8" } };
  deepStrictEqual([files.freeze(gone, true), files.kill(gone), files.usage(gone).cpuSeconds], [
    false,
    false,
    undefined,
  ]);
});

Deno.test("a cgroup of version 1 tells it by its controllers", async () => {
  await using machine = new Machine();
  machine.file("/proc/self/mountinfo", MOUNTS);
  machine.file("/v1/cpu/b/cpuacct.usage", "1500000000\n");
  machine.file("/v1/memory/b/memory.usage_in_bytes", "77\n");
  machine.file(
    "/v1/blkio/b/blkio.throttle.io_service_bytes_recursive",
    "8:0 Read 5\n8:0 Write 6\n8:0 Total 11\nTotal 11\n",
  );
  machine.file("/v1/freezer/b/freezer.state", "THAWED\n");
  const files = new CgroupFiles(new Procfs(machine.root));
  const byController = { cpuacct: "/docker/x/b", memory: "/b", blkio: "/b", freezer: "/b" };
  const cgroup = { path: "/b", byController, hash: undefined };
  deepStrictEqual(files.usage(cgroup), {
    cpuSeconds: 1.5,
    memoryBytes: 77,
    readBytes: 5,
    writtenBytes: 6,
    isFrozen: false,
  });
  ok(files.freeze(cgroup, true));
  ok(files.usage(cgroup).isFrozen);
  ok(!files.kill(cgroup));
});

const env = { NIX_BUILD_TOP: "/tmp/nix-build-a.drv-0", name: "a", out: `/nix/store/${HASH}-a` };

Deno.test("a watch tells users, builds and processes with what they used since the look before", async () => {
  await using machine = new Machine();
  machine.file("/etc/passwd", "nixbld1:x:30001:30000::/:/x\nnixbld2:x:30002:30000::/:/x\n");
  machine.put({ pid: 10, name: "nix-daemon" });
  const main = { pid: 20, ppid: 10, uid: 30001, env, args: ["bash", "-e"], start: 50 * TICKS };
  machine.put({ ...main, cpu: [TICKS, 0], pages: 2, io: [100, 10] });
  machine.put({ pid: 21, ppid: 20, uid: 30001, env, cpu: [2 * TICKS, 0], pages: 3, io: [50, 0] });
  machine.put({ pid: 22, ppid: 1, uid: 1000, name: "nixd" });
  let nowMs = 0;
  const watch = new BuilderWatch({ root: machine.root, now: () => nowMs });
  const first = watch.scan();
  deepStrictEqual(first.users.map(({ user, builds }) => [user, builds.length]), [["nixbld1", 1], [
    "nixbld2",
    0,
  ]]);
  const build = first.builds[0]!;
  deepStrictEqual([build.name, build.user, build.nixPid, build.startedMs, build.isPaused, build.outputs], [
    "a",
    "nixbld1",
    10,
    1_050_000,
    false,
    { out: env.out },
  ]);
  deepStrictEqual(build.usage, {
    source: "processes",
    cpuSeconds: 3,
    cpuRatio: undefined,
    waitRatio: undefined,
    residentBytes: 5 * PAGE,
    memoryBytes: 5 * PAGE,
    readBytes: 150,
    writtenBytes: 10,
    readBytesPerSecond: undefined,
    writtenBytesPerSecond: undefined,
    hasEnded: false,
  });
  deepStrictEqual(
    build.processes.map(({ pid, depth, command, user, cpuRatio }) => [pid, depth, command, user, cpuRatio]),
    [
      [20, 0, ["bash", "-e"], "nixbld1", undefined],
      [21, 1, [], "nixbld1", undefined],
    ],
  );
  // The child ends with one second more, after reading 30 bytes more; the parent works half a second.
  nowMs = 2_000;
  machine.end(21);
  machine.put({ ...main, cpu: [1.5 * TICKS, 3 * TICKS], pages: 2, io: [180, 10], state: "T" });
  const { usage, isPaused, processes } = watch.scan().builds[0]!;
  deepStrictEqual([
    usage.cpuSeconds,
    usage.cpuRatio,
    usage.readBytes,
    usage.readBytesPerSecond,
    usage.hasEnded,
  ], [
    4.5,
    0.75,
    180,
    15,
    true,
  ]);
  deepStrictEqual([isPaused, processes[0]?.cpuRatio, processes[0]?.cpuSeconds], [true, 0.25, 4.5]);
});

Deno.test("a process that has got the pid of one that ended is another build", async () => {
  await using machine = new Machine();
  const watch = new BuilderWatch({ root: machine.root });
  machine.put({ pid: 20, env, start: 5 });
  const [before] = watch.scan().builds;
  machine.put({ pid: 20, env: { ...env, NIX_BUILD_TOP: "/tmp/nix-build-b.drv-0", name: "b" }, start: 9 });
  const [after] = watch.scan().builds;
  deepStrictEqual([before?.id, before?.name, after?.id, after?.name], ["20:5", "a", "20:9", "b"]);
  deepStrictEqual([...watch.environment({ pid: 20, startTicks: 9 })?.keys() ?? []], [
    "NIX_BUILD_TOP",
    "name",
    "out",
  ]);
  strictEqual(watch.environment({ pid: 20, startTicks: 5 }), undefined);
});

Deno.test("what a process runs is read again when it has become another program, and not before", async () => {
  await using machine = new Machine();
  const watch = new BuilderWatch({ root: machine.root });
  machine.put({ pid: 20, name: "sh", start: 5 });
  deepStrictEqual(watch.scan().builds, []);
  machine.put({ pid: 20, name: "sh", start: 5, env });
  deepStrictEqual(watch.scan().builds, []);
  machine.put({ pid: 20, name: "gcc", start: 5, env });
  strictEqual(watch.scan().builds.length, 1);
});

Deno.test("what was quiet for long is looked at less often, and at once when it is to be steered", async () => {
  await using machine = new Machine();
  const watch = new BuilderWatch({ root: machine.root });
  for (const pid of [20, 21, 22, 23]) machine.put({ pid, start: 5 });
  for (let look = 0; look < 6; look++) watch.scan();
  for (const pid of [20, 21, 22, 23]) machine.put({ pid, start: 9, env: { ...env, out: `/${pid}` } });
  const folder = ({ length }: { length: number }) => length;
  const found = [1, 2, 3, 4].map(() => watch.scan().builds.flatMap(({ processes }) => processes)).map(folder);
  deepStrictEqual(found, [1, 2, 3, 4]);
  for (let look = 0; look < 6; look++) strictEqual(watch.scan().builds[0]?.processes.length, 4);
  machine.put({ pid: 20, start: 10 });
  for (let look = 0; look < 6; look++) watch.scan();
  machine.put({ pid: 20, start: 11, env });
  strictEqual(watch.assemble()[0]?.members.length, 4);
});

Deno.test("Nix' notes tell the derivation; those left behind by a crash, and foreign ones, tell nothing", async () => {
  await using machine = new Machine();
  const note = (mainPid: number, startTime: number, name: string) =>
    machine.file(
      `/state/active-builds/${name}`,
      JSON.stringify({
        type: "build",
        nixPid: 10,
        clientUid: 1000,
        mainPid,
        startTime,
        derivation: `${HASH}-${name}.drv`,
      }),
    );
  machine.put({ pid: 20, start: 100 * TICKS });
  machine.put({ pid: 21, start: 900 * TICKS });
  note(20, 1_100, "a");
  note(21, 1_200, "stale");
  note(99, 1_200, "ended");
  machine.file("/state/active-builds/new", "\0\0");
  const [build, ...others] = new BuilderWatch({ root: machine.root, stateFolder: "/state" }).scan().builds;
  deepStrictEqual(others, []);
  deepStrictEqual([build?.name, build?.drvPath, build?.requesterUid, build?.foundBy], [
    "a",
    `/nix/store/${HASH}-a.drv`,
    1000,
    ["nix"],
  ]);
});

Deno.test("a build with a cgroup of its own uses what that tells, and is paused when that is frozen", async () => {
  await using machine = new Machine();
  machine.file("/proc/self/mountinfo", MOUNTS);
  const path = "/nix-build-uid-7";
  machine.put({ pid: 20, cgroup: `0::${path}\n`, cpu: [TICKS, 0] });
  machine.file(`/cg${path}/cpu.stat`, "usage_usec 1000000\n");
  machine.file(`/cg${path}/memory.current`, "1234\n");
  let nowMs = 0;
  const watch = new BuilderWatch({ root: machine.root, now: () => nowMs });
  watch.scan();
  nowMs = 1_000;
  machine.file(`/cg${path}/cpu.stat`, "usage_usec 3500000\n");
  machine.file(`/cg${path}/cgroup.events`, "frozen 1\n");
  const { usage, isPaused, cgroup } = watch.scan().builds[0]!;
  deepStrictEqual([usage.source, usage.cpuSeconds, usage.cpuRatio, usage.memoryBytes, usage.residentBytes], [
    "cgroup",
    3.5,
    2.5,
    1234,
    10 * PAGE,
  ]);
  deepStrictEqual([isPaused, cgroup?.path], [true, path]);
});

Deno.test("the agent's count goes before ticks: of a cgroup always, of processes while none has ended", async () => {
  await using machine = new Machine();
  let nowMs = 0;
  const watch = new BuilderWatch({ root: machine.root, now: () => nowMs });
  machine.put({ pid: 20, env, start: 5 });
  machine.put({ pid: 30, cgroup: "0::/nix-build-uid-7\n" });
  watch.scan();
  nowMs = 1_000;
  const counted = {
    elapsedNs: 1e9,
    byProcess: new Map([["20", 25e7], ["30", 1e8]]),
    byCgroup: new Map([["/nix-build-uid-7", 9e8]]),
    waitedByCgroup: new Map([["/nix-build-uid-7", 3e8]]),
  };
  const told = withAgentUsage(watch.scan(), counted);
  deepStrictEqual(
    told.builds.map(({ usage: { source, cpuRatio, waitRatio } }) => [source, cpuRatio, waitRatio]),
    [
      ["agent", 0.25, undefined],
      ["agent", 0.9, 0.3],
    ],
  );
  strictEqual(told.users.flatMap(({ builds }) => builds)[1], told.builds[1]);
  strictEqual(told.builds[1]?.processes[0]?.cpuRatio, 0.1);
  nowMs = 2_000;
  machine.put({ pid: 20, env, start: 5, cpu: [0, TICKS] });
  const { usage } = withAgentUsage(watch.scan(), counted).builds[0]!;
  deepStrictEqual([usage.source, usage.cpuRatio], ["processes", 1]);
});
