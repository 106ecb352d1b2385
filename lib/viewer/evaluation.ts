/** Evaluates what a page asks for, without keeping everybody else waiting. @module */
import { type Grid, queryBatch, queryEach, type QueryOptions } from "../promql/mod.ts";
import type { SeriesSource } from "../tsdb/mod.ts";

/** Queries over the same times. */
export interface Batch {
  readonly queries: readonly string[];
  readonly grid: Grid;
  readonly options: QueryOptions;
}

/** After so long other requests have their turn, between two queries. */
const TURN_MS = 20;

/**
 * Evaluates a batch: an answer for each query in its order, its error for one that fails. When the signal fires, since
 * the person has moved on, it ends after the query at hand with the signal's reason.
 */
export async function evaluateBatch(
  series: SeriesSource,
  { queries, grid, options }: Batch,
  signal: AbortSignal,
): Promise<ReturnType<typeof queryBatch>> {
  const answers: ReturnType<typeof queryBatch> = [];
  let since = performance.now();
  for (const answer of queryEach(series, queries.map((query) => ({ query, grid })), options)) {
    answers.push(answer);
    if (performance.now() - since < TURN_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    since = performance.now();
  }
  return answers;
}
