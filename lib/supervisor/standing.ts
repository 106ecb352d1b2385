/** How a service stands, for whoever waits for it. @module */
import type { Service } from "./service.ts";

/** Number of the run that serves, or was the last. */
export function newestOf({ current, ledger }: Service): number | undefined {
  return current?.place.number ?? ledger.places("run").at(-1)?.number;
}

/** Whether it runs, or is meant to. */
export function isUp(service: Service): boolean {
  return !service.is("idle", "finished", "stopping");
}

/** Nothing more happens to it by itself, but what its policy makes of an end. */
export function isSettled(service: Service): boolean {
  return service.is("running", "finished") || service.isDismissed;
}

/** What was asked for has succeeded or failed. */
export function isAtRest(service: Service): boolean {
  return service.is("running", "finished", "idle", "backoff");
}
