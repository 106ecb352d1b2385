/**
 * The life of one service as a table of state by event. Pure: what it decides are effects that the runner carries out,
 * and time and chance are arguments.
 * @module
 */
import { type Backoff, backoffMs } from "../async/backoff.ts";

/** What is true of the service now. `failures` counts ends since it was last healthy for long. */
export type ServiceState =
  | { readonly kind: "idle" }
  /** Nothing runs yet: what is to run is being built. */
  | { readonly kind: "building"; readonly failures: number }
  /** Spawned, not ready yet. */
  | { readonly kind: "starting"; readonly failures: number }
  | { readonly kind: "running"; readonly failures: number; readonly sinceMs: number }
  /** Runs, while the instance that is to follow is built or becomes ready. */
  | {
    readonly kind: "replacing";
    readonly phase: "building" | "starting";
    readonly failures: number;
    readonly sinceMs: number;
  }
  | { readonly kind: "backoff"; readonly failures: number; readonly outcome: Outcome }
  | { readonly kind: "stopping"; readonly then: "idle" | "launch" | "spawn" }
  /** Ended by us since it was not ready or not healthy: what follows is what follows a crash. */
  | { readonly kind: "failing"; readonly failures: number }
  /** Ended, and its policy says that it stays so. */
  | { readonly kind: "finished"; readonly outcome: Outcome };

/** All kinds of states, in the order in which a service comes to them. */
export const STATE_KINDS = Object.keys(
  {
    idle: 0,
    building: 0,
    starting: 0,
    running: 0,
    replacing: 0,
    backoff: 0,
    stopping: 0,
    failing: 0,
    finished: 0,
  } satisfies Record<ServiceState["kind"], number>,
) as readonly ServiceState["kind"][];

/** How an instance or a build ended. */
export type Outcome =
  /** After a signal, as `SIGTERM`, `code` is 128 and its number. */
  | { readonly kind: "exited"; readonly code: number; readonly signal?: string }
  /** Its keeper was killed: how it ended nobody knows. */
  | { readonly kind: "lost" };

/** What happened. `next…` is of the instance that is to follow. */
export type ServiceEvent =
  | {
    readonly kind:
      | "startRequested"
      | "stopRequested"
      | "restartRequested"
      | "built"
      | "ready"
      | "nextReady"
      | "nextExited"
      | "unhealthy"
      | "timerFired";
  }
  | { readonly kind: "buildFailed" | "exited"; readonly outcome: Outcome }
  /** A run of a manager before this one was found. */
  | { readonly kind: "adopted"; readonly ready: boolean; readonly failures: number };

/** What is to be done. A timer replaces the one before it; a service never needs two. */
export type Effect =
  | {
    readonly kind:
      | "build"
      | "cancelBuild"
      | "spawn"
      /** Begins to ask whether the current instance, or the one that is to follow, is ready. */
      | "watchReadiness"
      | "spawnNext"
      /** The instance that is to follow is the current one; one before it that still runs is ended. */
      | "promoteNext"
      | "dropNext"
      | "stop"
      | "kill"
      | "stopTimer";
  }
  | { readonly kind: "startTimer"; readonly ms: number };

/** How a service is to be treated. */
export interface Policy {
  readonly restart: "always" | "on-failure" | "never";
  readonly backoff: Backoff;
  /** So many failures in a row, and it is left alone. */
  readonly maxFailures: number;
  /** Whether something is built before each spawn. */
  readonly builds: boolean;
  /** Whether old and new may run at once: then a restart ends the old when the new is ready. */
  readonly overlap: boolean;
  /** After SIGTERM, so long until SIGKILL. */
  readonly graceMs: number;
  /** So long until a service that does not become ready is ended and tried again. */
  readonly readyWithinMs: number;
  /** Ends after so long in health begin the count of failures anew. */
  readonly healthyAfterMs: number;
}

export const DEFAULT_POLICY: Policy = {
  restart: "always",
  backoff: { firstMs: 250, factor: 2, maxMs: 30_000 },
  maxFailures: Infinity,
  builds: false,
  overlap: false,
  graceMs: 5_000,
  readyWithinMs: 30_000,
  healthyAfterMs: 60_000,
};

/** What a decision rests on beside state and event. */
export interface Circumstances {
  readonly policy: Policy;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly chance: number;
}

/** The next state and what to do, in order. */
export type Step = readonly [ServiceState, readonly Effect[]];

/** Returns what follows; `undefined` when `on` has no meaning in `state`. */
export function step(state: ServiceState, on: ServiceEvent, now: Circumstances): Step | undefined {
  switch (state.kind) {
    case "idle":
    case "finished":
      if (on.kind === "adopted") return adopt(on, now);
      return on.kind === "startRequested" || on.kind === "restartRequested" ? launch(0, now) : undefined;
    case "building":
      if (on.kind === "built") return spawn(state.failures, now);
      if (on.kind === "buildFailed") return ended(state.failures + 1, on.outcome, now);
      if (on.kind === "stopRequested") return [IDLE, [CANCEL_BUILD]];
      return on.kind === "restartRequested" ? [{ ...state, failures: 0 }, [CANCEL_BUILD, BUILD]] : undefined;
    case "starting":
      if (on.kind === "ready") {
        return [{ kind: "running", failures: state.failures, sinceMs: now.nowMs }, [STOP_TIMER]];
      }
      if (on.kind === "timerFired") return fail(state.failures, now);
      if (on.kind === "exited") return ended(state.failures + 1, on.outcome, now);
      if (on.kind === "stopRequested") return stop("idle", now);
      return on.kind === "restartRequested" ? stop("launch", now) : undefined;
    case "running":
      if (on.kind === "exited") return ended(failuresAfter(state, now), on.outcome, now);
      if (on.kind === "unhealthy") return fail(failuresAfter(state, now) - 1, now);
      if (on.kind === "stopRequested") return stop("idle", now);
      return on.kind === "restartRequested" ? replace(state, now) : undefined;
    case "replacing":
      return whileReplacing(state, on, now);
    case "backoff":
      if (on.kind === "stopRequested") return [IDLE, [STOP_TIMER]];
      if (on.kind === "restartRequested" || on.kind === "startRequested") return launch(0, now);
      return on.kind === "timerFired" ? launch(state.failures, now) : undefined;
    case "failing":
      if (on.kind === "exited") return ended(state.failures + 1, on.outcome, now);
      if (on.kind === "timerFired") return [state, KILL];
      if (on.kind === "stopRequested") return [{ kind: "stopping", then: "idle" }, []];
      return on.kind === "restartRequested" ? [{ kind: "stopping", then: "launch" }, []] : undefined;
    case "stopping":
      return whileStopping(state, on, now);
    default:
      return state satisfies never;
  }
}

const IDLE: ServiceState = { kind: "idle" };
const BUILD: Effect = { kind: "build" };
const CANCEL_BUILD: Effect = { kind: "cancelBuild" };
const STOP_TIMER: Effect = { kind: "stopTimer" };
const DROP_NEXT: Effect = { kind: "dropNext" };
/** Again and again, since what keeps it from being killed may pass. */
const KILL: readonly Effect[] = [{ kind: "kill" }, { kind: "startTimer", ms: 1_000 }];

type Replacing = Extract<ServiceState, { kind: "replacing" }>;
type Stopping = Extract<ServiceState, { kind: "stopping" }>;

/** The old instance serves on until the new one can, and for good when that fails. */
function whileReplacing(state: Replacing, on: ServiceEvent, now: Circumstances): Step | undefined {
  const { phase, failures, sinceMs } = state;
  const undo = phase === "building" ? CANCEL_BUILD : DROP_NEXT;
  const old: ServiceState = { kind: "running", failures, sinceMs };
  switch (on.kind) {
    case "built":
      return now.policy.overlap ? spawnNext(state, now) : stop("spawn", now);
    case "buildFailed":
      return [old, []];
    case "nextReady":
      return [{ kind: "running", failures: 0, sinceMs: now.nowMs }, [{ kind: "promoteNext" }, STOP_TIMER]];
    case "nextExited":
    case "timerFired":
      return [old, [DROP_NEXT, STOP_TIMER]];
    case "exited":
      // What was to follow has to come now: its build goes on, or it becomes ready with nobody before it.
      return phase === "building"
        ? [{ kind: "building", failures }, []]
        : [{ kind: "starting", failures }, [{ kind: "promoteNext" }]];
    case "stopRequested": {
      const [stopping, effects] = stop("idle", now);
      return [stopping, [undo, ...effects]];
    }
    case "restartRequested": {
      const [again, effects] = replace(state, now);
      return [again, [undo, ...effects]];
    }
    default:
      return undefined;
  }
}

function whileStopping(state: Stopping, on: ServiceEvent, now: Circumstances): Step | undefined {
  switch (on.kind) {
    case "timerFired":
      return [state, KILL];
    case "stopRequested":
      return [{ ...state, then: "idle" }, []];
    case "startRequested":
    case "restartRequested":
      return [{ ...state, then: state.then === "spawn" ? "spawn" : "launch" }, []];
    case "exited": {
      if (state.then === "idle") return [IDLE, [STOP_TIMER]];
      const [next, effects] = state.then === "spawn" ? spawn(0, now) : launch(0, now);
      return [next, [STOP_TIMER, ...effects]];
    }
    default:
      return undefined;
  }
}

/** Builds where something is to be built, and spawns where not. */
function launch(failures: number, now: Circumstances): Step {
  return now.policy.builds ? [{ kind: "building", failures }, [STOP_TIMER, BUILD]] : spawn(failures, now);
}

function spawn(failures: number, { policy }: Circumstances): Step {
  const effects: Effect[] = [
    { kind: "startTimer", ms: policy.readyWithinMs },
    { kind: "spawn" },
    { kind: "watchReadiness" },
  ];
  return [{ kind: "starting", failures }, effects];
}

function replace(state: { readonly failures: number; readonly sinceMs: number }, now: Circumstances): Step {
  const { policy } = now;
  const { failures, sinceMs } = state;
  if (policy.builds) {
    return [{ kind: "replacing", phase: "building", failures, sinceMs }, [STOP_TIMER, BUILD]];
  }
  return policy.overlap ? spawnNext(state, now) : stop("spawn", now);
}

function spawnNext(state: { readonly failures: number; readonly sinceMs: number }, now: Circumstances): Step {
  const { failures, sinceMs } = state;
  const effects: Effect[] = [
    { kind: "startTimer", ms: now.policy.readyWithinMs },
    { kind: "spawnNext" },
    { kind: "watchReadiness" },
  ];
  return [{ kind: "replacing", phase: "starting", failures, sinceMs }, effects];
}

function adopt({ ready, failures }: Extract<ServiceEvent, { kind: "adopted" }>, now: Circumstances): Step {
  if (ready) return [{ kind: "running", failures, sinceMs: now.nowMs }, []];
  const timer: Effect = { kind: "startTimer", ms: now.policy.readyWithinMs };
  return [{ kind: "starting", failures }, [timer, { kind: "watchReadiness" }]];
}

function stop(then: Stopping["then"], now: Circumstances): Step {
  return [{ kind: "stopping", then }, terminate(now)];
}

function fail(failures: number, now: Circumstances): Step {
  return [{ kind: "failing", failures }, terminate(now)];
}

/** The keeper itself kills when the grace period is over; the timer is for one that cannot. */
function terminate({ policy }: Circumstances): Effect[] {
  return [{ kind: "stop" }, { kind: "startTimer", ms: policy.graceMs + KILL_MARGIN_MS }];
}

const KILL_MARGIN_MS = 1_000;

function failuresAfter(
  state: { failures: number; sinceMs: number },
  { policy, nowMs }: Circumstances,
): number {
  return nowMs - state.sinceMs >= policy.healthyAfterMs ? 1 : state.failures + 1;
}

/** A clean exit counts too under `always`: a service that has ended is a service that is down. */
function ended(failures: number, outcome: Outcome, { policy, chance }: Circumstances): Step {
  const failed = outcome.kind === "lost" || outcome.code !== 0;
  const wanted = policy.restart === "always" || (policy.restart === "on-failure" && failed);
  if (!wanted || failures > policy.maxFailures) return [{ kind: "finished", outcome }, [STOP_TIMER]];
  const timer: Effect = { kind: "startTimer", ms: backoffMs(policy.backoff, failures, chance) };
  return [{ kind: "backoff", failures, outcome }, [timer]];
}
