/**
 * PromQL: from a query's text to rows of numbers over a grid of times.
 *
 * Reading order: `ast.ts` (the tree), `lexer.ts`, `parser.ts`, `check.ts` (text to typed tree), `value.ts` (grid, row,
 * tile), `evaluate.ts` (the walk over the tree), `functions.ts` (the list of functions), `aggregate.ts`, `binary.ts`,
 * `engine.ts` (one query, or a batch that shares what is common). Stores are behind `SeriesSource` of `lib/tsdb`;
 * HTTP is in `lib/viewer`.
 *
 * Semantics are those of Prometheus 3.14: windows are left-open, rates extrapolate, sums are compensated. Beyond it,
 * H2 histograms are values: `histogram_quantile(0.99, sum by (op) (rate(syscall_latency[1m])))`.
 * @module
 */
export { type Expr, selectors, type ValueType, type VectorSelector } from "./ast.ts";
export { formatValue } from "./aggregate.ts";
export { typeOf } from "./check.ts";
export {
  LOOKBACK_MS,
  query,
  queryBatch,
  queryEach,
  type QueryOptions,
  type QueryRequest,
  type QueryResult,
  SUBQUERY_STEP_MS,
} from "./engine.ts";
export { EvaluationError, ParseError } from "./error.ts";
export type { FunctionEntry } from "./function.ts";
export { FUNCTIONS } from "./functions.ts";
export { matches, selectSeries } from "./matcher.ts";
export { parse } from "./parser.ts";
export { print } from "./print.ts";
export type { HistogramSamples, NumberSamples, Samples } from "./samples.ts";
export {
  type Buckets,
  compareLabels,
  type Grid,
  MAX_SAMPLES,
  type Row,
  TILE_BYTES,
  timeAt,
} from "./value.ts";
