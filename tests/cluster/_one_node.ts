/** A cluster of one node in this process: a server, a store and an agent, with any drivers. @module */
import { Agent } from "../../lib/cluster/agent/agent.ts";
import type { Journals } from "../../lib/cluster/agent/instance_loop.ts";
import type { Journal } from "../../lib/cluster/agent/step.ts";
import { StoreLink } from "../../lib/cluster/agent/store_link.ts";
import { Compute } from "../../lib/cluster/control/compute.ts";
import { Controller } from "../../lib/cluster/control/controller.ts";
import type { Driver } from "../../lib/cluster/drivers/mod.ts";
import {
  type DriverKind,
  type InstancePhase,
  type InstanceStatus,
  Keys,
  MACHINE_CLOCK,
  SqliteStore,
  type Store,
} from "../../lib/cluster/mod.ts";
import { liveOf, nodeOf } from "./_model.ts";

/** Journals that go with the process. */
export class MemoryJournals implements Journals {
  readonly #all = new Map<string, Journal>();

  get(id: string): Journal | undefined {
    return this.#all.get(id);
  }

  put(id: string, journal: Journal): void {
    this.#all.set(id, journal);
  }

  drop(id: string): void {
    this.#all.delete(id);
  }
}

const clock = MACHINE_CLOCK;

export class OneNode implements AsyncDisposable {
  readonly store: Store = SqliteStore.open(":memory:");
  readonly keys = new Keys();
  readonly compute = new Compute({ store: this.store, keys: this.keys, clock });
  readonly complaints: string[] = [];
  readonly journals = new MemoryJournals();
  readonly #trouble = (text: string) => void this.complaints.push(text);
  readonly controller = new Controller({ store: this.store, keys: this.keys, clock, trouble: this.#trouble });
  readonly #ended = new AbortController();
  readonly #drivers: ReadonlyMap<DriverKind, Driver>;
  readonly #controlling: Promise<void>;
  #agentEnded = new AbortController();
  #agent: Promise<void> = Promise.resolve();

  static async begin(drivers: readonly Driver[]): Promise<OneNode> {
    const one = new OneNode(drivers);
    const value = JSON.stringify(nodeOf("n"));
    await one.store.commit({ then: [{ put: one.keys.node("n"), value }] });
    one.startAgent();
    return one;
  }

  private constructor(drivers: readonly Driver[]) {
    this.#drivers = new Map(drivers.map((driver) => [driver.kind, driver]));
    this.#controlling = this.controller.run(this.#ended.signal);
  }

  startAgent(): void {
    const { store, keys } = this;
    this.#agentEnded = new AbortController();
    const agent = new Agent({
      node: "n",
      drivers: this.#drivers,
      link: new StoreLink({ store, keys, clock, trouble: this.#trouble }),
      journals: this.journals,
      clock,
      live: () => liveOf("n"),
      ttlMs: 5_000,
      trouble: this.#trouble,
    });
    this.#agent = agent.run(this.#agentEnded.signal);
  }

  /** As when it is killed: what runs goes on. */
  async stopAgent(): Promise<void> {
    this.#agentEnded.abort();
    await this.#agent;
  }

  /** Resolves when an instance was reported so, or is no more. */
  async until(id: string, wanted: InstancePhase | "forgotten"): Promise<InstanceStatus | undefined> {
    const held = Promise.withResolvers<void>();
    const { state } = this.controller;
    const holds = () => {
      const [instance, status] = [state.instance(id), state.status(id)];
      if (wanted === "forgotten") return instance === undefined;
      return status?.phase === wanted && status.generation === instance?.generation;
    };
    const stop = state.listen(() => holds() && held.resolve());
    if (!holds()) await held.promise;
    stop();
    return state.status(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent();
    this.#ended.abort();
    await this.#controlling;
    for (const driver of this.#drivers.values()) await driver[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}
