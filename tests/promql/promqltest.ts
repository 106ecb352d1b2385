/** Reads and runs scripts of Prometheus' own test language against our engine. @module */
import {
  compareLabels,
  EvaluationError,
  type Grid,
  parse,
  ParseError,
  query,
  type QueryResult,
} from "../../lib/promql/mod.ts";
import type { Labels } from "../../lib/metrics/mod.ts";
import type { NumberSeries, SeriesInfo, SeriesSource } from "../../lib/tsdb/mod.ts";

/** What became of one `eval`. `unsupported` ones use data that our stores cannot hold (native histograms). */
export interface Outcome {
  readonly line: number;
  readonly query: string;
  readonly state: "pass" | "fail" | "unsupported";
  readonly why?: string;
}

/** Series loaded by a script, each with its own times. */
class Loaded implements SeriesSource {
  readonly intervalSeconds = 1;
  readonly #series: NumberSeries[] = [];
  #infos: SeriesInfo[] = [];
  add(series: NumberSeries): void {
    const same = this.#series.findIndex((one) => compareLabels(one.labels, series.labels) === 0);
    if (same >= 0) this.#series[same] = joined(this.#series[same]!, series);
    else this.#series.push(series);
    this.#infos = this.#series.map(({ labels, type }) => ({ labels, type }));
  }
  clear(): void {
    this.#series.length = 0;
    this.#infos = [];
  }
  range() {
    return undefined;
  }
  series() {
    return this.#infos;
  }
  read(info: SeriesInfo) {
    return this.#series[this.#infos.indexOf(info)]!;
  }
  help() {
    return {};
  }
}

function joined(a: NumberSeries, b: NumberSeries): NumberSeries {
  const points = new Map<number, [number, number]>();
  for (const one of [a, b]) {
    one.times.forEach((t, i) => points.set(t, [one.values[i]!, one.missing?.[i] ?? 0]));
  }
  const sorted = [...points].sort((x, y) => x[0] - y[0]);
  return {
    ...a,
    times: Float64Array.from(sorted, ([t]) => t),
    values: Float64Array.from(sorted, ([, [v]]) => v),
    missing: Uint8Array.from(sorted, ([, [, m]]) => m),
  };
}

interface Expectation {
  fail?: boolean;
  failMsg?: string;
  failRegex?: RegExp;
  ordered?: boolean;
  string?: string;
  range?: { fromMs: number; toMs: number; stepMs: number };
  scalar?: string;
  series: { labels: Labels; points: (number | undefined)[] }[];
  unsupported?: string;
}

/** Seconds of `1h30m` or of a plain number. */
function seconds(text: string): number {
  const found = parse(text);
  const value = found.kind === "number" ? found.value : NaN;
  if (Number.isNaN(value)) throw new SyntaxError(`Cannot read duration "${text}"`);
  return value;
}

/** Runs a script and tells of each `eval`. */
export function runScript(text: string): Outcome[] {
  const lines = text.split("\n");
  const source = new Loaded();
  const outcomes: Outcome[] = [];
  const poisoned = new Set<string>();
  for (let at = 0; at < lines.length;) {
    const line = lines[at]!.trim();
    const number = at + 1;
    const block: string[] = [];
    at++;
    if (line === "" || line.startsWith("#")) continue;
    while (at < lines.length && lines[at]!.trim() !== "" && !/^(eval|load|clear)/.test(lines[at]!)) {
      if (!lines[at]!.trim().startsWith("#")) block.push(lines[at]!.trim());
      at++;
    }
    if (line === "clear") {
      source.clear();
      poisoned.clear();
    } else if (line.startsWith("load")) {
      for (const name of load(source, line, block)) poisoned.add(name);
    } else if (line.startsWith("eval")) {
      outcomes.push(evaluate(source, line, block, { line: number, poisoned }));
    }
  }
  return outcomes;
}

/** Returns the names of what could not be loaded. */
function load(source: Loaded, line: string, block: readonly string[]): Set<string> {
  const step = seconds(line.split(/\s+/)[1]!);
  const poisoned = new Set<string>();
  const native = line.startsWith("load_with_nhcb");
  for (const entry of block) {
    if (native) poisoned.add(/^[\w:]*/.exec(entry)![0].replace(/_bucket$/, ""));
    if (/^[\w:]*(\{[^}]*\})?@st/.test(entry)) {
      poisoned.add(/^[\w:]*/.exec(entry)![0]);
      continue;
    }
    const metric = readMetric(entry);
    const rest = entry.slice(metric.end).trim();
    if (rest.includes("{{")) {
      poisoned.add(metric.labels.__name__ ?? "");
      continue;
    }
    const times: number[] = [];
    const values: number[] = [];
    const missing: number[] = [];
    readPoints(rest).forEach((point, i) => {
      if (point === undefined) return;
      times.push(Math.round(i * step * 1000) / 1000);
      values.push(point === "stale" ? 0 : point);
      missing.push(point === "stale" ? 1 : 0);
    });
    source.add({
      kind: "number",
      type: "gauge",
      labels: metric.labels,
      times: Float64Array.from(times),
      values: Float64Array.from(values),
      missing: Uint8Array.from(missing),
    });
  }
  return poisoned;
}

/** A metric in front of a line: found by taking the longest front that parses as a selector. */
function readMetric(text: string): { labels: Labels; end: number } {
  const plain = /^[A-Za-z_:][\w:]*/.exec(text)?.[0] ?? "";
  let end = plain.length;
  while (/^\s+\{(?!\{)/.test(text.slice(end)) && plain !== "") end++;
  if (text[end] === "{" && text[end + 1] !== "{") {
    let quote = "";
    for (end++; quote !== "" || text[end] !== "}"; end++) {
      if (end >= text.length) throw new SyntaxError(`Cannot read series: "${text}"`);
      if (quote !== "" && text[end] === "\\" && quote !== "`") end++;
      else if (quote === "") quote = /["'`]/.test(text[end]!) ? text[end]! : "";
      else if (text[end] === quote) quote = "";
    }
    end++;
  }
  const source = text.slice(0, end);
  const body = source.slice(plain.length).trim();
  if (/^(\{\s*\})?$/.test(body)) return { labels: plain === "" ? {} : { __name__: plain }, end };
  const selector = parse(
    plain === "" ? body.replace(/\}$/, `${/[{,]\s*\}$/.test(body) ? "" : ","}__x__="x"}`) : source,
  );
  if (selector.kind !== "vectorSelector") throw new SyntaxError(`Cannot read series: "${source}"`);
  const labels: Record<string, string> = {};
  for (const { name, value } of selector.matchers) if (name !== "__x__" && value !== "") labels[name] = value;
  return { labels, end };
}

function readPoints(text: string): (number | "stale" | undefined)[] {
  const out: (number | "stale" | undefined)[] = [];
  for (const part of text.split(/\s+/).filter((word) => word !== "")) {
    const gap = /^_(?:x(\d+))?$/.exec(part);
    const run =
      /^([+-]?(?:[\d.]+(?:e[+-]?\d+)?|inf|nan))(?:([+-](?:[\d.]+(?:e[+-]?\d+)?|inf|nan)))?(?:x(\d+))?$/i.exec(
        part,
      );
    if (gap) { for (let i = 0; i < Number(gap[1] ?? 1); i++) out.push(undefined); }
    else if (/^stale(x\d+)?$/.test(part)) {
      for (let i = 0; i <= Number(part.slice(6) || 0); i++) out.push("stale");
    } else if (run) {
      const count = run[3] === undefined ? 0 : Number(run[3]);
      for (let i = 0; i <= count; i++) {
        out.push(toNumber(run[1]!) + i * (run[2] === undefined ? 0 : toNumber(run[2])));
      }
    } else throw new SyntaxError(`Cannot read points: "${part}"`);
  }
  return out;
}

function toNumber(text: string): number {
  const word = text.toLowerCase().replace(/^\+/, "");
  if (word === "inf") return Infinity;
  if (word === "-inf") return -Infinity;
  return word === "nan" || word === "-nan" ? NaN : Number(word);
}

function readExpectation(block: readonly string[]): Expectation {
  const found: Expectation = { series: [] };
  for (const line of block) {
    const expect = /^expect\s+(\S+)\s*(.*)$/.exec(line);
    if (expect !== null) {
      const [, what, rest] = expect as unknown as [string, string, string];
      if (what === "fail") {
        found.fail = true;
        if (rest.startsWith("msg:")) found.failMsg = rest.slice(4).trim();
        if (rest.startsWith("regex:")) found.failRegex = new RegExp(rest.slice(6).trim());
      } else if (what === "ordered") found.ordered = true;
      else if (what === "string") {
        const literal = parse(rest);
        if (literal.kind === "string") found.string = literal.value;
      } else if (what === "range") {
        const span = /vector from (\S+) to (\S+) step (\S+)/.exec(rest)!;
        const [fromMs, toMs, stepMs] = span.slice(1).map((text) => Math.round(seconds(text) * 1000)) as [
          number,
          number,
          number,
        ];
        found.range = { fromMs, toMs, stepMs };
      }
      continue; // Annotations (warn, info) are not compared yet.
    }
    if (line.includes("{{")) found.unsupported = "expects native histograms";
    else if (/^[+-]?(?:[\d.]|inf\b|nan\b)/i.test(line)) found.scalar = line;
    else {
      const metric = readMetric(line);
      const points = readPoints(line.slice(metric.end)).map((point) => point === "stale" ? undefined : point);
      found.series.push({ labels: metric.labels, points });
    }
  }
  return found;
}

function evaluate(
  source: SeriesSource,
  line: string,
  block: readonly string[],
  { line: number, poisoned }: { line: number; poisoned: ReadonlySet<string> },
): Outcome {
  const instant = /^eval(?:_\w+)?\s+instant\s+at\s+(\S+)\s+(.*)$/.exec(line);
  const range = /^eval(?:_\w+)?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.*)$/.exec(line);
  const text = instant?.[2] ?? range?.[4] ?? line;
  const done = (state: Outcome["state"], why?: string): Outcome =>
    why === undefined ? { line: number, query: text, state } : { line: number, query: text, state, why };
  try {
    const expected = readExpectation(block);
    if (line.startsWith("eval_fail")) expected.fail = true;
    const touched = [...poisoned].some((name) => new RegExp(`\\b${name}\\b`).test(text)) ||
      poisoned.size > 0 && /(^|[^\w}])\{/.test(text);
    if (touched || expected.unsupported !== undefined) {
      return done("unsupported", expected.unsupported ?? "native data");
    }
    const grid = instant ? instantGrid(seconds(instant[1]!)) : rangeGrid(range!.slice(1, 4).map(seconds));
    const result = attempt(source, text, grid);
    if (result instanceof Error) {
      if (!expected.fail) return done("fail", result.message);
      if (expected.failMsg !== undefined && !result.message.includes(expected.failMsg)) {
        return done("fail", result.message);
      }
      if (expected.failRegex !== undefined && !expected.failRegex.test(result.message)) {
        return done("fail", result.message);
      }
      return done("pass");
    }
    if (expected.fail) return done("fail", "it did not fail");
    const why = differs(result, expected);
    if (why !== undefined) return done("fail", why);
    if (instant && result.type !== "string" && result.type !== "matrix") {
      const again = instantAsRange(source, text, { grid, result });
      if (again !== undefined) return done("fail", `as range: ${again}`);
    }
    return done("pass");
  } catch (error) {
    return done("fail", error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

function attempt(source: SeriesSource, text: string, grid: Grid): QueryResult | Error {
  try {
    return query(source, { query: text, grid }, { delayedNames: true });
  } catch (error) {
    if (error instanceof ParseError || error instanceof EvaluationError) return error;
    throw error;
  }
}

function instantGrid(at: number): Grid {
  return { startMs: Math.round(at * 1000), stepMs: 0, count: 1 };
}

function rangeGrid([from, to, step]: number[]): Grid {
  const stepMs = Math.round(step! * 1000);
  return {
    startMs: Math.round(from! * 1000),
    stepMs,
    count: Math.floor(((to! - from!) * 1000) / stepMs) + 1,
  };
}

/** As upstream does: the instant must also be the middle of [t − 1m, t + 1m] in steps of a minute. */
function instantAsRange(
  source: SeriesSource,
  text: string,
  { grid, result }: { grid: Grid; result: QueryResult },
): string | undefined {
  if (/\b(sort|start|end|range|step)\w*\s*\(|\b(topk|bottomk)\b/.test(text)) return undefined;
  const wide = attempt(source, text, { startMs: grid.startMs - 60_000, stepMs: 60_000, count: 3 });
  if (wide instanceof Error) return undefined; // At another of its steps it may fail.
  if (result.type === "scalar" && wide.type === "scalar") {
    return close(wide.values[1]!, result.values[0]!) ? undefined : `${wide.values[1]} at the middle`;
  }
  if (result.type !== "vector" || wide.type !== "vector") return "another type";
  const middle = wide.rows.filter((row) => row.present[1] === 1);
  return compareSeries(
    middle.map(({ labels, values }) => ({ labels, points: [values[1]!] })),
    result.rows.map(({ labels, values }) => ({ labels, points: [values[0]!] })),
    false,
  );
}

function differs(result: QueryResult, expected: Expectation): string | undefined {
  switch (result.type) {
    case "string":
      return result.value === expected.string ? undefined : `string is ${JSON.stringify(result.value)}`;
    case "scalar": {
      if (expected.scalar === undefined) {
        const points = expected.series[0]?.points;
        return points?.every((point, i) => close(result.values[i]!, point!))
          ? undefined
          : `scalar is ${result.values}`;
      }
      return close(result.values[0]!, toNumber(expected.scalar))
        ? undefined
        : `scalar is ${result.values[0]}`;
    }
    case "matrix": {
      const { fromMs, stepMs, toMs } = expected.range ?? { fromMs: 0, stepMs: 1, toMs: 0 };
      const count = (toMs - fromMs) / stepMs + 1;
      const rows = result.samples.flatMap((samples) => {
        if (samples.kind !== "number") return [];
        const points = Array.from(
          { length: count },
          (_, i) => samples.values[samples.times.indexOf((fromMs + i * stepMs) / 1000)],
        );
        return [{ labels: samples.labels, points }];
      });
      return compareSeries(rows, expected.series, false);
    }
    case "vector": {
      const rows = result.rows.map((row) => ({
        labels: row.labels,
        points: Array.from(row.values, (value, i) => row.present[i] === 1 ? value : undefined),
      }));
      return compareSeries(rows, expected.series, expected.ordered ?? false);
    }
  }
}

interface Points {
  labels: Labels;
  points: readonly (number | undefined)[];
}

function compareSeries(
  found: readonly Points[],
  expected: readonly Points[],
  ordered: boolean,
): string | undefined {
  const show = (list: readonly Points[]) =>
    list.map(({ labels, points }) => `${JSON.stringify(labels)} ${points.join(" ")}`).join("; ");
  const fail = () => `found ${show(found)} | expected ${show(expected)}`.slice(0, 900);
  const wanted = expected.filter(({ points }) => points.some((point) => point !== undefined));
  if (found.length !== wanted.length) return fail();
  const [left, right] = [found, wanted].map((list) =>
    ordered ? list : [...list].sort((a, b) => compareLabels(a.labels, b.labels))
  ) as [Points[], Points[]];
  for (let i = 0; i < left.length; i++) {
    if (compareLabels(left[i]!.labels, right[i]!.labels) !== 0) return fail();
    const width = Math.max(left[i]!.points.length, right[i]!.points.length);
    for (let k = 0; k < width; k++) {
      const [a, b] = [left[i]!.points[k], right[i]!.points[k]];
      if (a === undefined || b === undefined ? a !== b : !close(a, b)) return fail();
    }
  }
  return undefined;
}

function close(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b), 1e-300);
}
