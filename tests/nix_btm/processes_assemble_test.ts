/** Which processes are builds, from plain data. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type ActiveBuild, parseActiveBuild } from "../../lib/nix_btm/processes/active_builds.ts";
import { assembleBuilders, isNixProgram } from "../../lib/nix_btm/processes/assemble.ts";
import { autoUser, builderUsers, USER_RULES } from "../../lib/nix_btm/processes/builder_users.ts";
import { buildCgroup, buildFolder, evidenceOf, nameInFolder } from "../../lib/nix_btm/processes/evidence.ts";
import {
  isKernelThread,
  parseEnvironment,
  parseStat,
  processKey,
  runningOf,
} from "../../lib/nix_btm/processes/stat.ts";
import { mayInterfere } from "../../lib/nix_btm/processes/mod.ts";
import { HASH, type Made, RULES, seen, statText } from "./_processes.ts";

const USERS = builderUsers(
  "root:x:0:0::/root:/bin/sh\nann:x:1000:100::/home/ann:/bin/sh\n" +
    "nixbld1:x:30001:30000::/var/empty:/sbin/nologin\nnixbld2:x:30002:30000::/var/empty:/sbin/nologin\n",
  "nixbld:x:30000:nixbld1,nixbld2\n",
  USER_RULES,
);

function builds(made: readonly Made[], active: readonly ActiveBuild[] = []) {
  return assembleBuilders({ processes: made.map(seen), users: USERS, active }, RULES);
}

/** Name of each build with its pids. */
function brief(made: readonly Made[], active: readonly ActiveBuild[] = []) {
  return builds(made, active).map(({ derivation: { name }, members }) => [
    name,
    ...members.map(({ stat }) => stat.pid),
  ]);
}

const DAEMON: Made = { pid: 10, name: "nix-daemon", args: ["nix-daemon", "--daemon"] };
const top = (name: string, at = 0) => `/tmp/nix-build-${name}.drv-${at}`;
const env = (name: string, at = 0) => ({
  NIX_BUILD_TOP: top(name, at),
  NIX_STORE: "/nix/store",
  name,
  out: `/nix/store/${HASH}-${name}`,
  outputs: "out",
});

const CASES: readonly [string, readonly Made[], unknown][] = [
  ["a builder's user makes one, with what descends from it", [
    DAEMON,
    { pid: 20, ppid: 10, uid: 30001, cwd: top("hello-1.0") },
    { pid: 21, ppid: 20, uid: 30001 },
  ], [["hello-1.0", 20, 21]]],
  ["two users are two builds, also of one derivation", [
    DAEMON,
    { pid: 20, ppid: 10, uid: 30001, env: env("a") },
    { pid: 21, ppid: 10, uid: 30002, env: env("a") },
  ], [["a", 20], ["a", 21]]],
  ["what lost its parent belongs to its user's build", [
    { pid: 20, uid: 30001, env: env("a") },
    { pid: 31, ppid: 1, uid: 30001 },
    { pid: 32, ppid: 31, uid: 30001 },
  ], [["a", 20, 31, 32]]],
  ["without users the environment tells, and orphans by the folder in it", [
    { pid: 20, ppid: 7, uid: 1000, env: env("a") },
    { pid: 21, ppid: 20, uid: 1000, env: env("a") },
    { pid: 30, ppid: 1, uid: 1000, env: env("a") },
    { pid: 40, ppid: 7, uid: 1000, env: env("b") },
  ], [["a", 20, 21, 30], ["b", 40]]],
  ["nobody joins the build of another user by its folder", [
    { pid: 20, ppid: 7, uid: 1000, env: env("a") },
    { pid: 21, ppid: 7, uid: 1001, env: env("a") },
  ], [["a", 20], ["a", 21]]],
  ["all sandboxes have one folder, and are many builds", [
    DAEMON,
    { pid: 20, ppid: 10, uid: 0, cwd: "/build/x", env: { ...env("a"), NIX_BUILD_TOP: "/build" } },
    { pid: 21, ppid: 10, uid: 0, cwd: "/build", env: { ...env("b"), NIX_BUILD_TOP: "/build" } },
  ], [["a", 20], ["b", 21]]],
  ["a shell for development is none, though it has the variables", [
    { pid: 20, uid: 1000, env: { ...env("a"), IN_NIX_SHELL: "impure" } },
  ], []],
  ["whoever took over the variables in a terminal builds nothing", [
    { pid: 20, uid: 1000, terminal: 34816, env: env("a") },
  ], []],
  ["being in the folder of a build is no proof", [
    { pid: 20, uid: 1000, cwd: top("a") },
    { pid: 21, uid: 1000, cwd: "/build" },
  ], []],
  ["below a process of Nix it is", [
    { pid: 10, name: "nix-build", uid: 1000 },
    { pid: 20, ppid: 10, uid: 1000, cwd: `${top("a")}/src` },
  ], [["a", 20]]],
  ["a copy of Nix that leads a session in such a folder builds by itself", [
    { pid: 10, name: "nix-build", cwd: "/home" },
    { pid: 20, ppid: 10, name: "nix-build", session: 20, cwd: top("source") },
    { pid: 21, ppid: 10, name: "nix-build", session: 10, cwd: top("source") },
  ], [["source", 20]]],
  ["who runs Nix in a kept folder is no builder", [
    { pid: 9, name: "bash", uid: 1000, cwd: top("a") },
    { pid: 10, ppid: 9, name: "nix-build", uid: 1000, cwd: top("a"), env: env("a") },
    { pid: 11, ppid: 10, name: "nix-build", session: 11, uid: 1000, cwd: top("a") },
  ], []],
  ["ids of Nix' own range count below Nix, or with another sign: containers have them too", [
    DAEMON,
    { pid: 20, ppid: 10, uid: 872_415_232, cwd: "/build" },
    { pid: 21, ppid: 1, uid: 872_415_240, env: { NIX_BUILD_TOP: "/build", name: "a" } },
    { pid: 30, ppid: 1, uid: 872_480_768 },
  ], [["a", 20, 21]]],
  ["a cgroup holds one build together", [
    { pid: 20, cgroup: "0::/system.slice/nix-daemon.service/nix-build-uid-30001", env: { name: "no" } },
    { pid: 21, cgroup: "0::/system.slice/nix-daemon.service/nix-build-uid-30001/inner" },
    { pid: 22, cgroup: "0::/system.slice/nix-daemon.service/nix-build-pid-7-0" },
    { pid: 23, cgroup: "0::/system.slice/nix-daemon.service/supervisor" },
  ], [[undefined, 20, 21], [undefined, 22]]],
  ["what has ended and lost its parent is none; what its parent has not waited for is there", [
    { pid: 20, ppid: 1, uid: 30001, state: "Z" },
    { pid: 21, ppid: 1, uid: 30001, env: env("a") },
    { pid: 22, ppid: 21, uid: 30001, state: "Z" },
  ], [["a", 21, 22]]],
  ["a build within a build belongs to the outer one", [
    { pid: 20, uid: 1000, env: env("outer") },
    { pid: 21, ppid: 20, uid: 1000, name: "nix-build" },
    { pid: 22, ppid: 21, uid: 1000, env: env("inner"), cwd: top("inner") },
  ], [["outer", 20, 21, 22]]],
  ["parents that are each other's children, as a reused pid makes them, are left out", [
    { pid: 20, ppid: 21, uid: 30001 },
    { pid: 21, ppid: 20, uid: 30001 },
    { pid: 22, ppid: 1, uid: 30002, env: env("a") },
  ], [["a", 22]]],
];
for (const [name, made, wanted] of CASES) {
  Deno.test(`builds: ${name}`, () => deepStrictEqual(brief(made), wanted));
}

Deno.test("a process that is found in every way counts once, and the signs are told", () => {
  const cgroup = `0::/nix-build@${HASH}-30001\n`;
  const made: Made[] = [
    DAEMON,
    { pid: 20, ppid: 10, uid: 30001, cwd: top("a"), env: env("a"), cgroup, start: 7 },
    { pid: 19, ppid: 20, uid: 30001, cwd: top("a"), env: env("a"), cgroup },
  ];
  const told = parseActiveBuild(JSON.stringify({
    type: "build",
    nixPid: 11,
    clientPid: 5,
    clientUid: 1000,
    mainPid: 20,
    mainUser: { uid: 30001, name: "nixbld1" },
    cgroup: null,
    startTime: 12.5,
    derivation: `${HASH}-a.drv`,
  }))!;
  const [build, ...others] = builds(made, [told]);
  deepStrictEqual(others, []);
  deepStrictEqual({ ...build, members: build!.members.map(({ stat }) => stat.pid) }, {
    id: "20:7",
    foundBy: ["user", "cgroup", "nix", "environment", "folder"],
    derivation: { name: "a", path: `/nix/store/${HASH}-a.drv`, outputs: { out: `/nix/store/${HASH}-a` } },
    uid: 30001,
    requesterUid: 1000,
    nixPid: 11,
    folder: top("a"),
    cgroup: {
      path: `/nix-build@${HASH}-30001`,
      byController: { "": `/nix-build@${HASH}-30001` },
      hash: HASH,
    },
    members: [20, 19],
  });
});

Deno.test("the derivation's path is known by the cgroup's name, in the store that is built for", () => {
  const made = { pid: 20, uid: 30001, cgroup: `0::/x/nix-build@${HASH}-30001` };
  const [build] = builds([{ ...made, env: { ...env("a"), NIX_STORE: "/tmp/store" } }]);
  strictEqual(build?.derivation.path, `/tmp/store/${HASH}-a.drv`);
  strictEqual(builds([made])[0]?.derivation.path, undefined);
});

Deno.test("a name is told by an output when nothing else tells, as of a child with structured attributes", () => {
  const child = {
    NIX_BUILD_TOP: "/build",
    out: `/nix/store/${HASH}-zlib-1.3`,
    outputs: "out dev",
    dev: "/nix/store/d",
  };
  const [build] = builds([
    { pid: 20, uid: 30001, env: { NIX_BUILD_TOP: "/build", NIX_ATTRS_JSON_FILE: "/build/.attrs.json" } },
    { pid: 21, ppid: 20, uid: 30001, env: child },
  ]);
  deepStrictEqual(build?.derivation, {
    name: "zlib-1.3",
    path: undefined,
    outputs: { out: child.out, dev: child.dev },
  });
});

Deno.test("a stat's name may hold parentheses and spaces, and what is no stat is none", () => {
  const units = { ticksPerSecond: 100, pageBytes: 4096 };
  const made = { pid: 7, ppid: 3, name: ") R 1 (x", cpu: [150, 50] as const, pages: 3, state: "T", start: 9 };
  const stat = parseStat(statText(made), units)!;
  deepStrictEqual(
    [stat.name, stat.pid, stat.ppid, stat.state, stat.ownSeconds, stat.endedSeconds, stat.residentBytes],
    [") R 1 (x", 7, 3, "T", 1.5, 0.5, 12_288],
  );
  strictEqual(processKey(stat), "7:9");
  for (const text of ["", "7", "7 (sh", "7 (sh) S", "7 (sh) S x y z"]) {
    strictEqual(parseStat(text, units), undefined);
  }
  ok(!isKernelThread(stat));
  ok(isKernelThread({ ...stat, ppid: 2, virtualBytes: 0 }));
});

Deno.test("who waits for a stopped child cannot run, as after vfork; all others that are not stopped can", () => {
  const tree = ["S", "D", "T", "D", "t", "Z", "X", "R", "I"].map((state, at) => ({
    pid: 10 + at,
    ppid: 9 + at,
    state,
  }));
  deepStrictEqual(runningOf(tree).map(({ pid }) => pid), [10, 17, 18]);
});

Deno.test("an environment is read by its first entries, and its values may hold anything", () => {
  deepStrictEqual([...parseEnvironment("a=1\0b=x=y\n\0a=2\0=z\0none\0")], [["a", "1"], ["b", "x=y\n"]]);
});

Deno.test("evidence keeps the beginning of a command", () => {
  const base = { uid: 1, cgroup: undefined, folder: undefined, environment: undefined };
  deepStrictEqual(evidenceOf({ ...base, commandLine: "sh\0-c\0\0" }, RULES).args, ["sh", "-c", ""]);
  deepStrictEqual(evidenceOf({ ...base, commandLine: undefined }, RULES).args, []);
  strictEqual(evidenceOf({ ...base, commandLine: "x".repeat(9_000) }, RULES).args[0]?.length, 4_096);
});

Deno.test("folders of builds are told from others, of old Nix and new", () => {
  const folders = [
    "/tmp/nix-build-a.drv-0/b/c",
    "/nix/var/nix/builds/nix-12-3/build/x",
    "/build",
    "/builds",
    "/tmp",
  ];
  deepStrictEqual(folders.map((path) => buildFolder(path, RULES)), [
    "/tmp/nix-build-a.drv-0",
    "/nix/var/nix/builds/nix-12-3",
    "/build",
    undefined,
    undefined,
  ]);
  strictEqual(nameInFolder("/tmp/nix-build-hello-1.0.drv-12"), "hello-1.0");
});

Deno.test("cgroups of builds are told from others, in both versions", () => {
  deepStrictEqual(buildCgroup("4:cpu,cpuacct:/nix-build-uid-7/x\n0::/\n"), {
    path: "/nix-build-uid-7",
    byController: { cpu: "/nix-build-uid-7", cpuacct: "/nix-build-uid-7" },
    hash: undefined,
  });
  for (const text of ["", "0::/\n", "0::/nix-builder\n", "0::/nix-build.service\n"]) {
    strictEqual(buildCgroup(text), undefined);
  }
});

Deno.test("builders are the members of Nix' group and users of such names, and never root", () => {
  const passwd =
    "root:x:0:30000::/:/x\n_nixbld3:*:303:1::/:/x\nbob:x:7:1::/:/x\nprim:x:8:30000::/:/x\n#c\nbad\n";
  const found = builderUsers(passwd, "nixbld:x:30000:bob,root\nwheel:x:5:ann\n", USER_RULES);
  deepStrictEqual([...found.builders], [303, 7, 8]);
  strictEqual(found.names.get(7), "bob");
  deepStrictEqual(
    [...builderUsers("ci-1:x:5:5::/:/x\n", "", { ...USER_RULES, pattern: /^ci-\d$/ }).builders],
    [5],
  );
});

Deno.test("a build has 65,536 ids of Nix' range", () => {
  const ids = [872_415_231, 872_415_232, 872_415_233, 872_480_768, 880_803_839, 880_803_840];
  deepStrictEqual(ids.map((uid) => autoUser(uid, USER_RULES)), [
    undefined,
    872_415_232,
    872_415_232,
    872_480_768,
    880_738_304,
    undefined,
  ]);
});

Deno.test("files of running builds of any shape tell what they have", () => {
  for (
    const text of ["", "{", "[]", "null", "7", '{"mainPid":"7"}', '{"mainPid":1}', '{"mainPid":-4}', "{}"]
  ) {
    strictEqual(parseActiveBuild(text), undefined, text);
  }
  const unknown =
    '{"mainPid":20,"nixPid":null,"derivation":{"path":"x"},"cgroup":3,"startTime":"now","new":[1]}';
  deepStrictEqual(parseActiveBuild(unknown), {
    mainPid: 20,
    derivation: undefined,
    nixPid: undefined,
    clientUid: undefined,
    cgroup: undefined,
    startSeconds: undefined,
  });
  strictEqual(parseActiveBuild('{"mainPid":20,"derivation":"/nix/store/h-a.drv"}')?.derivation, "h-a.drv");
});

Deno.test("Nix' own programs are told from those that are named alike", () => {
  const names = [
    "nix",
    "nix-daemon",
    "nix-build",
    "nix-collect-gar",
    ".nix-daemon-wra",
    "nix-btm",
    "nixos-rebuild",
    "nixd",
    "sh",
  ];
  deepStrictEqual(names.map((name) => isNixProgram({ name })), [
    true,
    true,
    true,
    true,
    true,
    ...Array(4).fill(false),
  ]);
});

Deno.test("who may interfere with a build, and why not", () => {
  const own = new Set([50, 49]);
  const process = { pid: 20, uid: 1000, name: "sh" };
  const ask = (uid: number, processes: readonly (typeof process)[], requesterUid?: number) =>
    mayInterfere({ uid, own, build: { requesterUid, processes } });
  deepStrictEqual([ask(0, [process]), ask(1000, [process]), ask(7, [process], 7)], [
    undefined,
    undefined,
    undefined,
  ]);
  strictEqual(ask(7, [process]), "process 20 of it belongs to user 1000, and this is user 7");
  strictEqual(
    ask(1000, [process, { ...process, pid: 21, uid: 0 }]),
    "process 21 of it belongs to user 0, and this is user 1000",
  );
  strictEqual(ask(0, []), "it has ended");
  strictEqual(ask(0, [{ ...process, pid: 1 }]), "the first process of the machine is part of it");
  strictEqual(ask(0, [process, { ...process, pid: 49 }]), "process 49 that asks for this is part of it");
  strictEqual(ask(0, [{ pid: 9, uid: 0, name: "nix-daemon" }]), "process 9 of it is the Nix daemon");
  // Nix' own builders are copies of it, under another user.
  strictEqual(ask(0, [{ pid: 9, uid: 30001, name: "nix-daemon" }]), undefined);
});
