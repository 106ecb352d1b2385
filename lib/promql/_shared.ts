/** What the queries of a batch share: windows on columns of times, and the rows of equal subexpressions. @module */
import { children, type Expr, unwrap } from "./ast.ts";
import { print } from "./print.ts";
import type { Grid, Row } from "./value.ts";
import { WindowCache } from "./_windows.ts";

/** Rows kept for sharing; beyond this an expression is evaluated again instead. */
const SHARED_BYTES = 256 * 1024 * 1024;

/** Made for one batch, over one state of the source. */
export class Shared {
  readonly windows = new WindowCache();
  readonly warnings = new Set<string>();
  readonly #keys: ReadonlyMap<Expr, string>;
  readonly #kept = new Map<string, readonly Row[]>();
  #bytes = 0;

  /** Finds what occurs more than once among `queries`. */
  constructor(queries: readonly Expr[]) {
    this.#keys = findRepeated(queries);
  }

  /** The name under which a node's rows are kept; `undefined` when it occurs once. */
  keyOf(expr: Expr, { startMs, stepMs, count }: Grid): string | undefined {
    const text = this.#keys.get(expr);
    return text === undefined ? undefined : `${startMs},${stepMs},${count} ${text}`;
  }

  recall(key: string): readonly Row[] | undefined {
    return this.#kept.get(key);
  }

  keep(key: string, rows: readonly Row[]): void {
    const bytes = rows.reduce(
      (sum, row) => sum + row.values.byteLength + (row.buckets?.counts.byteLength ?? 0),
      0,
    );
    if (this.#bytes + bytes > SHARED_BYTES) return;
    this.#bytes += bytes;
    this.#kept.set(key, rows);
  }
}

/** Texts of the largest repeated parts: a part that only repeats within a repeated whole is not kept itself. */
function findRepeated(queries: readonly Expr[]): Map<Expr, string> {
  const texts = new Map<Expr, string>();
  const counts = new Map<string, number>();
  const visit = (expr: Expr): void => {
    const node = unwrap(expr);
    if (sharable(node)) {
      const text = print(node);
      texts.set(node, text);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    children(node).forEach(visit);
  };
  queries.forEach(visit);
  const keys = new Map<Expr, string>();
  const choose = (expr: Expr, outer: number): void => {
    const node = unwrap(expr);
    const text = texts.get(node);
    const count = text === undefined ? 1 : counts.get(text)!;
    if (text !== undefined && count > outer) keys.set(node, text);
    for (const child of children(node)) choose(child, Math.max(outer, count));
  };
  queries.forEach((query) => choose(query, 1));
  return keys;
}

function sharable(expr: Expr): boolean {
  return expr.kind === "call" || expr.kind === "aggregate" || expr.kind === "binary";
}
