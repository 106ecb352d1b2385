/** Pushed metrics, kept until they expire; told as one group. Pure: the time is an argument. @module */
import type { Group, HistogramValue, Schema, SchemaEntry } from "../../metrics/mod.ts";
import type { Pushed } from "./pushed.ts";

/** Limits of a store. What is pushed beyond them is refused and counted. */
export interface StoreLimits {
  readonly maxMetrics: number;
  readonly ttlMs: number;
  /** Names that pushed metrics must not take. */
  readonly reserved: ReadonlySet<string>;
}

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
  value: Pushed["value"];
  atMs: number;
}

/** Keeps what is pushed. */
export class ExternalStore {
  readonly #limits: StoreLimits;
  readonly #kept = new Map<string, Kept>();
  #received = 0;
  #refused = 0;
  #invalid = 0;
  #expired = 0;
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
      const reason = this.#limits.reserved.has(name)
        ? `"${name}" is a metric of the agent itself`
        : before === undefined && this.#kept.size >= this.#limits.maxMetrics
        ? `there are ${this.#limits.maxMetrics} metrics already`
        : undefined;
      if (reason !== undefined) {
        this.#refused++;
        return reason;
      }
      this.#kept.set(key, { entry: entryOf(pushed), value, atMs: nowMs });
      this.#schema = undefined;
    }
    this.#received++;
    return undefined;
  }

  /** Counts something that could not be read. */
  countInvalid(): void {
    this.#invalid++;
  }

  /** What is alive now; no group when nothing is. */
  groups(nowMs: number): readonly Group[] {
    for (const [key, { atMs }] of this.#kept) {
      if (nowMs - atMs <= this.#limits.ttlMs) continue;
      this.#kept.delete(key);
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
