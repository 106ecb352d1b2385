/** The scheduler: `candidate.ts` (what is weighed), `filters.ts`, `scores.ts`, `plan.ts`. Pure. @module */
export { type Candidate, candidatesOf, kindOf, place, type Snapshot } from "./candidate.ts";
export { type Refusal, refusal } from "./filters.ts";
export { DEFAULT_WEIGHTS, score, type Weights } from "./scores.ts";
export { type Decision, plan, whyNot } from "./plan.ts";
