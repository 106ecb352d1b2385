/**
 * Reads PromQL into its tree: precedence climbing for operators, one function for each other form. The grammar is that
 * of Prometheus 3.14 with all its experimental forms, plus upstream's lists of quantiles. Types are checked afterwards
 * (`check.ts`).
 * @module
 */
import {
  type Aggregate,
  type AggregateOp,
  AGGREGATES,
  type Binary,
  type BinaryOp,
  COMPARISONS,
  type Expr,
  type Matching,
  PRECEDENCE,
  SET_OPERATORS,
} from "./ast.ts";
import { checkTypes } from "./check.ts";
import { Cursor } from "./_cursor.ts";
import { numberValue } from "./_duration.ts";
import { parsePostfix, parseSelector } from "./_selector.ts";

/** The tree of a query, its types checked. @throws {ParseError} With line and column. */
export function parse(query: string): Expr {
  const cursor = new Cursor(query);
  if (cursor.token.kind === "eof") cursor.fail("no expression found in input");
  const expr = parseExpr(cursor);
  if (cursor.token.kind !== "eof") cursor.unexpected();
  checkTypes(expr, query);
  return expr;
}

const STRENGTH: ReadonlyMap<string, number> = new Map(
  PRECEDENCE.flatMap((level, strength) => level.map((op): [string, number] => [op, strength])),
);
const POWER = PRECEDENCE.length - 1;
const AGGREGATE_NAMES: ReadonlySet<string> = new Set(AGGREGATES);

function parseExpr(cursor: Cursor, weakest = 0): Expr {
  return cursor.nested(() => {
    let lhs = parseUnary(cursor);
    for (;;) {
      const op = cursor.token.kind === "operator" ? cursor.token.text : cursor.keyword;
      const strength = op === undefined ? undefined : STRENGTH.get(op);
      if (strength === undefined || strength < weakest) return lhs;
      cursor.take();
      lhs = parseBinary(cursor, lhs, op as BinaryOp, strength);
    }
  });
}

function parseUnary(cursor: Cursor): Expr {
  const { token } = cursor;
  if (!cursor.at("-") && !cursor.at("+")) return parsePostfix(cursor, parsePrimary(cursor));
  cursor.take();
  const op = token.text as "+" | "-";
  // A sign binds as multiplication does: -1^2 is −1.
  const expr = parseExpr(cursor, POWER);
  const span = { start: token.start, end: cursor.lastEnd };
  if (expr.kind === "number") return { ...expr, value: op === "-" ? -expr.value : expr.value, span };
  return { kind: "unary", op, expr, span };
}

function parseBinary(cursor: Cursor, lhs: Expr, op: BinaryOp, strength: number): Binary {
  const bool = cursor.accept("bool");
  if (bool && !COMPARISONS.has(op)) {
    cursor.fail("bool modifier can only be used on comparison operators", cursor.lastEnd - "bool".length);
  }
  const matching = parseMatching(cursor, op);
  const rhs = parseExpr(cursor, op === "^" ? strength : strength + 1);
  const span = { start: lhs.span.start, end: cursor.lastEnd };
  return matching === undefined
    ? { kind: "binary", op, lhs, rhs, bool, span }
    : { kind: "binary", op, lhs, rhs, bool, matching, span };
}

function parseMatching(cursor: Cursor, op: BinaryOp): Matching | undefined {
  let matching: Matching = {
    card: SET_OPERATORS.has(op) ? "many-to-many" : "one-to-one",
    on: false,
    labels: [],
    include: [],
  };
  const start = cursor.token.start;
  const join = cursor.keyword;
  if (join === "on" || join === "ignoring") {
    cursor.take();
    matching = { ...matching, on: join === "on", labels: parseLabelNames(cursor) };
    const group = cursor.keyword;
    if (group === "group_left" || group === "group_right") {
      cursor.take();
      if (SET_OPERATORS.has(op)) cursor.fail(`no grouping allowed for "${op}" operation`, start);
      const include = cursor.at("(") ? parseLabelNames(cursor) : [];
      matching = { ...matching, card: group === "group_left" ? "many-to-one" : "one-to-many", include };
    }
  }
  for (;;) {
    const fill = cursor.keyword;
    if (fill === undefined || !/^fill(_left|_right)?$/.test(fill) || cursor.following.text !== "(") break;
    cursor.take();
    const value = parseFill(cursor);
    if (fill !== "fill_right") matching = { ...matching, fillLeft: value };
    if (fill !== "fill_left") matching = { ...matching, fillRight: value };
  }
  return cursor.token.start === start ? undefined : matching;
}

function parseFill(cursor: Cursor): number {
  cursor.expect("(", "fill modifier");
  const value = parseUnary(cursor);
  if (value.kind !== "number") cursor.fail("expected number in fill modifier", value.span.start);
  cursor.expect(")", "fill modifier");
  return value.value;
}

function parseLabelNames(cursor: Cursor): string[] {
  const names: string[] = [];
  cursor.expect("(", "grouping opts");
  while (!cursor.at(")")) {
    const { token } = cursor;
    if (token.kind !== "identifier" && token.kind !== "string") cursor.unexpected("grouping opts", "label");
    if (token.text === "") cursor.fail('invalid label name for grouping: ""');
    names.push(cursor.take().text);
    if (!cursor.accept(",") && !cursor.at(")")) cursor.unexpected("grouping opts", `"," or ")"`);
  }
  cursor.take();
  return names;
}

function parsePrimary(cursor: Cursor): Expr {
  const { token } = cursor;
  const span = { start: token.start, end: token.end };
  if (token.kind === "number" || token.kind === "duration") {
    cursor.take();
    const value = numberValue(token.text);
    return token.kind === "number"
      ? { kind: "number", value, span }
      : { kind: "number", value, duration: true, span };
  }
  if (token.kind === "string") {
    cursor.take();
    return { kind: "string", value: token.text, span };
  }
  if (cursor.at("(")) return parseParen(cursor);
  if (cursor.at("[")) return parseNumberList(cursor);
  if (token.kind !== "identifier") return parseSelector(cursor);
  const word = token.text.toLowerCase();
  if (word === "inf" || word === "nan") {
    cursor.take();
    return { kind: "number", value: word === "inf" ? Infinity : NaN, span };
  }
  const next = cursor.following;
  if (AGGREGATE_NAMES.has(word) && (next.text === "(" || /^(by|without)$/i.test(next.text))) {
    return parseAggregate(cursor, word as AggregateOp);
  }
  return next.kind === "operator" && next.text === "(" ? parseCall(cursor) : parseSelector(cursor);
}

function parseParen(cursor: Cursor): Expr {
  const { start } = cursor.take();
  const expr = parseExpr(cursor);
  if (cursor.token.kind === "eof") cursor.fail("unclosed left parenthesis");
  cursor.expect(")", "parenthesized expression");
  return { kind: "paren", expr, span: { start, end: cursor.lastEnd } };
}

function parseNumberList(cursor: Cursor): Expr {
  const { start } = cursor.take();
  const values: number[] = [];
  while (!cursor.at("]")) {
    const value = parseUnary(cursor);
    if (value.kind !== "number") cursor.fail("expected number in list", value.span.start);
    values.push(value.value);
    if (!cursor.accept(",") && !cursor.at("]")) cursor.unexpected("list of numbers", `"," or "]"`);
  }
  cursor.take();
  return { kind: "numbers", values, span: { start, end: cursor.lastEnd } };
}

function parseCall(cursor: Cursor): Expr {
  const { text, start } = cursor.take();
  const args = parseArguments(cursor);
  return { kind: "call", name: text, args, span: { start, end: cursor.lastEnd } };
}

function parseArguments(cursor: Cursor): Expr[] {
  cursor.expect("(", "function call");
  const args: Expr[] = [];
  while (!cursor.at(")")) {
    args.push(parseExpr(cursor));
    if (cursor.accept(",")) {
      if (cursor.at(")")) {
        cursor.fail("trailing commas not allowed in function call args", cursor.lastEnd - 1);
      }
    } else if (!cursor.at(")")) cursor.unexpected("function call", `"," or ")"`);
  }
  cursor.take();
  return args;
}

const PARAMETERS: Readonly<Partial<Record<AggregateOp, true>>> = {
  topk: true,
  bottomk: true,
  count_values: true,
  quantile: true,
  limitk: true,
  limit_ratio: true,
};

function parseAggregate(cursor: Cursor, op: AggregateOp): Aggregate {
  const { start } = cursor.take();
  let grouping = parseGrouping(cursor);
  const args = parseArguments(cursor);
  grouping ??= parseGrouping(cursor);
  const span = { start, end: cursor.lastEnd };
  if (args.length === 0) cursor.fail("no arguments for aggregate expression provided", start);
  const wanted = PARAMETERS[op] ? 2 : 1;
  if (args.length !== wanted) {
    const counts = `expected ${wanted}, got ${args.length}`;
    cursor.fail(`wrong number of arguments for aggregate expression provided, ${counts}`, start);
  }
  const { without, labels } = grouping ?? { without: false, labels: [] };
  const base = { kind: "aggregate", op, expr: args[wanted - 1]!, grouping: labels, without, span } as const;
  return wanted === 2 ? { ...base, param: args[0]! } : base;
}

function parseGrouping(cursor: Cursor): { without: boolean; labels: string[] } | undefined {
  const word = cursor.keyword;
  if (word !== "by" && word !== "without") return undefined;
  cursor.take();
  return { without: word === "without", labels: parseLabelNames(cursor) };
}
