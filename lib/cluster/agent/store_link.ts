/** The link of an agent that has the store itself: one machine, one process. @module */
import type { Clock } from "../clock.ts";
import type { Instance, InstanceStatus } from "../model/instance.ts";
import type { Keys } from "../model/keys.ts";
import type { NodeLive } from "../model/node.ts";
import { Mirror } from "../store/mirror.ts";
import { type Condition, type Lease, type Store, StoreError } from "../store/store.ts";
import type { Link, Work } from "./link.ts";

export class StoreLink implements Link {
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #trouble: (text: string) => void;
  #lease: Lease | undefined;

  constructor(
    { store, keys, clock, trouble }: {
      readonly store: Store;
      readonly keys: Keys;
      readonly clock: Clock;
      readonly trouble: (text: string) => void;
    },
  ) {
    this.#store = store;
    this.#keys = keys;
    this.#clock = clock;
    this.#trouble = trouble;
  }

  async follow(node: string, work: Work, signal: AbortSignal): Promise<void> {
    const mirror = new Mirror<Instance>({
      store: this.#store,
      prefix: this.#keys.instances,
      parse: ({ value }) => JSON.parse(value),
      clock: this.#clock,
      trouble: ({ message }) => this.#trouble(message),
    });
    let isListed = false;
    const isHere = (instance: Instance | undefined) => instance?.placement?.node === node;
    mirror.listen((changes) => {
      // The first of all is told as a whole.
      if (!isListed) return;
      for (const { key, before, now } of changes) {
        if (now !== undefined && isHere(now)) work.changed(now);
        else if (isHere(before)) work.removed(this.#keys.idOf(key), now);
      }
    });
    await mirror.run(signal, () => {
      if (isListed) return;
      isListed = true;
      work.listed([...mirror.values.values()].filter(isHere));
    });
  }

  async lookup(id: string): Promise<Instance | undefined> {
    const entry = await this.#store.get(this.#keys.instance(id));
    return entry && JSON.parse(entry.value);
  }

  async report(status: InstanceStatus): Promise<void> {
    const [key, instanceKey] = [this.#keys.status(status.id), this.#keys.instance(status.id)];
    const [before, entry] = await Promise.all([this.#store.get(key), this.#store.get(instanceKey)]);
    const instance: Instance | undefined = entry && JSON.parse(entry.value);
    // Of an instance that is no more nothing is kept, and of one that is elsewhere its agent tells.
    if (instance?.placement?.epoch !== status.epoch || entry === undefined) return;
    const when: Condition[] = [
      { key: instanceKey, revision: entry.revision },
      before === undefined ? { key, is: "absent" } : { key, revision: before.revision },
    ];
    const { ok } = await this.#store.commit({ when, then: [{ put: key, value: JSON.stringify(status) }] });
    if (!ok) throw new StoreError(`Cannot report ${status.id}: it was changed meanwhile`, "unavailable");
  }

  async beat(live: NodeLive, ttlMs: number): Promise<void> {
    const key = this.#keys.live(live.id);
    try {
      if (this.#lease !== undefined) await this.#store.renew(this.#lease);
    } catch (error) {
      if (!(error instanceof StoreError) || error.problem !== "no lease") throw error;
      this.#lease = undefined;
    }
    this.#lease ??= await this.#store.grant(ttlMs);
    const [value, before] = [JSON.stringify(live), await this.#store.get(key)];
    if (before?.value === value && before.lease === this.#lease.id) return;
    await this.#store.commit({ then: [{ put: key, value, lease: this.#lease.id }] });
  }
}
