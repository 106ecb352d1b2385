/** Aggregations. Those that can are folds over tiles; quantile and the k-selections need all rows of a group. @module */
import type { Labels } from "../metrics/mod.ts";
import type { Aggregate, AggregateOp } from "./ast.ts";
import { mergeBuckets } from "./_merge.ts";
import { EvaluationError } from "./error.ts";
import { quantileOf } from "./_statistics.ts";
import { type Buckets, copyRow, hasPoints, newRow, type Row, signature } from "./value.ts";

/** The rows of an aggregation. `param` is k or q, one number for each step. */
export function aggregate(
  expr: Aggregate,
  tiles: Iterable<readonly Row[]>,
  options: { steps: number; param?: Float64Array | string },
): Row[] {
  const { steps, param } = options;
  const keyOf = grouper(expr);
  if (typeof param === "string") return countValues(tiles, { steps, label: param, keyOf, expr });
  if (param === undefined) return foldTiles(expr.op, tiles, { steps, keyOf });
  return overGroups(expr.op, groupRows(tiles, keyOf), { steps, param });
}

type Grouper = (labels: Labels) => Labels;

/** What is left of a label set for its group. Equal label objects give equal objects, so that keys are computed once. */
function grouper({ grouping, without }: Aggregate): Grouper {
  const known = new Map<string, Labels>();
  const names = [...grouping].sort();
  return (labels) => {
    if (!without) {
      const key = names.map((name) => `${name in labels ? 1 : 0}${labels[name] ?? ""}`).join("\u0000");
      let group = known.get(key);
      if (group === undefined) {
        group = Object.fromEntries(names.filter((name) => labels[name]).map((name) => [name, labels[name]!]));
        known.set(key, group);
      }
      return group;
    }
    const rest: Record<string, string> = { ...labels };
    for (const name of ["__name__", "__type__", "__unit__", ...names]) delete rest[name];
    const key = signature(rest);
    const group = known.get(key) ?? rest;
    known.set(key, group);
    return group;
  };
}

/** One group while it is folded. */
interface Fold {
  readonly row: Row;
  /** Elements so far at each step. */
  readonly count: Float64Array;
  /** Compensation of the sum, or the running mean. */
  readonly extra: Float64Array;
  buckets?: Buckets;
}

function foldTiles(
  op: AggregateOp,
  tiles: Iterable<readonly Row[]>,
  { steps, keyOf }: { steps: number; keyOf: Grouper },
): Row[] {
  const folds = new Map<Labels, Fold>();
  const step = FOLDS[op];
  if (step === undefined) throw new EvaluationError(`aggregation ${op} needs a parameter`);
  for (const tile of tiles) {
    for (const row of tile) {
      const labels = keyOf(row.labels);
      let fold = folds.get(labels);
      if (fold === undefined) {
        fold = { row: newRow(labels, steps), count: new Float64Array(steps), extra: new Float64Array(steps) };
        folds.set(labels, fold);
      }
      if (row.buckets === undefined) step(fold, row);
      else foldHistogram(op, fold, row);
    }
  }
  return [...folds.values()].map((fold) => finish(op, fold)).filter(hasPoints);
}

/** Histograms can be added and counted; for all else they are left out, as Prometheus does. */
function foldHistogram(op: AggregateOp, fold: Fold, row: Row): void {
  if (op === "sum" || op === "avg") fold.buckets = mergeBuckets(fold.buckets, row);
  else if (op !== "count" && op !== "group") return;
  for (let i = 0; i < row.present.length; i++) {
    if (row.present[i] === 0) continue;
    fold.count[i] = fold.count[i]! + 1;
    fold.row.present[i] = 1;
  }
}

const FOLDS: Readonly<Partial<Record<AggregateOp, (fold: Fold, row: Row) => void>>> = {
  sum: foldSum,
  avg: foldSum,
  min: (fold, row) => foldExtreme(fold, row, -1),
  max: (fold, row) => foldExtreme(fold, row, 1),
  count: foldCount,
  group: foldCount,
  stddev: foldSquares,
  stdvar: foldSquares,
};

function foldSum({ row: out, count, extra }: Fold, { values, present }: Row): void {
  const sums = out.values;
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0) continue;
    const value = values[i]!;
    const sum = sums[i]!;
    const next = sum + value;
    if (next - next !== 0) extra[i] = 0; // Not finite: nothing to compensate.
    else if (Math.abs(sum) >= Math.abs(value)) extra[i] = extra[i]! + (sum - next + value);
    else extra[i] = extra[i]! + (value - next + sum);
    sums[i] = next;
    count[i] = count[i]! + 1;
    out.present[i] = 1;
  }
}

function foldExtreme({ row: out }: Fold, { values, present }: Row, sign: 1 | -1): void {
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0) continue;
    const best = out.values[i]!;
    const value = values[i]!;
    if (out.present[i] === 0 || (value - best) * sign > 0 || best !== best) out.values[i] = value;
    out.present[i] = 1;
  }
}

function foldCount({ row: out, count }: Fold, { present }: Row): void {
  for (let i = 0; i < present.length; i++) {
    if (present[i] === 0) continue;
    count[i] = count[i]! + 1;
    out.present[i] = 1;
  }
}

/** Welford: `extra` is the mean, the value is the sum of squares. */
function foldSquares({ row: out, count, extra }: Fold, { values, present }: Row): void {
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0) continue;
    const n = count[i]! + 1;
    const delta = values[i]! - extra[i]!;
    const mean = extra[i]! + delta / n;
    out.values[i] = out.values[i]! + delta * (values[i]! - mean);
    extra[i] = mean;
    count[i] = n;
    out.present[i] = 1;
  }
}

function finish(op: AggregateOp, { row, count, extra, buckets }: Fold): Row {
  const { values } = row;
  if (buckets !== undefined) {
    if (op === "avg") divideBuckets(buckets, count);
    return { ...row, buckets };
  }
  for (let i = 0; i < values.length; i++) {
    switch (op) {
      case "sum":
        values[i] = values[i]! + extra[i]!;
        break;
      case "avg":
        values[i] = (values[i]! + extra[i]!) / count[i]!;
        break;
      case "count":
        values[i] = count[i]!;
        break;
      case "group":
        values[i] = 1;
        break;
      case "stdvar":
        values[i] = values[i]! / count[i]!;
        break;
      case "stddev":
        values[i] = Math.sqrt(values[i]! / count[i]!);
        break;
    }
  }
  return row;
}

function divideBuckets({ counts, bucketCount }: Buckets, by: Float64Array): void {
  for (let at = 0; at < counts.length; at++) counts[at] = counts[at]! / by[Math.floor(at / bucketCount)]!;
}

function groupRows(tiles: Iterable<readonly Row[]>, keyOf: Grouper): Map<Labels, Row[]> {
  const groups = new Map<Labels, Row[]>();
  for (const tile of tiles) {
    for (const row of tile) {
      if (row.buckets !== undefined) continue;
      const labels = keyOf(row.labels);
      const rows = groups.get(labels);
      if (rows === undefined) groups.set(labels, [row]);
      else rows.push(row);
    }
  }
  return groups;
}

function overGroups(
  op: AggregateOp,
  groups: Map<Labels, Row[]>,
  { steps, param }: { steps: number; param: Float64Array },
): Row[] {
  if (op === "quantile") {
    return [...groups].map(([labels, rows]) => quantileRow(labels, rows, { steps, param })).filter(hasPoints);
  }
  return [...groups.values()].flatMap((rows) => selectRows(op, rows, { steps, param }));
}

function quantileRow(
  labels: Labels,
  rows: readonly Row[],
  { steps, param }: { steps: number; param: Float64Array },
): Row {
  const out = newRow(labels, steps);
  const scratch = new Float64Array(rows.length);
  for (let i = 0; i < steps; i++) {
    let n = 0;
    for (const row of rows) if (row.present[i] === 1) scratch[n++] = row.values[i]!;
    if (n === 0) continue;
    out.values[i] = quantileOf(param[i]!, scratch.subarray(0, n));
    out.present[i] = 1;
  }
  return out;
}

/** topk, bottomk, limitk, limit_ratio: the rows of a group, kept only at the steps where they are chosen. */
function selectRows(
  op: AggregateOp,
  rows: readonly Row[],
  { steps, param }: { steps: number; param: Float64Array },
): Row[] {
  const out = rows.map((row) => {
    const copy = copyRow(row);
    copy.present.fill(0);
    return copy;
  });
  const order = rows.map((_, index) => index);
  const firstSeen = [...order].sort((a, b) => hashOf(rows[a]!.labels) - hashOf(rows[b]!.labels));
  for (let i = 0; i < steps; i++) {
    const here = (op.startsWith("limit") ? firstSeen : order).filter((index) =>
      rows[index]!.present[i] === 1
    );
    for (const index of chosen(op, here, { rows, i, param: param[i]! })) out[index]!.present[i] = 1;
  }
  const kept = out.filter(hasPoints);
  if (steps > 1 || !op.endsWith("k") || op === "limitk") return kept;
  // An instant answer shows its best element first.
  const sign = op === "topk" ? -1 : 1;
  return kept.sort((a, b) => compareNaNLast(a.values[0]!, b.values[0]!, sign));
}

function chosen(
  op: AggregateOp,
  here: number[],
  { rows, i, param }: { rows: readonly Row[]; i: number; param: number },
): number[] {
  if (op === "limit_ratio") {
    if (Number.isNaN(param)) throw new EvaluationError("Ratio value is NaN");
    const ratio = Math.max(-1, Math.min(1, param));
    return here.filter((index) => {
      const share = hashOf(rows[index]!.labels);
      return ratio >= 0 ? share < ratio : share >= 1 + ratio;
    });
  }
  if (Number.isNaN(param)) throw new EvaluationError("Parameter value is NaN");
  const k = Math.trunc(param);
  if (k < 1) return [];
  if (op === "limitk") return here.slice(0, k);
  return best(here, k, { rows, i, sign: op === "topk" ? -1 : 1 });
}

/** The first `k` in order of value. For a small k one pass is cheaper than a sort of all. */
function best(
  here: number[],
  k: number,
  { rows, i, sign }: { rows: readonly Row[]; i: number; sign: 1 | -1 },
): number[] {
  if (k > MAX_INSERTED) {
    return here.sort((a, b) => compareNaNLast(rows[a]!.values[i]!, rows[b]!.values[i]!, sign)).slice(0, k);
  }
  const kept: number[] = [];
  for (const index of here) {
    const value = rows[index]!.values[i]!;
    let at = kept.length;
    while (at > 0 && compareNaNLast(value, rows[kept[at - 1]!]!.values[i]!, sign) < 0) at--;
    if (at >= k) continue;
    kept.splice(at, 0, index);
    if (kept.length > k) kept.pop();
  }
  return kept;
}

/** Up to this k the chosen are kept in order by insertion. */
const MAX_INSERTED = 16;

function compareNaNLast(a: number, b: number, sign: 1 | -1): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return sign * (a - b);
}

/** A number in [0, 1) that a label set always has: FNV-1a, mixed so that its high bits depend on all of it. */
function hashOf(labels: Labels): number {
  let hash = 0x811c9dc5;
  const text = signature(labels);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function countValues(
  tiles: Iterable<readonly Row[]>,
  { steps, label, keyOf, expr }: { steps: number; label: string; keyOf: Grouper; expr: Aggregate },
): Row[] {
  if (label === "") throw new EvaluationError(`invalid label name ""`);
  const rows = new Map<string, Row>();
  for (const tile of tiles) {
    for (const row of tile) {
      const group = keyOf(row.labels);
      const { [label]: _old, ...rest } = group;
      const base = expr.without && expr.grouping.includes(label) ? rest : group;
      for (let i = 0; i < steps; i++) {
        if (row.present[i] === 0) continue;
        const labels = { ...base, [label]: formatValue(row.values[i]!) };
        const key = signature(labels);
        let out = rows.get(key);
        if (out === undefined) rows.set(key, out = newRow(labels, steps));
        out.values[i] = out.values[i]! + 1;
        out.present[i] = 1;
      }
    }
  }
  return [...rows.values()];
}

/** A number as Prometheus writes it. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
