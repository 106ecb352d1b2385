/** Binary operators between scalars and vectors. @module */
import { type Binary, type BinaryOp, COMPARISONS } from "./ast.ts";
import { joinVectors, type Names, type Sides } from "./_join.ts";
import { copyRow, hasPoints, newRow, type Row } from "./value.ts";

/** The arithmetic of an operator; comparisons give 1 or 0. */
const OPERATIONS: Readonly<Partial<Record<BinaryOp, (l: number, r: number) => number>>> = {
  "+": (l, r) => l + r,
  "-": (l, r) => l - r,
  "*": (l, r) => l * r,
  "/": (l, r) => l / r,
  "%": (l, r) => l % r,
  "^": (l, r) => l ** r,
  atan2: Math.atan2,
  "==": (l, r) => l === r ? 1 : 0,
  "!=": (l, r) => l !== r ? 1 : 0,
  ">": (l, r) => l > r ? 1 : 0,
  "<": (l, r) => l < r ? 1 : 0,
  ">=": (l, r) => l >= r ? 1 : 0,
  "<=": (l, r) => l <= r ? 1 : 0,
};

/** Whether the result keeps only some elements, with their values. */
function filters(expr: Binary): boolean {
  return COMPARISONS.has(expr.op) && !expr.bool;
}

/** Both sides one number for each step. */
export function scalarScalar(expr: Binary, lhs: Float64Array, rhs: Float64Array): Float64Array {
  const operate = OPERATIONS[expr.op]!;
  return lhs.map((value, i) => operate(value, rhs[i]!));
}

/** A tile and a scalar. `swapped` when the scalar is on the left. The tile's rows may be overwritten. */
export function vectorScalar(
  expr: Binary,
  rows: readonly Row[],
  { scalar, swapped, names }: { scalar: Float64Array; swapped: boolean; names: Names },
): Row[] {
  const operate = OPERATIONS[expr.op];
  if (operate === undefined) return [];
  const filter = filters(expr);
  const out: Row[] = [];
  for (const row of rows) {
    if (row.buckets !== undefined) {
      if ((expr.op === "*" || expr.op === "/" && !swapped) && !filter) {
        out.push(names.drop(scaled(expr, row, scalar)));
      }
      continue;
    }
    const { values, present } = row;
    for (let i = 0; i < values.length; i++) {
      if (present[i] === 0) continue;
      const result = swapped ? operate(scalar[i]!, values[i]!) : operate(values[i]!, scalar[i]!);
      if (!filter) values[i] = result;
      else if (result === 0) present[i] = 0;
    }
    out.push(filter ? row : names.drop(row));
  }
  return filter ? out.filter(hasPoints) : out;
}

function scaled(expr: Binary, row: Row, scalar: Float64Array): Row {
  const buckets = row.buckets!;
  const counts = buckets.counts.map((count, at) => {
    const by = scalar[Math.floor(at / buckets.bucketCount)]!;
    return expr.op === "*" ? count * by : count / by;
  });
  return { ...row, buckets: { ...buckets, counts } };
}

/** Two vectors. */
export function vectorVector(
  expr: Binary,
  sides: Sides,
  { steps, names }: { steps: number; names: Names },
): Row[] {
  if (expr.op === "and" || expr.op === "or" || expr.op === "unless") {
    return setOperation(expr, sides, steps);
  }
  return joinVectors(expr, sides, { steps, names, operate: OPERATIONS[expr.op], filter: filters(expr) });
}

function setOperation(expr: Binary, [lhs, rhs]: Sides, steps: number): Row[] {
  const keyOf = matchKey(expr);
  // Where each match group has any element.
  const coverage = (rows: readonly Row[]): Map<string, Uint8Array> => {
    const covered = new Map<string, Uint8Array>();
    for (const row of rows) {
      const key = keyOf(row);
      const steps = covered.get(key);
      if (steps === undefined) covered.set(key, row.present.slice());
      else for (let i = 0; i < steps.length; i++) steps[i] = steps[i]! | row.present[i]!;
    }
    return covered;
  };
  const masked = (rows: readonly Row[], other: Map<string, Uint8Array>, keepMatched: boolean): Row[] =>
    rows.map((row) => {
      const matched = other.get(keyOf(row));
      if (matched === undefined) return keepMatched ? newRow(row.labels, steps) : row;
      const copy = copyRow(row);
      for (let i = 0; i < steps; i++) if ((matched[i] === 1) !== keepMatched) copy.present[i] = 0;
      return copy;
    }).filter(hasPoints);
  if (expr.op === "and") return masked(lhs, coverage(rhs), true);
  if (expr.op === "unless") return masked(lhs, coverage(rhs), false);
  return [...lhs, ...masked(rhs, coverage(lhs), false)];
}

/** The match group of a row as text. */
export function matchKey({ matching }: Binary): (row: Row) => string {
  const on = matching?.on ?? false;
  const names = [...matching?.labels ?? []].sort();
  if (on) return ({ labels }) => names.map((name) => labels[name] ?? "").join("\u0000");
  const ignored = new Set([...names, "__name__"]);
  return ({ labels }) =>
    Object.keys(labels).sort().filter((name) => !ignored.has(name))
      .map((name) => `${name}\u0001${labels[name]}`).join("\u0000");
}
