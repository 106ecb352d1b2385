/** What services used at the last polls. Pure. @module */
import type { ServiceInfo } from "./service.ts";

/** Polls that are kept: the bars of a sparkline. */
export const USAGE_POLLS = 60;
/** Slots of services that have gone are given up once there are so many more than services. */
const SPARE_SLOTS = 64;

/** Two numbers of each service at each poll, in places that stay: thousands of services cost a few kilobytes a poll. */
export interface UsageHistory {
  /** Place of a service's numbers. */
  readonly slots: ReadonlyMap<string, number>;
  /** Oldest first; at twice its slot a service's CPU, and behind it its memory. NaN where nobody told. */
  readonly polls: readonly Float32Array[];
}

export const NO_USAGE: UsageHistory = { slots: new Map(), polls: [] };

/** The history with one more poll. */
export function withUsage(before: UsageHistory, services: readonly ServiceInfo[]): UsageHistory {
  const fits = before.slots.size <= services.length + SPARE_SLOTS;
  const { polls } = fits ? before : NO_USAGE;
  const slots = fits ? slotsFor(before.slots, services) : slotsFor(new Map(), services);
  const poll = new Float32Array(2 * slots.size).fill(NaN);
  for (const { name, cpuRatio, memoryBytes } of services) {
    const at = 2 * slots.get(name)!;
    if (cpuRatio !== undefined) poll[at] = cpuRatio;
    if (memoryBytes !== undefined) poll[at + 1] = memoryBytes;
  }
  return { slots, polls: [...polls, poll].slice(-USAGE_POLLS) };
}

/** What a service used at the last polls, oldest first, from the first that told of it; gaps are undefined. */
export function usageOf(
  { slots, polls }: UsageHistory,
  name: string,
  what: "cpu" | "memory",
): (number | undefined)[] {
  const slot = slots.get(name);
  if (slot === undefined) return [];
  const at = 2 * slot + (what === "cpu" ? 0 : 1);
  const values = polls.map((poll) => at >= poll.length || Number.isNaN(poll[at]) ? undefined : poll[at]);
  const first = values.findIndex((value) => value !== undefined);
  return first < 0 ? [] : values.slice(first);
}

/** The same map while there is nobody new. */
function slotsFor(
  known: ReadonlyMap<string, number>,
  services: readonly ServiceInfo[],
): ReadonlyMap<string, number> {
  let slots: Map<string, number> | undefined;
  for (const { name } of services) {
    if (known.has(name) || slots?.has(name) === true) continue;
    slots ??= new Map(known);
    slots.set(name, slots.size);
  }
  return slots ?? known;
}
