/** Which processes a list shows. Pure. @module */
import { namePattern } from "./pattern.ts";
import type { ProcessRecord } from "./record.ts";
import { OUTCOMES, type ProcessState, type Standing } from "./state.ts";

/** States by which lists are filtered, as upstream's enum has them: who exits with an error is stopped. */
export const STATE_FILTERS = ["Running", "Stopped", "Failed", "All"] as const;
export type StateFilter = (typeof STATE_FILTERS)[number];

/** Outcomes by which lists are filtered: any that is not clean stands for whatever needs to be looked at. */
export const OUTCOME_FILTERS = [...OUTCOMES, "not_clean"] as const;
export type OutcomeFilter = (typeof OUTCOME_FILTERS)[number];

/** What `list_processes` is asked for. */
export interface ListFilter {
  readonly state?: StateFilter | undefined;
  /** Part of the id or the command; with `*` or `?` a pattern for all of it. */
  readonly name_pattern?: string | undefined;
  readonly outcome?: OutcomeFilter | undefined;
}

/** Whether a process is one of those that are asked for. */
export function filterOf(
  { state = "All", name_pattern, outcome }: ListFilter,
): (record: ProcessRecord, standing: Standing) => boolean {
  const isNamed = name_pattern === undefined ? () => true : namePattern(name_pattern);
  return ({ id, command }, standing) =>
    (isNamed(id) || isNamed(command)) && isOfState(standing.state, state) &&
    (outcome === undefined || isOfOutcome(standing, outcome));
}

function isOfState({ kind }: ProcessState, filter: StateFilter): boolean {
  return filter === "All" || kind === filter.toLowerCase();
}

/** Whether something ended so last. */
export function isOfOutcome({ outcome }: Pick<Standing, "outcome">, filter: OutcomeFilter): boolean {
  return filter === "not_clean" ? outcome !== null && outcome !== "clean" : outcome === filter;
}
