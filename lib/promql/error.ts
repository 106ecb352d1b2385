/** What can be wrong with a query: its text, or what happens when it is evaluated. @module */

/** The text is no PromQL. The message has line and column, counted from 1, as Prometheus words it. */
export class ParseError extends SyntaxError {
  override readonly name = "ParseError";

  constructor(query: string, readonly offset: number, readonly problem: string) {
    super(`${position(query, offset)}: parse error: ${problem}`);
  }
}

/** Evaluation cannot go on: a many-to-many match, a duplicate label set, a limit. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
}

/** `line:column` of an offset, both from 1. */
export function position(query: string, offset: number): string {
  const before = query.slice(0, offset);
  const line = before.split("\n").length;
  return `${line}:${offset - before.lastIndexOf("\n")}`;
}
