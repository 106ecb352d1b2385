/** One line on a terminal that tells how a recording goes, and gives way to lines that stay. @module */

/** What is shown of an endpoint. */
export interface EndpointProgress {
  readonly name: string;
  readonly ticks: number;
  readonly missed: number;
  readonly away: boolean;
}

/** How far a recording is. */
export interface RecordProgress {
  readonly elapsedMs: number;
  readonly durationMs?: number;
  readonly endpoints: readonly EndpointProgress[];
}

/** Returns the line, cut to the terminal's width: `recording 0:42 of 5:00 · 42 ticks, 1 missed`. */
export function progressLine({ elapsedMs, durationMs, endpoints }: RecordProgress, columns: number): string {
  const time = durationMs === undefined
    ? clockText(elapsedMs)
    : `${clockText(elapsedMs)} of ${clockText(durationMs)}`;
  const parts = endpoints.map((each) => `${endpoints.length > 1 ? `${each.name} ` : ""}${tickText(each)}`);
  const line = `recording ${time} · ${parts.join(" · ")}`;
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
}

/** `42 ticks, 1 missed, away`. */
export function tickText({ ticks, missed, away }: EndpointProgress): string {
  return [
    `${ticks} ${ticks === 1 ? "tick" : "ticks"}`,
    ...(missed > 0 ? [`${missed} missed`] : []),
    ...(away ? ["away"] : []),
  ].join(", ");
}

/** `1:02:03`, `0:42`. */
function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Standard error as a place for lines that stay and, on a terminal, one that is written over. */
export class ProgressOutput {
  readonly #write: (text: string) => void;
  readonly #columns: (() => number) | undefined;
  #shown = "";

  /** @param columns The terminal's width; without it the line that is written over is left out. */
  constructor(write: (text: string) => void, columns?: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Writes a line that stays. */
  line(text: string): void {
    this.#write(`${this.#shown === "" ? "" : CLEAR}${text}\n${this.#shown}`);
  }

  /** Replaces the line that tells the state. */
  show(progress: RecordProgress): void {
    if (this.#columns === undefined) return;
    this.#shown = progressLine(progress, this.#columns());
    this.#write(`${CLEAR}${this.#shown}`);
  }

  /** Takes the line of the state away. */
  done(): void {
    if (this.#shown !== "") this.#write(CLEAR);
    this.#shown = "";
  }
}

/** To the line's beginning, and nothing behind it. */
const CLEAR = "\r\x1b[K";
