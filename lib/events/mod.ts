/**
 * What happens on a host, as charts mark it: a build that failed, a service that was restarted.
 *
 * Reading order: `event.ts` (what one is, and its words on the agent's socket), `event_log.ts` (the newest of them, by
 * number). Tools push them with `lib/agent_client`'s `AgentPush`; the agent keeps and serves them, the viewer draws them.
 * @module
 */
export {
  eventLabels,
  eventOf,
  type HostEvent,
  MAX_EVENT_NAME_CHARS,
  MAX_EVENT_TEXT_CHARS,
  SEVERITIES,
  type Severity,
} from "./event.ts";
export {
  EVENT_LIMITS,
  type EventCounts,
  type EventLimits,
  EventLog,
  type EventPage,
  type LoggedEvent,
} from "./event_log.ts";
