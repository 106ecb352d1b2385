/** Where the cluster runs things: nodes as they are wanted, and as they are. Pure. @module */
import type { Acceleration, DriverKind, Resources } from "./instance.ts";

/** What keeps instances away that do not say that they do not mind. */
export interface Taint {
  readonly key: string;
  readonly value: string;
}

/** A node as servers and people know it. */
export interface Node {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Nothing new is placed there. */
  readonly isCordoned: boolean;
  /** How much more is promised than is there: 2 places two CPUs on one. */
  readonly overcommit: { readonly cpu: number; readonly memory: number };
  /** RFC 3339. */
  readonly joinedAt: string;
}

/** A driver that a node has, as it was probed. */
export interface DriverReport {
  readonly kind: DriverKind;
  /** Why it cannot be used; null when it can. */
  readonly problem: string | null;
  /** How its guests can be run, the fastest first; none for programs. */
  readonly accelerations: readonly Acceleration[];
}

/** A node as its agent tells it, for as long as its lease is renewed. */
export interface NodeLive {
  readonly id: string;
  /** Of the machine's boot. */
  readonly bootId: string;
  /** Of the agent's start. */
  readonly agentId: string;
  /** Where its agent is reached. */
  readonly address: string;
  readonly capacity: Resources;
  readonly cpuModel: string;
  readonly drivers: readonly DriverReport[];
  /** Content addresses of images that it has. */
  readonly images: readonly string[];
  readonly version: string;
}

/** What is reserved on a node: changed with each placement, in its transaction. */
export interface Allocation {
  readonly node: string;
  /** By instance. */
  readonly instances: Readonly<Record<string, Resources>>;
}
