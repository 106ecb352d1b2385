/** Gives waiting instances their places: with what they need reserved in the same transaction. @module */
import type { Instance } from "../model/instance.ts";
import type { Keys } from "../model/keys.ts";
import type { Allocation } from "../model/node.ts";
import { DEFAULT_WEIGHTS, plan, type Refusal, type Weights } from "../schedule/mod.ts";
import { type Store, StoreError, type Write, WRITES_LIMIT } from "../store/store.ts";
import type { ClusterState } from "./state.ts";

/** Two writes each, and one for the node. */
const PER_TRANSACTION = (WRITES_LIMIT - 1) / 2 | 0;
/** Placed from one snapshot: the others wait for the next, which knows of these. */
const PER_ROUND = 2_000;

/** What a placer works with. */
export interface PlacerOptions {
  readonly store: Pick<Store, "commit">;
  readonly keys: Keys;
  readonly state: ClusterState;
  readonly weights?: Weights;
}

/** What came of one round. */
export interface Round {
  readonly placed: number;
  /** By instance, why no node will do. */
  readonly refused: ReadonlyMap<string, ReadonlyMap<string, Refusal>>;
  /** Somebody else was faster, or the store did not do it: they are looked at again. */
  readonly left: number;
}

export class Placer {
  readonly #options: PlacerOptions;
  /** What was written and is not seen yet, by key: newer than the state's. */
  readonly #written = new Map<string, { readonly revision: number; readonly value: Instance | Allocation }>();

  constructor(options: PlacerOptions) {
    this.#options = options;
  }

  /** Places what waits now. */
  async round(): Promise<Round> {
    const { weights = DEFAULT_WEIGHTS } = this.#options;
    this.#forgetSeen();
    const snapshot = this.#snapshot();
    const waiting = [...snapshot.instances.values()]
      .filter(({ placement, isDeleting }) => placement === null && !isDeleting)
      // Who came first is placed first.
      .sort((a, b) => a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id < b.id ? -1 : 1)
      .slice(0, PER_ROUND);
    if (waiting.length === 0) return { placed: 0, refused: new Map(), left: 0 };
    const refused = new Map<string, ReadonlyMap<string, Refusal>>();
    const byNode = new Map<string, Instance[]>();
    for (const decision of plan(snapshot, waiting, weights)) {
      if (decision.node === undefined) refused.set(decision.instance, decision.refusals);
      else {
        const instances = byNode.get(decision.node) ?? [];
        byNode.set(decision.node, instances);
        instances.push(snapshot.instances.get(decision.instance)!);
      }
    }
    const done = await Promise.all([...byNode].map(([node, instances]) => this.#place(node, instances)));
    const placed = done.reduce((sum, count) => sum + count, 0);
    return { placed, refused, left: waiting.length - placed - refused.size };
  }

  /** Places instances on one node, a transaction after the other; returns how many. */
  async #place(node: string, instances: readonly Instance[]): Promise<number> {
    let placed = 0;
    for (let at = 0; at < instances.length; at += PER_TRANSACTION) {
      const some = instances.slice(at, at + PER_TRANSACTION);
      if (!await this.#commit(node, some)) break;
      placed += some.length;
    }
    return placed;
  }

  async #commit(node: string, instances: readonly Instance[]): Promise<boolean> {
    const { store, keys } = this.#options;
    const allocationKey = keys.allocation(node);
    const before = this.#current<Allocation>(allocationKey);
    const allocation: Allocation = {
      node,
      instances: {
        ...before?.value.instances,
        ...Object.fromEntries(instances.map(({ id, resources }) => [id, resources])),
      },
    };
    const placed = instances.map((instance): Instance => {
      const epoch = instance.lastEpoch + 1;
      return { ...instance, placement: { node, epoch }, lastEpoch: epoch };
    });
    const when = [
      before === undefined
        ? { key: allocationKey, is: "absent" as const }
        : { key: allocationKey, revision: before.revision },
      ...instances.map(({ id }) => {
        const key = keys.instance(id);
        return { key, revision: this.#current<Instance>(key)?.revision ?? 0 };
      }),
    ];
    const then: Write[] = [
      { put: allocationKey, value: JSON.stringify(allocation) },
      ...placed.flatMap((instance) => [
        { put: keys.instance(instance.id), value: JSON.stringify(instance) },
        { put: keys.placed(node, instance.id), value: "" },
      ]),
    ];
    try {
      const committed = await store.commit({ when, then });
      if (!committed.ok) return false;
      const { revision } = committed;
      this.#written.set(allocationKey, { revision, value: allocation });
      for (const instance of placed) {
        this.#written.set(keys.instance(instance.id), { revision, value: instance });
      }
      return true;
    } catch (error) {
      // Whether it was done is seen in the state.
      if (error instanceof StoreError && error.problem !== "refused") return false;
      throw error;
    }
  }

  /** The newer of what was seen and what was written. */
  #current<T extends Instance | Allocation>(
    key: string,
  ): { readonly revision: number; readonly value: T } | undefined {
    const { instances, allocations } = this.#options.state;
    const written = this.#written.get(key) as { readonly revision: number; readonly value: T } | undefined;
    if (written !== undefined) return written;
    const mirror = key.startsWith(this.#options.keys.instances) ? instances : allocations;
    const [value, revision] = [mirror.values.get(key), mirror.revisionOf(key)];
    return value === undefined ? undefined : { revision: revision!, value: value as T };
  }

  #forgetSeen(): void {
    const { instances, allocations } = this.#options.state;
    for (const [key, { revision }] of this.#written) {
      // Each has been listed or watched up to there, or beyond, when a newer one was seen; what was deleted is seen so, too.
      const mirror = key.startsWith(this.#options.keys.instances) ? instances : allocations;
      if (mirror.revision >= revision) this.#written.delete(key);
    }
  }

  /** The state with what was written since. */
  #snapshot() {
    const snapshot = this.#options.state.snapshot();
    const instances = new Map(snapshot.instances);
    const allocations = new Map(snapshot.allocations);
    for (const { value } of this.#written.values()) {
      if ("workload" in value) instances.set(value.id, value);
      else allocations.set(value.node, value);
    }
    return { ...snapshot, instances, allocations };
  }
}
