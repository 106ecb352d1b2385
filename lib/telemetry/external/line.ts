/**
 * The line protocol: `name{key="value"} counter:12`, `gauge:-3`, `histogram:3,64:0 5 1`; `# SESSION key="value"` gives
 * labels to all that follows on the connection; other lines with `#` and empty ones say nothing.
 *
 * Ours alone, and nothing to other agents: `# EVENT source="nix-btm",name="build",text="…"` (further labels `severity`,
 * `time_ms`, `duration_ms`), `# GONE name{key="value"}` for a metric that is over, `# HELP name What it means`.
 * @module
 */
import { type Labels, storeBigint } from "../../metrics/mod.ts";
import { histogramValue, type PushedItem, type PushedValue, scalarValue } from "./pushed.ts";

/** Metric and label names, as Prometheus allows them. */
const NAME = /[A-Za-z_:][\w:./-]*/y;

/** Reads a line; `undefined` when it says nothing. @throws {SyntaxError} Telling what was expected where. */
export function parseLine(line: string): PushedItem | undefined {
  const text = line.trim();
  if (text.startsWith("# SESSION ")) {
    return { kind: "session", labels: new Reader(text, "# SESSION ".length).labels(undefined) };
  }
  if (text.startsWith("# EVENT ")) {
    return { kind: "event", labels: new Reader(text, "# EVENT ".length).labels(undefined) };
  }
  if (text.startsWith("# GONE ")) {
    const reader = new Reader(text, "# GONE ".length);
    return { kind: "gone", name: reader.name("a metric's name"), labels: reader.optionalLabels() };
  }
  const [, described, help] = /^# HELP ([A-Za-z_:][\w:./-]*) (.+)$/.exec(text) ?? [];
  if (described !== undefined) return { kind: "help", name: described, text: help! };
  if (text === "" || text.startsWith("#")) return undefined;
  const reader = new Reader(text, 0);
  const name = reader.name("a metric's name");
  const labels = reader.optionalLabels();
  reader.expect(" ", "a space and the value");
  return { kind: "metric", metric: { name, labels, value: parseValue(text.slice(reader.at).trim()) } };
}

function parseValue(text: string): PushedValue {
  const [, type, rest] = /^(counter|gauge|histogram):(.*)$/s.exec(text) ?? [];
  if (type === "counter" || type === "gauge") return scalarValue(type, integer(rest!.trim(), type));
  if (type === undefined) {
    throw new SyntaxError(`Cannot read value "${cut(text)}": expected counter:, gauge: or histogram:`);
  }
  const [, grouping, max, buckets] = /^\s*(\d{1,2})\s*,\s*(\d{1,2})\s*:(.*)$/s.exec(rest!) ?? [];
  if (grouping === undefined) {
    throw new SyntaxError(`Cannot read histogram "${cut(text)}": expected histogram:GROUPING,MAX:BUCKETS`);
  }
  const counts = buckets!.trim() === "" ? [] : buckets!.trim().split(/\s+/);
  const words = new Uint32Array(2 * counts.length);
  counts.forEach((count, at) => storeBigint(words, at, bucketCount(count)));
  return histogramValue(Number(grouping), Number(max), words);
}

function bucketCount(text: string): bigint {
  const value = integer(text, "bucket");
  if (value < 0n || BigInt.asUintN(64, value) !== value) {
    throw new RangeError(`Cannot take bucket: ${value} is no count`);
  }
  return value;
}

function integer(text: string, what: string): bigint {
  if (!/^-?\d{1,20}$/.test(text)) {
    throw new SyntaxError(`Cannot read ${what} "${cut(text)}": expected a whole number`);
  }
  return BigInt(text);
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** Walks over a line. */
class Reader {
  constructor(readonly text: string, public at: number) {}

  take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  expect(character: string, what: string): void {
    if (!this.take(character)) throw this.error(what);
  }

  name(what: string): string {
    NAME.lastIndex = this.at;
    const found = NAME.exec(this.text)?.[0];
    if (found === undefined) throw this.error(what);
    this.at += found.length;
    return found;
  }

  optionalLabels(): Labels {
    return this.take("{") ? this.labels("}") : {};
  }

  /** `key="value",…` up to `end` (or the end of the line). Values may hold `\"`, `\\` and `\n`. */
  labels(end: string | undefined): Labels {
    const labels: Record<string, string> = {};
    for (;;) {
      this.#skipSpace();
      if (end === undefined ? this.at === this.text.length : this.take(end)) return labels;
      const key = this.name("a label's name");
      this.expect("=", `"=" behind label "${key}"`);
      labels[key] = this.#value(end);
      this.#skipSpace();
      if (this.take(",")) continue;
      if (end === undefined ? this.at === this.text.length : this.take(end)) return labels;
      throw this.error(end === undefined ? '","' : `"," or "${end}"`);
    }
  }

  #value(end: string | undefined): string {
    if (!this.take('"')) {
      const bare = new RegExp(`[^,\\s${end ?? ""}"]+`, "y");
      bare.lastIndex = this.at;
      const found = bare.exec(this.text)?.[0];
      if (found === undefined) throw this.error("a label's value");
      this.at += found.length;
      return found;
    }
    let value = "";
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined) throw this.error(`'"' at the end of a label's value`);
      if (character === '"') return value;
      if (character !== "\\") value += character;
      else {
        const escaped = this.text[this.at++];
        value += escaped === "n" ? "\n" : escaped ?? "";
      }
    }
  }

  #skipSpace(): void {
    while (this.text[this.at] === " ") this.at++;
  }

  error(expected: string): SyntaxError {
    const found = this.at < this.text.length ? `"${cut(this.text.slice(this.at))}"` : "its end";
    return new SyntaxError(`Cannot read line at column ${this.at + 1}: found ${found}, expected ${expected}`);
  }
}
