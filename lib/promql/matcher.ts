/** Finds series by matchers. @module */
import type { Labels } from "../metrics/mod.ts";
import type { Matcher, SeriesInfo } from "../tsdb/mod.ts";
import { compileRegex } from "./regex.ts";

/** A test of one label's value; a label that is not there has the empty value. */
export type LabelTest = (value: string) => boolean;

/** The test of a matcher. @throws {EvaluationError} On a regex that is none. */
function compileMatcher({ name, op, value }: Matcher): LabelTest {
  if (op === "=") return (found) => found === value;
  if (op === "!=") return (found) => found !== value;
  const hit = regexTest(value, name);
  return op === "=~" ? hit : (found) => !hit(found);
}

/** Alternatives without any regex character are a set, and need no regex. */
function regexTest(pattern: string, label: string): LabelTest {
  if (/^[\w|:/ -]+$/.test(pattern)) {
    const alternatives = new Set(pattern.split("|"));
    return (found) => alternatives.has(found);
  }
  if (pattern === ".*") return () => true;
  if (pattern === ".+") return (found) => found !== "";
  const regex = compileRegex(pattern, `matcher of label "${label}"`);
  const known = new Map<string, boolean>();
  return (found) => {
    let hit = known.get(found);
    if (hit === undefined) known.set(found, hit = regex.test(found));
    return hit;
  };
}

const byName = new WeakMap<readonly SeriesInfo[], Map<string, SeriesInfo[]>>();

/** The series among `all` that fit every matcher. */
export function selectSeries(all: readonly SeriesInfo[], matchers: readonly Matcher[]): SeriesInfo[] {
  const exact = matchers.find((matcher) => matcher.name === "__name__" && matcher.op === "=");
  const candidates = exact === undefined ? all : indexByName(all).get(exact.value) ?? [];
  const tests = matchers.filter((matcher) => matcher !== exact)
    .map((matcher): [string, LabelTest] => [matcher.name, compileMatcher(matcher)]);
  return candidates.filter(({ labels }) => tests.every(([name, test]) => test(labels[name] ?? "")));
}

/** Whether labels fit every matcher. */
export function matches(labels: Labels, matchers: readonly Matcher[]): boolean {
  return matchers.every((matcher) => compileMatcher(matcher)(labels[matcher.name] ?? ""));
}

/** A store gives the same list until its members change, so the index is kept by that list. */
function indexByName(all: readonly SeriesInfo[]): Map<string, SeriesInfo[]> {
  let index = byName.get(all);
  if (index === undefined) {
    byName.set(all, index = new Map());
    for (const info of all) {
      const name = info.labels.__name__ ?? "";
      const list = index.get(name);
      if (list === undefined) index.set(name, [info]);
      else list.push(info);
    }
  }
  return index;
}
