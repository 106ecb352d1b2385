/** A node as the scheduler weighs it: with what is on it, and what is left. Pure. @module */
import type { Instance, Resources } from "../model/instance.ts";
import type { Allocation, Node, NodeLive } from "../model/node.ts";

/** What the scheduler looks at, as of one revision. */
export interface Snapshot {
  readonly nodes: readonly Node[];
  readonly lives: ReadonlyMap<string, NodeLive>;
  readonly allocations: ReadonlyMap<string, Allocation>;
  /** All of them, by id. */
  readonly instances: ReadonlyMap<string, Instance>;
}

/** A node, with room that shrinks as things are placed. */
export interface Candidate {
  readonly node: Node;
  readonly live: NodeLive | undefined;
  /** With overcommit. */
  readonly total: Resources;
  free: Resources;
  readonly instances: Instance[];
  /** How many instances of a kind it has, by `kindOf`. */
  readonly kinds: Map<string, number>;
}

/** Instances of a kind are spread over nodes: those of a project with the same labels. */
export function kindOf({ project, labels }: Instance): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([project, ...sorted]);
}

/** Puts an instance on a node: with what it takes. */
export function place(candidate: Candidate, instance: Instance): void {
  const kind = kindOf(instance);
  candidate.free = less(candidate.free, instance.resources);
  candidate.instances.push(instance);
  candidate.kinds.set(kind, (candidate.kinds.get(kind) ?? 0) + 1);
}

export const NOTHING: Resources = { cpuMillis: 0, memoryMib: 0, diskMib: 0 };

/** One for each node, in the order of their ids. */
export function candidatesOf({ nodes, lives, allocations, instances }: Snapshot): Candidate[] {
  return nodes.map((node) => {
    const live = lives.get(node.id);
    const total = promised(live?.capacity ?? NOTHING, node);
    const reserved = Object.entries(allocations.get(node.id)?.instances ?? {});
    const candidate: Candidate = { node, live, total, free: total, instances: [], kinds: new Map() };
    for (const [id, resources] of reserved) {
      const instance = instances.get(id);
      // What is reserved counts, also for what is not known any more.
      if (instance !== undefined) place(candidate, { ...instance, resources });
      else candidate.free = less(candidate.free, resources);
    }
    return candidate;
  }).sort((a, b) => a.node.id < b.node.id ? -1 : 1);
}

/** What may be reserved on a node that has so much. */
function promised({ cpuMillis, memoryMib, diskMib }: Resources, { overcommit }: Node): Resources {
  return {
    cpuMillis: Math.floor(cpuMillis * overcommit.cpu),
    memoryMib: Math.floor(memoryMib * overcommit.memory),
    diskMib,
  };
}

export function less(from: Resources, what: Resources): Resources {
  return {
    cpuMillis: from.cpuMillis - what.cpuMillis,
    memoryMib: from.memoryMib - what.memoryMib,
    diskMib: from.diskMib - what.diskMib,
  };
}
