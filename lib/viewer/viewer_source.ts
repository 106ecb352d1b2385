/** What a viewer shows: a recording, or an agent that is polled. @module */
import type { SeriesSource } from "../tsdb/mod.ts";
import type { SourceState } from "./columns.ts";

/** A source of series with what the page says about it. */
export interface ViewerSource {
  readonly series: SeriesSource;
  state(): SourceState;
}

/** The source of a recording. `title` is what the page is headed with, usually the file's name. */
export function recordingSource(series: SeriesSource, title: string): ViewerSource {
  return {
    series,
    state: () => ({ title, mode: "file", intervalSeconds: series.intervalSeconds, ...series.range() }),
  };
}
