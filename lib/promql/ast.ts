/** The typed tree of a query. Nodes are plain data; every node knows where in the text it stands. @module */
import type { Matcher } from "../tsdb/mod.ts";

/** What an expression gives. */
export type ValueType = "scalar" | "string" | "vector" | "matrix";

/** Offsets of first and one past the last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A length of time: seconds, or arithmetic over them that may ask for the query's own step and range. */
export type DurationNode =
  | { readonly kind: "seconds"; readonly seconds: number }
  | { readonly kind: "step" | "range" }
  | { readonly kind: "negate"; readonly of: DurationNode }
  | {
    readonly kind: "binary";
    readonly op: "+" | "-" | "*" | "/" | "%" | "^" | "min_of" | "max_of";
    readonly lhs: DurationNode;
    readonly rhs: DurationNode;
    readonly span: Span;
  };

/** `@ 1609746000`, `@ start()`, `@ end()`. */
export type AtModifier = { readonly kind: "time"; readonly seconds: number } | {
  readonly kind: "start" | "end";
};

/** What may follow a selector or subquery. */
export interface Modifiers {
  readonly offset?: DurationNode;
  readonly at?: AtModifier;
}

export interface NumberLiteral {
  readonly kind: "number";
  readonly value: number;
  /** Set when it was written as a duration, which prints differently. */
  readonly duration?: boolean;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}

/** `[0.5, 0.9]`: upstream's list of quantiles; only two functions take it. */
export interface NumberList {
  readonly kind: "numbers";
  readonly values: readonly number[];
  readonly span: Span;
}

export interface VectorSelector extends Modifiers {
  readonly kind: "vectorSelector";
  readonly name?: string;
  /** All matchers, with the one of the name. */
  readonly matchers: readonly Matcher[];
  readonly extent?: "anchored" | "smoothed";
  readonly span: Span;
}

export interface MatrixSelector {
  readonly kind: "matrixSelector";
  readonly selector: VectorSelector;
  readonly range: DurationNode;
  readonly span: Span;
}

export interface Subquery extends Modifiers {
  readonly kind: "subquery";
  readonly expr: Expr;
  readonly range: DurationNode;
  readonly step?: DurationNode;
  readonly span: Span;
}

export interface Call {
  readonly kind: "call";
  readonly name: string;
  readonly args: readonly Expr[];
  readonly span: Span;
}

export interface Aggregate {
  readonly kind: "aggregate";
  readonly op: AggregateOp;
  readonly expr: Expr;
  readonly param?: Expr;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly span: Span;
}

/** How elements of both sides find each other. */
export interface Matching {
  readonly card: "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly include: readonly string[];
  readonly fillLeft?: number;
  readonly fillRight?: number;
}

export interface Binary {
  readonly kind: "binary";
  readonly op: BinaryOp;
  readonly lhs: Expr;
  readonly rhs: Expr;
  readonly bool: boolean;
  readonly matching?: Matching;
  readonly span: Span;
}

export interface Unary {
  readonly kind: "unary";
  readonly op: "+" | "-";
  readonly expr: Expr;
  readonly span: Span;
}

export interface Paren {
  readonly kind: "paren";
  readonly expr: Expr;
  readonly span: Span;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | NumberList
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregate
  | Binary
  | Unary
  | Paren;

/** Aggregations; the last two are experimental in Prometheus. */
export const AGGREGATES = [
  "sum",
  "avg",
  "count",
  "min",
  "max",
  "group",
  "stddev",
  "stdvar",
  "topk",
  "bottomk",
  "count_values",
  "quantile",
  "limitk",
  "limit_ratio",
] as const;
export type AggregateOp = typeof AGGREGATES[number];

/** Operators by their binding, weakest first. `^` binds to the right. */
export const PRECEDENCE = [
  ["or"],
  ["and", "unless"],
  ["==", "!=", "<=", "<", ">=", ">", "</", ">/"],
  ["+", "-"],
  ["*", "/", "%", "atan2"],
  ["^"],
] as const;
export type BinaryOp = typeof PRECEDENCE[number][number];

export const SET_OPERATORS: ReadonlySet<string> = new Set(["and", "or", "unless"]);
export const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<=", "<", ">=", ">"]);

/** The expression without the parentheses around it. */
export function unwrap(expr: Expr): Expr {
  return expr.kind === "paren" ? unwrap(expr.expr) : expr;
}

/** The direct children of a node, in the order of the text. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "number":
    case "string":
    case "numbers":
    case "vectorSelector":
      return [];
    case "matrixSelector":
      return [expr.selector];
    case "subquery":
    case "unary":
    case "paren":
      return [expr.expr];
    case "call":
      return expr.args;
    case "aggregate":
      return expr.param === undefined ? [expr.expr] : [expr.param, expr.expr];
    case "binary":
      return [expr.lhs, expr.rhs];
  }
}

/** All selectors of an expression, in the order of the text. */
export function selectors(expr: Expr): VectorSelector[] {
  return expr.kind === "vectorSelector" ? [expr] : children(expr).flatMap(selectors);
}
