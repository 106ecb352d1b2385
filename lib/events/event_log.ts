/** The newest events, numbered as they come. Pure: the time is an argument. @module */
import type { HostEvent } from "./event.ts";

/** What is kept. */
export interface EventLimits {
  /** The oldest goes for one more, and is counted as dropped. */
  readonly events: number;
  /** Older ones are forgotten, and counted as expired. */
  readonly keepMs: number;
}

/** As much as charts of an hour can show. */
export const EVENT_LIMITS: EventLimits = { events: 1_000, keepMs: 3_600_000 };

/** An event with its number. */
export interface LoggedEvent extends HostEvent {
  /** Grows with each event, also over restarts of whoever numbers them. */
  readonly id: number;
}

/** Events behind a number, oldest first. */
export interface EventPage {
  readonly events: readonly LoggedEvent[];
  /** The number to ask with next. */
  readonly next: number;
}

/** What became of events. */
export interface EventCounts {
  readonly kept: number;
  readonly taken: number;
  readonly dropped: number;
  readonly expired: number;
}

export class EventLog {
  readonly #limits: EventLimits;
  readonly #events: LoggedEvent[] = [];
  #next: number;
  #taken = 0;
  #dropped = 0;
  #expired = 0;

  /** @param startedMs Unix time of the start: numbers begin there, in microseconds, above all of an earlier log. */
  constructor(limits: EventLimits, startedMs: number) {
    this.#limits = limits;
    this.#next = Math.floor(startedMs) * 1_000 + 1;
  }

  get counts(): EventCounts {
    return {
      kept: this.#events.length,
      taken: this.#taken,
      dropped: this.#dropped,
      expired: this.#expired,
    };
  }

  /** Number of the newest event, or one less than the first will have. */
  get newest(): number {
    return this.#next - 1;
  }

  add(event: HostEvent): void {
    this.#events.push({ ...event, id: this.#next++ });
    this.#taken++;
    if (this.#events.length <= this.#limits.events) return;
    this.#events.shift();
    this.#dropped++;
  }

  /** Events with larger numbers than `id`; all that there are with 0. `nowMs` is Unix time. */
  since(id: number, nowMs: number): EventPage {
    this.#expire(nowMs - this.#limits.keepMs);
    return { events: this.#events.filter((event) => event.id > id), next: this.newest };
  }

  /** They come nearly in the order of their times: one that is late goes with those that it came with. */
  #expire(beforeMs: number): void {
    const fresh = this.#events.findIndex(({ timeMs }) => timeMs >= beforeMs);
    const count = fresh < 0 ? this.#events.length : fresh;
    this.#events.splice(0, count);
    this.#expired += count;
  }
}
