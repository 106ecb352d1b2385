/** Real processes and real Nix: found, paused, resumed and killed, as /proc tells. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { makeKernelFolder, removeKernelFolder, writeKernelFile } from "../../ffi/files/mod.ts";
import { type AssembledBuild, BuilderSteering, BuilderWatch } from "../../lib/nix_btm/processes/mod.ts";
import { cgroupFolders } from "../../lib/nix_btm/processes/cgroup_files.ts";
import { Procfs } from "../../lib/procfs/mod.ts";
import { hasNix, NixPlace, single } from "../nix/_nix.ts";
import { HASH } from "./_processes.ts";

const isRoot = Deno.uid() === 0;
/** A user of Debian's that nothing runs as. */
const USER = "games";
const UID = Number(
  new RegExp(`^${USER}:[^:]*:(\\d+)`, "m").exec(Deno.readTextFileSync("/etc/passwd"))?.[1] ?? 0,
);
/** A test that waits for more than so long is stuck. */
const LIMIT_MS = 30_000;

async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  for (const endMs = performance.now() + LIMIT_MS; performance.now() < endMs; await wait(5)) {
    const found = look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} does not come`);
}

/** Has that user for itself: all that it runs is one build, so that another run of these tests waits here. */
async function userAlone(): Promise<Deno.FsFile> {
  const file = await Deno.open("/etc/passwd");
  await file.lock(true);
  return file;
}

/** A shell that is a builder as far as /proc tells. */
class Shell implements AsyncDisposable {
  readonly name = `shell-${crypto.randomUUID().slice(0, 8)}`;
  readonly #child: Deno.ChildProcess;

  constructor(script: string, { uid }: { uid?: number } = {}) {
    // A session of its own, without the terminal that the test may have.
    const user = uid === undefined ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    this.#child = new Deno.Command("setsid", {
      args: [...user, "sh", "-c", script],
      clearEnv: true,
      env: {
        PATH: "/usr/bin:/bin",
        NIX_BUILD_TOP: `/tmp/nix-build-${this.name}.drv-0`,
        NIX_STORE: "/tmp/store",
        name: this.name,
        out: `/tmp/store/${HASH}-${this.name}`,
      },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** How it ended. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** All of its session's first group, whether it is found or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(-this.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Killed before.
    }
    await this.#child.status;
  }
}

/** For programs that run without this one's import map. */
const PROCESSES = new URL("../../lib/nix_btm/processes/mod.ts", import.meta.url);

function find(watch: BuilderWatch, name: string) {
  return watch.scan().builds.find((build) => build.name === name);
}

/** The build when the shell has started as many that sleep. */
function whole(watch: BuilderWatch, name: string, count: number) {
  return until(`${count} processes of ${name}`, () => {
    const build = find(watch, name);
    const [main, ...others] = build?.processes ?? [];
    const isThere = main?.name === "sh" && others.length === count &&
      others.every((each) => each.name === "sleep" && each.state === "S");
    return isThere ? build : undefined;
  });
}

/** States by /proc itself; of one that is gone undefined. */
function states(pids: readonly number[]): (string | undefined)[] {
  return pids.map((pid) => new BuilderWatch().stat(pid)?.state);
}

Deno.test("a shell with NIX_BUILD_TOP is tied to its derivation, and is paused, resumed and killed with all it started", async () => {
  await using shell = new Shell("sleep 1000 & sleep 1000 & wait");
  const watch = new BuilderWatch();
  const { id, outputs, processes, foundBy } = await whole(watch, shell.name, 2);
  deepStrictEqual([outputs, foundBy, processes[0]?.pid, processes.map(({ name }) => name)], [
    { out: `/tmp/store/${HASH}-${shell.name}` },
    ["environment"],
    shell.pid,
    ["sh", "sleep", "sleep"],
  ]);
  strictEqual(watch.environment(processes[1]!)?.get("NIX_STORE"), "/tmp/store");
  const steering = new BuilderSteering(watch, Deno.uid()!);
  const pids = processes.map(({ pid }) => pid);
  const told = { id, name: shell.name, processCount: 3, lateCount: 0 };

  deepStrictEqual(await steering.steer(id, "pause"), told);
  deepStrictEqual(states(pids), ["T", "T", "T"]);
  strictEqual(find(watch, shell.name)?.isPaused, true);

  deepStrictEqual(await steering.steer(id, "resume"), told);
  await until("its going on", () => states(pids).every((state) => state !== "T") || undefined);
  strictEqual(find(watch, shell.name)?.isPaused, false);

  deepStrictEqual(await steering.steer(id, "kill"), told);
  strictEqual((await shell.status).signal, "SIGKILL");
  await until(
    "their end",
    () => states(pids).every((state) => state === undefined || state === "Z") || undefined,
  );
  strictEqual(find(watch, shell.name), undefined);
  await rejects(steering.steer(id, "pause"), {
    name: "TypeError",
    message: `Cannot pause build ${id}: it has ended`,
  });
});

Deno.test("a build that starts processes all the time is stopped as a whole, and nothing of it is left", async () => {
  await using shell = new Shell("for i in 1 2 3; do (while :; do /bin/true; done) & done; wait");
  const watch = new BuilderWatch();
  const { id } = await until("its loops", () => {
    const build = find(watch, shell.name);
    return build !== undefined && build.processes.length >= 4 ? build : undefined;
  });
  const steering = new BuilderSteering(watch, Deno.uid()!);
  strictEqual((await steering.steer(id, "pause")).lateCount, 0);
  const pids = find(watch, shell.name)!.processes.map(({ pid }) => pid);
  const again = find(watch, shell.name)!;
  deepStrictEqual([again.isPaused, again.processes.map(({ pid }) => pid)], [true, pids]);
  strictEqual((await steering.steer(id, "kill")).lateCount, 0);
  await shell.status;
  const left = await until("the end of all", () => {
    const build = find(watch, shell.name);
    return build === undefined ? "nothing" : undefined;
  });
  strictEqual(left, "nothing");
});

Deno.test("CPU of children that came and went is counted", async () => {
  await using shell = new Shell("while :; do /bin/true; done");
  const watch = new BuilderWatch();
  const first = await until("it", () => find(watch, shell.name));
  strictEqual(first.usage.cpuRatio, undefined);
  const busy = await until("half a second of CPU", () => {
    const build = find(watch, shell.name);
    return build !== undefined && build.usage.cpuSeconds > 0.5 ? build : undefined;
  });
  ok(busy.usage.cpuRatio !== undefined && busy.usage.cpuRatio >= 0);
  ok(busy.usage.residentBytes > 0 && busy.usage.readBytes !== undefined);
});

Deno.test("a process that has got the pid of one of a build is not hit", async () => {
  await using shell = new Shell("sleep 1000 & wait");
  const truth = new BuilderWatch();
  await whole(truth, shell.name, 1);
  /** Sees starts that are not the processes' own any more. */
  class Late extends BuilderWatch {
    override assemble(): AssembledBuild[] {
      return super.assemble().map((build) => ({
        ...build,
        members: build.members.map(({ stat, evidence }) => ({
          stat: { ...stat, startTicks: stat.startTicks - 1 },
          evidence,
        })),
      }));
    }
  }
  const late = new Late();
  const { id } = late.assemble().find(({ derivation }) => derivation.name === shell.name)!;
  for (const what of ["pause", "resume", "kill"] as const) {
    strictEqual((await new BuilderSteering(late, Deno.uid()!).steer(id, what)).processCount, 0);
  }
  deepStrictEqual(find(truth, shell.name)?.processes.map(({ state }) => state), ["S", "S"]);
});

Deno.test("a build that holds the one who asks is refused", async () => {
  const script = `
    import { BuilderSteering, BuilderWatch } from "${PROCESSES}";
    const watch = new BuilderWatch();
    const build = watch.scan().builds.find(({ processes }) => processes.some(({ pid }) => pid === Deno.pid));
    await new BuilderSteering(watch, Deno.uid()).steer(build.id, "kill").catch(({ message }) => console.log(message));`;
  const { stdout } = await new Deno.Command("setsid", {
    args: ["env", "-u", "IN_NIX_SHELL", Deno.execPath(), "eval", "--no-check", script],
    env: { NIX_BUILD_TOP: "/tmp/nix-build-inside.drv-0" },
    stderr: "inherit",
  }).output();
  match(
    new TextDecoder().decode(stdout),
    /^Cannot kill build inside: process \d+ that asks for this is part of it\n$/,
  );
});

Deno.test({
  name:
    "a builder's user is found without its environment's help, and nobody else may stop it (needs root and the user games)",
  ignore: !isRoot || UID === 0,
  async fn() {
    using _user = await userAlone();
    await using shell = new Shell("exec env -i sleep 1000", { uid: UID });
    const watch = new BuilderWatch({ pattern: /^games$/ });
    const named = await until("its user", () => {
      const build = watch.scan().builds.find(({ uid }) => uid === UID);
      return build?.processes[0]?.name === "sleep" ? build : undefined;
    });
    deepStrictEqual([named.processes[0]?.pid, named.user, named.foundBy], [shell.pid, USER, ["user"]]);
    strictEqual(watch.scan().users.find(({ uid }) => uid === UID)?.builds.length, 1);
    const other = new BuilderSteering(watch, UID + 1);
    await rejects(other.steer(named.id, "kill"), {
      name: "TypeError",
      message: new RegExp(
        `: process ${shell.pid} of it belongs to user ${UID}, and this is user ${UID + 1}$`,
      ),
    });
    ok(!["T", "Z", undefined].includes(states([shell.pid])[0]));
    strictEqual((await new BuilderSteering(watch, UID).steer(named.id, "kill")).lateCount, 0);
    await shell.status;
  },
});

const TREE = cgroupFolders(new Procfs().text("/proc/self/mountinfo") ?? "").get("")?.point;

Deno.test({
  name:
    "who may not tell all of a build to stop leaves it as it was, and is told which (needs root and the user games)",
  ignore: !isRoot || UID === 0,
  async fn() {
    using _user = await userAlone();
    await using shell = new Shell(`setpriv --reuid=${UID} --regid=${UID} --clear-groups sleep 1000 & wait`);
    const watch = new BuilderWatch();
    const { id, processes } = await until("both users", () => {
      const build = find(watch, shell.name);
      return build?.processes[1]?.name === "sleep" ? build : undefined;
    });
    const script = `
      import { BuilderSteering, BuilderWatch } from "${PROCESSES}";
      await new BuilderSteering(new BuilderWatch(), 0).steer("${id}", "pause").catch(({ message }) => console.log(message));`;
    // Root without this right cannot send signals to others.
    const { stdout } = await new Deno.Command("setpriv", {
      args: ["--bounding-set=-kill", Deno.execPath(), "eval", "--no-check", script],
      stderr: "inherit",
    }).output();
    strictEqual(
      new TextDecoder().decode(stdout),
      `Cannot send SIGSTOP to process ${processes[1]!.pid}: Operation not permitted (EPERM)\n`,
    );
    const pids = processes.map(({ pid }) => pid);
    await until("their going on", () => states(pids).every((state) => state === "S") || undefined);
  },
});

Deno.test({
  name:
    "a build with a cgroup of its own is frozen, let go on and killed by it (needs root and cgroups of version 2)",
  ignore: !isRoot || TREE === undefined,
  async fn() {
    const folder = `${TREE}/nix-build-pid-${Deno.pid}-0`;
    makeKernelFolder(folder);
    try {
      await using shell = new Shell("sleep 1000 & wait");
      const { processes } = await whole(new BuilderWatch(), shell.name, 1);
      for (const { pid } of processes) writeKernelFile(`${folder}/cgroup.procs`, `${pid}`);
      // Nix does it before the builder becomes the program that is looked at.
      const watch = new BuilderWatch();
      const build = find(watch, shell.name)!;
      strictEqual(`${TREE}${build.cgroup?.path}`, folder);
      deepStrictEqual([build.foundBy, build.usage.source], [["cgroup", "environment"], "cgroup"]);
      const steering = new BuilderSteering(watch, 0);
      const told = { id: build.id, name: shell.name, processCount: 2, lateCount: 0 };
      deepStrictEqual(await steering.steer(build.id, "pause"), told);
      await until("its being frozen", () => find(watch, shell.name)?.isPaused || undefined);
      // Nobody was sent a signal.
      ok(!states(processes.map(({ pid }) => pid)).includes("T"));
      await steering.steer(build.id, "resume");
      await until("its going on", () => find(watch, shell.name)?.isPaused === false || undefined);
      deepStrictEqual(await steering.steer(build.id, "kill"), told);
      strictEqual((await shell.status).signal, "SIGKILL");
    } finally {
      await until("an empty cgroup", () => new Procfs().text(`${folder}/cgroup.procs`) === "" || undefined);
      removeKernelFolder(folder);
    }
  },
});

Deno.test({
  name:
    "builds of real Nix in a store of its own are found, tied and killed, and Nix tells of it (needs nix-bin)",
  ignore: !hasNix,
  async fn() {
    await using place = new NixPlace();
    const name = `real-${crypto.randomUUID().slice(0, 8)}`;
    const graph = single(name, { gate: place.gate("a") });
    const [drv] = await place.derivations(graph);
    const words = ["--log-format", "internal-json", "-v", ...place.build(graph)];
    const nix = place.command("nix-build", words, { stdout: "null", stderr: "piped" }).spawn();
    const said = new Response(nix.stderr).text();
    const watch = new BuilderWatch();
    // Before it is the builder it is a copy of Nix, which is found by its folder.
    const build = await until("the builder", () => {
      const found = find(watch, name);
      return found?.foundBy.join() === "environment,folder" ? found : undefined;
    });
    strictEqual(build.folder, `${place.folder}/tmp/nix-build-${name}.drv-0`);
    ok(build.outputs["out"]?.startsWith(place.storeFolder));
    const steering = new BuilderSteering(watch, Deno.uid()!);
    strictEqual((await steering.steer(build.id, "pause")).lateCount, 0);
    strictEqual(find(watch, name)?.isPaused, true);
    strictEqual((await steering.steer(build.id, "kill")).lateCount, 0);
    ok((await nix.status).code !== 0);
    const text = await said;
    // The pid of the process that builds is the upper half of its activities' ids.
    const ids = [...text.matchAll(/"action":"start"[^\n]*?"id":(\d+)/g)].map(([, id]) =>
      Number(BigInt(id!) >> 32n)
    );
    ok(text.includes(drv!) && text.includes("failed due to signal 9"));
    ok(ids.includes(build.nixPid!));
  },
});

Deno.test({
  name:
    "a builder of Nix' own, which is a copy of it, is found and killed, and Nix itself is not (needs nix-bin)",
  ignore: !hasNix,
  async fn() {
    await using place = new NixPlace();
    const name = `fetch-${crypto.randomUUID().slice(0, 8)}`;
    const asked = Promise.withResolvers<void>();
    const end = new AbortController();
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
      asked.resolve();
      await new Promise((resolve) => end.signal.addEventListener("abort", resolve));
      return new Response("late");
    });
    // The server waits for its answers when the test fails.
    using _answer = { [Symbol.dispose]: () => end.abort() };
    const url = `http://127.0.0.1:${server.addr.port}/x`;
    const expression =
      `derivation { name = "${name}"; builder = "builtin:fetchurl"; system = "builtin"; url = "${url}";
      outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = "${"0".repeat(64)}"; }`;
    const nix = place.command("nix-build", ["--no-out-link", "-E", expression], {
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const said = new Response(nix.stderr).text();
    await asked.promise;
    const watch = new BuilderWatch();
    const build = find(watch, name)!;
    deepStrictEqual([build.foundBy, build.processes.length, build.processes[0]?.name], [
      ["folder"],
      1,
      "nix-build",
    ]);
    strictEqual(build.processes[0]?.ppid, build.nixPid);
    strictEqual((await new BuilderSteering(watch, Deno.uid()!).steer(build.id, "kill")).lateCount, 0);
    end.abort();
    strictEqual((await nix.status).signal, null);
    ok((await said).includes("failed due to signal 9"));
  },
});
