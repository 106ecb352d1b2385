/**
 * Prometheus' text format, version 0.0.4, and what OpenMetrics adds to it that can stand on a line. Pure.
 *
 * Source: "Exposition formats" of the Prometheus documentation; OpenMetrics 1.0, ABNF.
 * @module
 */

/** Sample lines of one answer; a page of more is refused. */
const MAX_SAMPLES = 200_000;

/** What `# TYPE` says. */
export type PrometheusType = "counter" | "gauge" | "histogram" | "summary" | "untyped";

/** One line with a value. */
export interface Sample {
  readonly name: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

/** A page as it was found. */
export interface Page {
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, PrometheusType>;
  readonly help: ReadonlyMap<string, string>;
}

const NAME = /[A-Za-z_:][\w:]*/y;
const LABEL = /[ \t]*([A-Za-z_]\w*|"(?:[^"\\]|\\.)*")[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*,?/y;
// The value, then perhaps a time, then perhaps an exemplar.
const VALUE = /[ \t]+([^ \t#]+)(?:[ \t]+-?[\d.]+(?:[eE][+-]?\d+)?)?[ \t]*(?:#.*)?$/y;
const COMMENT = /^#[ \t]+(TYPE|HELP)[ \t]+(\S+)(?:[ \t]+(.*))?$/;

/** Reads a page. @throws {SyntaxError} Naming the line that is none. @throws {RangeError} When there are too many. */
export function parsePrometheusPage(text: string): Page {
  const samples: Sample[] = [];
  const types = new Map<string, PrometheusType>();
  const help = new Map<string, string>();
  let lineNumber = 0;
  for (const raw of text.split("\n")) {
    lineNumber++;
    const line = raw.trim();
    if (line === "") continue;
    if (line.startsWith("#")) {
      const [, kind, name = "", rest = ""] = COMMENT.exec(line) ?? [];
      if (kind === "TYPE") types.set(name, typeOf(rest.trim()));
      else if (kind === "HELP") help.set(name, unescape(rest));
      continue;
    }
    if (samples.length === MAX_SAMPLES) {
      throw new RangeError(`Cannot read metrics page: it has over ${MAX_SAMPLES} samples`);
    }
    const sample = parseSample(line);
    if (sample === undefined) {
      throw new SyntaxError(
        `Cannot read metrics page: line ${lineNumber} is ${
          JSON.stringify(line.slice(0, 60))
        }, expected a sample`,
      );
    }
    samples.push(sample);
  }
  return { samples, types, help };
}

function typeOf(word: string): PrometheusType {
  return word === "counter" || word === "gauge" || word === "histogram" || word === "summary"
    ? word
    : "untyped";
}

function parseSample(line: string): Sample | undefined {
  NAME.lastIndex = 0;
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  let at = NAME.lastIndex;
  const labels: [string, string][] = [];
  while (line[at] === " " && line[at + 1] === "{") at++;
  if (line[at] === "{") {
    for (at++; line[at] !== "}"; at = LABEL.lastIndex) {
      LABEL.lastIndex = at;
      const found = LABEL.exec(line);
      if (found === null) {
        if (/^[ \t]*\}/.test(line.slice(at))) {
          at = line.indexOf("}", at);
          break;
        }
        return undefined;
      }
      labels.push([unescape(found[1]!.replace(/^"|"$/g, "")), unescape(found[2]!)]);
    }
    at++;
  }
  VALUE.lastIndex = at;
  const written = VALUE.exec(line)?.[1];
  const value = written === undefined ? undefined : numberOf(written);
  return value === undefined ? undefined : { name, labels, value };
}

function numberOf(text: string): number | undefined {
  if (/^\+?inf(inity)?$/i.test(text)) return Infinity;
  if (/^-inf(inity)?$/i.test(text)) return -Infinity;
  if (/^nan$/i.test(text)) return NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function unescape(text: string): string {
  return text.includes("\\") ? text.replaceAll(/\\(.)/g, (_, char) => char === "n" ? "\n" : char) : text;
}
