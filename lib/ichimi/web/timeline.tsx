/** What has happened, day by day. @module */
import { computed, signal } from "@preact/signals";
import { Empty } from "./controls.tsx";
import { clockText } from "./format.ts";
import { language } from "./settings.ts";
import { addressOf, events, type Happening } from "./state.ts";
import { words } from "./words.ts";

const TONES: Readonly<Record<Happening["event_type"], string>> = {
  created: "new",
  removed: "idle",
  started: "good",
  ended: "idle",
  failed: "bad",
  killed: "bad",
  not_started: "bad",
  restarting: "busy",
  note: "idle",
};

const wanted = signal("");
const kind = signal("");

const days = computed(() => {
  const found = new Map<string, Happening[]>();
  for (const event of events.value) {
    if (wanted.value !== "" && !event.process_id.toLowerCase().includes(wanted.value.toLowerCase())) continue;
    if (kind.value !== "" && event.event_type !== kind.value) continue;
    const day = new Date(event.timestamp).toDateString();
    const before = found.get(day);
    if (before === undefined) found.set(day, [event]);
    else before.push(event);
  }
  return [...found];
});

export function Timeline() {
  const w = words.value;
  return (
    <>
      <header class="top">
        <h1>{w.pages.timeline}</h1>
        <div class="tools">
          <input
            type="search"
            placeholder={w.filterShort}
            aria-label={w.filterShort}
            value={wanted.value}
            onInput={(event) => wanted.value = event.currentTarget.value}
          />
          <select
            aria-label={w.state}
            value={kind.value}
            onInput={(event) => kind.value = event.currentTarget.value}
          >
            <option value="">{w.all}</option>
            {Object.entries(w.events).map(([value, text]) => <option key={value} value={value}>{text}
            </option>)}
          </select>
        </div>
      </header>
      {days.value.length === 0
        ? (
          events.value.length === 0
            ? <Empty icon="timeline" title={w.noEvents} more={w.noEventsMore} />
            : <Empty icon="search" title={w.noMatch} more={w.noMatchMore} />
        )
        : days.value.map(([day, happened]) => (
          <section key={day} class="card">
            <header>
              <h2>{dayText(day)}</h2>
            </header>
            <ol class="events">
              {happened.map((event) => <EventRow key={event.number} event={event} />)}
            </ol>
          </section>
        ))}
    </>
  );
}

/** One happening. @param named Whether the process is told. */
export function EventRow({ event, named = true }: { event: Happening; named?: boolean }) {
  const { timestamp, process_id: id, event_type: type, message } = event;
  return (
    <li class={named ? "" : "unnamed"}>
      <time dateTime={timestamp}>{clockText(timestamp)}</time>
      <i class={`mark ${TONES[type]}`} />
      {named && <a href={addressOf("processes", id)}>{id}</a>}
      <span class="what">{words.value.events[type]}</span>
      <span class="message" title={message}>{messageOf(event)}</span>
    </li>
  );
}

/** What its kind does not say already: figures, signals, and words that nobody here has written. */
function messageOf({ event_type: type, message }: Happening): string {
  if (type === "note" || type === "not_started") return message;
  const w = words.value;
  const [, pid] = /PID (\d+)/.exec(message) ?? [];
  if (pid !== undefined) return `${w.pid} ${pid}`;
  const [, code] = /exit code (\d+)/.exec(message) ?? [];
  if (code !== undefined) return `${w.exitCode} ${code}`;
  return /SIG\w+/.exec(message)?.[0] ?? "";
}

function dayText(day: string): string {
  const date = new Date(day);
  if (date.toDateString() === new Date().toDateString()) return words.value.today;
  return date.toLocaleDateString(language.value === "ja" ? "ja-JP" : "en-GB", { dateStyle: "full" });
}
