/** What of a service's life is marked on charts: crashes, restarts, swaps. Pure: time is an argument. @module */
import type { HostEvent } from "../events/mod.ts";
import type { Notice, Outcome, ServiceState } from "../supervisor/mod.ts";

/** An event without its source, which is this tool. */
export type ServiceMark = Omit<HostEvent, "source">;

export class ServiceMarks {
  readonly #before = new Map<string, ServiceState>();

  /** The mark of a notice, where it has one. */
  take(notice: Notice, nowMs: number): ServiceMark | undefined {
    const { service } = notice;
    if (notice.kind === "went") this.#before.delete(service);
    if (notice.kind !== "state") return undefined;
    const { state } = notice;
    const before = this.#before.get(service);
    this.#before.set(service, state);
    if (before?.kind === state.kind) return undefined;
    const told = tell(before, state);
    return told === undefined
      ? undefined
      : { timeMs: nowMs, name: told[0], severity: told[1], text: `${service} ${told[2]}` };
  }
}

function tell(
  before: ServiceState | undefined,
  state: ServiceState,
): readonly [name: string, HostEvent["severity"], text: string] | undefined {
  switch (state.kind) {
    case "backoff":
      return ["crash", "error", `ended (${outcomeText(state.outcome)}) and is started again`];
    case "failing":
      return ["crash", "error", "is not well and is ended"];
    case "finished":
      return state.outcome.kind === "exited" && state.outcome.code === 0
        ? ["end", "info", "is done"]
        : ["crash", "error", `ended (${outcomeText(state.outcome)})`];
    case "running":
      if (before?.kind === "replacing") return ["swap", "info", "is replaced by its new instance"];
      return state.failures > 0
        ? [
          "restart",
          "warning",
          `runs again after ${state.failures === 1 ? "a failure" : `${state.failures} failures`}`,
        ]
        : ["start", "info", "runs"];
    default:
      return undefined;
  }
}

function outcomeText(outcome: Outcome): string {
  if (outcome.kind === "lost") return "exit unknown";
  return outcome.signal ?? `exit ${outcome.code}`;
}
