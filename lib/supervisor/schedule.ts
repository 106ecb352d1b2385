/** When a service is started by the clock. @module */
import { Cron } from "croner";
import { LONGEST_WAIT_MS } from "../async/mod.ts";

/** A service that is started again and again: at times of the calendar, or after each pause. */
export type Schedule =
  & (
    /** Minute, hour, day, month and day of the week as of crontab(5), before them seconds where there are six; or as @daily. */
    | { readonly kind: "cron"; readonly expression: string; readonly timeZone?: string }
    /** From one start to the next. */
    | { readonly kind: "interval"; readonly everyMs: number }
  )
  & {
    /** What happens when it still runs: nothing (the default), or it is replaced. */
    readonly overlap?: "skip" | "restart";
  };

/** A clock that is set is noticed after this long. */
const LOOK_EVERY_MS = 60_000;

/** Whether an expression is one; `undefined` when it is, otherwise what is wrong with it. */
export function cronProblem(expression: string, timeZone?: string): string | undefined {
  try {
    return nextTime({ kind: "cron", expression, ...timeZone === undefined ? {} : { timeZone } }, 0) ===
        undefined
      ? "no such time ever comes"
      : undefined;
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

/** The first time after `afterMs`, Unix milliseconds; undefined when none comes. @throws {Error} On a bad expression. */
export function nextTime(schedule: Schedule, afterMs: number): number | undefined {
  if (schedule.kind === "interval") return afterMs + schedule.everyMs;
  const { expression, timeZone } = schedule;
  const cron = new Cron(expression, {
    paused: true,
    ...timeZone === undefined ? {} : { timezone: timeZone },
  });
  return cron.nextRun(new Date(afterMs))?.getTime();
}

/** Whether the time that was next has come, and which one is next now; the clock may have been set meanwhile. */
export function lookAt(
  schedule: Schedule,
  nextMs: number | undefined,
  nowMs: number,
): { readonly fires: boolean; readonly nextMs: number | undefined } {
  const after = nextTime(schedule, nowMs);
  if (nextMs !== undefined && nowMs >= nextMs) return { fires: true, nextMs: after };
  if (schedule.kind === "cron") return { fires: false, nextMs: after };
  // Set back by an hour, it would rest for an hour.
  return { fires: false, nextMs: Math.min(nextMs ?? Infinity, after!) };
}

/** Calls `fire` at the times of a schedule until disposed. What was slept through is made up for once. */
export class Timetable implements Disposable {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextMs: number | undefined;
  readonly #schedule: Schedule;
  readonly #fire: () => void;

  constructor(schedule: Schedule, fire: () => void) {
    this.#schedule = schedule;
    this.#fire = fire;
    this.#nextMs = nextTime(schedule, Date.now());
    this.#wait();
  }

  /** Unix milliseconds of the next start; undefined when none comes. */
  get nextMs(): number | undefined {
    return this.#nextMs;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#nextMs === undefined) return;
    const leftMs = Math.max(0, this.#nextMs - Date.now());
    this.#timer = setTimeout(() => this.#look(), Math.min(leftMs, LOOK_EVERY_MS, LONGEST_WAIT_MS));
  }

  #look(): void {
    const { fires, nextMs } = lookAt(this.#schedule, this.#nextMs, Date.now());
    this.#nextMs = nextMs;
    if (fires) this.#fire();
    this.#wait();
  }
}
