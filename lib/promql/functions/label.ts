/** Functions that rewrite labels. @module */
import type { Labels } from "../../metrics/mod.ts";
import { EvaluationError } from "../error.ts";
import type { FunctionEntry } from "../function.ts";
import { compileRegex, type RegexMatch } from "../regex.ts";
import type { Row } from "../value.ts";
import { rowsOf, textOf } from "./shape.ts";

/** The labels with one of them set; an empty value takes it away. */
function withLabel(labels: Labels, name: string, value: string): Labels {
  const { [name]: _old, ...rest } = labels;
  return value === "" ? rest : { ...rest, [name]: value };
}

function relabel(row: Row, name: string, value: string): Row {
  const labels = withLabel(row.labels, name, value);
  return name === "__name__" ? { ...row, labels, nameless: false } : { ...row, labels };
}

/** Go's `Expand`: `$1`, `${1}`, `$name`, `$$`; an unknown group is empty. */
function expand(template: string, match: RegexMatch): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (text, braced?: string, plain?: string) => {
    if (text === "$$") return "$";
    const name = braced ?? plain!;
    return (/^\d+$/.test(name) ? match.groups[Number(name)] : match.named[name]) ?? "";
  });
}

function checkLabelName(name: string, doing: string): void {
  // Bytes that are no UTF-8 were read as the replacement character.
  if (name === "" || name.includes("\ufffd")) {
    throw new EvaluationError(`invalid ${doing} label name in ${doing}: ${JSON.stringify(name)}`);
  }
}

export const LABEL_FUNCTIONS: readonly FunctionEntry[] = [
  {
    name: "label_replace",
    help: "Sets a label from a regex match on another: (vector, target, replacement, source, regex).",
    args: ["vector", "string", "string", "string", "string"],
    returns: "vector",
    keepsName: true,
    impl: {
      kind: "rows",
      apply(args) {
        const [target, replacement, source, pattern] = args.slice(1).map(textOf) as [
          string,
          string,
          string,
          string,
        ];
        const regex = compileRegex(pattern, "label_replace()");
        checkLabelName(target, "label_replace");
        return rowsOf(args[0]).map((row) => {
          const match = regex.exec(row.labels[source] ?? "");
          return match === undefined ? row : relabel(row, target, expand(replacement, match));
        });
      },
    },
  },
  {
    name: "label_join",
    help: "Sets a label to others joined by a separator: (vector, target, separator, source…).",
    args: ["vector", "string", "string", "string"],
    optional: 1,
    variadic: true,
    returns: "vector",
    keepsName: true,
    impl: {
      kind: "rows",
      apply(args) {
        const [target, separator, ...sources] = args.slice(1).map(textOf) as [string, string, ...string[]];
        checkLabelName(target, "label_join");
        return rowsOf(args[0]).map((row) =>
          relabel(row, target, sources.map((source) => row.labels[source] ?? "").join(separator))
        );
      },
    },
  },
];
