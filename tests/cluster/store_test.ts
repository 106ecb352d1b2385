/** The stores of the cluster, by one suite. */
import { SqliteStore } from "../../lib/cluster/store/mod.ts";
import { EtcdProcess, HAS_ETCD } from "./_etcd.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite({
  name: "SQLite",
  leastTtlMs: 50,
  open: () => {
    const store = SqliteStore.open(":memory:");
    return Promise.resolve({
      store,
      prefix: "/t/",
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    });
  },
});

let etcd: EtcdProcess | undefined;
let opened = 0;
if (HAS_ETCD) {
  Deno.test.beforeAll(async () => void (etcd = await EtcdProcess.start()));
  Deno.test.afterAll(() => etcd?.[Symbol.asyncDispose]());
}
storeSuite({
  name: "etcd (needs etcd)",
  ignore: !HAS_ETCD,
  leastTtlMs: 1_000,
  open: () => {
    const store = etcd!.store();
    const prefix = `/t${++opened}/`;
    return Promise.resolve({ store, prefix, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() });
  },
});
