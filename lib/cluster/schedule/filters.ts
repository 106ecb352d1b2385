/** Which nodes an instance may be placed on, and why not on others. Pure. @module */
import type { Instance, Resources } from "../model/instance.ts";
import type { Candidate } from "./candidate.ts";

/** Why a node is none for an instance. */
export interface Refusal {
  /** Stable, for programs: `capacity`. */
  readonly filter: string;
  /** For people: `has 1.5 of 4 CPUs free, 2 are asked for`. */
  readonly reason: string;
}

type Filter = (instance: Instance, candidate: Candidate) => string | undefined;

/** In the order in which they are asked: the first that objects is told. */
const FILTERS: Readonly<Record<string, Filter>> = {
  ready: (_, { live }) => live === undefined ? "is not heard of" : undefined,
  cordon: (_, { node }) => node.isCordoned ? "is cordoned: nothing new is placed there" : undefined,
  node: ({ constraints: { node: wanted } }, { node }) =>
    wanted !== null && wanted !== node.id ? `is not the node that is asked for, ${wanted}` : undefined,
  taint({ constraints: { tolerations } }, { node }) {
    if (node.taints.length === 0) return undefined;
    const minded = node.taints.find(({ key, value }) =>
      !tolerations.includes(key) && !tolerations.includes(`${key}=${value}`)
    );
    return minded && `has the taint ${minded.key}=${minded.value}, which is not tolerated`;
  },
  driver({ workload }, { live }) {
    const found = live?.drivers.find(({ kind }) => kind === workload.driver);
    if (found === undefined) return `has no driver "${workload.driver}"`;
    return found.problem === null
      ? undefined
      : `cannot use its driver "${workload.driver}": ${found.problem}`;
  },
  acceleration({ workload }, { live }) {
    if (workload.driver !== "microvm" || workload.acceleration === null) return undefined;
    const { acceleration } = workload;
    const has = live?.drivers.find(({ kind }) => kind === "microvm")?.accelerations ?? [];
    return has.includes(acceleration)
      ? undefined
      : `has no ${acceleration}, it has ${has.join(", ") || "none"}`;
  },
  zone: ({ constraints: { zones } }, { node }) =>
    zones.length > 0 && !zones.includes(node.zone)
      ? `is in zone "${node.zone}", ${zones.join(" or ")} is asked for`
      : undefined,
  labels({ constraints: { nodeLabels } }, { node }) {
    const lacking = Object.entries(nodeLabels).find(([name, value]) => node.labels[name] !== value);
    if (lacking === undefined) return undefined;
    const [name, value] = lacking;
    const has = node.labels[name];
    return has === undefined ? `has no label ${name}=${value}` : `has ${name}=${has}, ${value} is asked for`;
  },
  near: ({ constraints: { near } }, { instances }) =>
    near !== null && !instances.some(({ labels }) => hasAll(labels, near))
      ? `has no instance with ${labelsText(near)}, which is to be near`
      : undefined,
  apart({ id, constraints: { apart } }, { instances }) {
    const other = apart === null
      ? undefined
      : instances.find((each) => each.id !== id && hasAll(each.labels, apart));
    return other && `has "${other.name}" with ${labelsText(apart!)}, which is to be apart`;
  },
  capacity({ resources }, { free, total }) {
    const lacking = KINDS.find(({ key }) => resources[key] > free[key]);
    if (lacking === undefined) return undefined;
    const { key, text } = lacking;
    return `has ${text(Math.max(0, free[key]))} of ${text(total[key])} free, ${
      text(resources[key])
    } is asked for`;
  },
};

const KINDS: readonly { readonly key: keyof Resources; readonly text: (amount: number) => string }[] = [
  { key: "cpuMillis", text: (millis) => `${millis / 1_000} CPUs` },
  { key: "memoryMib", text: (mib) => `${mib} MiB of memory` },
  { key: "diskMib", text: (mib) => `${mib} MiB of disk` },
];

const ORDER = Object.entries(FILTERS);

/** Why an instance cannot be on a node; undefined when it can. */
export function refusal(instance: Instance, candidate: Candidate): Refusal | undefined {
  for (const [filter, objection] of ORDER) {
    const reason = objection(instance, candidate);
    if (reason !== undefined) return { filter, reason };
  }
  return undefined;
}

function hasAll(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`).join(", ");
}
