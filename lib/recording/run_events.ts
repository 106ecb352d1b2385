/**
 * What happened during a recording beside the values: an endpoint that went away or came back, a clock that was set, the
 * command's start and end. They stand in the file's metadata under `events`, as upstream's viewer reads them: a list of
 * `{timestamp, description, kind, source, …}`. Pure.
 * @module
 */

/** Events kept of a recording; of later ones only the number is told. */
export const MAX_EVENTS = 1_000;

/** One event. */
export interface RunEvent {
  /** Unix time in nanoseconds. */
  readonly timestampNs: bigint;
  readonly kind: "source_away" | "source_back" | "clock_step" | "run_start" | "run_end";
  readonly description: string;
  /** The endpoint's name, where it is of one endpoint. */
  readonly source?: string;
  readonly details?: string;
}

/** Events in the order they came. */
export class RunEvents {
  readonly #events: RunEvent[] = [];
  #leftOut = 0;

  /** Returns whether the event is kept, or only counted. */
  add(event: RunEvent): boolean {
    const isKept = this.#events.length < MAX_EVENTS;
    if (isKept) this.#events.push(event);
    else this.#leftOut++;
    return isKept;
  }

  /** The metadata's text; `undefined` when nothing happened. With `source`, that endpoint's and those of none. */
  toMetadata(source?: string): string | undefined {
    const events = this.#events.filter((event) =>
      source === undefined || event.source === undefined || event.source === source
    );
    if (events.length === 0) return undefined;
    // A time in nanoseconds is over 2⁵³: as a JSON number it is written digit by digit.
    const rows = events.map(({ timestampNs, ...rest }) =>
      `{"timestamp":${timestampNs},${JSON.stringify(rest).slice(1)}`
    );
    const leftOut = this.#leftOut === 0 ? "" : `,"left_out":${this.#leftOut}`;
    return `{"events":[${rows.join(",")}]${leftOut}}`;
  }
}
