/** What can be told of a node's rows before or after evaluation: whose they are, and whether their labels collide. @module */
import { type Expr, unwrap } from "./ast.ts";
import { EvaluationError } from "./error.ts";
import { FUNCTIONS } from "./functions.ts";
import { copyRow, type Row, signature } from "./value.ts";

/** Whether evaluating a node makes rows that nobody else holds. */
export function makesNewRows(expr: Expr): boolean {
  if (expr.kind === "vectorSelector" || expr.kind === "aggregate") return true;
  if (expr.kind === "call") {
    const kind = FUNCTIONS.get(expr.name)?.impl.kind;
    return kind === "range" || kind === "map";
  }
  return expr.kind === "binary" && expr.op !== "or" && expr.op !== "and" && expr.op !== "unless";
}

/** Whether rows of an expression may be equal but for their names. */
export function mayCollide(expr: Expr): boolean {
  const inner = unwrap(expr);
  switch (inner.kind) {
    case "vectorSelector":
      return !inner.matchers.some(({ name, op }) => name === "__name__" && op === "=");
    case "matrixSelector":
      return mayCollide(inner.selector);
    case "aggregate":
      return inner.without ? false : inner.grouping.includes("__name__");
    default:
      return true;
  }
}

/** Rows with equal labels joined into one. @throws {EvaluationError} When two have an element at the same step. */
export function merged(rows: readonly Row[]): readonly Row[] {
  const known = new Map<string, Row>();
  for (const row of rows) {
    const key = signature(row.labels) + (row.nameless ? "\u0000" : "");
    const other = known.get(key);
    if (other === undefined) {
      known.set(key, row);
      continue;
    }
    const joined = copyRow(other);
    for (let i = 0; i < row.present.length; i++) {
      if (row.present[i] === 0) continue;
      if (joined.present[i] === 1 || row.buckets !== undefined) {
        throw new EvaluationError("vector cannot contain metrics with the same labelset");
      }
      joined.values[i] = row.values[i]!;
      joined.present[i] = 1;
    }
    known.set(key, joined);
  }
  return known.size === rows.length ? rows : [...known.values()];
}

/** Labels that an absent series must have had: those of equality matchers, each used once. */
export function absentLabels(expr: Expr): Record<string, string> {
  const selector = expr.kind === "matrixSelector" ? expr.selector : expr;
  if (selector.kind !== "vectorSelector") return {};
  const labels: Record<string, string> = {};
  const others = selector.matchers.filter(({ name }) => name !== "__name__");
  for (const { name, op, value } of others) {
    if (op === "=" && others.filter((other) => other.name === name).length === 1 && value !== "") {
      labels[name] = value;
    }
  }
  return labels;
}
