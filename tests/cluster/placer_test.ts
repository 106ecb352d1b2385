/** Placements as they stand in the store: reserved with their transaction, whoever else places at the same time. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type Allocation,
  type Instance,
  Keys,
  MACHINE_CLOCK,
  type Node,
  type NodeLive,
  SqliteStore,
  type Store,
} from "../../lib/cluster/mod.ts";
import { Placer } from "../../lib/cluster/control/placer.ts";
import { ClusterState } from "../../lib/cluster/control/state.ts";
import { EtcdProcess, HAS_ETCD } from "./_etcd.ts";
import { instanceOf, liveOf, nodeOf } from "./_model.ts";

/** A state that is kept, and a placer on it. */
class Server implements AsyncDisposable {
  readonly state: ClusterState;
  readonly placer: Placer;
  readonly ready: Promise<void>;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(store: Store, keys: Keys) {
    const trouble = (error: Error) => {
      throw error;
    };
    this.state = new ClusterState({ store, keys, clock: MACHINE_CLOCK, trouble });
    this.placer = new Placer({ store, keys, state: this.state });
    const ready = Promise.withResolvers<void>();
    this.#running = this.state.run(this.#ended.signal, ready.resolve);
    this.ready = ready.promise;
  }

  /** Resolves when the state is as asked for. */
  async until(holds: () => boolean): Promise<void> {
    const held = Promise.withResolvers<void>();
    const stop = this.state.listen(() => holds() && held.resolve());
    if (!holds()) await held.promise;
    stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }
}

async function put(store: Store, key: string, value: Instance | Node | NodeLive): Promise<void> {
  await store.commit({ then: [{ put: key, value: JSON.stringify(value) }] });
}

async function withCluster(
  store: Store,
  { nodes, instances }: { readonly nodes: number; readonly instances: readonly Instance[] },
): Promise<Keys> {
  const keys = new Keys(`/${crypto.randomUUID()}/`);
  for (let at = 0; at < nodes; at++) {
    await put(store, keys.node(`n${at}`), nodeOf(`n${at}`));
    await put(store, keys.live(`n${at}`), liveOf(`n${at}`));
  }
  for (const instance of instances) await put(store, keys.instance(instance.id), instance);
  return keys;
}

/** What the store says, looked at by somebody who has no part in it. */
async function audit(store: Store, keys: Keys): Promise<number> {
  const values = async <T>(prefix: string) =>
    (await store.list(prefix)).entries.map(({ value }) => JSON.parse(value) as T);
  const instances = await values<Instance>(keys.instances);
  const allocations = new Map((await values<Allocation>(keys.allocations)).map((each) => [each.node, each]));
  const placed = instances.filter(({ placement }) => placement !== null);
  for (const { node, instances: reserved } of allocations.values()) {
    const here = placed.filter(({ placement }) => placement!.node === node).map(({ id }) => id).sort();
    deepStrictEqual(Object.keys(reserved).sort(), here, `what is reserved on ${node}`);
    const cpu = Object.values(reserved).reduce((sum, { cpuMillis }) => sum + cpuMillis, 0);
    ok(cpu <= 4_000, `${node} has promised ${cpu} of 4000`);
    const work = (await store.list(keys.placedOn(node))).entries.map(({ key }) => keys.idOf(key)).sort();
    deepStrictEqual(work, here, `what ${node} has to do`);
  }
  return placed.length;
}

const many = (count: number) =>
  Array.from({ length: count }, (_, at) => instanceOf(`i${String(at).padStart(3, "0")}`));

function suite(name: string, ignore: boolean, open: () => Promise<Store & AsyncDisposable>): void {
  const options = { ignore, sanitizeOps: false, sanitizeResources: false };

  Deno.test({
    ...options,
    name: `${name}: what waits is placed with its reservation; what finds no room is told why`,
    async fn() {
      await using store = await open();
      const keys = await withCluster(store, { nodes: 3, instances: many(14) });
      await using server = new Server(store, keys);
      await server.ready;
      const round = await server.placer.round();
      deepStrictEqual([round.placed, round.left, round.refused.size], [12, 0, 2]);
      const [reasons] = round.refused.values();
      deepStrictEqual([...reasons!.values()].map(({ filter }) => filter), [
        "capacity",
        "capacity",
        "capacity",
      ]);
      strictEqual(await audit(store, keys), 12);
      // What was written is known before it is seen: nothing is placed twice.
      strictEqual((await server.placer.round()).placed, 0);
      const key = keys.instance("i000");
      strictEqual((JSON.parse((await store.get(key))!.value) as Instance).placement?.epoch, 1);
    },
  });

  Deno.test({
    ...options,
    name: `${name}: several who place at once promise nothing twice, and all that fits is placed in the end`,
    async fn() {
      await using store = await open();
      const instances = many(60);
      const keys = await withCluster(store, { nodes: 20, instances });
      await using first = new Server(store, keys);
      await using second = new Server(store, keys);
      await using third = new Server(store, keys);
      const servers = [first, second, third];
      await Promise.all(servers.map(({ ready }) => ready));
      await Promise.all(servers.map(async (server) => {
        const isPlaced = () => instances.every(({ id }) => server.state.instance(id)?.placement != null);
        while (!isPlaced()) {
          const { revision } = server.state.instances;
          const { placed } = await server.placer.round();
          // Others were faster: what they did is about to be seen.
          if (placed === 0) {
            await server.until(() => isPlaced() || server.state.instances.revision > revision);
          }
        }
      }));
      strictEqual(await audit(store, keys), 60);
    },
  });

  Deno.test({
    ...options,
    name: `${name}: an instance that was changed meanwhile is placed as it is now`,
    async fn() {
      await using store = await open();
      const keys = await withCluster(store, { nodes: 1, instances: many(1) });
      await using server = new Server(store, keys);
      await server.ready;
      const changed = instanceOf("i000", {
        generation: 2,
        resources: { cpuMillis: 4_000, memoryMib: 1, diskMib: 0 },
      });
      // SQLite has changed it when the call returns, and nobody has seen it yet.
      const changing = put(store, keys.instance("i000"), changed);
      if (name !== "SQLite") await changing;
      const { placed } = await server.placer.round();
      if (name === "SQLite") strictEqual(placed, 0);
      await changing;
      await server.until(() => server.state.instance("i000")?.generation === 2);
      await server.placer.round();
      strictEqual(await audit(store, keys), 1);
    },
  });
}

suite("SQLite", false, () => Promise.resolve(SqliteStore.open(":memory:")));

let etcd: EtcdProcess | undefined;
if (HAS_ETCD) {
  Deno.test.beforeAll(async () => void (etcd = await EtcdProcess.start()));
  Deno.test.afterAll(() => etcd?.[Symbol.asyncDispose]());
}
suite("etcd (needs etcd)", !HAS_ETCD, () => Promise.resolve(etcd!.store()));
