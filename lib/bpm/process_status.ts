/** What became of a process's last instances, from what they left on disk. @module */
import { inspectInstance } from "../keeper/mod.ts";
import { begunMsOf, startedMsOf } from "../services/mod.ts";
import { type Place, type Service, wasEnded } from "../supervisor/mod.ts";
import type { ProcessEvent, ProcessStatus } from "./status_text.ts";

/** Instances that are looked at; each has a start and an end. */
const INSTANCES = 5;

export function processStatus(service: Service): ProcessStatus {
  const { state } = service;
  const startedMs = startedMsOf(service);
  const events = service.ledger.places("run").slice(-INSTANCES).toReversed().flatMap(eventsOf);
  return {
    name: service.spec.name,
    state: stateOf(state),
    ...(startedMs === undefined ? {} : { startedMs }),
    events,
    crashes: "failures" in state ? state.failures : 0,
  };
}

/** In upstream's three words. */
function stateOf(state: Service["state"]): ProcessStatus["state"] {
  switch (state.kind) {
    case "starting":
    case "running":
    case "replacing":
    case "stopping":
      return "running";
    case "backoff":
    case "failing":
      return "crashed";
    case "building":
      return state.failures > 0 ? "crashed" : "idle";
    case "finished":
      return state.outcome.kind === "exited" && state.outcome.code === 0 ? "idle" : "crashed";
    case "idle":
      return "idle";
    default:
      return state satisfies never;
  }
}

/** Newest first. */
function eventsOf(place: Place): ProcessEvent[] {
  const started: ProcessEvent = { kind: "started", timeMs: begunMsOf(place) };
  const status = inspectInstance(place.folder);
  const kind = wasEnded(place) ? "stopped" : "crashed";
  if (status.kind === "exited") {
    return [{ kind, timeMs: status.exit.timeMs, code: status.exit.code }, started];
  }
  if (status.kind === "lost") return [{ kind: "crashed", timeMs: started.timeMs }, started];
  return status.kind === "running" ? [started] : [];
}
