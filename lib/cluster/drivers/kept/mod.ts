/**
 * Instances that are commands under keepers: they, their logs and their ends survive whoever runs them.
 *
 * Reading order: `kind.ts` (what one kind adds), `home.ts` (what is on disk), `limits.ts`, `instance.ts`, `logs.ts`, `stats.ts`,
 * `driver.ts`. Runs, their cgroups and their ends are `lib/supervisor`'s; starting again is the cluster's to decide.
 * @module
 */
export type { ChildEnd, Ending, HeldRun, Hold, Kind, Launch, SpecOf } from "./kind.ts";
export type { Home } from "./home.ts";
export { HOME_FORMAT } from "./home.ts";
export { limitsOf } from "./limits.ts";
export { lastErrors } from "./logs.ts";
export { KeptDriver, type KeptOptions } from "./driver.ts";
