/** The cluster as a server sees it: all of it in memory, kept by watches. @module */
import type { Clock } from "../clock.ts";
import type { Instance, InstanceStatus } from "../model/instance.ts";
import type { Keys } from "../model/keys.ts";
import type { Allocation, Node, NodeLive } from "../model/node.ts";
import type { Snapshot } from "../schedule/mod.ts";
import { Mirror } from "../store/mirror.ts";
import type { Entry, Store, StoreError } from "../store/store.ts";

/** What a state is kept from. */
export interface StateOptions {
  readonly store: Pick<Store, "list" | "watch">;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly trouble: (error: StoreError) => void;
}

/** By id. */
export class ClusterState {
  readonly nodes: Mirror<Node>;
  readonly lives: Mirror<NodeLive>;
  readonly instances: Mirror<Instance>;
  readonly statuses: Mirror<InstanceStatus>;
  readonly allocations: Mirror<Allocation>;
  readonly #keys: Keys;

  constructor({ keys, ...options }: StateOptions) {
    const mirror = <T>(prefix: string) =>
      new Mirror<T>({ ...options, prefix, parse: ({ value }: Entry) => JSON.parse(value) as T });
    this.#keys = keys;
    this.nodes = mirror(keys.nodes);
    this.lives = mirror(keys.lives);
    this.instances = mirror(keys.instances);
    this.statuses = mirror(keys.statuses);
    this.allocations = mirror(keys.allocations);
  }

  /** Keeps it until the signal fires; `ready` is called when all of it was listed. */
  async run(signal: AbortSignal, ready: () => void = () => {}): Promise<void> {
    const all = [this.nodes, this.lives, this.instances, this.statuses, this.allocations];
    let missing = all.length;
    const listed = () => --missing === 0 && ready();
    await Promise.all(all.map((mirror) => mirror.run(signal, once(listed))));
  }

  /** Hears that something is another way. Returns how to stop listening. */
  listen(listener: () => void): () => void {
    const all = [this.nodes, this.lives, this.instances, this.statuses, this.allocations];
    const stops = all.map((mirror) => mirror.listen(listener));
    return () => stops.forEach((stop) => stop());
  }

  instance(id: string): Instance | undefined {
    return this.instances.values.get(this.#keys.instance(id));
  }

  status(id: string): InstanceStatus | undefined {
    return this.statuses.values.get(this.#keys.status(id));
  }

  /** For the scheduler. */
  snapshot(): Snapshot {
    return {
      nodes: [...this.nodes.values.values()],
      lives: byId(this.lives.values.values(), ({ id }) => id),
      allocations: byId(this.allocations.values.values(), ({ node }) => node),
      instances: byId(this.instances.values.values(), ({ id }) => id),
    };
  }
}

function byId<T>(values: Iterable<T>, idOf: (value: T) => string): Map<string, T> {
  return new Map([...values].map((value) => [idOf(value), value]));
}

function once(body: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) body();
    isDone = true;
  };
}
