/** Instances and nodes for tests. @module */
import type { NewInstance } from "../../lib/cluster/control/compute.ts";
import type { Instance, Node, NodeLive, Snapshot } from "../../lib/cluster/mod.ts";

/** A small instance that may be anywhere. */
export function instanceOf(id: string, more: Partial<Instance> = {}): Instance {
  return {
    id,
    name: id,
    project: "default",
    labels: {},
    workload: { driver: "process", command: ["sleep", "100"], env: {}, cwd: null },
    resources: { cpuMillis: 1_000, memoryMib: 512, diskMib: 0 },
    power: "running",
    generation: 1,
    restart: "on_failure",
    lost: "restart",
    constraints: { nodeLabels: {}, zones: [], tolerations: [], near: null, apart: null, node: null },
    autostart: false,
    placement: null,
    lastEpoch: 0,
    isDeleting: false,
    createdAt: "2026-11-21T00:00:00.000Z",
    ...more,
  };
}

/** An instance as it is asked for. */
export function newInstance(name: string, more: Partial<NewInstance> = {}): NewInstance {
  const { project, labels, workload, resources, power, restart, lost, constraints, autostart } = instanceOf(
    name,
  );
  return {
    name,
    project,
    labels,
    workload,
    resources,
    power,
    restart,
    lost,
    constraints,
    autostart,
    ...more,
  };
}

/** The same with what it asks of its node. */
export function asking(id: string, constraints: Partial<Instance["constraints"]>): Instance {
  const instance = instanceOf(id);
  return { ...instance, constraints: { ...instance.constraints, ...constraints } };
}

export function nodeOf(id: string, more: Partial<Node> = {}): Node {
  return {
    id,
    name: id,
    zone: "a",
    labels: {},
    taints: [],
    isCordoned: false,
    overcommit: { cpu: 1, memory: 1 },
    joinedAt: "2026-11-21T00:00:00.000Z",
    ...more,
  };
}

export function liveOf(id: string, more: Partial<NodeLive> = {}): NodeLive {
  return {
    id,
    bootId: "boot",
    agentId: "agent",
    address: "",
    capacity: { cpuMillis: 4_000, memoryMib: 4_096, diskMib: 10_000 },
    cpuModel: "",
    drivers: [
      { kind: "process", problem: null, accelerations: [] },
      { kind: "microvm", problem: null, accelerations: ["tcg"] },
    ],
    images: [],
    version: "0",
    ...more,
  };
}

/** Nodes with what runs on them. */
export function snapshotOf(
  nodes: readonly (readonly [Node, NodeLive | undefined, ...Instance[]])[],
): Snapshot {
  return {
    nodes: nodes.map(([node]) => node),
    lives: new Map(nodes.flatMap(([{ id }, live]) => live === undefined ? [] : [[id, live]])),
    allocations: new Map(
      nodes.map(([{ id }, , ...instances]) => [id, {
        node: id,
        instances: Object.fromEntries(instances.map(({ id, resources }) => [id, resources])),
      }]),
    ),
    instances: new Map(nodes.flatMap(([, , ...instances]) => instances.map((each) => [each.id, each]))),
  };
}
