/** How process-compose restarts, ends, groups and multiplies a process. Pure. @module */
import type { ProcessKeys } from "./found.ts";
import type { Keys } from "./keys.ts";

const RESTARTS = {
  always: undefined,
  on_failure: "on-failure",
  no: "never",
  exit_on_failure: "never",
} as const;
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  9: "SIGKILL",
  10: "SIGUSR1",
  12: "SIGUSR2",
};
const SIGTERM = 15;

type Policy = Pick<ProcessKeys, "restart" | "backoff" | "max_failures" | "grace" | "stop_signal">;

/** Restarts and the end, taken; `isJob`: it has a schedule. */
export function policyOf(keys: Keys, isJob: boolean): Policy {
  const availability = keys.table("availability");
  const policy = availability.text("restart") ?? "no";
  if (!Object.hasOwn(RESTARTS, policy)) {
    availability.notes.push(`availability.restart = "${policy}": is no policy that is known`);
  }
  if (policy === "exit_on_failure") {
    availability.notes.push(`availability.restart = "exit_on_failure": a failure does not end the others`);
  }
  const restart = Object.hasOwn(RESTARTS, policy) ? RESTARTS[policy as keyof typeof RESTARTS] : undefined;
  const most = availability.number("max_restarts");
  const first = availability.seconds("backoff_seconds");
  for (const name of ["exit_on_end", "exit_on_skipped"]) {
    availability.note(name, "its end does not end the others");
  }
  availability.untaken();
  const shutdown = keys.table("shutdown");
  const grace = shutdown.seconds("timeout_seconds");
  const signal = shutdown.number("signal") ?? SIGTERM;
  if (signal !== SIGTERM && SIGNALS[signal] === undefined) {
    shutdown.notes.push(`shutdown.signal = ${signal}: SIGTERM is sent`);
  }
  shutdown.note("command", "what ends it is a signal, and SIGKILL after grace");
  shutdown.note("parent_only", "the whole tree is ended");
  shutdown.untaken();
  return {
    // What has a schedule is not restarted unless it says so.
    restart: isJob ? (restart === "never" ? undefined : restart ?? "always") : restart,
    backoff: first === undefined ? undefined : { first, factor: 1 },
    max_failures: most === undefined || most < 1 ? undefined : Math.floor(most),
    grace,
    stop_signal: SIGNALS[signal],
  };
}

/** Its namespaces but the default one, taken. */
export function groupsOf(keys: Keys): string[] | undefined {
  const groups = (keys.texts("namespace") ?? []).filter((each) => each !== "default");
  return groups.length === 0 ? undefined : groups;
}

/** As many as `.mcp-run` takes. */
const REPLICAS_MAX = 100;

/** How many run, taken; `undefined` for one. */
export function replicasOf(keys: Keys): number | undefined {
  const count = keys.number("replicas") ?? 1;
  if (count > REPLICAS_MAX) keys.notes.push(`replicas = ${count}: at most ${REPLICAS_MAX} run`);
  return count > 1 ? Math.min(REPLICAS_MAX, Math.floor(count)) : undefined;
}
