/** What `depends_on` says of another process. Pure. @module */
import { type Condition, CONDITIONS, type Dependency } from "../supervisor/mod.ts";
import { compilePattern } from "./log_search.ts";

const LOG = "log:";

/** Undefined when `condition` is none: a word, or `log:` and a regular expression. */
export function dependencyOf(name: string, condition: string): Dependency | undefined {
  if (condition.startsWith(LOG)) {
    const written = condition.slice(LOG.length).trim();
    const pattern = patternOf(written);
    return pattern === undefined ? undefined : { name, condition: "log", pattern, written };
  }
  const isKnown = condition !== "log" && CONDITIONS.includes(condition as Condition);
  return isKnown ? { name, condition: condition as Exclude<Condition, "log"> } : undefined;
}

/** As it is written in the file. */
export function dependencyText(dependency: Dependency): string {
  if (dependency.condition !== "log") return dependency.condition;
  return `${LOG}${dependency.written ?? dependency.pattern.source}`;
}

function patternOf(source: string): RegExp | undefined {
  try {
    return source === "" ? undefined : compilePattern(source);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
