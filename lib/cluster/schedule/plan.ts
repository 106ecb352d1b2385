/** Where instances are placed: from a snapshot and what waits to a plan, with a reason for all that is refused. Pure. @module */
import type { Instance } from "../model/instance.ts";
import { type Candidate, candidatesOf, kindOf, place, type Snapshot } from "./candidate.ts";
import { type Refusal, refusal } from "./filters.ts";
import { DEFAULT_WEIGHTS, score, type Weights } from "./scores.ts";

/** Where one instance goes, or why nowhere. */
export type Decision =
  | { readonly instance: string; readonly node: string; readonly score: number }
  | { readonly instance: string; readonly node: undefined; readonly refusals: ReadonlyMap<string, Refusal> };

/**
 * Decides for each instance in turn, so that what is placed first takes room from those behind it. The same input gives
 * the same plan: of equal nodes the one whose id comes first.
 */
export function plan(
  snapshot: Snapshot,
  waiting: readonly Instance[],
  weights: Weights = DEFAULT_WEIGHTS,
): Decision[] {
  const candidates = candidatesOf(snapshot);
  return waiting.map((instance) => {
    const decision = decide(instance, candidates, weights);
    if (decision.node !== undefined) {
      const chosen = candidates.find(({ node }) => node.id === decision.node)!;
      place(chosen, instance);
    }
    return decision;
  });
}

/** What each node would say to an instance; undefined where it could be. */
export function whyNot(snapshot: Snapshot, instance: Instance): ReadonlyMap<string, Refusal | undefined> {
  return new Map(candidatesOf(snapshot).map((each) => [each.node.id, refusal(instance, each)]));
}

function decide(instance: Instance, candidates: readonly Candidate[], weights: Weights): Decision {
  let best: { readonly node: string; readonly score: number } | undefined;
  const refusals = new Map<string, Refusal>();
  const kind = kindOf(instance);
  for (const candidate of candidates) {
    const refused = refusal(instance, candidate);
    if (refused !== undefined) {
      refusals.set(candidate.node.id, refused);
      continue;
    }
    const found = score(instance, candidate, { weights, kind });
    if (best === undefined || found > best.score) best = { node: candidate.node.id, score: found };
  }
  return best === undefined
    ? { instance: instance.id, node: undefined, refusals }
    : { instance: instance.id, ...best };
}
