/** Which of the nodes that would do is the best for an instance. Pure. @module */
import type { Instance, Resources } from "../model/instance.ts";
import { type Candidate, less } from "./candidate.ts";

/** How much each consideration counts; 0 leaves it out. */
export interface Weights {
  /** Full nodes first, so that others stay empty. */
  readonly pack: number;
  /** Empty nodes first, and those with few of the same kind. */
  readonly spread: number;
  /** Nodes that have its images. */
  readonly image: number;
  /** Nodes on which CPU and memory are used alike. */
  readonly balance: number;
}

export const DEFAULT_WEIGHTS: Weights = { pack: 0, spread: 1, image: 1, balance: 0.5 };

/** The higher the better; each consideration gives 0 to 1. @param kind `kindOf` the instance. */
export function score(
  instance: Instance,
  candidate: Candidate,
  { weights, kind }: { readonly weights: Weights; readonly kind: string },
): number {
  const left = less(candidate.free, instance.resources);
  const [cpu, memory] = [shareLeft(left, candidate, "cpuMillis"), shareLeft(left, candidate, "memoryMib")];
  const empty = (cpu + memory) / 2;
  return weights.pack * (1 - empty) +
    weights.spread * (empty + 1 / (1 + (candidate.kinds.get(kind) ?? 0))) / 2 +
    weights.image * imageShare(instance, candidate) +
    weights.balance * (1 - Math.abs(cpu - memory));
}

function shareLeft(left: Resources, { total }: Candidate, key: "cpuMillis" | "memoryMib"): number {
  return total[key] === 0 ? 0 : left[key] / total[key];
}

function imageShare({ workload }: Instance, { live }: Candidate): number {
  if (workload.driver !== "microvm") return 1;
  const wanted = [workload.kernel, ...workload.initrd === null ? [] : [workload.initrd]];
  return wanted.filter(({ sha256 }) => live?.images.includes(sha256)).length / wanted.length;
}
