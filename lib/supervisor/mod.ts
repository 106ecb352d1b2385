/**
 * Supervision: services that are started in order, kept running, and stopped in reverse.
 *
 * Reading order: `machine.ts` (the life of one service, pure), `graph.ts` (order, pure), `service.ts` (one process with
 * its pipes and probes), `supervisor.ts` (all of them). What a service is for, and how it is shown, belongs to others.
 * @module
 */
export {
  type Backoff,
  backoffMs,
  DEFAULT_POLICY,
  type Effect,
  type Outcome,
  type Policy,
  type ServiceEvent,
  type ServiceState,
  step,
} from "./machine.ts";
export { type Node, startOrder } from "./graph.ts";
export { type Notice, Service, type ServiceSpec } from "./service.ts";
export { Supervisor } from "./supervisor.ts";
