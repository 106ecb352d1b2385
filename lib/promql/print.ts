/**
 * Writes a tree back as text: for `/api/v1/format_query`, and as the key under which a batch shares equal
 * subexpressions.
 * @module
 */
import type { Binary, Expr, Matching, Modifiers, VectorSelector } from "./ast.ts";
import { printDuration, printSeconds } from "./_duration.ts";
import { quoted } from "./_string.ts";

const PLAIN_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const PLAIN_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The tree as canonical text; parsing it gives the same tree. */
export function print(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return printNumber(expr.value, expr.duration);
    case "string":
      return quoted(expr.value);
    case "numbers":
      return `[${expr.values.map((value) => printNumber(value)).join(", ")}]`;
    case "vectorSelector":
      return printSelector(expr) + (expr.extent ? ` ${expr.extent}` : "") + printModifiers(expr);
    case "matrixSelector": {
      const { selector } = expr;
      const extent = selector.extent ? ` ${selector.extent}` : "";
      return `${printSelector(selector)}[${printDuration(expr.range)}]${extent}${printModifiers(selector)}`;
    }
    case "subquery": {
      const step = expr.step === undefined ? "" : printDuration(expr.step);
      return `${print(expr.expr)}[${printDuration(expr.range)}:${step}]${printModifiers(expr)}`;
    }
    case "call":
      return `${expr.name}(${expr.args.map(print).join(", ")})`;
    case "aggregate": {
      const grouping = expr.without || expr.grouping.length > 0
        ? ` ${expr.without ? "without" : "by"} ${labelList(expr.grouping)} `
        : "";
      const param = expr.param === undefined ? "" : `${print(expr.param)}, `;
      return `${expr.op}${grouping}(${param}${print(expr.expr)})`;
    }
    case "binary":
      return printBinary(expr);
    case "unary":
      return `${expr.op}${print(expr.expr)}`;
    case "paren":
      return `(${print(expr.expr)})`;
  }
}

function printNumber(value: number, duration = false): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "-Inf" : "+Inf";
  return duration ? printSeconds(value) : String(value);
}

function printBinary(expr: Binary): string {
  const bool = expr.bool ? " bool" : "";
  const matching = expr.matching === undefined ? "" : printMatching(expr.matching);
  return `${print(expr.lhs)} ${expr.op}${bool}${matching} ${print(expr.rhs)}`;
}

function printMatching(matching: Matching): string {
  const grouped = matching.card === "many-to-one" || matching.card === "one-to-many";
  let text = "";
  if (matching.on || matching.labels.length > 0 || grouped) {
    text = ` ${matching.on ? "on" : "ignoring"} ${labelList(matching.labels)}`;
  }
  if (grouped) {
    text += ` ${matching.card === "many-to-one" ? "group_left" : "group_right"} ${
      labelList(matching.include)
    }`;
  }
  if (matching.fillLeft !== undefined) text += ` fill_left (${printNumber(matching.fillLeft)})`;
  if (matching.fillRight !== undefined) text += ` fill_right (${printNumber(matching.fillRight)})`;
  return text;
}

function labelList(names: readonly string[]): string {
  return `(${names.map((name) => PLAIN_LABEL.test(name) ? name : quoted(name)).join(", ")})`;
}

function printSelector(selector: VectorSelector): string {
  const plain = selector.name !== undefined && PLAIN_NAME.test(selector.name);
  const parts = selector.matchers
    .filter((matcher) =>
      !(plain && matcher.name === "__name__" && matcher.op === "=" && matcher.value === selector.name)
    )
    .map(({ name, op, value }) => `${PLAIN_LABEL.test(name) ? name : quoted(name)}${op}${quoted(value)}`);
  return `${plain ? selector.name : ""}${parts.length > 0 || !plain ? `{${parts.join(",")}}` : ""}`;
}

function printModifiers({ offset, at }: Modifiers): string {
  let text = "";
  if (at !== undefined) text += at.kind === "time" ? ` @ ${at.seconds.toFixed(3)}` : ` @ ${at.kind}()`;
  if (offset !== undefined) text += ` offset ${printDuration(offset)}`;
  return text;
}
