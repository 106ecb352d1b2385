/** One event: what it says, and the labels that it travels as. Pure. @module */

/** How bad it is, the worst last. */
export const SEVERITIES = ["info", "warning", "error"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Something that happened at a moment. */
export interface HostEvent {
  /** Unix milliseconds. */
  readonly timeMs: number;
  /** The tool that tells: `nix-btm`, `bpm`. */
  readonly source: string;
  /** What kind of thing, in a word or two of that tool: `build`, `restart`. */
  readonly name: string;
  /** One line for people. */
  readonly text: string;
  readonly severity: Severity;
  /** How long that which ended at `timeMs` had taken. */
  readonly durationMs?: number;
}

/** Longest name, and longest source. */
export const MAX_EVENT_NAME_CHARS = 64;
/** Longest text. Who tells cuts it; a longer one is refused. */
export const MAX_EVENT_TEXT_CHARS = 500;

/** An event's clock may go ahead of the agent's by so much: both are of one host. */
const AHEAD_MS = 60_000;

/** The labels that stand for an event on the agent's socket. */
export function eventLabels(
  { timeMs, source, name, text, severity, durationMs }: HostEvent,
): Record<string, string> {
  const duration = durationMs === undefined ? {} : { duration_ms: String(Math.round(durationMs)) };
  return { time_ms: String(Math.round(timeMs)), source, name, severity, text, ...duration };
}

/**
 * The event that labels stand for; without `time_ms` it happens now, without `severity` it is information. `nowMs` is
 * Unix time.
 * @throws {RangeError} When a label is missing, too long or no value, naming it.
 */
export function eventOf(labels: Readonly<Record<string, string>>, nowMs: number): HostEvent {
  const timeMs = wholeNumber("time_ms", labels.time_ms) ?? nowMs;
  if (timeMs > nowMs + AHEAD_MS) throw new RangeError(`Cannot take event: time_ms ${timeMs} lies ahead`);
  const { severity = "info" } = labels;
  if (!SEVERITIES.some((each) => each === severity)) {
    throw new RangeError(`Cannot take event: severity is "${severity}", known are ${SEVERITIES.join(", ")}`);
  }
  const durationMs = wholeNumber("duration_ms", labels.duration_ms);
  return {
    timeMs,
    source: textOf("source", labels.source, MAX_EVENT_NAME_CHARS),
    name: textOf("name", labels.name, MAX_EVENT_NAME_CHARS),
    text: textOf("text", labels.text, MAX_EVENT_TEXT_CHARS),
    severity: severity as Severity,
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

function textOf(label: string, text: string | undefined, most: number): string {
  if (text === undefined || text === "") throw new RangeError(`Cannot take event: it has no ${label}`);
  if (text.length <= most) return text;
  throw new RangeError(
    `Cannot take event: ${label} has ${text.length} characters, at most ${most} are taken`,
  );
}

function wholeNumber(label: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RangeError(`Cannot take event: ${label} is "${text.slice(0, 40)}", expected whole milliseconds`);
}
