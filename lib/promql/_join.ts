/** Finds the partners of a binary operator's elements, step by step, and combines them. @module */
import type { Binary, Matching } from "./ast.ts";
import { matchKey } from "./binary.ts";
import { EvaluationError } from "./error.ts";
import { hasPoints, labelText, newRow, type Row, signature, withoutName } from "./value.ts";

/** How names leave results: at once, or at the end of the query. */
export interface Names {
  drop(row: Row): Row;
}

/** The rows of both operands. */
export type Sides = readonly [left: readonly Row[], right: readonly Row[]];

interface JoinOptions {
  readonly steps: number;
  readonly names: Names;
  readonly operate: ((l: number, r: number) => number) | undefined;
  /** Keep the left value where the operation is true. */
  readonly filter: boolean;
}

const ONE_TO_ONE: Matching = { card: "one-to-one", on: false, labels: [], include: [] };

/** One-to-one, many-to-one and one-to-many. */
export function joinVectors(expr: Binary, [lhs, rhs]: Sides, options: JoinOptions): Row[] {
  const matching = expr.matching ?? ONE_TO_ONE;
  const filled = matching.fillLeft !== undefined || matching.fillRight !== undefined;
  if (options.operate === undefined || (lhs.length === 0 || rhs.length === 0) && !filled) return [];
  const swapped = matching.card === "one-to-many";
  return new Join(expr, matching, { ...options, swapped }).run(swapped ? rhs : lhs, swapped ? lhs : rhs);
}

/** `many` is the side whose elements are kept apart; in one-to-one that is the left side. */
class Join {
  readonly #out = new Map<string, Row>();
  readonly #keyOf: (row: Row) => string;
  readonly #names: readonly string[];
  readonly #dropName: boolean;
  /** The fill values of the many and the one side. */
  readonly #fillMany: number | undefined;
  readonly #fillOne: number | undefined;

  constructor(
    readonly expr: Binary,
    readonly matching: Matching,
    readonly options: JoinOptions & { swapped: boolean },
  ) {
    this.#keyOf = matchKey(expr);
    this.#names = [...matching.labels].sort();
    this.#dropName = !options.filter;
    const { fillLeft, fillRight } = matching;
    [this.#fillMany, this.#fillOne] = options.swapped ? [fillRight, fillLeft] : [fillLeft, fillRight];
  }

  run(many: readonly Row[], one: readonly Row[]): Row[] {
    const partners = groupBy(one, this.#keyOf);
    for (const rows of partners.values()) this.#checkUnique(rows);
    const taken = new Map<string, Uint8Array>();
    for (const row of many) {
      if (row.buckets !== undefined) continue;
      const key = this.#keyOf(row);
      const used = this.#markUsed(taken, key, row, partners.get(key));
      for (const partner of partners.get(key) ?? []) {
        if (partner.buckets === undefined) this.#combine(row, partner);
      }
      if (this.#fillOne !== undefined) this.#combineAlone(row, partners.get(key) ?? [], "many");
      if (used !== undefined) taken.set(key, used);
    }
    if (this.#fillMany !== undefined) {
      const manyByKey = groupBy(many, this.#keyOf);
      for (const row of one) this.#combineAlone(row, manyByKey.get(this.#keyOf(row)) ?? [], "one");
    }
    return [...this.#out.values()].filter(hasPoints);
  }

  /** On the one side an element must be alone in its match group. */
  #checkUnique(rows: readonly Row[]): void {
    for (let a = 1; a < rows.length; a++) {
      for (let b = 0; b < a; b++) {
        if (!overlap(rows[a]!.present, rows[b]!.present)) continue;
        const side = this.options.swapped ? "left" : "right";
        throw new EvaluationError(
          `found duplicate series for the match group ${
            this.#groupText(rows[a]!)
          } on the ${side} hand-side of the ` +
            `operation: [${labelText(rows[a]!.labels)}, ${labelText(rows[b]!.labels)}];` +
            "many-to-many matching not allowed: matching labels must be unique on one side",
        );
      }
    }
  }

  #groupText(row: Row): string {
    const { on } = this.matching;
    const entries = Object.entries(row.labels).filter(([name]) =>
      on ? this.#names.includes(name) : name !== "__name__" && !this.#names.includes(name)
    );
    return labelText(Object.fromEntries(entries));
  }

  /** In one-to-one, two left elements with the same partner are an error, whatever a filter would leave of them. */
  #markUsed(
    taken: Map<string, Uint8Array>,
    key: string,
    row: Row,
    partners: readonly Row[] | undefined,
  ): Uint8Array | undefined {
    if (this.matching.card !== "one-to-one" || partners === undefined) return undefined;
    const used = taken.get(key);
    const now = new Uint8Array(this.options.steps);
    for (const partner of partners) {
      for (let i = 0; i < now.length; i++) now[i] = now[i]! | (row.present[i]! & partner.present[i]!);
    }
    if (used === undefined) return now;
    if (overlap(used, now)) {
      throw new EvaluationError(
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
      );
    }
    for (let i = 0; i < now.length; i++) now[i] = now[i]! | used[i]!;
    return now;
  }

  #combine(many: Row, one: Row): void {
    const { swapped, filter, operate, steps } = this.options;
    const out = this.#output(many, one);
    for (let i = 0; i < steps; i++) {
      if (many.present[i] === 0 || one.present[i] === 0) continue;
      const [l, r] = swapped ? [one.values[i]!, many.values[i]!] : [many.values[i]!, one.values[i]!];
      this.#put(out, i, filter ? (operate!(l, r) === 0 ? undefined : l) : operate!(l, r));
    }
  }

  /** Elements without a partner meet the fill value. */
  #combineAlone(row: Row, partners: readonly Row[], side: "many" | "one"): void {
    const { swapped, filter, operate, steps } = this.options;
    const fill = side === "many" ? this.#fillOne! : this.#fillMany!;
    const out = side === "many" ? this.#output(row, undefined) : this.#output(undefined, row);
    for (let i = 0; i < steps; i++) {
      if (row.present[i] === 0 || partners.some((partner) => partner.present[i] === 1)) continue;
      const rowIsLeft = (side === "many") !== swapped;
      const [l, r] = rowIsLeft ? [row.values[i]!, fill] : [fill, row.values[i]!];
      this.#put(out, i, filter ? (operate!(l, r) === 0 ? undefined : l) : operate!(l, r));
    }
  }

  #put(out: Row, i: number, value: number | undefined): void {
    if (out.present[i] === 1) {
      throw new EvaluationError(
        "multiple matches for labels: grouping labels must ensure unique matches",
      );
    }
    if (value === undefined) return;
    out.values[i] = value;
    out.present[i] = 1;
  }

  /** The row of a pair's result labels: the same pair of labels at different steps is one series. */
  #output(many: Row | undefined, one: Row | undefined): Row {
    const row = this.#resultRow(many, one);
    const key = signature(row.labels);
    const known = this.#out.get(key);
    if (known !== undefined) return known;
    this.#out.set(key, row);
    return row;
  }

  #resultRow(many: Row | undefined, one: Row | undefined): Row {
    const base = many ?? one!;
    let { labels } = base;
    if (this.matching.card === "one-to-one") {
      const entries = Object.entries(labels).filter(([name]) =>
        this.matching.on ? this.#names.includes(name) : !this.#names.includes(name)
      );
      if (entries.length !== Object.keys(labels).length) labels = Object.fromEntries(entries);
    } else if (many === undefined) {
      labels = Object.fromEntries(
        Object.entries(labels).filter(([name]) => this.matching.on === this.#names.includes(name)),
      );
    }
    if (this.matching.include.length > 0) {
      const changed: Record<string, string> = { ...labels };
      for (const name of this.matching.include) {
        const value = one?.labels[name];
        if (value === undefined || value === "") delete changed[name];
        else changed[name] = value;
      }
      labels = changed;
    }
    const row: Row = { ...newRow(labels, this.options.steps), ...(base.nameless ? { nameless: true } : {}) };
    if (!this.#dropName) return row;
    const dropped = this.options.names.drop(row);
    return this.matching.on && this.matching.card === "one-to-one"
      ? { ...dropped, labels: withoutName(labels) }
      : dropped;
  }
}

function groupBy(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

function overlap(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] === 1 && b[i] === 1) return true;
  return false;
}
