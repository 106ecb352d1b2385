/** What happened, as the page knows it: the events, which of them are shown, and where they stand on charts. @module */
import { computed, effect, signal } from "@preact/signals";
import type { LoggedEvent, Severity } from "../../events/mod.ts";
import { type Frame, xOf } from "./geometry.ts";

/** Events that are kept; the oldest go for others. */
const EVENTS_KEPT = 2_000;

/** Marks closer to each other than this are one. */
const MARK_PX = 3;

/** How far from a mark the pointer may be to hear of it. */
const HOVER_PX = 5;

/** An answer that takes longer is given up; the next one asks again. */
const ANSWER_LIMIT_MS = 5_000;

export const events = signal<readonly LoggedEvent[]>([]);
/** Whether charts have marks. */
export const marksOn = signal(stored("marks") !== "off");
/** Whether the list is open. */
export const listOpen = signal(stored("events") === "list");
/** Severities and sources that the person has switched off. */
export const eventsHidden = signal<ReadonlySet<string>>(new Set());
/** The event under the pointer: charts show how long it took. */
export const eventUnderPointer = signal<LoggedEvent | undefined>(undefined);

/** Events that are not switched off, by time. */
export const shownEvents = computed<readonly LoggedEvent[]>(() => {
  const hidden = eventsHidden.value;
  const shown = events.value.filter(({ severity, source }) => !hidden.has(severity) && !hidden.has(source));
  return shown.sort((a, b) => a.timeMs - b.timeMs);
});

/** Events at one place of a plot. */
export interface Mark {
  readonly x: number;
  /** The worst of them. */
  readonly severity: Severity;
  readonly events: readonly LoggedEvent[];
}

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** The worst first. */
export function bySeverity(a: LoggedEvent, b: LoggedEvent): number {
  return RANK[b.severity] - RANK[a.severity];
}

/** Where events stand on a plot; `sorted` by time. Those that would cover each other are one mark. */
export function layoutMarks(sorted: readonly LoggedEvent[], frame: Frame): Mark[] {
  const marks: { x: number; severity: Severity; events: LoggedEvent[] }[] = [];
  for (const event of sorted) {
    if (event.timeMs < frame.startMs || event.timeMs > frame.endMs) continue;
    const x = xOf(event.timeMs, frame);
    const last = marks.at(-1);
    if (last === undefined || x - last.x >= MARK_PX) {
      marks.push({ x, severity: event.severity, events: [event] });
      continue;
    }
    last.events.push(event);
    if (RANK[event.severity] > RANK[last.severity]) last.severity = event.severity;
  }
  return marks;
}

/** The mark that the pointer is at. */
export function markAt(marks: readonly Mark[], x: number): Mark | undefined {
  let nearest: Mark | undefined;
  for (const mark of marks) {
    const distance = Math.abs(mark.x - x);
    if (distance <= HOVER_PX && distance < Math.abs((nearest?.x ?? Infinity) - x)) nearest = mark;
  }
  return nearest;
}

let laidOut: { of: readonly LoggedEvent[]; frame: Frame; marks: readonly Mark[] } | undefined;

/** The marks of plots with this frame: most of a page's have the same, so that they are laid out once. */
export function marksOf(frame: Frame): readonly Mark[] {
  if (!marksOn.value) return [];
  const of = shownEvents.value;
  const isSame = laidOut?.of === of && laidOut.frame.width === frame.width &&
    laidOut.frame.startMs === frame.startMs && laidOut.frame.endMs === frame.endMs;
  if (!isSame) laidOut = { of, frame, marks: layoutMarks(of, frame) };
  return laidOut!.marks;
}

export function toggleMarks(): void {
  marksOn.value = !marksOn.value;
}

export function toggleList(): void {
  listOpen.value = !listOpen.value;
  // The pointer may be on a row, and a row that goes tells nobody.
  eventUnderPointer.value = undefined;
}

/** Shows or hides events of a severity or source. */
export function toggleHidden(name: string): void {
  const hidden = new Set(eventsHidden.value);
  if (!hidden.delete(name)) hidden.add(name);
  eventsHidden.value = hidden;
}

let asking = false;

/** Asks for the events up to `newest` that are not here yet. */
export async function askForEvents(newest: number | undefined): Promise<void> {
  const known = events.peek().at(-1)?.id ?? 0;
  if (newest === undefined || newest <= known || asking) return;
  asking = true;
  try {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const response = await fetch(`/api/v1/events?since=${known}`, { signal });
    const { data } = await response.json() as { data?: readonly LoggedEvent[] };
    if (data !== undefined && data.length > 0) events.value = [...events.peek(), ...data].slice(-EVENTS_KEPT);
  } catch {
    // The next answer of the viewer names the newest event again.
  } finally {
    asking = false;
  }
}

/** Keeps what was chosen for the next visit. */
export function bindEvents(): void {
  effect(() => localStorage.setItem("marks", marksOn.value ? "on" : "off"));
  effect(() => localStorage.setItem("events", listOpen.value ? "list" : "closed"));
}

function stored(name: string): string | null {
  return globalThis.localStorage?.getItem(name) ?? null;
}
