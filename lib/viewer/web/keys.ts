/** The keys of the page: one list for what they do and for the help that tells it. @module */
import { toggleList, toggleMarks } from "./events.ts";
import {
  helpOpen,
  openSection,
  rangeOf,
  resetZoom,
  section,
  sections,
  source,
  toggleLive,
  toggleTheme,
  view,
} from "./state.ts";

/** One key, or several that do the same. */
export interface KeyBinding {
  readonly keys: readonly string[];
  /** How the help shows them. */
  readonly show: string;
  readonly does: string;
  run(key: string): void;
}

export const KEYS: readonly KeyBinding[] = [
  {
    keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    get show() {
      return `1 – ${sections.value.length}`;
    },
    does: "Open a section",
    run: (key) => {
      const wanted = sections.value[Number(key) - 1];
      if (wanted !== undefined) openSection(wanted.id);
    },
  },
  { keys: ["j"], show: "j", does: "Next section", run: () => moveSection(1) },
  { keys: ["k"], show: "k", does: "Previous section", run: () => moveSection(-1) },
  { keys: ["f"], show: "f", does: "Follow the newest points, or stop", run: toggleLive },
  { keys: ["ArrowLeft", "a"], show: "←", does: "Earlier", run: () => move(-0.25) },
  { keys: ["ArrowRight", "d"], show: "→", does: "Later", run: () => move(0.25) },
  { keys: ["+", "=", "w"], show: "+", does: "Zoom in", run: () => scale(0.5) },
  { keys: ["-", "s"], show: "−", does: "Zoom out", run: () => scale(2) },
  { keys: ["r", "0"], show: "r", does: "Reset the zoom (also: double click)", run: resetZoom },
  { keys: ["e"], show: "e", does: "Marks of events on charts, on or off", run: toggleMarks },
  { keys: ["l"], show: "l", does: "List of events, open or closed", run: toggleList },
  { keys: ["t"], show: "t", does: "Light or dark", run: toggleTheme },
  { keys: ["?"], show: "?", does: "This help", run: () => helpOpen.value = !helpOpen.value },
  { keys: ["Escape"], show: "esc", does: "Close the help, reset the zoom", run: escape },
];

/** Listens to the keyboard; keys meant for a field or with a modifier are left alone. */
export function bindKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLElement && event.target.closest("input, textarea, select")) return;
    const binding = KEYS.find(({ keys }) => keys.includes(event.key));
    if (binding === undefined) return;
    event.preventDefault();
    binding.run(event.key);
  });
}

function moveSection(by: number): void {
  const all = sections.value;
  const index = all.indexOf(section.value) + by;
  openSection(all[(index + all.length) % all.length]!.id);
}

function escape(): void {
  if (helpOpen.value) helpOpen.value = false;
  else resetZoom();
}

function move(share: number): void {
  change(({ startMs, endMs }) => {
    const by = (endMs - startMs) * share;
    return [startMs + by, endMs + by];
  });
}

function scale(factor: number): void {
  change(({ startMs, endMs }) => {
    const [middle, half] = [(startMs + endMs) / 2, (endMs - startMs) / 2 * factor];
    return [middle - half, middle + half];
  });
}

/** Shortest range that can be zoomed to, in points of the source. */
const LEAST_POINTS = 5;

/** A new range that stays within what the source has. */
function change(to: (range: { startMs: number; endMs: number }) => [number, number]): void {
  const [shown, state] = [view.value, source.value];
  if (shown === undefined || state?.start === undefined || state.end === undefined) return;
  const [first, last] = [state.start * 1000, state.end * 1000];
  let [startMs, endMs] = to(rangeOf(shown, state));
  const span = Math.min(Math.max(endMs - startMs, LEAST_POINTS * state.intervalSeconds * 1000), last - first);
  startMs = Math.max(first, Math.min(startMs, last - span));
  endMs = startMs + span;
  view.value = { kind: "fixed", startMs, endMs };
}
