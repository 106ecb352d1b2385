/** What is asked of instances, and what becomes of the same request sent twice. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Compute, type NewInstance } from "../../lib/cluster/control/compute.ts";
import { ClusterError, type ClusterProblem } from "../../lib/cluster/control/errors.ts";
import { reap } from "../../lib/cluster/control/reaper.ts";
import {
  Keys,
  MACHINE_CLOCK,
  SqliteStore,
  type Store,
  StoreError,
  unlimited,
} from "../../lib/cluster/mod.ts";
import { newInstance } from "./_model.ts";

const keys = new Keys();

const problem = (wanted: ClusterProblem, words: RegExp) => (error: unknown) => {
  ok(error instanceof ClusterError, String(error));
  strictEqual(error.problem, wanted, error.message);
  ok(words.test(error.message), error.message);
  return true;
};

function opened(): { readonly store: Store; readonly compute: Compute } & AsyncDisposable {
  const store = SqliteStore.open(":memory:");
  const compute = new Compute({ store, keys, clock: MACHINE_CLOCK });
  return { store, compute, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

Deno.test("an instance is made once, found by id and name, changed and deleted", async () => {
  await using cluster = opened();
  const { compute } = cluster;
  const made = await compute.create(newInstance("web"));
  deepStrictEqual([made.generation, made.placement, made.power], [1, null, "running"]);
  deepStrictEqual(await compute.get("web"), made);
  deepStrictEqual(await compute.get(made.id), made);
  await rejects(
    compute.create(newInstance("web")),
    problem("exists", /an instance "web" in project "default" already/),
  );
  ok((await compute.create(newInstance("web", { project: "other" }))).id !== made.id);
  const stopped = await compute.setPower("web", "stopped");
  deepStrictEqual([stopped.power, stopped.generation], ["stopped", 2]);
  strictEqual((await compute.setPower("web", "stopped")).generation, 2);
  const deleted = await compute.delete(made.id);
  deepStrictEqual([deleted.isDeleting, deleted.generation], [true, 3]);
  await rejects(compute.setPower("web", "running"), problem("conflict", /"web" is being deleted/));
  await rejects(
    compute.get("none"),
    problem("not found", /There is no instance "none" in project "default"/),
  );
});

Deno.test("a request that is sent again is answered as the first, and one that only has its key is refused", async () => {
  await using cluster = opened();
  const { compute, store } = cluster;
  const [first, again] = await Promise.all([
    compute.create(newInstance("web"), { key: "k" }),
    compute.create(newInstance("web"), { key: "k" }),
  ]);
  deepStrictEqual(again, first);
  strictEqual((await store.list(keys.instances)).entries.length, 1);
  await compute.setPower("web", "stopped", { key: "s" });
  await compute.setPower("web", "running");
  // The late copy of an old request changes nothing.
  strictEqual((await compute.setPower("web", "stopped", { key: "s" })).power, "stopped");
  strictEqual((await compute.get("web")).power, "running");
  const { id } = await compute.delete("web", { key: "d" });
  strictEqual(await reap(store, keys, id), true);
  // It is no more: what deleted it is answered as it was.
  strictEqual((await compute.delete("web", { key: "d" })).id, id);
  await rejects(compute.delete("web"), problem("not found", /There is no instance "web"/));
  await rejects(
    compute.create(newInstance("db"), { key: "k" }),
    problem("invalid", /key "k" was used for another/),
  );
});

Deno.test("a change that nobody knows the end of is made once", async () => {
  for (const isDone of [true, false]) {
    await using cluster = opened();
    const { store } = cluster;
    let failures = 2;
    const flaky: Store = Object.assign(Object.create(store), {
      async commit(transaction: Parameters<Store["commit"]>[0]) {
        if (failures-- <= 0) return await store.commit(transaction);
        if (isDone) await store.commit(transaction);
        throw new StoreError("the leader has gone", "unknown");
      },
      get: (key: string) => store.get(key),
      grant: (ms: number) => store.grant(ms),
    });
    const compute = new Compute({ store: flaky, keys, clock: MACHINE_CLOCK });
    const made = await compute.create(newInstance("web"));
    deepStrictEqual((await store.list(keys.instances)).entries.map(({ key }) => keys.idOf(key)), [made.id]);
    strictEqual(JSON.parse((await store.get(keys.quota("default")))!.value).used.instances, 1);
  }
});

Deno.test("a store that does not answer is told, and nothing is left half done", async () => {
  await using cluster = opened();
  const { store } = cluster;
  const gone: Store = Object.assign(Object.create(store), {
    commit: () => Promise.reject(new StoreError("nobody answers", "unavailable")),
    get: (key: string) => store.get(key),
    grant: (ms: number) => store.grant(ms),
  });
  const clock = { ...MACHINE_CLOCK, sleep: () => Promise.resolve() };
  const compute = new Compute({ store: gone, keys, clock });
  await rejects(
    compute.create(newInstance("web")),
    problem("unavailable", /Cannot do it now: nobody answers/),
  );
  strictEqual((await store.list(keys.root)).entries.length, 0);
});

Deno.test("a quota holds, however many ask at once", async () => {
  await using cluster = opened();
  const { compute, store } = cluster;
  const quota = {
    ...unlimited("default"),
    limits: { instances: 3, cpuMillis: null, memoryMib: 1_500, diskMib: null },
  };
  await store.commit({ then: [{ put: keys.quota("default"), value: JSON.stringify(quota) }] });
  const tries = await Promise.allSettled(
    Array.from(
      { length: 10 },
      (_, at) =>
        compute.create(newInstance(`i${at}`, { resources: { cpuMillis: 100, memoryMib: 100, diskMib: 0 } })),
    ),
  );
  strictEqual(tries.filter(({ status }) => status === "fulfilled").length, 3);
  const [refused] = tries.filter((each) => each.status === "rejected");
  ok(problem("quota", /project "default" would have 4 instances, its quota is 3/)(refused?.reason));
  await store.commit({
    then: [{ put: keys.quota("default"), value: JSON.stringify({ ...quota, used: quota.used }) }],
  });
  await rejects(
    compute.create(newInstance("big", { resources: { cpuMillis: 1, memoryMib: 1_501, diskMib: 0 } })),
    problem("quota", /would have 1501 MiB of memory, its quota is 1500/),
  );
});

Deno.test("what can be no instance is refused with what is wrong", async () => {
  await using cluster = opened();
  const { compute } = cluster;
  const bad: [Partial<NewInstance>, RegExp][] = [
    [{ name: "" }, /a name has 1 to 63 small letters/],
    [{ name: "a/b" }, /a name has/],
    [{ name: "Web" }, /a name has/],
    [{ name: "x".repeat(64) }, /a name has/],
    [{ project: "../other" }, /its project "..\/other" is none/],
    [
      { resources: { cpuMillis: -1, memoryMib: 1, diskMib: 0 } },
      /its cpuMillis is -1, expected a whole number/,
    ],
    [{ resources: { cpuMillis: 1, memoryMib: NaN, diskMib: 0 } }, /its memoryMib is NaN/],
    [{ workload: { driver: "process", command: [""], env: {}, cwd: null } }, /its command is empty/],
  ];
  for (const [more, words] of bad) {
    await rejects(compute.create(newInstance("web", more)), problem("invalid", words));
  }
});
