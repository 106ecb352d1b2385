/** What a viewer shows: a recording, or an agent that is polled. @module */
import type { LoggedEvent } from "../events/mod.ts";
import type { SeriesInfo, SeriesSource } from "../tsdb/mod.ts";
import type { SourceState } from "./columns.ts";
import { SECTIONS } from "./views/mod.ts";

/** A source of series with what the page says about it. */
export interface ViewerSource {
  readonly series: SeriesSource;
  state(): SourceState;
  /** What happened, oldest first: events with larger numbers than `id`. */
  events?(id: number): readonly LoggedEvent[];
}

/** The source of a recording. `title` is what the page is headed with, usually the file's name. */
export function recordingSource(series: SeriesSource, title: string): ViewerSource {
  return {
    series,
    state: () => ({ title, mode: "file", intervalSeconds: series.intervalSeconds, ...series.range() }),
  };
}

/** The source, with its state telling which of the sections that not every source has it has. */
export function withSections(source: ViewerSource): ViewerSource {
  let known: { readonly of: readonly SeriesInfo[]; readonly sections: readonly string[] } | undefined;
  const { series } = source;
  return {
    ...source,
    series,
    state() {
      const all = series.series();
      // The same list as long as no series came or went.
      if (known?.of !== all) known = { of: all, sections: sectionsOf(all) };
      const { sections } = known;
      return { ...source.state(), ...(sections.length === 0 ? {} : { sections }) };
    },
  };
}

function sectionsOf(series: readonly SeriesInfo[]): string[] {
  const names = new Set(series.map(({ labels }) => labels.__name__ ?? ""));
  return SECTIONS.flatMap(({ id, needs }) =>
    needs !== undefined && [...names].some((name) => needs.test(name)) ? [id] : []
  );
}
