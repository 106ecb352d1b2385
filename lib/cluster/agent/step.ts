/** What an agent does next for one instance, from what is wanted and what is there. Pure. @module */
import { type Backoff, backoffMs } from "../../async/mod.ts";
import type { DriverInstance, RunEnd } from "../drivers/mod.ts";
import type { Instance } from "../model/instance.ts";

/** What is wanted of an instance on this node. */
export type Wanted =
  | { readonly kind: "here"; readonly instance: Instance }
  /** It was given to another node, or is to be no more: what is here of it is of the past. */
  | { readonly kind: "elsewhere" }
  /** Nobody knows it: it is left alone, and told. */
  | { readonly kind: "unknown" };

/** What an agent remembers of an instance, also when it was killed. */
export interface Journal {
  /** For which of the instance's generations it was started last; 0 for none. */
  readonly startedGeneration: number;
  /** How often in a row it was started again after it had ended by itself. */
  readonly failures: number;
}

export const EMPTY_JOURNAL: Journal = { startedGeneration: 0, failures: 0 };

/** What is done, and then looked again. */
export type Step =
  | { readonly kind: "create" }
  | { readonly kind: "start"; readonly journal: Journal }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "stop" }
  | { readonly kind: "delete" }
  /** Its next start is due in so long. */
  | { readonly kind: "wait"; readonly ms: number }
  /** Nothing, until something is another way. */
  | { readonly kind: "rest" };

/** How long an instance that ends again and again stays down: 1 s, then twice as long each time, 5 min at most. */
export const RESTART_BACKOFF: Backoff = { firstMs: 1_000, factor: 2, maxMs: 300_000 };

/** What is looked at. */
export interface Sight {
  readonly wanted: Wanted;
  readonly found: DriverInstance | undefined;
  readonly journal: Journal;
  /** How long ago its end was seen; 0 when it is seen now. */
  readonly endedForMs: number;
}

const REST: Step = { kind: "rest" };

export function nextStep(sight: Sight): Step {
  const { wanted, found } = sight;
  switch (wanted.kind) {
    case "unknown":
      return REST;
    case "elsewhere":
      return found === undefined ? REST : ending(found);
    case "here":
      return stepOf(wanted.instance, sight);
    default:
      return wanted satisfies never;
  }
}

function stepOf(instance: Instance, sight: Sight): Step {
  const { found } = sight;
  if (instance.isDeleting) return found === undefined ? REST : ending(found);
  if (found === undefined) return { kind: "create" };
  // It was somewhere else meanwhile, or was given up here: its run is not this one's.
  if (found.epoch !== instance.placement?.epoch) return ending(found);
  if (found.generation !== instance.generation) return { kind: "create" };
  switch (instance.power) {
    case "running":
      return towardsRunning(instance, sight, found);
    case "paused":
      return found.state.kind === "running" ? { kind: "pause" } : REST;
    case "stopped":
      return isUp(found) ? { kind: "stop" } : REST;
    default:
      return instance.power satisfies never;
  }
}

function towardsRunning(instance: Instance, { journal, endedForMs }: Sight, { state }: DriverInstance): Step {
  const { generation } = instance;
  switch (state.kind) {
    case "running":
      return REST;
    case "paused":
      return { kind: "resume" };
    case "created":
      return { kind: "start", journal: { startedGeneration: generation, failures: journal.failures } };
    case "ended": {
      // Somebody wants it to run since.
      if (journal.startedGeneration !== generation) {
        return { kind: "start", journal: { startedGeneration: generation, failures: 0 } };
      }
      if (!isRestarted(instance, state.end)) return REST;
      const failures = journal.failures + 1;
      const leftMs = backoffMs(RESTART_BACKOFF, failures) - endedForMs;
      return leftMs > 0
        ? { kind: "wait", ms: leftMs }
        : { kind: "start", journal: { startedGeneration: generation, failures } };
    }
    default:
      return state satisfies never;
  }
}

/** What is left of an instance that is not to be here: asked to end first, then removed. */
function ending(found: DriverInstance): Step {
  return isUp(found) ? { kind: "stop" } : { kind: "delete" };
}

function isUp({ state }: DriverInstance): boolean {
  return state.kind === "running" || state.kind === "paused";
}

function isRestarted({ restart }: Instance, { isSuccess }: RunEnd): boolean {
  return restart === "always" || (restart === "on_failure" && !isSuccess);
}
