/** What the page shows, as signals; all of it that a link should keep stands in the address. @module */
import { computed, effect, signal } from "@preact/signals";
import type { SourceState } from "../columns.ts";
import { SECTIONS } from "../views/mod.ts";
import type { Theme } from "./colors.ts";

/** Follow the newest `spanS` seconds, or stay on a range of Unix milliseconds. */
export type View =
  | { readonly kind: "follow"; readonly spanS: number }
  | { readonly kind: "fixed"; readonly startMs: number; readonly endMs: number }
  /** All there is: where a recording begins. */
  | { readonly kind: "all" };

/** Spans to choose from, in seconds. */
export const SPANS = [60, 300, 900, 1800] as const;

const DEFAULT_SPAN_S = 300;

/** Shortest range that is followed. */
const LEAST_SPAN_MS = 60_000;

/** Points that a chart aims at: about one for each pixel of its width. */
const TARGET_POINTS = 720;

/** Steps, in points of the source. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600];

type ThemeChoice = Theme | "system";

const fromHash = readHash();

export const sectionId = signal(fromHash.section);
export const view = signal<View | undefined>(fromHash.view);
export const themeChoice = signal<ThemeChoice>(fromHash.theme ?? storedTheme());
export const source = signal<SourceState | undefined>(stateInPage());
export const helpOpen = signal(false);
/** The time under the pointer, on every chart; `undefined` when it is on none. */
export const cursorMs = signal<number | undefined>(undefined);
/** What the network last said when it failed. */
export const problem = signal<string | undefined>(undefined);

const darkSystem = globalThis.matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(darkSystem.matches);
darkSystem.addEventListener("change", (event) => systemDark.value = event.matches);

export const theme = computed<Theme>(() =>
  themeChoice.value === "system" ? (systemDark.value ? "dark" : "light") : themeChoice.value
);
/** The sections that the source has. */
export const sections = computed(() =>
  SECTIONS.filter(({ id, needs }) => needs === undefined || source.value?.sections?.includes(id) === true)
);
export const section = computed(() =>
  sections.value.find(({ id }) => id === sectionId.value) ?? sections.value[0]!
);
export const live = computed(() => view.value?.kind === "follow");

/** The view that a source begins with. */
export function homeView(state: SourceState): View {
  return state.mode === "live" ? { kind: "follow", spanS: DEFAULT_SPAN_S } : { kind: "all" };
}

/** First and last moment shown, and the step, all in milliseconds. */
export interface Range {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** The range of a view on a source. */
export function rangeOf(shown: View, state: SourceState): Range {
  const newest = (state.end ?? 0) * 1000;
  const [startMs, endMs] = shown.kind === "fixed"
    ? [shown.startMs, shown.endMs]
    : shown.kind === "follow"
    ? [followStart(newest, shown.spanS, state.start ?? 0), newest]
    : [(state.start ?? 0) * 1000, newest];
  return { startMs, endMs, stepMs: stepFor(endMs - startMs, state.intervalSeconds * 1000) };
}

/** While there is less than the span, the charts are filled by what there is: a minute at least. */
function followStart(newest: number, spanS: number, start: number): number {
  return Math.max(newest - spanS * 1000, Math.min(start * 1000, newest - LEAST_SPAN_MS));
}

function stepFor(spanMs: number, intervalMs: number): number {
  const unit = Math.max(10, Math.round(intervalMs / 10) * 10);
  const points = spanMs / unit / TARGET_POINTS;
  return unit * (STEPS.find((step) => step >= points) ?? Math.ceil(points));
}

/** Zooms to a range; the browser's back button returns. */
export function zoomTo(startMs: number, endMs: number): void {
  returnsHere = true;
  view.value = { kind: "fixed", startMs: Math.round(startMs), endMs: Math.round(endMs) };
}

/** Back to where the source began. */
export function resetZoom(): void {
  if (source.value !== undefined) view.value = homeView(source.value);
}

/** Follow the newest points, or stay where it is. */
export function toggleLive(): void {
  const state = source.value;
  if (state === undefined || view.value === undefined) return;
  if (view.value.kind === "follow") {
    const { startMs, endMs } = rangeOf(view.value, state);
    view.value = { kind: "fixed", startMs, endMs };
  } else view.value = { kind: "follow", spanS: DEFAULT_SPAN_S };
}

/** Light, dark, and whatever the system has, in turn. */
export function toggleTheme(): void {
  themeChoice.value = theme.value === "dark" ? "light" : "dark";
}

export function openSection(id: string): void {
  if (id === sectionId.value) return;
  returnsHere = true;
  sectionId.value = id;
  globalThis.scrollTo({ top: 0 });
}

/** The source's state as the page was sent with it. */
function stateInPage(): SourceState | undefined {
  const meta = document.querySelector<HTMLMetaElement>("meta[name=source]");
  return meta === null ? undefined : JSON.parse(meta.content) as SourceState;
}

function storedTheme(): ThemeChoice {
  const stored = localStorage.getItem("theme");
  return stored === "light" || stored === "dark" ? stored : "system";
}

interface HashState {
  readonly section: string;
  readonly view: View | undefined;
  readonly theme: Theme | undefined;
}

/** `#/cpu?last=300`, `#/cpu?from=…&to=…&theme=dark`. */
function readHash(): HashState {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const params = new URLSearchParams(query);
  const number = (name: string) => params.has(name) ? Number(params.get(name)) : NaN;
  const [last, from, to] = [number("last"), number("from"), number("to")];
  const chosen = params.get("theme");
  return {
    section: SECTIONS.some(({ id }) => id === path) ? path : SECTIONS[0]!.id,
    view: to > from
      ? { kind: "fixed", startMs: from, endMs: to }
      : last > 0
      ? { kind: "follow", spanS: last }
      : undefined,
    theme: chosen === "light" || chosen === "dark" ? chosen : undefined,
  };
}

/** Whether the browser's back button shall return from what the address shows next to what it shows now. */
let returnsHere = false;

/** Keeps address, stored choice and document in step with the signals. */
export function bindAddress(): void {
  let pending: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const params = new URLSearchParams();
    const shown = view.value;
    if (shown?.kind === "follow") params.set("last", String(shown.spanS));
    if (shown?.kind === "fixed") {
      params.set("from", String(Math.round(shown.startMs)));
      params.set("to", String(Math.round(shown.endMs)));
    }
    if (themeChoice.value !== "system") params.set("theme", themeChoice.value);
    const query = params.toString();
    const address = `#/${sectionId.value}${query === "" ? "" : `?${query}`}`;
    clearTimeout(pending);
    // Afterwards: a change of the address takes the browser some milliseconds, for which the request need not wait.
    pending = setTimeout(() => {
      if (returnsHere) history.pushState(null, "", address);
      else history.replaceState(null, "", address);
      returnsHere = false;
    });
  });
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    if (themeChoice.value === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", themeChoice.value);
  });
  const restore = () => {
    const state = readHash();
    sectionId.value = state.section;
    view.value = state.view ?? (source.value && homeView(source.value));
    if (state.theme !== undefined) themeChoice.value = state.theme;
  };
  globalThis.addEventListener("popstate", restore);
  globalThis.addEventListener("hashchange", restore);
}
