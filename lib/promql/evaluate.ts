/**
 * Evaluates a tree over all steps at once, one series after the other. Every node gives tiles of rows; an aggregation
 * folds the tiles of its operand as they come, so that `sum(rate(x[1m]))` over thousands of series holds one tile.
 * @module
 */
import type { Series, SeriesSource } from "../tsdb/mod.ts";
import { aggregate } from "./aggregate.ts";
import type { Aggregate, Binary, Call, Expr, Modifiers, Subquery, Unary, VectorSelector } from "./ast.ts";
import { unwrap } from "./ast.ts";
import { scalarScalar, vectorScalar, vectorVector } from "./binary.ts";
import { typeOf } from "./check.ts";
import { evaluateDuration } from "./_duration.ts";
import { EvaluationError } from "./error.ts";
import type { Argument, FunctionContext, FunctionEntry, Implementation } from "./function.ts";
import { FUNCTIONS } from "./functions.ts";
import { isStepInvariant, repeated } from "./_invariant.ts";
import type { Names } from "./_join.ts";
import { type Samples, samplesOf } from "./samples.ts";
import { selectedRows } from "./_select.ts";
import { absentLabels, makesNewRows, mayCollide, merged } from "./_rows.ts";
import { selectSeries } from "./matcher.ts";
import { meets, subqueryGrid } from "./_windows.ts";
import type { Shared } from "./_shared.ts";
import {
  copyRow,
  type Grid,
  hasPoints,
  MAX_SAMPLES,
  newRow,
  newRows,
  type QueryScope,
  type Row,
  TILE_BYTES,
  timeAt,
  withoutName,
} from "./value.ts";
import type { WindowSpec } from "./_windows.ts";

/** Evaluates one query on one grid; a subquery gets an evaluator of its own. */
export class Evaluator implements FunctionContext, Names {
  constructor(
    readonly source: SeriesSource,
    readonly grid: Grid,
    readonly scope: QueryScope,
    readonly shared: Shared,
  ) {}

  warn(text: string): void {
    this.shared.warnings.add(text);
  }

  /** The row without its name: now, or marked for the end. */
  drop(row: Row): Row {
    if (this.scope.delayedNames) return row.nameless ? row : { ...row, nameless: true };
    const labels = withoutName(row.labels);
    return labels === row.labels ? row : { ...row, labels };
  }

  /** A scalar expression: one number for each step. */
  scalar(expr: Expr): Float64Array {
    const { count } = this.grid;
    switch (expr.kind) {
      case "number":
        return new Float64Array(count).fill(expr.value);
      case "paren":
        return this.scalar(expr.expr);
      case "unary":
        return expr.op === "-" ? this.scalar(expr.expr).map((value) => -value) : this.scalar(expr.expr);
      case "binary":
        return scalarScalar(expr, this.scalar(expr.lhs), this.scalar(expr.rhs));
      case "call": {
        const { impl } = entryOf(expr);
        if (impl.kind === "scalar") return impl.apply(expr.args.map((arg) => this.#argument(arg)), this);
      }
    }
    throw new EvaluationError(`expression of kind ${expr.kind} is no scalar`);
  }

  /** A vector expression, whole. @throws {EvaluationError} When it has more numbers than fit. */
  vector(expr: Expr): Row[] {
    const rows: Row[] = [];
    let samples = 0;
    for (const tile of this.tiles(expr)) {
      for (const row of tile) {
        samples += row.buckets?.counts.length ?? row.values.length;
        if (samples > MAX_SAMPLES) {
          throw new EvaluationError(
            `query processing would load too many samples into memory in query execution: more than ${MAX_SAMPLES}`,
          );
        }
        rows.push(row);
      }
    }
    return rows;
  }

  /** A vector expression, tile by tile. Rows may be shared with others and must not be changed. */
  *tiles(expr: Expr): Generator<readonly Row[]> {
    const inner = unwrap(expr);
    const key = this.shared.keyOf(inner, this.grid);
    if (key === undefined) return yield* this.#fresh(inner);
    let rows = this.shared.recall(key);
    if (rows === undefined) this.shared.keep(key, rows = [...this.#fresh(inner)].flat());
    yield rows;
  }

  *#fresh(expr: Expr): Generator<readonly Row[]> {
    if (this.grid.count > 1 && isStepInvariant(expr)) {
      const once = new Evaluator(this.source, { ...this.grid, count: 1 }, this.scope, this.shared);
      return yield repeated(once.vector(expr), this.grid);
    }
    switch (expr.kind) {
      case "vectorSelector":
        return yield* this.#selector(expr, false);
      case "call":
        return yield* this.#call(expr);
      case "aggregate":
        return yield this.#aggregate(expr);
      case "binary":
        return yield* this.#binary(expr);
      case "unary":
        return yield* this.#unary(expr);
    }
    throw new EvaluationError(`expression of kind ${expr.kind} is no vector`);
  }

  /** Tiles whose rows may be overwritten. */
  *#own(expr: Expr): Generator<readonly Row[]> {
    const inner = unwrap(expr);
    const fresh = this.shared.keyOf(inner, this.grid) === undefined && makesNewRows(inner);
    for (const tile of this.tiles(inner)) yield fresh ? tile : tile.map(copyRow);
  }

  *#selector(selector: VectorSelector, timestamps: boolean): Generator<readonly Row[]> {
    const spec = this.#windowSpec(selector, this.scope.lookbackMs);
    for (const series of this.#read(selector, spec)) {
      yield selectedRows(series, spec, { cache: this.shared.windows, timestamps });
    }
  }

  /** The series of a selector, as many at a time as give a tile of rows. */
  *#read(selector: VectorSelector, spec: WindowSpec): Generator<readonly Series[]> {
    const { count } = this.grid;
    let tile: Series[] = [];
    let bytes = 0;
    for (const info of selectSeries(this.source.series(), selector.matchers)) {
      const series = this.source.read(info);
      // Of thousands of tasks that came and went, few were there at the time that is asked for.
      if (!meets(series.times, spec)) continue;
      const rowBytes = count * (series.kind === "number" ? 9 : 1 + 8 * series.bucketCount);
      if (tile.length > 0 && bytes + rowBytes > TILE_BYTES) {
        yield tile;
        [tile, bytes] = [[], 0];
      }
      tile.push(series);
      bytes += rowBytes;
    }
    if (tile.length > 0) yield tile;
  }

  #windowSpec(modifiers: Modifiers, rangeMs: number): WindowSpec {
    const offset = modifiers.offset === undefined ? 0 : evaluateDuration(modifiers.offset, this.#durations());
    const base = { grid: this.grid, rangeMs, offsetMs: Math.round(offset * 1000) };
    const { at } = modifiers;
    if (at === undefined) return base;
    const { startMs, endMs } = this.scope;
    return {
      ...base,
      atMs: at.kind === "time" ? Math.round(at.seconds * 1000) : at.kind === "start" ? startMs : endMs,
    };
  }

  #durations(): { stepMs: number; rangeMs: number } {
    return { stepMs: this.scope.stepMs, rangeMs: this.scope.endMs - this.scope.startMs };
  }

  #rangeMs(expr: { range: Parameters<typeof evaluateDuration>[0] }): number {
    const seconds = evaluateDuration(expr.range, this.#durations());
    if (!(seconds > 0)) throw new EvaluationError(`duration must be greater than 0, got ${seconds}s`);
    return Math.round(seconds * 1000);
  }

  #aggregate(expr: Aggregate): readonly Row[] {
    const { param } = expr;
    const { count } = this.grid;
    const operand = this.tiles(expr.expr);
    if (param === undefined) return aggregate(expr, operand, { steps: count });
    const inner = unwrap(param);
    const value = inner.kind === "string" ? inner.value : this.scalar(inner);
    return aggregate(expr, operand, { steps: count, param: value });
  }

  *#unary(expr: Unary): Generator<readonly Row[]> {
    if (expr.op === "+") return yield* this.tiles(expr.expr);
    const negate = (tile: readonly Row[]): Row[] =>
      tile.map((row) => {
        for (let i = 0; i < row.values.length; i++) row.values[i] = -row.values[i]!;
        return this.drop(row);
      });
    yield* this.#distinct(expr.expr, mapTiles(this.#own(expr.expr), negate));
  }

  *#binary(expr: Binary): Generator<readonly Row[]> {
    const [left, right] = [typeOf(expr.lhs), typeOf(expr.rhs)];
    if (left === "vector" && right === "vector") {
      const sides = [this.vector(expr.lhs), this.vector(expr.rhs)] as const;
      return yield vectorVector(expr, sides, { steps: this.grid.count, names: this });
    }
    const swapped = left === "scalar";
    const scalar = this.scalar(swapped ? expr.lhs : expr.rhs);
    const vector = swapped ? expr.rhs : expr.lhs;
    const operate = (tile: readonly Row[]) => vectorScalar(expr, tile, { scalar, swapped, names: this });
    yield* this.#distinct(vector, mapTiles(this.#own(vector), operate));
  }

  *#call(expr: Call): Generator<readonly Row[]> {
    const entry = entryOf(expr);
    const { impl } = entry;
    switch (impl.kind) {
      case "range":
        return yield* this.#rangeFunction(expr, entry, impl);
      case "map":
        return yield* this.#mapFunction(expr, impl);
      case "rows": {
        const rows = impl.apply(expr.args.map((arg) => this.#argument(arg)), this);
        return yield merged(entry.keepsName ? rows : rows.map((row) => this.drop(row)));
      }
      case "special":
        return yield* this.#special(expr, impl.special);
    }
    throw new EvaluationError(`function ${expr.name} gives no vector`);
  }

  #argument(expr: Expr): Argument {
    const inner = unwrap(expr);
    if (inner.kind === "string") return { kind: "string", value: inner.value };
    if (inner.kind === "numbers") return { kind: "numbers", values: inner.values };
    if (typeOf(inner) === "scalar") return { kind: "scalar", values: this.scalar(inner) };
    return { kind: "rows", rows: this.vector(inner) };
  }

  *#rangeFunction(
    expr: Call,
    entry: FunctionEntry,
    { kernel, histogram }: Extract<Implementation, { kind: "range" }>,
  ): Generator<readonly Row[]> {
    const at = entry.args.indexOf("matrix");
    const operand = unwrap(expr.args[at]!);
    const params = expr.args.filter((_, index) => index !== at).map((arg) => this.scalar(arg));
    const { count } = this.grid;
    const finish = (tile: readonly Row[]): Row[] =>
      tile.filter(hasPoints).map((row) => entry.keepsName ? row : this.drop(row));
    const apply = (tile: readonly Samples[], spec: WindowSpec): Row[] => {
      const numbers = tile.filter((samples) => samples.kind === "number");
      const rows = newRows(numbers.map(({ labels }) => labels), count);
      numbers.forEach((samples, index) =>
        kernel(samples, this.shared.windows.windows(samples.times, spec), rows[index]!, params)
      );
      if (numbers.length === tile.length || histogram === undefined) return finish(rows);
      for (const samples of tile) {
        if (samples.kind !== "histogram") continue;
        const { layout, firstBucket, bucketCount, labels } = samples;
        const counts = new Float64Array(count * bucketCount);
        const present = new Uint8Array(count);
        const row: Row = {
          labels,
          values: NONE,
          present,
          buckets: { layout, firstBucket, bucketCount, counts },
        };
        histogram(samples, this.shared.windows.windows(samples.times, spec), row);
        rows.push(row);
      }
      return finish(rows);
    };
    yield* this.#distinct(
      operand,
      mapTiles(this.#samples(operand), ([samples, spec]) => apply(samples, spec)),
    );
  }

  /** The samples that a range expression looks at, in tiles, and the windows on them. */
  *#samples(expr: Expr): Generator<[readonly Samples[], WindowSpec]> {
    if (expr.kind === "subquery") return yield this.#subquery(expr);
    if (expr.kind !== "matrixSelector") {
      throw new EvaluationError(`expression of kind ${expr.kind} has no range`);
    }
    const { selector } = expr;
    if (selector.extent !== undefined) {
      throw new EvaluationError(`modifier ${selector.extent} is not supported yet`);
    }
    const spec = this.#windowSpec(selector, this.#rangeMs(expr));
    for (const series of this.#read(selector, spec)) {
      yield [series.map((one) => samplesOf(one, this.shared.windows)), spec];
    }
  }

  /** The inner expression, evaluated once on the grid that covers the windows of all steps. */
  #subquery(expr: Subquery): [Samples[], WindowSpec] {
    const spec = this.#windowSpec(expr, this.#rangeMs(expr));
    const stepMs = expr.step === undefined
      ? this.scope.subqueryStepMs
      : Math.round(evaluateDuration(expr.step, this.#durations()) * 1000);
    if (!(stepMs > 0)) throw new EvaluationError("subquery step must be greater than 0");
    const inner = subqueryGrid(spec, stepMs);
    const evaluator = new Evaluator(this.source, inner, this.scope, this.shared);
    const times = Float64Array.from({ length: inner.count }, (_, i) => timeAt(inner, i));
    const samples = evaluator.vector(expr.expr).filter((row) => row.buckets === undefined).map(
      (row): Samples => {
        const labels = row.nameless ? withoutName(row.labels) : row.labels;
        const { values, present } = row;
        if (!present.includes(0)) return { kind: "number", labels, times, values };
        const missing = present.map((there) => 1 - there);
        return samplesOf(
          { kind: "number", type: "gauge", labels, times, values, missing },
          this.shared.windows,
        );
      },
    );
    return [samples, spec];
  }

  *#mapFunction(expr: Call, { map }: Extract<Implementation, { kind: "map" }>): Generator<readonly Row[]> {
    const [vector, ...rest] = expr.args;
    const params = rest.map((arg) => this.scalar(arg));
    const apply = (tile: readonly Row[]): Row[] =>
      tile.filter((row) => row.buckets === undefined).map((row) => {
        const { values, present } = row;
        const [p, q] = params;
        for (let i = 0; i < values.length; i++) {
          if (present[i] === 0) continue;
          const value = values[i]!;
          const result = p === undefined
            ? map(value)
            : q === undefined
            ? map(value, p[i]!)
            : map(value, p[i]!, q[i]!);
          if (result === undefined) present[i] = 0;
          else values[i] = result;
        }
        return this.drop(row);
      }).filter(hasPoints);
    if (vector === undefined) return yield apply([this.#timeRow()]);
    yield* this.#distinct(vector, mapTiles(this.#own(vector), apply));
  }

  #timeRow(): Row {
    const row = newRow({}, this.grid.count);
    for (let i = 0; i < this.grid.count; i++) row.values[i] = timeAt(this.grid, i);
    row.present.fill(1);
    return row;
  }

  *#special(expr: Call, special: "absent" | "absent_over_time" | "timestamp"): Generator<readonly Row[]> {
    const arg = unwrap(expr.args[0]!);
    if (special === "timestamp") {
      const tiles = arg.kind === "vectorSelector"
        ? this.#selector(arg, true)
        : mapTiles(this.#own(arg), (tile) => {
          const now = this.#timeRow().values;
          return tile.map((row) => ({ labels: row.labels, values: now, present: row.present }));
        });
      return yield* this.#distinct(arg, mapTiles(tiles, (tile) => tile.map((row) => this.drop(row))));
    }
    const presence = special === "absent" ? this.tiles(arg) : this.#rangeFunction(
      { ...expr, name: "present_over_time" },
      FUNCTIONS.get("present_over_time")!,
      FUNCTIONS.get("present_over_time")!.impl as Extract<Implementation, { kind: "range" }>,
    );
    const out = newRow(absentLabels(arg), this.grid.count);
    out.present.fill(1);
    out.values.fill(1);
    for (const tile of presence) {
      for (const { present } of tile) {
        for (let i = 0; i < present.length; i++) if (present[i] === 1) out.present[i] = 0;
      }
    }
    if (hasPoints(out)) yield [out];
  }

  /** Where several metrics may have lost their names, rows with equal labels are joined, or are an error. */
  *#distinct(operand: Expr, tiles: Iterable<readonly Row[]>): Generator<readonly Row[]> {
    if (this.scope.delayedNames || !mayCollide(operand)) return yield* tiles;
    yield merged([...tiles].flat());
  }
}

const NONE = new Float64Array(0);

function* mapTiles<T, R>(tiles: Iterable<T>, map: (tile: T) => R): Generator<R> {
  for (const tile of tiles) yield map(tile);
}

function entryOf(expr: Call): FunctionEntry {
  const entry = FUNCTIONS.get(expr.name);
  if (entry === undefined) {
    throw new EvaluationError(`unknown function with name ${JSON.stringify(expr.name)}`);
  }
  return entry;
}
