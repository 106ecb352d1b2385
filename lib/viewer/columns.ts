/**
 * Answers as binary columns: what the page fetches instead of JSON text, and any other program may.
 *
 *     "HKC1"  u32 headerBytes  header: JSON, padded with spaces so that what follows lies on a multiple of 8
 *     then for each series of each result: count × f64 (a histogram: count × bucketCount × f64), little-endian
 *
 * Columns begin at `startMs` and go on in steps of `stepMs`. An absent element is NaN; an element that *is* NaN is NaN
 * too, and its step is listed in `nan`. No part of this file touches Deno or the DOM: server and browser share it.
 * @module
 */
import type { Labels } from "../metrics/mod.ts";
import type { EvaluationError, ParseError, QueryResult, Row } from "../promql/mod.ts";

/** `application/vnd.hostkit.columns` in `Accept`, or `format=columns`. */
export const COLUMNS_TYPE = "application/vnd.hostkit.columns";

const MAGIC = 0x31434b48; // "HKC1"

/** One series of an answer. */
export interface ColumnSeries {
  readonly labels: Labels;
  /** Steps whose element is NaN itself. */
  readonly nan?: readonly number[];
  readonly buckets?: {
    readonly groupingPower: number;
    readonly maxValuePower: number;
    readonly firstBucket: number;
    readonly bucketCount: number;
  };
}

/** One answer; `error` instead of series when the query failed. */
export interface ColumnResult<S extends ColumnSeries = ColumnSeries> {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
  readonly series: readonly S[];
  readonly warnings: readonly string[];
  readonly error?: string;
}

/** What a source looked like when the answers were made. */
export interface SourceState {
  readonly title: string;
  readonly mode: "live" | "file";
  /** Unix seconds of first and last point. */
  readonly start?: number;
  readonly end?: number;
  readonly intervalSeconds: number;
  /** Of the sections that not every source has, those that this one has. */
  readonly sections?: readonly string[];
  /** Number of the newest event; without it there are none. */
  readonly newestEvent?: number;
  /** Why a live source gives nothing new. */
  readonly problem?: string;
}

/** A series with its numbers: a view on the body. */
export type DecodedSeries = ColumnSeries & { readonly values: Float64Array };

/** A body, read. */
export interface Columns {
  readonly source: SourceState;
  readonly results: readonly ColumnResult<DecodedSeries>[];
}

/** The body for a batch of answers. A failed query has its error in its place. */
export function encodeColumns(
  source: SourceState,
  answers: readonly (QueryResult | ParseError | EvaluationError)[],
): Uint8Array<ArrayBuffer> {
  const columns: Float64Array[] = [];
  const results = answers.map((answer): ColumnResult => {
    if (answer instanceof Error) {
      return { startMs: 0, stepMs: 0, count: 0, series: [], warnings: [], error: answer.message };
    }
    const { startMs, stepMs, count } = answer.grid;
    const base = { startMs, stepMs, count, warnings: answer.warnings };
    if (answer.type === "scalar") {
      columns.push(answer.values);
      return { ...base, series: [{ labels: {} }] };
    }
    if (answer.type !== "vector") return { ...base, series: [], error: `a ${answer.type} has no columns` };
    return { ...base, series: answer.rows.map((row) => encodeRow(row, columns)) };
  });
  const text = JSON.stringify({ source, results });
  const header = new TextEncoder().encode(text);
  const headerBytes = Math.ceil((header.length + 8) / 8) * 8 - 8;
  const body = new Uint8Array(8 + headerBytes + columns.reduce((sum, column) => sum + column.byteLength, 0));
  const view = new DataView(body.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, headerBytes, true);
  body.fill(0x20, 8, 8 + headerBytes);
  body.set(header, 8);
  const numbers = new Float64Array(body.buffer, 8 + headerBytes);
  let at = 0;
  for (const column of columns) {
    numbers.set(column, at);
    at += column.length;
  }
  return body;
}

function encodeRow(row: Row, columns: Float64Array[]): ColumnSeries {
  const { labels, present, buckets } = row;
  if (buckets !== undefined) {
    const { firstBucket, bucketCount, layout: { groupingPower, maxValuePower } } = buckets;
    const counts = buckets.counts.slice();
    for (let i = 0; i < present.length; i++) if (present[i] === 0) counts[i * bucketCount] = NaN;
    columns.push(counts);
    return { labels, buckets: { groupingPower, maxValuePower, firstBucket, bucketCount } };
  }
  const values = row.values.slice();
  const nan: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0) values[i] = NaN;
    else if (Number.isNaN(values[i])) nan.push(i);
  }
  columns.push(values);
  return nan.length === 0 ? { labels } : { labels, nan };
}

/** Reads a body. @throws {SyntaxError} When it is no such body, or is cut short. */
export function decodeColumns(body: ArrayBuffer): Columns {
  const view = new DataView(body);
  if (body.byteLength < 8 || view.getUint32(0, true) !== MAGIC) {
    throw new SyntaxError(`Cannot read columns: ${body.byteLength} bytes do not begin with "HKC1"`);
  }
  const headerBytes = view.getUint32(4, true);
  if (8 + headerBytes > body.byteLength) {
    throw new SyntaxError(`Cannot read columns: header has ${headerBytes} bytes, body ${body.byteLength}`);
  }
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 8, headerBytes))) as {
    source: SourceState;
    results: ColumnResult[];
  };
  let at = 8 + headerBytes;
  const results = header.results.map((result) => ({
    ...result,
    series: result.series.map((series) => {
      const length = result.count * (series.buckets?.bucketCount ?? 1);
      if (at + 8 * length > body.byteLength) {
        throw new SyntaxError(
          `Cannot read columns: body ends at ${body.byteLength}, a column at ${at + 8 * length}`,
        );
      }
      const values = new Float64Array(body, at, length);
      at += 8 * length;
      return { ...series, values };
    }),
  }));
  return { source: header.source, results };
}
