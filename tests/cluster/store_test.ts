/** The stores of the cluster, by one suite, and what is only of one of them. */
import { SqliteStore } from "../../lib/cluster/store/mod.ts";
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
