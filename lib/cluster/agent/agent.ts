/** The agent of a node: runs what is placed there, and only that. @module */
import type { Clock } from "../clock.ts";
import type { Driver } from "../drivers/mod.ts";
import type { DriverKind, Instance } from "../model/instance.ts";
import type { NodeLive } from "../model/node.ts";
import { InstanceLoop, type Journals } from "./instance_loop.ts";
import type { Link } from "./link.ts";
import type { Wanted } from "./step.ts";

/** What an agent works with. */
export interface AgentOptions {
  /** Of the node. */
  readonly node: string;
  readonly drivers: ReadonlyMap<DriverKind, Driver>;
  readonly link: Link;
  readonly journals: Journals;
  readonly clock: Clock;
  /** What the node is like now. */
  readonly live: () => NodeLive;
  /** How long it is taken to live when it is not heard of. */
  readonly ttlMs: number;
  /** Told what does not come about. */
  readonly trouble: (text: string) => void;
}

/** Of the time that a node is taken to live: what is lost once is said again. */
const BEATS = 3;
/** Until who did not answer is asked again. */
const AGAIN_MS = 1_000;

export class Agent {
  readonly #options: AgentOptions;
  readonly #loops = new Map<string, InstanceLoop>();
  readonly #work = new Set<Promise<void>>();

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** Works until the signal fires; then all that runs goes on. */
  async run(signal: AbortSignal): Promise<void> {
    const { node, drivers, link } = this.#options;
    const stops = [...drivers.values()].map((driver) =>
      driver.listen(({ id }) => this.#loops.get(id)?.look())
    );
    try {
      const follow = link.follow(node, {
        listed: (instances) => this.#listed(instances, signal),
        changed: (instance) => this.#want(instance.id, { kind: "here", instance }, signal),
        removed: (id, instance) =>
          this.#want(id, { kind: instance === undefined ? "unknown" : "elsewhere" }, signal),
      }, signal);
      await Promise.all([follow, this.#beat(signal)]);
      while (this.#work.size > 0) await Promise.all(this.#work);
    } finally {
      stops.forEach((stop) => stop());
    }
  }

  /** All that is placed here, and all that is here without: of that it is asked where it belongs. */
  #listed(instances: readonly Instance[], signal: AbortSignal): void {
    for (const instance of instances) this.#want(instance.id, { kind: "here", instance }, signal);
    const placed = new Set(instances.map(({ id }) => id));
    for (const driver of this.#options.drivers.values()) {
      for (const { id } of driver.list()) if (!placed.has(id)) this.#watch(this.#findOwner(id, signal));
    }
  }

  async #findOwner(id: string, signal: AbortSignal): Promise<void> {
    const { link, clock, trouble } = this.#options;
    for (let told = ""; !signal.aborted;) {
      try {
        const instance = await link.lookup(id);
        // Somebody has told meanwhile.
        if (this.#loops.has(id)) return;
        if (instance === undefined) trouble(`${id} is here, and nobody knows it: it is left alone`);
        return this.#want(id, { kind: instance === undefined ? "unknown" : "elsewhere" }, signal);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (told !== error.message) trouble(`Cannot ask whose ${id} is: ${error.message}`);
        told = error.message;
        // Nobody tells when somebody answers again.
        await clock.sleep(AGAIN_MS, { signal }).catch(() => "The loop ends.");
      }
    }
  }

  #want(id: string, wanted: Wanted, signal: AbortSignal): void {
    const known = this.#loops.get(id);
    if (known !== undefined) return known.want(wanted);
    const { node, journals, clock, link, trouble } = this.#options;
    const loop = new InstanceLoop({
      ...{ id, node, journals, clock, trouble },
      driverOf: (wanted) => this.#driverOf(id, wanted),
      report: (status) => link.report(status),
    }, wanted);
    this.#loops.set(id, loop);
    this.#watch(loop.run(signal).finally(() => this.#loops.delete(id)));
  }

  /** The one that has it, or else the one that it is for. */
  #driverOf(id: string, wanted: Wanted): Driver | undefined {
    const { drivers } = this.#options;
    const has = [...drivers.values()].find((driver) => driver.list().some((each) => each.id === id));
    return has ?? (wanted.kind === "here" ? drivers.get(wanted.instance.workload.driver) : undefined);
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { link, live, ttlMs, clock, trouble } = this.#options;
    for (let told = ""; !signal.aborted;) {
      try {
        await link.beat(live(), ttlMs);
        told = "";
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (told !== error.message) trouble(`Cannot say that this node is there: ${error.message}`);
        told = error.message;
      }
      await clock.sleep(ttlMs / BEATS, { signal }).catch(() => "The loop ends.");
    }
  }

  #watch(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work)).catch(({ message }) => this.#options.trouble(message));
  }
}
