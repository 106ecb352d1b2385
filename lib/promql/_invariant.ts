/** Expressions that give the same at every step, since `@` pins all that they look at: one step is enough. @module */
import { children, type Expr } from "./ast.ts";
import { type Grid, type Row } from "./value.ts";

/** Functions that look at the time of the step itself, whatever their arguments. */
const TIMED = new Set([
  ...["time", "timestamp", "predict_linear", "minute", "hour", "day_of_week", "day_of_month", "day_of_year"],
  ...["days_in_month", "month", "year"],
]);

/** Whether an expression gives the same at every step. */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case "vectorSelector":
    case "subquery":
      return expr.at !== undefined;
    case "call":
      return !TIMED.has(expr.name) && expr.args.every(isStepInvariant);
    default:
      return children(expr).every(isStepInvariant);
  }
}

/** Rows of one step, repeated at each of the grid's. */
export function repeated(rows: readonly Row[], { count }: Grid): Row[] {
  return rows.map((row) => {
    const { buckets } = row;
    const repeat = (values: Float64Array): Float64Array => {
      const out = new Float64Array(values.length * count);
      for (let i = 0; i < count; i++) out.set(values, i * values.length);
      return out;
    };
    return {
      ...row,
      values: repeat(row.values),
      present: new Uint8Array(count).fill(row.present[0]!),
      ...(buckets && { buckets: { ...buckets, counts: repeat(buckets.counts) } }),
    };
  });
}
