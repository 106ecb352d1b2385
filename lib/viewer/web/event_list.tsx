/** The list of events in what is shown, which is the legend of the marks too. @module */
import { SEVERITIES } from "../../events/mod.ts";
import type { LoggedEvent } from "../../events/mod.ts";
import { SEVERITY_COLORS } from "./colors.ts";
import {
  events,
  eventsHidden,
  eventUnderPointer,
  listOpen,
  marksOn,
  shownEvents,
  toggleHidden,
  toggleList,
  toggleMarks,
} from "./events.ts";
import { formatInstant, formatTook } from "./format.ts";
import { cursorMs, rangeOf, source as shownSource, theme, view, zoomTo } from "./state.ts";

/** Rows of the list; the newest. */
const ROWS = 200;

/** What is shown around an event that is chosen, at least on either side. */
const AROUND_MS = 30_000;

/** Events of the range that is shown. */
function inRange(all: readonly LoggedEvent[]): readonly LoggedEvent[] {
  const [shown, state] = [view.value, shownSource.value];
  if (shown === undefined || state === undefined) return [];
  const { startMs, endMs } = rangeOf(shown, state);
  return all.filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs);
}

/** Opens and closes the list; there when anything has happened. */
export function EventsButton() {
  if (events.value.length === 0) return null;
  const count = inRange(events.value).length;
  return (
    <button
      type="button"
      class={`events-button ${listOpen.value ? "on" : ""}`}
      aria-pressed={listOpen.value}
      title="List what happened (l); marks on charts (e)"
      onClick={toggleList}
    >
      Events <b>{count}</b>
    </button>
  );
}

export function EventList() {
  if (!listOpen.value || events.value.length === 0) return null;
  const all = inRange(events.value);
  const shown = inRange(shownEvents.value).toReversed();
  const sources = [...new Set(events.value.map(({ source }) => source))].sort();
  const colors = SEVERITY_COLORS[theme.value];
  return (
    <aside class="events" aria-label="Events">
      <header>
        {SEVERITIES.toReversed().map((severity) => (
          <Chip
            key={severity}
            name={severity}
            count={all.filter((event) => event.severity === severity).length}
            color={colors[severity]}
          />
        ))}
        <span class="gap" />
        {sources.map((name) => (
          <Chip
            key={name}
            name={name}
            count={all.filter(({ source }) => source === name).length}
          />
        ))}
        <button
          type="button"
          class="chip marks-switch"
          aria-pressed={marksOn.value}
          title="Marks on charts (e)"
          onClick={toggleMarks}
        >
          {marksOn.value ? "Hide marks" : "Show marks"}
        </button>
      </header>
      {shown.length === 0
        ? <p>Nothing of it happened in what is shown.</p>
        : <ol>{shown.slice(0, ROWS).map((event) => <Row key={event.id} event={event} />)}</ol>}
      {shown.length > ROWS && <p>and {shown.length - ROWS} earlier ones</p>}
    </aside>
  );
}

function Chip({ name, count, color }: { name: string; count: number; color?: string }) {
  const hidden = eventsHidden.value.has(name);
  return (
    <button
      type="button"
      class={`chip ${hidden ? "off" : ""}`}
      aria-pressed={!hidden}
      onClick={() => toggleHidden(name)}
    >
      {color !== undefined && <i style={{ background: color }} />}
      {name} <b>{count}</b>
    </button>
  );
}

function Row({ event }: { event: LoggedEvent }) {
  const { timeMs, severity, source, text, durationMs } = event;
  const point = (to: LoggedEvent | undefined) => {
    cursorMs.value = to?.timeMs;
    eventUnderPointer.value = to;
  };
  const zoom = () => {
    const around = Math.max(AROUND_MS, durationMs ?? 0);
    const newestMs = (shownSource.value?.end ?? Infinity) * 1000;
    zoomTo(timeMs - 1.5 * around, Math.min(timeMs + around / 2, newestMs));
  };
  return (
    <li
      class={severity}
      onPointerEnter={() => point(event)}
      onPointerLeave={() => point(undefined)}
      onClick={zoom}
    >
      <time>{formatInstant(timeMs)}</time>
      <i style={{ background: SEVERITY_COLORS[theme.value][severity] }} />
      <em>{source}</em>
      <span title={text}>{text}</span>
      <b>{durationMs === undefined ? "" : formatTook(durationMs)}</b>
    </li>
  );
}
