/**
 * Recordings: what an agent showed, tick by tick, in files that outlive every crash.
 *
 * Reading: `open.ts` (any kind of recording), `table.ts` (rows in parts), `column_role.ts` (what columns mean),
 * `series_source.ts` (the face for queries). Writing: `journal.ts` (the `.rez` that each tick is appended to),
 * `group_row.ts`, `group_rows.ts` and `segment.ts` (rows, and their sealing), `rez_db.ts` (its SQL), `sealer.ts` (the
 * worker that compresses), `convert.ts` (into one parquet file). Recording: `endpoint.ts` (what is recorded),
 * `record_source.ts` (how it is asked), `endpoint_recorder.ts` (its ticks), `record_output.ts` (where they go),
 * `recorder.ts` (the whole run). Parquet itself is `parquet/`.
 *
 * Evaluation is `lib/promql`'s, sampling `lib/telemetry`'s.
 * @module
 */
export { type OpenOptions, openRecording, RecordingError } from "./open.ts";
export type { Recording } from "./recording.ts";
export { RecordedSeries, type SeriesOptions } from "./series_source.ts";
export { RecordedTable, type TableColumn, type TablePart } from "./table.ts";
export { type ColumnRole, columnRole } from "./column_role.ts";
export { Journal, type JournalOptions } from "./journal.ts";
export type { JournalRecording, RecordingInfo, TickTime } from "./_journal_recording.ts";
export { JournalError } from "./journal_error.ts";
export { inlineSealer, type Sealer, type SealJob, workerSealer } from "./sealer.ts";
export { type ConvertOptions, convertToParquet } from "./convert.ts";
export { TickClock } from "./tick_clock.ts";
export {
  type Endpoint,
  type NamedEndpoint,
  nameEndpoints,
  parseEndpoint,
  type Protocol,
  PROTOCOLS,
  separateOutput,
} from "./endpoint.ts";
export type { EndpointResult, RecordClock, RecordLogLevel } from "./endpoint_recorder.ts";
export { PrometheusText } from "./prometheus_text.ts";
export { formatOf, RECORD_FORMATS, type RecordFormat } from "./record_output.ts";
export { DEFAULT_ENDPOINT, DEFAULT_OUTPUT, RECORD_CONFIG, type RecordConfig } from "./record_config.ts";
export type { SnapshotSource } from "./record_source.ts";
export { MAX_EVENTS, type RunEvent, RunEvents } from "./run_events.ts";
export { type RecordOptions, type RecordResult, runRecord } from "./recorder.ts";
