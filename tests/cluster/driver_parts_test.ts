/** What single drivers do beside what all do. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { MACHINE_CLOCK } from "../../lib/cluster/mod.ts";
import { DriverError, MemoryDriver, openProcessDriver } from "../../lib/cluster/drivers/mod.ts";
import { brakeOf } from "../../lib/cluster/drivers/process/freeze.ts";
import { treeUsage } from "../../lib/procfs/mod.ts";
import { Folder } from "../supervisor/_scene.ts";
import { comesTo, said } from "./driver_suite.ts";
import { ownerOf, waiting } from "./_drivers.ts";
import { instanceOf } from "./_model.ts";

const placement = { node: "n", epoch: 1 };
const a = { id: "a", epoch: 1 };

Deno.test("process: without a cgroup all processes of a tree are stopped, and go on", async () => {
  using folder = new Folder();
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", "sh -c 'echo up; sleep 1000' & wait"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const { pids } = treeUsage(child.pid);
  const letters = () =>
    pids.map((pid) => /\) (\S)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))![1]).join("");
  try {
    const brake = brakeOf(folder.path, child.pid);
    strictEqual(brake.isOn(), false);
    await brake.set(true);
    deepStrictEqual([brake.isOn(), letters()], [true, "T".repeat(pids.length)]);
    await brake.set(false);
    deepStrictEqual([brake.isOn(), letters().includes("T")], [false, false]);
  } finally {
    for (const pid of pids) Deno.kill(pid, "SIGKILL");
    await child.status;
    await reader.cancel();
  }
});

Deno.test("process: a program knows what it is given, and nothing of its agent; it works in a folder of its own", async () => {
  using folder = new Folder();
  await using driver = await openProcessDriver({ folder: folder.path, owner: ownerOf(folder.path) });
  await driver.create(instanceOf("a", {
    placement,
    workload: {
      driver: "process",
      command: ["/bin/sh", "-c", "env | grep -v -e ^PATH -e ^HOSTKIT_INSTANCE -e ^_= -e ^PWD; pwd"],
      env: { GIVEN: "1" },
      cwd: null,
    },
  }));
  const ended = comesTo(driver, "a", "ended");
  Deno.env.set("HOSTKIT_TEST_SECRET", "x");
  await driver.start(a).finally(() => Deno.env.delete("HOSTKIT_TEST_SECRET"));
  await ended;
  strictEqual(await said(driver, a), `GIVEN=1\n${folder.path}/a/data\n`);
  await driver.delete(a);
});

Deno.test("process: what cannot be run ends, and its log says why", async () => {
  using folder = new Folder();
  await using driver = await openProcessDriver({ folder: folder.path, owner: ownerOf(folder.path) });
  const workload = { ...waiting("a", 1, "").workload, command: ["/none/such"] as const };
  await driver.create(instanceOf("a", { placement, workload: workload as never }));
  const ended = comesTo(driver, "a", "ended");
  await driver.start(a).catch((error) => {
    // Where it has ended before it could be looked at.
    if (!(error instanceof DriverError)) throw error;
  });
  const state = await ended;
  deepStrictEqual(state.kind === "ended" && [state.end.code, state.end.isSuccess], [127, false]);
  const pieces = await Array.fromAsync(driver.logs(a));
  const words = pieces.map(({ bytes }) => new TextDecoder().decode(bytes)).join("");
  strictEqual(words, `"/none/such" cannot be run: No such file or directory`);
  await driver.delete(a);
});

Deno.test("memory: what is to fail fails, what is to take time takes it, and a run has the life that it is given", async () => {
  const sleeps: number[] = [];
  const clock = {
    ...MACHINE_CLOCK,
    sleep: (ms: number) => {
      sleeps.push(ms);
      return Promise.resolve();
    },
  };
  let isBroken = true;
  await using driver = new MemoryDriver({
    kind: "process",
    clock,
    delayMs: (operation) => operation === "start" ? 40 : 0,
    failure: (operation) => operation === "start" && isBroken ? "no room" : undefined,
    life: () => ({ ms: 70, code: 3 }),
  });
  await driver.create(instanceOf("a", { placement }));
  await rejects(driver.start(a), /Cannot start instance a: no room/);
  isBroken = false;
  const ended = comesTo(driver, "a", "ended");
  await driver.start(a);
  const state = await ended;
  strictEqual(state.kind === "ended" && state.end.code, 3);
  deepStrictEqual(sleeps, [40, 40, 70]);
});
