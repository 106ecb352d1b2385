/** One node with its server and agent: what is asked for comes about, and is told. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import type { NewInstance } from "../../lib/cluster/control/compute.ts";
import { MemoryDriver, MemoryMachine, openProcessDriver } from "../../lib/cluster/drivers/mod.ts";
import { MACHINE_CLOCK } from "../../lib/cluster/mod.ts";
import { instanceOf, newInstance } from "./_model.ts";
import { OneNode } from "./_one_node.ts";

const clock = MACHINE_CLOCK;

Deno.test("one node: an instance is placed, run, paused, stopped, started again and deleted", async () => {
  const machine = new MemoryMachine();
  await using one = await OneNode.begin([new MemoryDriver({ kind: "process", clock, machine })]);
  const { id } = await one.compute.create(newInstance("web"));
  const running = await one.until(id, "running");
  deepStrictEqual([running?.node, running?.epoch, running?.restarts], ["n", 1, 0]);
  for (
    const [power, phase] of [
      ["paused", "paused"],
      ["running", "running"],
      ["stopped", "stopped"],
      ["running", "running"],
    ] as const
  ) {
    await one.compute.setPower("web", power);
    await one.until(id, phase);
  }
  await one.compute.delete("web");
  await one.until(id, "forgotten");
  strictEqual(machine.instances.size, 0);
  const left = (await one.store.list(one.keys.root)).entries.map(({ key }) => key);
  for (
    const family of [
      one.keys.statuses,
      one.keys.instances,
      one.keys.placedOn("n"),
      one.keys.name("default", ""),
    ]
  ) {
    deepStrictEqual(left.filter((key) => key.startsWith(family)), []);
  }
  deepStrictEqual(JSON.parse((await one.store.get(one.keys.allocation("n")))!.value).instances, {});
  deepStrictEqual(one.complaints, []);
});

Deno.test("one node: what ends by itself is started again as it says, and its failures are counted", async () => {
  let runs = 0;
  const life = () => ++runs === 1 ? { ms: 1, code: 3 } : undefined;
  const machine = new MemoryMachine();
  await using one = await OneNode.begin([new MemoryDriver({ kind: "process", clock, machine, life })]);
  const { id } = await one.compute.create(newInstance("web", { restart: "on_failure" }));
  const failed = await one.until(id, "failed");
  strictEqual(failed?.exitCode, 3);
  const again = await one.until(id, "running");
  deepStrictEqual([again?.restarts, runs], [1, 2]);
});

Deno.test("one node: what cannot be done is told as the reason, and tried again", async () => {
  let failures = 2;
  const failure = (operation: string) =>
    operation === "start" && failures-- > 0 ? "the disk is full" : undefined;
  await using one = await OneNode.begin([new MemoryDriver({ kind: "process", clock, failure })]);
  const { id } = await one.compute.create(newInstance("web"));
  const failed = await one.until(id, "failed");
  match(failed?.reason ?? "", /the disk is full/);
  await one.until(id, "running");
  ok(one.complaints.some((text) => text.includes("the disk is full")));
});

Deno.test("one node: what runs goes on without its agent, and the next one has it; what is nobody's is left alone", async () => {
  const machine = new MemoryMachine();
  const driver = new MemoryDriver({ kind: "process", clock, machine });
  await using one = await OneNode.begin([driver]);
  const [kept, deleted] = [
    await one.compute.create(newInstance("kept")),
    await one.compute.create(newInstance("deleted")),
  ];
  const before = await one.until(kept.id, "running");
  await one.until(deleted.id, "running");
  await one.stopAgent();
  await one.compute.delete("deleted");
  const orphan = { ...kept, id: "orphan", placement: { node: "n", epoch: 1 } };
  await driver.create(orphan);
  await driver.start({ id: "orphan", epoch: 1 });
  one.startAgent();
  await one.until(deleted.id, "forgotten");
  const after = await one.until(kept.id, "running");
  strictEqual(after?.pid, before?.pid);
  deepStrictEqual([...machine.instances.keys()].sort(), [kept.id, "orphan"].sort());
  ok(one.complaints.some((text) => /^orphan is here, and nobody knows it/.test(text)), one.complaints.join());
});

Deno.test("one node: a real program is run under its keeper, paused, killed, started again and deleted", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cluster-" });
  await using one = await OneNode.begin([await openProcessDriver({ folder })]);
  const workload = { ...instanceOf("x").workload, command: ["sleep", "1000"] } as NewInstance["workload"];
  const { id } = await one.compute.create(newInstance("web", { workload }));
  const running = await one.until(id, "running");
  const name = (pid: number) => Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
  strictEqual(name(running!.pid!), "sleep");
  await one.compute.setPower("web", "paused");
  await one.until(id, "paused");
  await one.compute.setPower("web", "running");
  const again = await one.until(id, "running");
  strictEqual(again!.pid, running!.pid);
  Deno.kill(running!.pid!, "SIGKILL");
  const failed = await one.until(id, "failed");
  match(failed?.reason ?? "", /SIGKILL/);
  const restarted = await one.until(id, "running");
  ok(restarted!.pid !== running!.pid);
  await one.compute.delete("web");
  await one.until(id, "forgotten");
  throws(() => name(restarted!.pid!));
  await one.stopAgent();
  await Deno.remove(folder, { recursive: true });
});
