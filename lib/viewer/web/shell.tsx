/** What is around the charts: navigation, range, theme, help. @module */
import { formatInstant, formatSpan } from "./format.ts";
import { Icon } from "./icons.tsx";
import { KEYS } from "./keys.ts";
import { EventsButton } from "./event_list.tsx";
import {
  helpOpen,
  live,
  openSection,
  problem,
  rangeOf,
  resetZoom,
  section,
  sections,
  source,
  SPANS,
  theme,
  toggleLive,
  toggleTheme,
  view,
} from "./state.ts";

export function Sidebar() {
  return (
    <nav class="sidebar" aria-label="Sections">
      <div class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M6 20h4l3-10 5 14 3-8 1.500 4H26" />
        </svg>
        <span>Rezolus</span>
      </div>
      <ul>
        {sections.value.map(({ id, title }, index) => (
          <li key={id}>
            <button
              type="button"
              class={id === section.value.id ? "current" : ""}
              aria-current={id === section.value.id ? "page" : undefined}
              onClick={() => openSection(id)}
            >
              <Icon name={id} />
              <span>{title}</span>
              <kbd>{index + 1}</kbd>
            </button>
          </li>
        ))}
      </ul>
      <SourceStatus />
    </nav>
  );
}

function SourceStatus() {
  const state = source.value;
  const trouble = problem.value;
  const kind = trouble !== undefined ? "bad" : state?.mode === "live" ? "good" : "file";
  return (
    <footer class="source" title={trouble ?? state?.title}>
      <i class={`dot ${kind}`} />
      <div>
        <b>{state?.title ?? "…"}</b>
        <span>
          {trouble !== undefined ? "not answering" : state?.mode === "live" ? "live agent" : "recording"}
        </span>
      </div>
    </footer>
  );
}

export function Topbar() {
  const shown = view.value;
  const state = source.value;
  return (
    <header class="topbar">
      <h1>{section.value.title}</h1>
      <div class="tools">
        {shown?.kind === "fixed" && state && <FixedRange />}
        {state?.mode === "live" && (
          <>
            <div class="segments" role="group" aria-label="Range">
              {SPANS.map((span) => (
                <button
                  type="button"
                  key={span}
                  class={shown?.kind === "follow" && shown.spanS === span ? "current" : ""}
                  onClick={() => view.value = { kind: "follow", spanS: span }}
                >
                  {formatSpan(span)}
                </button>
              ))}
            </div>
            <button
              type="button"
              class={`live ${live.value ? "on" : ""}`}
              aria-pressed={live.value}
              title="Follow the newest points (f)"
              onClick={toggleLive}
            >
              <i />Live
            </button>
          </>
        )}
        {state?.mode === "file" && shown?.kind === "all" && state.start !== undefined && (
          <span class="extent">{formatSpan(state.end! - state.start)} recorded</span>
        )}
        <EventsButton />
        <button
          type="button"
          class="round"
          title="Light or dark (t)"
          aria-label="Theme"
          onClick={toggleTheme}
        >
          <Icon name={theme.value === "dark" ? "sun" : "moon"} />
        </button>
        <button
          type="button"
          class="round"
          title="Keys (?)"
          aria-label="Keys"
          onClick={() => helpOpen.value = true}
        >
          ?
        </button>
      </div>
    </header>
  );
}

function FixedRange() {
  const { startMs, endMs } = rangeOf(view.value!, source.value!);
  return (
    <button type="button" class="fixed-range" title="Reset the zoom (r)" onClick={resetZoom}>
      {formatInstant(startMs)} – {formatInstant(endMs)}
      <span>{formatSpan((endMs - startMs) / 1000)}</span>
      <b>×</b>
    </button>
  );
}

export function Help() {
  if (!helpOpen.value) return null;
  return (
    <div class="veil" onClick={() => helpOpen.value = false}>
      <div class="help" role="dialog" aria-label="Keys" onClick={(event) => event.stopPropagation()}>
        <h2>Keys</h2>
        <dl>
          {KEYS.map(({ show, does }) => (
            <div key={show}>
              <dt>
                <kbd>{show}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <p>
          Drag over any chart to zoom all of them, double-click to return. Click a name to see its line alone.
        </p>
      </div>
    </div>
  );
}

/** A line under the top bar that says what is wrong. */
export function Notice() {
  return problem.value === undefined ? null : <p class="notice" role="status">{problem.value}</p>;
}
