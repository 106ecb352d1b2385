/**
 * Supervision: services that are started in order, kept running, replaced and stopped in reverse, and that outlive
 * whoever supervises them.
 *
 * Reading order: `spec.ts` (what a service is), `machine.ts` (the life of one, pure), `graph.ts` (order
 * and conditions, pure), `ledger.ts` (what is left on disk for the next manager), `run.ts` (one instance under its
 * keeper), `cgroups.ts` and `instances.ts` (its runs and builds), `front.ts` (the socket that instances have in turn),
 * `probes.ts` and `health.ts` (is it well?), `predecessor.ts` (what a manager before this one left), `service.ts` (one
 * service), `watch.ts`, `schedule.ts` and `triggers.ts` (what restarts it), `standing.ts` and `supervisor.ts` (all of them). What a service
 * is for, where its description comes from and how it is shown belongs to others.
 * @module
 */
export {
  type Command,
  DEFAULT_RETENTION,
  type ListenSpec,
  type Retention,
  type ServiceSpec,
} from "./spec.ts";
export {
  DEFAULT_POLICY,
  type Effect,
  type Outcome,
  type Policy,
  type ServiceEvent,
  type ServiceState,
  STATE_KINDS,
  step,
} from "./machine.ts";
export { type Backoff, backoffMs } from "../async/backoff.ts";
export {
  type Condition,
  CONDITIONS,
  dependantsOf,
  type Dependency,
  holds,
  isHopeless,
  type Node,
  type Observed,
  startOrder,
} from "./graph.ts";
export {
  type InstanceKind,
  Ledger,
  LEDGER_FORMAT,
  lives,
  type Place,
  settlePlace,
  wasEnded,
  wasToEnd,
} from "./ledger.ts";
export { ask, type PolledProbe, type Probe } from "./probes.ts";
export { Run } from "./run.ts";
export { type InstanceContext, Instances } from "./instances.ts";
export type { Notice } from "./notice.ts";
export { Service } from "./service.ts";
export { BusyError, LOCK, managerOf, takeLock } from "./lock.ts";
export { cronProblem, nextTime, type Schedule } from "./schedule.ts";
export { CgroupMaker, cgroupsOf, findHierarchies, type Limits, removeCgroups } from "./cgroups.ts";
export { mayHold, watchFiles, type WatchSpec } from "./watch.ts";
export { answerTo, type Trigger } from "./triggers.ts";
export { SERVICES, Supervisor } from "./supervisor.ts";
