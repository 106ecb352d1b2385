/** Servers on one store over a bad network, with clients, nodes, and somebody who looks at the store itself. @module */
import { deepStrictEqual, ok } from "node:assert/strict";
import { Agent } from "../../../lib/cluster/agent/agent.ts";
import { StoreLink } from "../../../lib/cluster/agent/store_link.ts";
import { Compute } from "../../../lib/cluster/control/compute.ts";
import { Controller } from "../../../lib/cluster/control/controller.ts";
import { ClusterError } from "../../../lib/cluster/control/errors.ts";
import { MemoryDriver, MemoryMachine } from "../../../lib/cluster/drivers/mod.ts";
import {
  type Allocation,
  type Instance,
  Keys,
  type Quota,
  SqliteStore,
  StoreError,
  unlimited,
} from "../../../lib/cluster/mod.ts";
import { liveOf, newInstance, nodeOf } from "../_model.ts";
import { MemoryJournals } from "../_one_node.ts";
import { SimChance, SimClock, SimTime } from "./clock.ts";
import { type Faults, FaultyStore } from "./faulty_store.ts";

/** What a simulation is of; all else follows from the seed. */
export interface Scene {
  readonly seed: number;
  readonly servers: number;
  readonly nodes: number;
  readonly clients: number;
  readonly faults: Faults;
  /** Of a thousand, each second, for each server: that it crashes, that it stands still for up to ten seconds. */
  readonly crashes: number;
  readonly pauses: number;
  /** For so long there are faults; then everything has to come right. */
  readonly troubleMs: number;
}

/** A machine with what runs on it, whether its agent lives or not. */
interface SimNode {
  readonly id: string;
  readonly machine: MemoryMachine;
  readonly journals: MemoryJournals;
  agent:
    | { readonly clock: SimClock; readonly store: FaultyStore; readonly kill: AbortController }
    | undefined;
}

const TTL_MS = 5_000;

/** What happened, so that it can be told whether there was anything to go wrong. */
export interface Summary {
  readonly acknowledged: number;
  readonly deleted: number;
  readonly placed: number;
  readonly crashes: number;
  readonly revision: number;
}

const QUOTA = 15;
const CALM_MS = 60_000;
const ALL = { limit: 1_000_000 };

/** Something that may be killed, and comes again. */
interface Server {
  readonly clock: SimClock;
  readonly compute: Compute;
  readonly kill: AbortController;
  readonly store: FaultyStore;
  readonly running: Promise<void>;
}

export class World {
  readonly #scene: Scene;
  readonly #time = new SimTime();
  readonly #chance: SimChance;
  readonly #store: SqliteStore;
  readonly #keys = new Keys();
  readonly #servers: (Server | undefined)[];
  readonly #nodes: SimNode[] = [];
  readonly #running = new Set<Promise<void>>();
  /** What was told to be there, and what was told to be deleted. */
  readonly #acknowledged = new Set<string>();
  readonly #deleted = new Set<string>();
  /** What somebody has asked to be deleted, whether they have heard of it or not. */
  readonly #deleting = new Set<string>();
  /** The epoch of each placement that was ever seen. */
  readonly #epochs = new Map<string, { readonly epoch: number; readonly node: string }>();
  readonly #failures: unknown[] = [];
  #isCalm = false;
  #seen = 0;
  #crashes = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#chance = new SimChance(scene.seed, "world");
    const clock = new SimClock(this.#time);
    this.#store = SqliteStore.open(":memory:", { clock, chance: new SimChance(scene.seed + 1, "store") });
    this.#servers = Array.from({ length: scene.servers }, () => undefined);
  }

  /** Runs all of it. @throws {Error} When something is not as it has to be. */
  async run(): Promise<Summary> {
    const { nodes, clients, troubleMs, servers } = this.#scene;
    for (let at = 0; at < nodes; at++) {
      const node = nodeOf(`n${at}`);
      await this.#store.commit({ then: [{ put: this.#keys.node(node.id), value: JSON.stringify(node) }] });
      this.#nodes.push({
        id: node.id,
        machine: new MemoryMachine(),
        journals: new MemoryJournals(),
        agent: undefined,
      });
    }
    const quota = { ...unlimited("default"), limits: { ...unlimited("default").limits, instances: QUOTA } };
    await this.#store.commit({ then: [{ put: this.#keys.quota("default"), value: JSON.stringify(quota) }] });
    for (let at = 0; at < servers; at++) this.#begin(at);
    for (let at = 0; at < clients; at++) this.#watch(this.#client(at));
    for (const node of this.#nodes) this.#beginAgent(node);
    this.#everySecond();
    await this.#time.pass(troubleMs, () => this.#check());
    this.#isCalm = true;
    await this.#time.pass(CALM_MS, () => this.#check());
    await this.#checkEnd();
    for (const server of this.#servers) server?.kill.abort();
    for (const { agent } of this.#nodes) agent?.kill.abort();
    await this.#time.pass(10_000, () => Promise.resolve());
    await this.#store[Symbol.asyncDispose]();
    if (this.#failures.length > 0) throw this.#failures[0];
    const [acknowledged, deleted] = [this.#acknowledged.size, this.#deleted.size];
    return { acknowledged, deleted, placed: this.#epochs.size, crashes: this.#crashes, revision: this.#seen };
  }

  #begin(at: number): void {
    const { seed } = this.#scene;
    const number = this.#chance.below(1_000_000);
    const clock = new SimClock(this.#time, this.#chance.below(20_000) - 10_000);
    const chance = new SimChance(seed + number, `server${at}.${number}`);
    const store = new FaultyStore(this.#store, clock, chance, this.#faults);
    const kill = new AbortController();
    const parts = { store, keys: this.#keys, clock };
    const controller = new Controller({ ...parts, trouble: () => {} });
    const running = controller.run(kill.signal);
    this.#servers[at] = { clock, store, kill, running, compute: new Compute({ ...parts, chance }) };
    this.#watch(running);
  }

  get #faults(): Faults {
    // Those of a store that is there already end with the trouble, too.
    const { faults } = this.#scene;
    const when = (value: number) => this.#isCalm ? 0 : value;
    return {
      get lost() {
        return when(faults.lost);
      },
      get unanswered() {
        return when(faults.unanswered);
      },
      get broken() {
        return when(faults.broken);
      },
      delayMs: faults.delayMs,
    };
  }

  #everySecond(): void {
    const { crashes, pauses } = this.#scene;
    for (const [at, server] of this.#servers.entries()) {
      if (server === undefined) {
        if (this.#isCalm || this.#chance.below(5) === 0) this.#begin(at);
        continue;
      }
      if (this.#isCalm) continue;
      if (this.#chance.below(1_000) < crashes) {
        // Whatever it is about: nothing of it arrives any more.
        server.store.isCut = true;
        server.kill.abort();
        this.#servers[at] = undefined;
        this.#crashes++;
      } else if (this.#chance.below(1_000) < pauses) server.clock.pause(this.#chance.below(10_000));
    }
    for (const node of this.#nodes) {
      if (node.agent === undefined) {
        if (this.#isCalm || this.#chance.below(5) === 0) this.#beginAgent(node);
      } else if (!this.#isCalm && this.#chance.below(1_000) < crashes) {
        node.agent.store.isCut = true;
        node.agent.kill.abort();
        node.agent = undefined;
        this.#crashes++;
      } else if (!this.#isCalm && this.#chance.below(1_000) < pauses) {
        node.agent.clock.pause(this.#chance.below(10_000));
      }
    }
    this.#time.after(1_000, () => this.#everySecond());
  }

  /** Asks any server, and asks again with the same key until somebody answers. */
  async #client(number: number): Promise<void> {
    const chance = new SimChance(this.#scene.seed + 7 * number, `client${number}`);
    const clock = new SimClock(this.#time);
    const mine: string[] = [];
    for (let turn = 0; !this.#isCalm; turn++) {
      await clock.sleep(chance.below(3_000));
      const key = `client${number}-${turn}`;
      const victim = mine.length > 0 && chance.below(3) === 0
        ? mine.splice(chance.below(mine.length), 1)[0]
        : undefined;
      const name = `c${number}-${turn}`;
      const answer = await this.#asked(
        clock,
        chance,
        (compute) =>
          victim === undefined ? compute.create(newInstance(name), { key }) : compute.delete(victim, { key }),
      );
      if (answer === undefined) continue;
      if (victim === undefined) {
        this.#acknowledged.add(answer.id);
        mine.push(answer.id);
      } else this.#deleted.add(victim);
    }
  }

  async #asked(
    clock: SimClock,
    chance: SimChance,
    ask: (compute: Compute) => Promise<Instance>,
  ): Promise<Instance | undefined> {
    for (;;) {
      const alive = this.#servers.filter((each) => each !== undefined);
      try {
        if (alive.length > 0) return await ask(alive[chance.below(alive.length)]!.compute);
      } catch (error) {
        if (error instanceof StoreError) continue;
        if (!(error instanceof ClusterError)) throw error;
        if (error.problem === "quota") return undefined;
        if (error.problem !== "unavailable") throw error;
      }
      await clock.sleep(500 + chance.below(500));
    }
  }

  /** The agent of a node, which may crash; what it runs goes on. */
  #beginAgent(node: SimNode): void {
    const { seed } = this.#scene;
    const number = this.#chance.below(1_000_000);
    const clock = new SimClock(this.#time, this.#chance.below(20_000) - 10_000);
    const store = new FaultyStore(
      this.#store,
      clock,
      new SimChance(seed + number, `${node.id}.${number}`),
      this.#faults,
    );
    const kill = new AbortController();
    const { id, machine, journals } = node;
    const driver = new MemoryDriver({ kind: "process", clock, machine });
    const agent = new Agent({
      node: id,
      drivers: new Map([["process", driver]]),
      link: new StoreLink({ store, keys: this.#keys, clock, trouble: () => {} }),
      journals,
      clock,
      live: () => liveOf(id),
      ttlMs: TTL_MS,
      trouble: () => {},
    });
    node.agent = { clock, store, kill };
    this.#watch(agent.run(kill.signal).finally(() => driver[Symbol.asyncDispose]()));
  }

  /** What has to hold at every moment, in the store itself. */
  async #check(): Promise<void> {
    if (this.#failures.length > 0) throw this.#failures[0];
    const found = await this.#store.list(this.#keys.root, ALL);
    if (found.revision === this.#seen) return;
    this.#seen = found.revision;
    const values = <T>(prefix: string) =>
      found.entries.filter(({ key }) => key.startsWith(prefix)).map(({ value }) => JSON.parse(value) as T);
    const instances = values<Instance>(this.#keys.instances);
    const allocations = values<Allocation>(this.#keys.allocations);
    const placed = instances.filter(({ placement }) => placement !== null);
    const reserved = allocations.flatMap(({ node, instances }) =>
      Object.keys(instances).map((id) => `${id}@${node}`)
    );
    deepStrictEqual(
      reserved.sort(),
      placed.map(({ id, placement }) => `${id}@${placement!.node}`).sort(),
      "what is reserved is what is placed",
    );
    for (const { node, instances: on } of allocations) {
      const cpu = Object.values(on).reduce((sum, { cpuMillis }) => sum + cpuMillis, 0);
      ok(cpu <= 4_000, `${node} has promised ${cpu} of 4000`);
    }
    const [quota] = values<Quota>(this.#keys.quota(""));
    deepStrictEqual(quota!.used.instances, instances.length, "what the quota counts is what there is");
    ok(quota!.used.instances <= QUOTA, `${quota!.used.instances} instances with a quota of ${QUOTA}`);
    for (const { id, isDeleting } of instances) if (isDeleting) this.#deleting.add(id);
    const there = new Set(instances.map(({ id }) => id));
    for (const id of this.#acknowledged) {
      ok(there.has(id) || this.#deleting.has(id), `${id} was acknowledged, and is lost`);
    }
    const up = this.#nodes.flatMap(({ machine }) =>
      [...machine.instances.values()].filter(({ state }) => state.kind === "running").map(({ spec }) =>
        spec.id
      )
    );
    deepStrictEqual(up.length, new Set(up).size, "nothing runs on two nodes");
    for (const { id, placement } of placed) {
      const before = this.#epochs.get(id);
      const now = { epoch: placement!.epoch, node: placement!.node };
      if (before?.epoch === now.epoch) deepStrictEqual(now, before, `${id} is placed twice by one hand-over`);
      ok(
        before === undefined || now.epoch >= before.epoch,
        `the placement of ${id} is older than one before`,
      );
      this.#epochs.set(id, now);
    }
  }

  /** When there has been no trouble for a while. */
  async #checkEnd(): Promise<void> {
    const { entries } = await this.#store.list(this.#keys.instances, ALL);
    const instances = entries.map(({ value }) => JSON.parse(value) as Instance);
    const room = 4 * this.#scene.nodes;
    const placed = instances.filter(({ placement }) => placement !== null).length;
    ok(
      placed === Math.min(room, instances.length),
      `${placed} of ${instances.length} are placed, there is room for ${room}`,
    );
    deepStrictEqual(
      instances.filter(({ isDeleting }) => isDeleting).map(({ id }) => id),
      [],
      "what is deleted is gone",
    );
    for (const id of this.#deleted) {
      ok(!instances.some((each) => each.id === id), `${id} was deleted, and is there`);
    }
  }

  #watch(work: Promise<void>): void {
    this.#running.add(work);
    work.catch((error) => this.#failures.push(error)).finally(() => this.#running.delete(work));
  }
}
