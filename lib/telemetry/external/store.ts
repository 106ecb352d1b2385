/** Pushed metrics, kept until they expire; told as one group. Pure: the time is an argument. @module */
import {
  counter,
  gauge,
  type Group,
  type HistogramValue,
  type Metric,
  type Schema,
  type SchemaEntry,
} from "../../metrics/mod.ts";
import { Columns } from "../columns.ts";
import type { Pushed } from "./pushed.ts";

/** Limits of a store. What is pushed beyond them is refused and counted. */
export interface StoreLimits {
  readonly maxMetrics: number;
  readonly ttlMs: number;
  /** Names that pushed metrics must not take. */
  readonly reserved: ReadonlySet<string>;
}

/** Names, labels and values of all metrics together: 100,000 counters of usual labels take half of it. */
const MAX_STORE_BYTES = 64 << 20;

/** Longest name with its labels. Real ones have some hundred characters. */
export const MAX_IDENTITY_CHARS = 2_048;

/** Values that programs pushed, by what became of them. */
function values(outcome: string): Metric {
  const help = "Values that programs pushed, by what became of them";
  return counter("rezolus_external_values", { help, labels: { outcome } });
}

/** In the order in which `#own` tells them. */
const METRICS = [
  values("kept"),
  values("refused"),
  values("invalid"),
  counter("rezolus_external_expired", { help: "Pushed metrics that were forgotten" }),
  gauge("rezolus_external_metrics", { help: "Pushed metrics that are alive" }),
];

const OWN_NAMES = new Set(METRICS.map(({ name }) => name));

/** What a store has seen. */
export interface StoreCounts {
  readonly metrics: number;
  readonly received: number;
  readonly refused: number;
  readonly invalid: number;
  readonly expired: number;
}

interface Kept {
  readonly entry: SchemaEntry;
  readonly bytes: number;
  value: Pushed["value"];
  atMs: number;
}

/** Keeps what is pushed. */
export class ExternalStore {
  readonly #limits: StoreLimits;
  readonly metrics = METRICS;
  readonly #counts = Columns.of("rezolus_external", "pushes", METRICS.map((metric) => ({ metric })));
  readonly #kept = new Map<string, Kept>();
  #received = 0;
  #refused = 0;
  #invalid = 0;
  #expired = 0;
  #bytes = 0;
  /** Rebuilt when members come or go. */
  #schema: Schema | undefined;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** Keeps a value; says why not when it is refused. */
  push(pushed: Pushed, nowMs: number): string | undefined {
    const { name, labels, value } = pushed;
    const key = `${value.type} ${name} ${
      JSON.stringify(Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1))
    }`;
    const before = this.#kept.get(key);
    if (before !== undefined && sameLayout(before.value, value)) {
      before.value = value;
      before.atMs = nowMs;
    } else {
      const bytes = keptBytes(key, value);
      const reason = this.#reasonAgainst(name, key, before, bytes);
      if (reason !== undefined) {
        this.#refused++;
        return reason;
      }
      this.#kept.set(key, { entry: entryOf(pushed), bytes, value, atMs: nowMs });
      this.#bytes += bytes - (before?.bytes ?? 0);
      this.#schema = undefined;
    }
    this.#received++;
    return undefined;
  }

  #reasonAgainst(name: string, key: string, before: Kept | undefined, bytes: number): string | undefined {
    if (this.#limits.reserved.has(name) || OWN_NAMES.has(name)) {
      return `"${name}" is a metric of the agent itself`;
    }
    if (key.length > MAX_IDENTITY_CHARS) {
      return `its name and labels have ${key.length} characters, at most ${MAX_IDENTITY_CHARS} are taken`;
    }
    if (before === undefined && this.#kept.size >= this.#limits.maxMetrics) {
      return `there are ${this.#limits.maxMetrics} metrics already`;
    }
    if (this.#bytes - (before?.bytes ?? 0) + bytes > MAX_STORE_BYTES) {
      return `the metrics already take ${this.#bytes} of ${MAX_STORE_BYTES} bytes`;
    }
    return undefined;
  }

  /** Counts something that could not be read. */
  countInvalid(): void {
    this.#invalid++;
  }

  /** What is alive now, and what became of all that was pushed. */
  groups(nowMs: number): readonly Group[] {
    return [...this.#pushed(nowMs), this.#own()];
  }

  #pushed(nowMs: number): readonly Group[] {
    for (const [key, { atMs, bytes }] of this.#kept) {
      if (nowMs - atMs <= this.#limits.ttlMs) continue;
      this.#kept.delete(key);
      this.#bytes -= bytes;
      this.#expired++;
      this.#schema = undefined;
    }
    if (this.#kept.size === 0) return [];
    const of = (type: string) => [...this.#kept.values()].filter(({ value }) => value.type === type);
    const [counters, gauges, histograms] = [of("counter"), of("gauge"), of("histogram")];
    this.#schema ??= {
      counters: counters.map(({ entry }) => entry),
      gauges: gauges.map(({ entry }) => entry),
      histograms: histograms.map(({ entry }) => entry),
    };
    return [{
      name: "external/pushed",
      schema: this.#schema,
      counters: { words: joined(counters) },
      gauges: { words: joined(gauges) },
      histograms: histograms.map(({ value }) => value as HistogramValue & { type: "histogram" }),
    }];
  }

  #own(): Group {
    const { metrics, received, refused, invalid, expired } = this.counts();
    [received, refused, invalid, expired].forEach((count, at) => this.#counts.setCounter(at, BigInt(count)));
    this.#counts.setGauge(0, BigInt(metrics));
    return this.#counts.toGroup();
  }

  /** What has been seen so far. */
  counts(): StoreCounts {
    return {
      metrics: this.#kept.size,
      received: this.#received,
      refused: this.#refused,
      invalid: this.#invalid,
      expired: this.#expired,
    };
  }
}

/** Its key, its column id and its labels hold the same characters; the rest of an entry is objects. */
function keptBytes(key: string, value: Pushed["value"]): number {
  return 3 * key.length + value.words.byteLength + ENTRY_BYTES;
}

const ENTRY_BYTES = 200;

function sameLayout(left: Pushed["value"], right: Pushed["value"]): boolean {
  return left.type !== "histogram" ||
    (right.type === "histogram" && left.groupingPower === right.groupingPower &&
      left.maxValuePower === right.maxValuePower);
}

/** The ids of pushed metrics begin with `ext_`, as upstream's, and can meet none of the agent's own. */
function entryOf({ name, labels, value }: Pushed): SchemaEntry {
  const layout = value.type === "histogram"
    ? { grouping_power: String(value.groupingPower), max_value_power: String(value.maxValuePower) }
    : {};
  return {
    name: [`ext_${name}`, ...Object.entries(labels).map(([key, each]) => `${key}=${each}`)].join("/"),
    metadata: { ...labels, ...layout, metric: name, sampler: "external" },
  };
}

function joined(kept: readonly Kept[]): Uint32Array {
  const words = new Uint32Array(2 * kept.length);
  kept.forEach(({ value }, at) => words.set(value.words, 2 * at));
  return words;
}
