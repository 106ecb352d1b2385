/** What a recording is, once it is open. @module */
import type { RecordedSeries } from "./series_source.ts";
import type { RecordedTable } from "./table.ts";

/** What a recording is, however it is stored. */
export interface Recording extends Disposable {
  readonly path: string;
  readonly format: "parquet" | "rez" | "raw";
  /** False for a recording that was cut off or still runs. */
  readonly complete: boolean;
  /** File-level keys: `source`, `version`, `sampling_interval_ms`, `systeminfo`, `descriptions`… */
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly tables: readonly RecordedTable[];
  readonly series: RecordedSeries;
  /** How long each look took in nanoseconds, by its time; only `.rez` keeps it apart. */
  readonly durations: ReadonlyMap<bigint, bigint>;
  /** What could not be read and was left out, one line each. */
  readonly notes: readonly string[];
}

/** What differs between the kinds. */
export type Opened = Omit<Recording, "path" | "series" | "notes"> & { readonly notes?: readonly string[] };
