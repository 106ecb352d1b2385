/** Who shares a cluster: projects, and how much each may ask for. Pure. @module */
import type { Instance, Resources } from "./instance.ts";

/** Of a project: changed with what it counts, in one transaction. */
export interface Quota {
  readonly project: string;
  /** Null where there is none. */
  readonly limits: QuotaAmounts<number | null>;
  readonly used: QuotaAmounts<number>;
}

/** What is counted. */
export type QuotaAmounts<T> = { readonly [Key in keyof Resources | "instances"]: T };

const KINDS: Readonly<Record<keyof QuotaAmounts<unknown>, string>> = {
  instances: "instances",
  cpuMillis: "thousandths of a CPU",
  memoryMib: "MiB of memory",
  diskMib: "MiB of disk",
};
const KEYS = Object.keys(KINDS) as (keyof QuotaAmounts<unknown>)[];

/** A project that nobody has limited. */
export function unlimited(project: string): Quota {
  const all = <T>(value: T) => ({ instances: value, cpuMillis: value, memoryMib: value, diskMib: value });
  return { project, limits: all(null), used: all(0) };
}

/** What an instance counts. */
export function amountsOf({ resources }: Pick<Instance, "resources">): QuotaAmounts<number> {
  return { instances: 1, ...resources };
}

/** With so much more used, or less. */
export function counted(quota: Quota, amounts: QuotaAmounts<number>, sign: 1 | -1): Quota {
  const used = Object.fromEntries(
    KEYS.map((key) => [key, Math.max(0, quota.used[key] + sign * amounts[key])]),
  ) as QuotaAmounts<number>;
  return { ...quota, used };
}

/** What is over its limit, in words; undefined when nothing is. */
export function overrun({ project, limits, used }: Quota): string | undefined {
  const over = KEYS.find((key) => limits[key] !== null && used[key] > limits[key]);
  return over &&
    `project "${project}" would have ${used[over]} ${KINDS[over]}, its quota is ${limits[over]}`;
}
