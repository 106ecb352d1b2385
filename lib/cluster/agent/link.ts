/** How an agent hears what its node is to do, and tells what it has done. @module */
import type { Instance, InstanceStatus } from "../model/instance.ts";
import type { NodeLive } from "../model/node.ts";

/** Hears what its node is to do. */
export interface Work {
  /** All that is placed on the node now: whatever else is there is of the past, or nobody's. */
  listed(instances: readonly Instance[]): void;
  /** One of them is another one, or new. */
  changed(instance: Instance): void;
  /** It is not placed on the node any more; as it is now where it is known. */
  removed(id: string, instance: Instance | undefined): void;
}

/** Whoever an agent serves. */
export interface Link {
  /** Tells what the node is to do until the signal fires; goes on after every interruption. */
  follow(node: string, work: Work, signal: AbortSignal): Promise<void>;
  /** An instance as it is now, wherever it is; undefined when nobody knows it. @throws {Error} When nobody answers. */
  lookup(id: string): Promise<Instance | undefined>;
  /** Takes note of what was seen; of an older hand-over it is passed over. @throws {Error} When nobody answers. */
  report(status: InstanceStatus): Promise<void>;
  /** Says that the node is there, for so long. @throws {Error} When nobody answers. */
  beat(live: NodeLive, ttlMs: number): Promise<void>;
}
