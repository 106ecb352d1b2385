/** Selectors and what may follow them: ranges, subqueries, `offset`, `@`, `anchored`, `smoothed`. @module */
import type { Matcher } from "../tsdb/mod.ts";
import type { AtModifier, DurationNode, Expr, VectorSelector } from "./ast.ts";
import type { Cursor } from "./_cursor.ts";
import { numberValue, parseDuration, parseDurationTerm } from "./_duration.ts";
import { EvaluationError } from "./error.ts";
import { compileRegex } from "./regex.ts";

/** A metric's name, matchers in braces, or both. */
export function parseSelector(cursor: Cursor): VectorSelector {
  const { token } = cursor;
  let name: string | undefined;
  if (token.kind === "identifier" || token.kind === "metric") name = cursor.take().text;
  else if (!cursor.at("{")) cursor.unexpected();
  const matchers: Matcher[] = name === undefined ? [] : [{ name: "__name__", op: "=", value: name }];
  if (cursor.at("{")) name = parseMatchers(cursor, matchers, name);
  const span = { start: token.start, end: cursor.lastEnd };
  if (matchers.every(matchesEmpty)) {
    cursor.fail("vector selector must contain at least one non-empty matcher", token.start);
  }
  const base = { kind: "vectorSelector", matchers, span } as const;
  return name === undefined ? base : { ...base, name };
}

function matchesEmpty(matcher: Matcher): boolean {
  switch (matcher.op) {
    case "=":
      return matcher.value === "";
    case "!=":
      return matcher.value !== "";
    case "=~":
      return emptyMatches(matcher.value);
    case "!~":
      return !emptyMatches(matcher.value);
  }
}

function emptyMatches(pattern: string): boolean {
  try {
    return compileRegex(pattern, "selector").test("");
  } catch (error) {
    if (error instanceof EvaluationError) return false; // That it is no regex is told when it is used.
    throw error;
  }
}

function parseMatchers(cursor: Cursor, matchers: Matcher[], metric: string | undefined): string | undefined {
  const inside = "label matching";
  cursor.take();
  let name = metric;
  while (!cursor.at("}")) {
    const { token } = cursor;
    if (token.kind === "eof") cursor.fail("unexpected end of input inside braces");
    if (token.kind !== "identifier" && token.kind !== "string") {
      cursor.unexpected(inside, `identifier or "}"`);
    }
    cursor.take();
    const op = cursor.token.text;
    if (cursor.token.kind === "operator" && (op === "=" || op === "!=" || op === "=~" || op === "!~")) {
      cursor.take();
      const value = cursor.token;
      if (value.kind !== "string") cursor.unexpected(inside, "string");
      if (token.text === "__name__" && metric !== undefined && op === "=") {
        cursor.fail(`metric name must not be set twice: "${metric}" or "${value.text}"`, token.start);
      }
      matchers.push({ name: token.text, op, value: cursor.take().text });
      if (token.text === "__name__" && op === "=" && name === undefined) name = value.text;
    } else if (token.kind === "string") {
      if (name !== undefined) {
        cursor.fail(`metric name must not be set twice: "${name}" or "${token.text}"`, token.start);
      }
      name = token.text;
      matchers.push({ name: "__name__", op: "=", value: token.text });
    } else cursor.unexpected(inside, "label matching operator");
    if (cursor.token.kind === "eof") cursor.fail("unexpected end of input inside braces");
    if (!cursor.accept(",") && !cursor.at("}")) cursor.unexpected(inside, `"," or "}"`);
  }
  cursor.take();
  return name;
}

/** All that follows an expression, from left to right. */
export function parsePostfix(cursor: Cursor, operand: Expr): Expr {
  let expr = operand;
  for (;;) {
    if (cursor.at("[")) expr = parseBracket(cursor, expr);
    else if (cursor.keyword === "offset") expr = parseOffset(cursor, expr);
    else if (cursor.at("@")) expr = parseAt(cursor, expr);
    else if (cursor.keyword === "anchored" || cursor.keyword === "smoothed") expr = parseExtent(cursor, expr);
    else return expr;
  }
}

function parseBracket(cursor: Cursor, expr: Expr): Expr {
  const open = cursor.take();
  const range = parseDuration(cursor);
  if (range.kind === "seconds" && range.seconds <= 0) {
    cursor.fail("duration must be greater than 0", open.end);
  }
  const { start } = expr.span;
  if (cursor.accept(":")) {
    const step = cursor.at("]") ? undefined : parseDuration(cursor);
    if (step?.kind === "seconds" && step.seconds <= 0) cursor.fail("duration must be greater than 0");
    cursor.expect("]", "subquery selector");
    const span = { start, end: cursor.lastEnd };
    return step === undefined
      ? { kind: "subquery", expr, range, span }
      : { kind: "subquery", expr, range, step, span };
  }
  cursor.expect("]", "range selector");
  if (expr.kind !== "vectorSelector") cursor.fail("ranges only allowed for vector selectors", open.start);
  if (expr.offset !== undefined) cursor.fail("no offset modifiers allowed before range", open.start);
  if (expr.at !== undefined) cursor.fail("no @ modifiers allowed before range", open.start);
  return { kind: "matrixSelector", selector: expr, range, span: { start, end: cursor.lastEnd } };
}

function parseOffset(cursor: Cursor, expr: Expr): Expr {
  cursor.take();
  const offset: DurationNode = parseDurationTerm(cursor);
  return modify(cursor, expr, "offset", { offset });
}

function parseAt(cursor: Cursor, expr: Expr): Expr {
  cursor.take();
  return modify(cursor, expr, "@", { at: parseAtTime(cursor) });
}

function parseAtTime(cursor: Cursor): AtModifier {
  const word = cursor.keyword;
  if (word === "start" || word === "end") {
    cursor.take();
    cursor.expect("(", "@ modifier");
    cursor.expect(")", "@ modifier");
    return { kind: word };
  }
  const sign = cursor.accept("-") ? -1 : (cursor.accept("+"), 1);
  const { token } = cursor;
  if (word === "inf" || word === "nan") cursor.fail("timestamp out of bounds for @ modifier: " + token.text);
  if (token.kind !== "number" && token.kind !== "duration") cursor.unexpected("@ modifier", "timestamp");
  cursor.take();
  const seconds = sign * numberValue(token.text);
  if (Math.abs(seconds) > 9_223_372_036_854_775) {
    cursor.fail(`timestamp out of bounds for @ modifier: ${seconds}`, token.start);
  }
  return { kind: "time", seconds };
}

function parseExtent(cursor: Cursor, expr: Expr): Expr {
  const extent = cursor.take().text.toLowerCase() as "anchored" | "smoothed";
  if (expr.kind === "matrixSelector") return { ...expr, selector: { ...expr.selector, extent } };
  if (expr.kind === "vectorSelector" && extent === "smoothed") return { ...expr, extent };
  cursor.fail(
    `${extent} modifier must be preceded by ${
      extent === "smoothed"
        ? "an instant vector selector or range vector selector"
        : "a range vector selector"
    }`,
    expr.span.start,
  );
}

/** Puts a modifier where it belongs: on the selector inside a range, or on the subquery. */
function modify(
  cursor: Cursor,
  expr: Expr,
  name: "offset" | "@",
  modifier: { offset: DurationNode } | { at: AtModifier },
): Expr {
  if (expr.kind === "matrixSelector") {
    const selector = modify(cursor, expr.selector, name, modifier) as VectorSelector;
    return { ...expr, selector, span: { start: expr.span.start, end: cursor.lastEnd } };
  }
  if (expr.kind !== "vectorSelector" && expr.kind !== "subquery") {
    const what = name === "@" ? "@ modifier" : "offset modifier";
    const allowed = "an instant vector selector or range vector selector or a subquery";
    cursor.fail(`${what} must be preceded by ${allowed}`, expr.span.start);
  }
  if (name === "offset" && expr.offset !== undefined) cursor.fail("offset may not be set multiple times");
  if (name === "@" && expr.at !== undefined) cursor.fail("@ <timestamp> may not be set multiple times");
  return { ...expr, ...modifier, span: { start: expr.span.start, end: cursor.lastEnd } };
}
