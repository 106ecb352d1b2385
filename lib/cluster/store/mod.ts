/**
 * What the cluster keeps its state in. `store.ts` says what every store does; `sqlite.ts` is that of one machine, `etcd.ts` that of a
 * cluster: it is imported by itself, since its library costs 90 ms.
 * @module
 */
export * from "./store.ts";
export { SQLITE_STORE_FORMAT, SqliteStore, type SqliteStoreOptions } from "./sqlite.ts";
