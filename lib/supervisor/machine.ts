/**
 * The life of one service as a table of state by event. Pure: what it decides are effects that the runner carries out,
 * and time is an argument.
 * @module
 */

/** What is true of the service now. `failures` counts exits since it was last healthy for long. */
export type ServiceState =
  | { readonly kind: "idle" }
  /** Spawned, not ready yet. */
  | { readonly kind: "starting"; readonly pid: number; readonly failures: number }
  | { readonly kind: "running"; readonly pid: number; readonly failures: number; readonly sinceMs: number }
  | { readonly kind: "backoff"; readonly failures: number; readonly outcome: Outcome }
  | { readonly kind: "stopping"; readonly pid: number; readonly then: "idle" | "start" }
  /** Ended by us since it did not become ready: what follows is what follows a crash. */
  | { readonly kind: "failing"; readonly pid: number; readonly failures: number }
  /** Ended, and its policy says that it stays so. */
  | { readonly kind: "finished"; readonly outcome: Outcome };

/** How a process ended. */
export interface Outcome {
  readonly code: number;
  readonly signal?: string;
}

/** What happened. The runner spawns synchronously, so `started` or `spawnFailed` directly follows a `spawn`. */
export type ServiceEvent =
  | {
    readonly kind:
      | "startRequested"
      | "stopRequested"
      | "restartRequested"
      | "ready"
      | "timerFired"
      | "spawnFailed";
  }
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "exited"; readonly outcome: Outcome };

/** What is to be done. A timer replaces the one before it; a service never needs two. */
export type Effect =
  | { readonly kind: "spawn" }
  | { readonly kind: "watchReadiness" }
  | { readonly kind: "signal"; readonly pid: number; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly kind: "startTimer"; readonly ms: number }
  | { readonly kind: "stopTimer" };

/** How a service is to be treated. */
export interface Policy {
  readonly restart: "always" | "on-failure" | "never";
  readonly backoff: Backoff;
  /** After SIGTERM, so long until SIGKILL. */
  readonly graceMs: number;
  /** So long until a service that does not become ready is ended and tried again. */
  readonly readyWithinMs: number;
  /** Exits after so long in health begin the count of failures anew. */
  readonly healthyAfterMs: number;
}

/** Waits before restarts: `firstMs · factor^(failures − 1)`, at most `maxMs`. */
export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

export const DEFAULT_POLICY: Policy = {
  restart: "always",
  backoff: { firstMs: 250, factor: 2, maxMs: 30_000 },
  graceMs: 5_000,
  readyWithinMs: 30_000,
  healthyAfterMs: 60_000,
};

/** The next state and what to do, in order. */
export type Step = readonly [ServiceState, readonly Effect[]];

/** Returns what follows; `undefined` when `on` has no meaning in `state`. */
export function step(state: ServiceState, on: ServiceEvent, policy: Policy, nowMs: number): Step | undefined {
  switch (state.kind) {
    case "idle":
    case "finished":
      if (on.kind === "startRequested" || on.kind === "restartRequested") return [state, [{ kind: "spawn" }]];
      if (on.kind === "started") return starting(on.pid, 0, policy);
      return on.kind === "spawnFailed" ? ended(1, { code: SPAWN_FAILED }, policy) : undefined;
    case "starting":
      if (on.kind === "ready") {
        const { pid, failures } = state;
        return [{ kind: "running", pid, failures, sinceMs: nowMs }, [{ kind: "stopTimer" }]];
      }
      if (on.kind === "timerFired") {
        const { pid, failures } = state;
        return [{ kind: "failing", pid, failures }, terminate(pid, policy)];
      }
      if (on.kind === "exited") return ended(state.failures + 1, on.outcome, policy);
      return asked(state.pid, on, policy);
    case "failing":
      if (on.kind === "exited") return ended(state.failures + 1, on.outcome, policy);
      if (on.kind === "timerFired") return [state, [{ kind: "signal", pid: state.pid, signal: "SIGKILL" }]];
      if (on.kind === "stopRequested") return [{ kind: "stopping", pid: state.pid, then: "idle" }, []];
      return on.kind === "restartRequested"
        ? [{ kind: "stopping", pid: state.pid, then: "start" }, []]
        : undefined;
    case "running":
      if (on.kind === "exited") {
        const healthy = nowMs - state.sinceMs >= policy.healthyAfterMs;
        return ended(healthy ? 1 : state.failures + 1, on.outcome, policy);
      }
      return asked(state.pid, on, policy);
    case "backoff":
      if (on.kind === "started") return starting(on.pid, state.failures, policy);
      if (on.kind === "spawnFailed") return ended(state.failures + 1, { code: SPAWN_FAILED }, policy);
      if (on.kind === "stopRequested") return [{ kind: "idle" }, [{ kind: "stopTimer" }]];
      return on.kind === "timerFired" || on.kind === "restartRequested"
        ? [state, [{ kind: "spawn" }]]
        : undefined;
    case "stopping":
      if (on.kind === "timerFired") return [state, [{ kind: "signal", pid: state.pid, signal: "SIGKILL" }]];
      if (on.kind === "stopRequested") return [{ ...state, then: "idle" }, []];
      if (on.kind === "startRequested" || on.kind === "restartRequested") {
        return [{ ...state, then: "start" }, []];
      }
      if (on.kind !== "exited") return undefined;
      return [{ kind: "idle" }, [
        { kind: "stopTimer" },
        ...(state.then === "start" ? [{ kind: "spawn" } as const] : []),
      ]];
    default:
      return state satisfies never;
  }
}

/** The shell's code for a command that cannot be run. */
const SPAWN_FAILED = 126;

/** Milliseconds to wait before restart number `failures`. */
export function backoffMs(backoff: Backoff, failures: number): number {
  return Math.min(backoff.maxMs, backoff.firstMs * backoff.factor ** (failures - 1));
}

function starting(pid: number, failures: number, policy: Policy): Step {
  return [
    { kind: "starting", pid, failures },
    [{ kind: "startTimer", ms: policy.readyWithinMs }, { kind: "watchReadiness" }],
  ];
}

function stopping(pid: number, then: "idle" | "start", policy: Policy): Step {
  return [{ kind: "stopping", pid, then }, terminate(pid, policy)];
}

function terminate(pid: number, policy: Policy): Effect[] {
  return [{ kind: "signal", pid, signal: "SIGTERM" }, { kind: "startTimer", ms: policy.graceMs }];
}

function asked(pid: number, on: ServiceEvent, policy: Policy): Step | undefined {
  if (on.kind === "stopRequested") return stopping(pid, "idle", policy);
  return on.kind === "restartRequested" ? stopping(pid, "start", policy) : undefined;
}

/** A clean exit counts too under `always`: a service that has ended is a service that is down. */
function ended(failures: number, outcome: Outcome, policy: Policy): Step {
  const again = policy.restart === "always" || (policy.restart === "on-failure" && outcome.code !== 0);
  if (!again) return [{ kind: "finished", outcome }, [{ kind: "stopTimer" }]];
  return [
    { kind: "backoff", failures, outcome },
    [{ kind: "startTimer", ms: backoffMs(policy.backoff, failures) }],
  ];
}
