/** Queries against a source: text in, rows out. @module */
import type { SeriesSource } from "../tsdb/mod.ts";
import { type Expr, unwrap, type ValueType } from "./ast.ts";
import { typeOf } from "./check.ts";
import { EvaluationError, ParseError } from "./error.ts";
import { Evaluator } from "./evaluate.ts";
import { merged } from "./_rows.ts";
import { parse } from "./parser.ts";
import { type Samples, samplesOf } from "./samples.ts";
import { selectSeries } from "./matcher.ts";
import { compareLabels, type Grid, hasPoints, type QueryScope, type Row, withoutName } from "./value.ts";
import { Shared } from "./_shared.ts";
import { firstAfter } from "./_windows.ts";
import { evaluateDuration } from "./_duration.ts";

/** How far an instant selector looks back for the newest sample. */
export const LOOKBACK_MS = 5 * 60_000;

/** The step of a subquery that names none: Prometheus' default evaluation interval. */
export const SUBQUERY_STEP_MS = 60_000;

/** Settings of a query; all have the defaults of Prometheus. */
export interface QueryOptions {
  readonly lookbackMs?: number;
  readonly subqueryStepMs?: number;
  readonly delayedNames?: boolean;
}

/** One query of a batch. */
export interface QueryRequest {
  readonly query: string;
  readonly grid: Grid;
}

/** What a query gave. An instant query is one whose grid has one step. */
export type QueryResult = Answer & { readonly grid: Grid; readonly warnings: readonly string[] };

type Answer =
  | { readonly type: "vector"; readonly rows: readonly Row[] }
  | { readonly type: "scalar"; readonly values: Float64Array }
  | { readonly type: "string"; readonly value: string }
  /** Raw samples: the answer to an instant query of a range selector. */
  | { readonly type: "matrix"; readonly samples: readonly Samples[] };

/** Evaluates one query. @throws {ParseError | EvaluationError} */
export function query(source: SeriesSource, request: QueryRequest, options: QueryOptions = {}): QueryResult {
  const expr = parse(request.query);
  return run(source, { expr, grid: request.grid }, { options, shared: new Shared([expr]) });
}

/** Evaluates many queries; what they have in common is evaluated once. A query that fails gives its error. */
export function queryBatch(
  source: SeriesSource,
  requests: readonly QueryRequest[],
  options: QueryOptions = {},
): (QueryResult | ParseError | EvaluationError)[] {
  return [...queryEach(source, requests, options)];
}

/** As `queryBatch`, but each query is evaluated only when its answer is asked for. */
export function* queryEach(
  source: SeriesSource,
  requests: readonly QueryRequest[],
  options: QueryOptions = {},
): Generator<QueryResult | ParseError | EvaluationError> {
  const parsed = requests.map(({ query, grid }) => attempt(() => ({ expr: parse(query), grid })));
  const shared = new Shared(parsed.flatMap((one) => one instanceof Error ? [] : [one.expr]));
  for (const one of parsed) {
    yield one instanceof Error ? one : attempt(() => run(source, one, { options, shared }));
  }
}

function attempt<T>(work: () => T): T | ParseError | EvaluationError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ParseError || error instanceof EvaluationError) return error;
    throw error;
  }
}

function run(
  source: SeriesSource,
  { expr, grid }: { expr: Expr; grid: Grid },
  { options, shared }: { options: QueryOptions; shared: Shared },
): QueryResult {
  const scope: QueryScope = {
    startMs: grid.startMs,
    endMs: grid.startMs + (grid.count - 1) * grid.stepMs,
    stepMs: grid.stepMs,
    lookbackMs: options.lookbackMs ?? LOOKBACK_MS,
    subqueryStepMs: options.subqueryStepMs ?? SUBQUERY_STEP_MS,
    delayedNames: options.delayedNames ?? false,
  };
  shared.warnings.clear();
  const evaluator = new Evaluator(source, grid, scope, shared);
  const answer = (): Answer => {
    const type: ValueType = typeOf(expr);
    switch (type) {
      case "string":
        return { type, value: (unwrap(expr) as Extract<Expr, { kind: "string" }>).value };
      case "scalar":
        return { type, values: evaluator.scalar(expr) };
      case "matrix":
        return { type, samples: rawSamples(source, expr, { grid, scope, shared }) };
      case "vector":
        return { type, rows: finalRows(evaluator, expr, grid) };
    }
  };
  return { ...answer(), grid, warnings: [...shared.warnings] };
}

function finalRows(evaluator: Evaluator, expr: Expr, grid: Grid): readonly Row[] {
  const rows = evaluator.vector(expr).filter(hasPoints)
    .map((row) => row.nameless ? { ...row, labels: withoutName(row.labels), nameless: false } : row);
  const distinct = merged(rows);
  return grid.count === 1 ? distinct : [...distinct].sort((a, b) => compareLabels(a.labels, b.labels));
}

/** The samples in the window of a range selector at the grid's one step. */
function rawSamples(
  source: SeriesSource,
  expr: Expr,
  { grid, scope, shared }: { grid: Grid; scope: QueryScope; shared: Shared },
): Samples[] {
  const inner = unwrap(expr);
  if (inner.kind !== "matrixSelector" || grid.count !== 1) {
    throw new EvaluationError(
      'invalid expression type "range vector" for range query, must be scalar or instant vector',
    );
  }
  const { at, offset, matchers } = inner.selector;
  const durations = { stepMs: scope.stepMs, rangeMs: 0 };
  const endMs = (at?.kind === "time" ? at.seconds * 1000 : grid.startMs) -
    (offset === undefined ? 0 : evaluateDuration(offset, durations) * 1000);
  const startMs = endMs - evaluateDuration(inner.range, durations) * 1000;
  return selectSeries(source.series(), matchers).flatMap((info): Samples[] => {
    const samples = samplesOf(source.read(info), shared.windows);
    const [from, to] = [firstAfter(samples.times, startMs / 1000), firstAfter(samples.times, endMs / 1000)];
    if (to <= from) return [];
    const times = samples.times.subarray(from, to);
    if (samples.kind === "number") return [{ ...samples, times, values: samples.values.subarray(from, to) }];
    const counts = samples.counts.subarray(from * samples.bucketCount, to * samples.bucketCount);
    return [{ ...samples, times, counts }];
  });
}
