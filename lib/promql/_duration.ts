/** Lengths of time: literals such as `1h30m`, plain seconds, and arithmetic over both. @module */
import type { DurationNode } from "./ast.ts";
import type { Cursor } from "./_cursor.ts";
import { EvaluationError } from "./error.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  y: 365 * 86_400,
  w: 7 * 86_400,
  d: 86_400,
  h: 3_600,
  m: 60,
  s: 1,
  ms: 0.001,
};

/** Seconds of `1h30m`; `undefined` when the text is no duration literal. */
function durationSeconds(text: string): number | undefined {
  if (!/^(?:\d+(?:ms|[ywdhms]))+$/i.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/gi)) {
    ms += Number(count) * Math.round(UNIT_SECONDS[unit!.toLowerCase()]! * 1000);
  }
  return ms / 1000;
}

/** The value of a number token: decimal, hexadecimal, or a duration in seconds. */
export function numberValue(text: string): number {
  return durationSeconds(text) ?? Number(text.replaceAll("_", ""));
}

/** Arithmetic inside brackets: `5m + 2 * step()`. */
export function parseDuration(cursor: Cursor, weakest = 0): DurationNode {
  const start = cursor.token.start;
  let lhs = parseSigned(cursor);
  for (;;) {
    const op = cursor.token.text;
    const strength = cursor.token.kind === "operator" ? OPERATOR_STRENGTH[op] : undefined;
    if (strength === undefined || strength < weakest) return lhs;
    cursor.take();
    const rhs = cursor.nested(() => parseDuration(cursor, op === "^" ? strength : strength + 1));
    const span = { start, end: cursor.lastEnd };
    lhs = { kind: "binary", op: op as "+", lhs, rhs, span };
  }
}

const POWER = 3;
const OPERATOR_STRENGTH: Readonly<Record<string, number>> = {
  "+": 1,
  "-": 1,
  "*": 2,
  "/": 2,
  "%": 2,
  "^": 3,
};

/** One term: all that `offset` takes without parentheses. */
export function parseDurationTerm(cursor: Cursor): DurationNode {
  const { token } = cursor;
  // `x offset -2 ^ 2` is a power of x: only inside brackets does a sign reach over `^`.
  if (cursor.accept("-")) return { kind: "negate", of: cursor.nested(() => parseDurationTerm(cursor)) };
  if (cursor.accept("+")) return cursor.nested(() => parseDurationTerm(cursor));
  if (cursor.accept("(")) {
    const inner = cursor.nested(() => parseDuration(cursor));
    cursor.expect(")", "duration expression");
    return inner;
  }
  if (token.kind === "number" || token.kind === "duration") {
    cursor.take();
    const seconds = numberValue(token.text);
    if (!Number.isFinite(seconds)) cursor.fail("duration out of range", token.start);
    return { kind: "seconds", seconds };
  }
  const word = cursor.keyword;
  if ((word === "step" || word === "range") && cursor.following.text === "(") {
    cursor.take();
    cursor.take();
    cursor.expect(")", `${word}()`);
    return { kind: word };
  }
  if (
    (word === "min" || word === "max" || word === "min_of" || word === "max_of") &&
    cursor.following.text === "("
  ) {
    cursor.take();
    cursor.take();
    const lhs = cursor.nested(() => parseDuration(cursor));
    cursor.expect(",", "duration expression");
    const rhs = cursor.nested(() => parseDuration(cursor));
    cursor.expect(")", "duration expression");
    const op = word.startsWith("min") ? "min_of" : "max_of";
    return { kind: "binary", op, lhs, rhs, span: { start: token.start, end: cursor.lastEnd } };
  }
  return cursor.unexpected("duration expression", "number, duration or step()");
}

/** A term inside brackets, where as in expressions `-2^2` is −4. */
function parseSigned(cursor: Cursor): DurationNode {
  if (cursor.accept("-")) return { kind: "negate", of: cursor.nested(() => parseDuration(cursor, POWER)) };
  if (cursor.accept("+")) return cursor.nested(() => parseDuration(cursor, POWER));
  return parseDurationTerm(cursor);
}

/** Seconds of a duration, given the query's step and range. @throws {EvaluationError} On a division by zero. */
export function evaluateDuration(node: DurationNode, query: { stepMs: number; rangeMs: number }): number {
  switch (node.kind) {
    case "seconds":
      return node.seconds;
    case "step":
      return query.stepMs / 1000;
    case "range":
      return query.rangeMs / 1000;
    case "negate":
      return -evaluateDuration(node.of, query);
    case "binary": {
      const [l, r] = [evaluateDuration(node.lhs, query), evaluateDuration(node.rhs, query)];
      if (r === 0 && node.op === "/") throw new EvaluationError("division by zero");
      if (r === 0 && node.op === "%") throw new EvaluationError("modulo by zero");
      return ARITHMETIC[node.op](l, r);
    }
  }
}

const ARITHMETIC: Readonly<
  Record<Extract<DurationNode, { kind: "binary" }>["op"], (l: number, r: number) => number>
> = {
  "+": (l, r) => l + r,
  "-": (l, r) => l - r,
  "*": (l, r) => l * r,
  "/": (l, r) => l / r,
  "%": (l, r) => l % r,
  "^": (l, r) => l ** r,
  min_of: Math.min,
  max_of: Math.max,
};

/** The duration as text that reads back to the same. */
export function printDuration(node: DurationNode): string {
  switch (node.kind) {
    case "seconds":
      return printSeconds(node.seconds);
    case "step":
    case "range":
      return `${node.kind}()`;
    case "negate":
      return `-${printDuration(node.of)}`;
    case "binary": {
      const [l, r] = [printDuration(node.lhs), printDuration(node.rhs)];
      return node.op.endsWith("_of") ? `${node.op}(${l}, ${r})` : `(${l} ${node.op} ${r})`;
    }
  }
}

/** `5400` as `1h30m`; what is no whole number of milliseconds stays a number of seconds. */
export function printSeconds(seconds: number): string {
  if (seconds < 0) return `-${printSeconds(-seconds)}`;
  let ms = Math.round(seconds * 1000);
  if (seconds === 0 || !Number.isFinite(seconds) || Math.abs(ms - seconds * 1000) > 1e-6) {
    return seconds === 0 ? "0s" : String(seconds);
  }
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const size = UNIT_SECONDS[unit]! * 1000;
    if (ms >= size) text += `${Math.floor(ms / size)}${unit}`;
    ms %= size;
  }
  return text;
}
