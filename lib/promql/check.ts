/** Checks the types of a tree, with the texts of Prometheus. @module */
import {
  type Aggregate,
  type Binary,
  type Call,
  COMPARISONS,
  type Expr,
  SET_OPERATORS,
  type ValueType,
} from "./ast.ts";
import { ParseError } from "./error.ts";
import { FUNCTIONS } from "./functions.ts";

const NAMES: Readonly<Record<ValueType, string>> = {
  scalar: "scalar",
  string: "string",
  vector: "instant vector",
  matrix: "range vector",
};

/** The type of an expression whose parts were checked. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case "number":
    case "numbers":
      return "scalar";
    case "string":
      return "string";
    case "vectorSelector":
    case "aggregate":
      return "vector";
    case "matrixSelector":
    case "subquery":
      return "matrix";
    case "call":
      return FUNCTIONS.get(expr.name)?.returns ?? "vector";
    case "unary":
    case "paren":
      return typeOf(expr.expr);
    case "binary":
      return typeOf(expr.lhs) === "scalar" && typeOf(expr.rhs) === "scalar" ? "scalar" : "vector";
  }
}

/** Checks a tree from its leaves up. @throws {ParseError} At the first part that does not fit. */
export function checkTypes(expr: Expr, query: string): void {
  const fail = (problem: string, at: Expr = expr): never => {
    throw new ParseError(query, at.span.start, problem);
  };
  const expect = (at: Expr, wanted: ValueType, context: string): void => {
    const found = typeOf(at);
    if (found !== wanted) fail(`expected type ${NAMES[wanted]} in ${context}, got ${NAMES[found]}`, at);
  };
  switch (expr.kind) {
    case "number":
    case "string":
    case "numbers":
    case "vectorSelector":
      return;
    case "matrixSelector":
      return checkTypes(expr.selector, query);
    case "paren":
      return checkTypes(expr.expr, query);
    case "subquery": {
      checkTypes(expr.expr, query);
      const found = typeOf(expr.expr);
      if (found !== "vector") fail(`subquery is only allowed on instant vector, got ${NAMES[found]} instead`);
      return;
    }
    case "unary": {
      checkTypes(expr.expr, query);
      const found = typeOf(expr.expr);
      if (found !== "scalar" && found !== "vector") {
        fail(
          `unary expression only allowed on expressions of type scalar or instant vector, got ${
            JSON.stringify(NAMES[found])
          }`,
        );
      }
      return;
    }
    case "aggregate":
      return checkAggregate(expr, query, expect);
    case "call":
      return checkCall(expr, query, { fail, expect });
    case "binary":
      return checkBinary(expr, query, fail);
  }
}

type Fail = (problem: string, at?: Expr) => never;
type Expect = (at: Expr, wanted: ValueType, context: string) => void;

function checkAggregate(expr: Aggregate, query: string, expect: Expect): void {
  checkTypes(expr.expr, query);
  expect(expr.expr, "vector", "aggregation expression");
  if (expr.param === undefined) return;
  checkTypes(expr.param, query);
  expect(expr.param, expr.op === "count_values" ? "string" : "scalar", "aggregation parameter");
}

function checkCall(expr: Call, query: string, { fail, expect }: { fail: Fail; expect: Expect }): void {
  const signature = FUNCTIONS.get(expr.name);
  if (signature === undefined) return fail(`unknown function with name ${JSON.stringify(expr.name)}`);
  const { args, optional = 0, variadic = false } = signature;
  const count = expr.args.length;
  const least = args.length - optional;
  const arity = (word: string, wanted: number): never =>
    fail(`expected ${word}${wanted} argument(s) in call to ${JSON.stringify(expr.name)}, got ${count}`);
  if (optional === 0 && !variadic && count !== least) arity("", least);
  if (count < least) arity("at least ", least);
  if (!variadic && count > args.length) arity("at most ", args.length);
  expr.args.forEach((arg, index) => {
    if (arg.kind === "numbers" && index === 0 && signature.takesList) return;
    if (arg.kind === "numbers") {
      fail("a list of numbers is only allowed in a function that takes quantiles", arg);
    }
    checkTypes(arg, query);
    // A list in front moves the vector to second place: upstream's form.
    const wanted = expr.args[0]!.kind === "numbers" ? "vector" : args[Math.min(index, args.length - 1)]!;
    expect(arg, wanted, `call to function ${JSON.stringify(expr.name)}`);
  });
}

function checkBinary(expr: Binary, query: string, fail: Fail): void {
  checkTypes(expr.lhs, query);
  checkTypes(expr.rhs, query);
  const { op, matching } = expr;
  const sides = [expr.lhs, expr.rhs].map(typeOf);
  for (const [index, type] of sides.entries()) {
    if (type !== "scalar" && type !== "vector") {
      fail(
        "binary expression must contain only scalar and instant vector types",
        index === 0 ? expr.lhs : expr.rhs,
      );
    }
  }
  const scalars = sides.filter((type) => type === "scalar").length;
  if (scalars === 2 && COMPARISONS.has(op) && !expr.bool) {
    fail("comparisons between scalars must use BOOL modifier");
  }
  if (scalars > 0 && SET_OPERATORS.has(op)) {
    fail(`set operator ${JSON.stringify(op)} not allowed in binary scalar expression`);
  }
  if (matching === undefined) return;
  if (scalars > 0 && (matching.labels.length > 0 || matching.on || matching.card !== "one-to-one")) {
    fail("vector matching only allowed between instant vectors");
  }
  const twice = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  if (twice !== undefined) {
    fail(`label ${JSON.stringify(twice)} must not occur in ON and GROUP clause at once`);
  }
  if (matching.fillLeft !== undefined || matching.fillRight !== undefined) {
    if (scalars > 0) fail("filling in missing series only allowed between instant vectors");
    if (SET_OPERATORS.has(op)) fail(`filling in missing series not allowed for set operators`);
  }
}
