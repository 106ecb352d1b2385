/** What is reserved for an instance as limits of its cgroups. @module */
import { findHierarchies, type Limits } from "../../../supervisor/mod.ts";
import type { Resources } from "../../model/instance.ts";

const MIB = 2 ** 20;

/**
 * Limits that this machine can set: where it has no cgroups for a resource, only the reservation bounds it.
 * @param extraBytes What is needed beside, such as an emulator's own.
 */
export function limitsOf({ cpuMillis, memoryMib }: Resources, extraBytes = 0): Limits {
  const has = new Set(findHierarchies().flatMap(({ controllers }) => controllers));
  return {
    ...(cpuMillis > 0 && has.has("cpu") ? { cpus: cpuMillis / 1_000 } : {}),
    ...(memoryMib > 0 && has.has("memory") ? { memoryBytes: memoryMib * MIB + extraBytes } : {}),
  };
}
