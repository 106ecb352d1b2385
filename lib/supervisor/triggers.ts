/** What starts or restarts a service beside its own end: files that change, and the clock. @module */
import type { ServiceState } from "./machine.ts";
import { Timetable } from "./schedule.ts";
import type { ServiceSpec } from "./spec.ts";
import { watchFiles } from "./watch.ts";

export type Trigger = "watch" | "schedule";

/** So many of the files that changed are named. */
const NAMED_FILES = 3;

/** What becomes of a service when something triggers it; undefined when nothing does. */
export function answerTo(
  trigger: Trigger,
  { kind }: ServiceState,
  { isJob, overlap }: { readonly isJob: boolean; readonly overlap: "skip" | "restart" },
): "start" | "restart" | undefined {
  if (kind === "stopping") return undefined;
  // What was stopped by hand, or never started, stays so; but for a job that waits for its time.
  if (kind === "idle") return trigger === "schedule" && isJob ? "start" : undefined;
  if (kind === "finished") return "start";
  return trigger === "watch" || overlap === "restart" || !isJob ? "restart" : undefined;
}

/** The triggers of one service, at work until disposed. */
export class Triggers implements AsyncDisposable {
  readonly #ending = new AbortController();
  readonly #timetable: Timetable | undefined;
  readonly #watching: Promise<void> | undefined;

  /**
   * @param fire Is told what happened.
   * @param fail Is told what cannot be watched, or not any more.
   */
  constructor(
    { watch, schedule }: Pick<ServiceSpec, "watch" | "schedule">,
    fire: (trigger: Trigger, what: string) => void,
    fail: (error: Error) => void,
  ) {
    if (schedule !== undefined) {
      this.#timetable = new Timetable(schedule, () => fire("schedule", "its time has come"));
    }
    if (watch === undefined) return;
    const { signal } = this.#ending;
    const changed = (paths: readonly string[]) => fire("watch", changeText(paths));
    this.#watching = watchFiles(watch, { signal, changed }).catch((error) => {
      if (!(error instanceof Error)) throw error;
      fail(error);
    });
  }

  /** Unix milliseconds of its next start by the clock. */
  get nextMs(): number | undefined {
    return this.#timetable?.nextMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#timetable?.[Symbol.dispose]();
    await this.#watching;
  }
}

function changeText(paths: readonly string[]): string {
  const named = paths.slice(0, NAMED_FILES).join(", ");
  const more = paths.length - NAMED_FILES;
  return `${named}${more > 0 ? ` and ${more} more` : ""} changed`;
}
