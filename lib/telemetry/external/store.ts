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
import { EVENT_LIMITS, type EventLimits, EventLog } from "../../events/mod.ts";
import { Columns } from "../columns.ts";
import type { Pushed } from "./pushed.ts";

/** Limits of a store. What is pushed beyond them is refused and counted. */
export interface StoreLimits {
  readonly maxMetrics: number;
  readonly ttlMs: number;
  /** Names that pushed metrics must not take. */
  readonly reserved: ReadonlySet<string>;
  readonly events?: EventLimits;
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

/** Longest sentence about a metric. */
const MAX_HELP_CHARS = 500;
/** Metrics that sentences are kept of. */
const MAX_DESCRIBED = 1_000;

/** Events that programs pushed, by what became of them. */
function events(outcome: string): Metric {
  const help = "Events that programs pushed, by what became of them";
  return counter("rezolus_external_events", { help, labels: { outcome } });
}

/** In the order in which `#own` tells them. */
const METRICS = [
  values("kept"),
  values("refused"),
  values("invalid"),
  counter("rezolus_external_expired", { help: "Pushed metrics that were forgotten" }),
  events("kept"),
  events("refused"),
  events("dropped"),
  events("expired"),
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
  /** What happened, as told. */
  readonly events: EventLog;
  readonly #help = new Map<string, string>();
  readonly #counts = Columns.of("rezolus_external", "pushes", METRICS.map((metric) => ({ metric })));
  readonly #kept = new Map<string, Kept>();
  #received = 0;
  #refused = 0;
  #invalid = 0;
  #expired = 0;
  #refusedEvents = 0;
  #bytes = 0;
  /** Rebuilt when members come or go. */
  #schema: Schema | undefined;

  /** @param startedMs Unix time, for the numbers of events. */
  constructor(limits: StoreLimits, startedMs = 0) {
    this.#limits = limits;
    this.events = new EventLog(limits.events ?? EVENT_LIMITS, startedMs);
  }

  /** Help of its own metrics, and of those that were described. */
  get metrics(): readonly Pick<Metric, "name" | "help">[] {
    return [...METRICS, ...[...this.#help].map(([name, help]) => ({ name, help }))];
  }

  /** Keeps a value; says why not when it is refused. */
  push(pushed: Pushed, nowMs: number): string | undefined {
    const { name, value } = pushed;
    const key = keyOf(value.type, pushed);
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

  /** Forgets a metric that is over. */
  forget(metric: Pick<Pushed, "name" | "labels">): void {
    for (const type of ["counter", "gauge", "histogram"] as const) this.#remove(keyOf(type, metric));
  }

  /** Keeps what a metric means; says why not when it is refused. */
  describe(name: string, text: string): string | undefined {
    if (this.#limits.reserved.has(name) || OWN_NAMES.has(name)) {
      return `"${name}" is a metric of the agent itself`;
    }
    if (name.length + text.length > MAX_HELP_CHARS) {
      return `its help has ${text.length} characters, at most ${MAX_HELP_CHARS} with its name are taken`;
    }
    if (!this.#help.has(name) && this.#help.size >= MAX_DESCRIBED) {
      return `${MAX_DESCRIBED} metrics are described already`;
    }
    this.#help.set(name, text);
    return undefined;
  }

  /** Counts an event that was refused. */
  countRefusedEvent(): void {
    this.#refusedEvents++;
  }

  #remove(key: string): boolean {
    const kept = this.#kept.get(key);
    if (kept === undefined) return false;
    this.#kept.delete(key);
    this.#bytes -= kept.bytes;
    this.#schema = undefined;
    return true;
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
    for (const [key, { atMs }] of this.#kept) {
      if (nowMs - atMs > this.#limits.ttlMs && this.#remove(key)) this.#expired++;
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
    const { taken, dropped, expired: old } = this.events.counts;
    [received, refused, invalid, expired, taken, this.#refusedEvents, dropped, old].forEach((count, at) =>
      this.#counts.setCounter(at, BigInt(count))
    );
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

function keyOf(type: Pushed["value"]["type"], { name, labels }: Pick<Pushed, "name" | "labels">): string {
  return `${type} ${name} ${JSON.stringify(Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1))}`;
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
