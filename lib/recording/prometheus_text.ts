/**
 * Answers in Prometheus' text format as snapshots: one group whose window is the request's.
 *
 * Recordings hold 64-bit integers, so fractions are rounded; how many series that touches is told. Counters are what is
 * typed so or, untyped, ends in `_total`, `_sum` or `_count`. A histogram's bounds become values (those in seconds become
 * nanoseconds, others are scaled by powers of ten until the smallest is 1 or more) in an H2 histogram of grouping power
 * 7; what lies above the last bound is counted just behind it. Colons in names become underscores. Established from
 * upstream's recorder (`prometheus.rs`), which drops what lies above the last bound and cuts fractions off. Pure.
 * @module
 */
import {
  bucketIndex,
  type Group,
  type HistogramLayout,
  histogramLayout,
  type HistogramValue,
  type Schema,
  type SchemaEntry,
  type Snapshot,
  storeBigint,
  type Window,
} from "../metrics/mod.ts";
import { type Page, parsePrometheusPage, type Sample } from "./_prometheus_lines.ts";

/** Of histograms made of bounds; relative error is 1/128. */
const GROUPING_POWER = 7;

/** The least range of values of such a histogram: 2⁸. */
const MIN_VALUE_POWER = 8;
const MAX_VALUE_POWER = 64;

/** Name of the one group. */
const GROUP_NAME = "prometheus/scrape";

/** Labels with the metric's name, as in a schema's metadata. */
type Metadata = Readonly<Record<string, string>>;

interface Scalar {
  readonly metadata: Metadata;
  readonly value: number;
}

interface Bounds {
  readonly metadata: Metadata;
  readonly buckets: { readonly bound: number; readonly count: number }[];
}

/** Turns the answers of one endpoint into snapshots; its columns keep their ids from answer to answer. */
export class PrometheusText {
  readonly #ids = new Map<string, string>();
  readonly #help = new Map<string, string>();
  readonly #fractions = new Set<string>();
  #schema: Schema | undefined;
  #schemaKey = "";

  /** Help texts of all answers so far. */
  get help(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#help);
  }

  /** Series whose fractions were rounded away so far. */
  get roundedSeries(): number {
    return this.#fractions.size;
  }

  /** Returns the snapshot of an answer that came in `window`. @throws {SyntaxError} When it is no such text. */
  snapshot(text: string, window: Window): Snapshot {
    const page = parsePrometheusPage(text);
    for (const [name, help] of page.help) this.#help.set(plain(name), help);
    const { counters, gauges, histograms } = sorted(page);
    const values = histograms.map(({ buckets, metadata }) => histogramOf(buckets, metadata["metric"]!));
    const schema = this.#schemaOf(
      counters.map(({ metadata }) => metadata),
      gauges.map(({ metadata }) => metadata),
      histograms.map(({ metadata }, at) => ({
        ...metadata,
        grouping_power: String(GROUPING_POWER),
        max_value_power: String(values[at]!.maxValuePower),
      })),
    );
    const group: Group = {
      name: GROUP_NAME,
      schema,
      window,
      counters: this.#integers(schema.counters, counters, 0n, (1n << 64n) - 1n),
      gauges: this.#integers(schema.gauges, gauges, -(1n << 63n), (1n << 63n) - 1n),
      histograms: values,
    };
    return { timeNs: window.beginNs, durationNs: BigInt(window.widthNs), metadata: {}, groups: [group] };
  }

  #integers(
    entries: readonly SchemaEntry[],
    scalars: readonly Scalar[],
    least: bigint,
    most: bigint,
  ): Group["counters"] {
    const words = new Uint32Array(2 * scalars.length);
    const missing = new Uint8Array(scalars.length);
    scalars.forEach(({ value }, at) => {
      const integer = Number.isFinite(value) ? BigInt(Math.round(value)) : undefined;
      if (integer === undefined || integer < least || integer > most) missing[at] = 1;
      else {
        storeBigint(words, at, integer);
        if (!Number.isInteger(value)) this.#fractions.add(entries[at]!.name);
      }
    });
    return { words, ...(missing.includes(1) ? { missing } : {}) };
  }

  /** The same series in the same order have the same schema: a reader tells by the object that nothing changed. */
  #schemaOf(
    counters: readonly Metadata[],
    gauges: readonly Metadata[],
    histograms: readonly Metadata[],
  ): Schema {
    const key = JSON.stringify([counters, gauges, histograms]);
    if (this.#schema === undefined || key !== this.#schemaKey) {
      const entries = (all: readonly Metadata[]) =>
        all.map((metadata) => ({ name: this.#idOf(metadata), metadata }));
      this.#schema = {
        counters: entries(counters),
        gauges: entries(gauges),
        histograms: entries(histograms),
      };
      this.#schemaKey = key;
    }
    return this.#schema;
  }

  #idOf(metadata: Metadata): string {
    const key = JSON.stringify(Object.entries(metadata).sort());
    let id = this.#ids.get(key);
    if (id === undefined) this.#ids.set(key, id = String(this.#ids.size));
    return id;
  }
}

function plain(name: string): string {
  return name.replaceAll(":", "_");
}

/** Tells samples apart by what they become; of samples with the same name and labels the first counts. */
function sorted({ samples, types }: Page): { counters: Scalar[]; gauges: Scalar[]; histograms: Bounds[] } {
  const counters = new Map<string, Scalar>();
  const gauges = new Map<string, Scalar>();
  const histograms = new Map<string, Bounds>();
  for (const sample of samples) {
    const base = sample.name.replace(/_bucket$/, "");
    const bound = sample.name === base ? undefined : sample.labels.find(([name]) => name === "le")?.[1];
    if (bound !== undefined && types.get(base) === "histogram") {
      const metadata = metadataOf(base, sample.labels.filter(([name]) => name !== "le"));
      const key = JSON.stringify(metadata);
      let known = histograms.get(key);
      if (known === undefined) histograms.set(key, known = { metadata, buckets: [] });
      known.buckets.push({ bound: bound === "+Inf" ? Infinity : Number(bound), count: sample.value });
      continue;
    }
    const metadata = metadataOf(sample.name, sample.labels);
    const key = JSON.stringify(metadata);
    const target = isCounter(sample, types) ? counters : gauges;
    if (!target.has(key)) target.set(key, { metadata, value: sample.value });
  }
  return {
    counters: [...counters.values()],
    gauges: [...gauges.values()],
    histograms: [...histograms.values()].filter(({ buckets }) =>
      buckets.some(({ bound }) => Number.isFinite(bound))
    ),
  };
}

function isCounter({ name }: Sample, types: Page["types"]): boolean {
  // OpenMetrics names a counter's type without the suffix of its samples.
  const type = types.get(name) ?? types.get(name.replace(/_total$/, ""));
  if (type === "counter" || type === "gauge" || type === "summary") return type === "counter";
  return /_(total|sum|count)$/.test(name);
}

function metadataOf(name: string, labels: Sample["labels"]): Metadata {
  const ordered = [...labels].sort(([left], [right]) => left < right ? -1 : left > right ? 1 : 0);
  return { metric: plain(name), ...Object.fromEntries(ordered.filter(([label]) => label !== "metric")) };
}

function histogramOf(buckets: Bounds["buckets"], name: string): HistogramValue {
  const ascending = [...buckets].filter(({ bound, count }) => !Number.isNaN(bound) && Number.isFinite(count))
    .sort((left, right) => left.bound - right.bound);
  const finite = ascending.filter(({ bound }) => Number.isFinite(bound)).map(({ bound }) => bound);
  const scale = name.endsWith("_seconds") ? 1e9 : scaleOf(finite);
  const largest = Math.max(0, ...finite) * scale;
  const layout = layoutFor(largest);
  const words = new Uint32Array(2 * layout.bucketCount);
  let before = 0;
  for (const { bound, count } of ascending) {
    const added = Math.max(0, Math.round(count - before));
    before = Math.max(before, count);
    if (added === 0) continue;
    const value = Number.isFinite(bound) ? Math.max(0, bound * scale) : largest + 1;
    const limit = (1n << BigInt(layout.maxValuePower)) - 1n;
    const rounded = BigInt(Math.floor(value));
    addTo(words, bucketIndex(layout, rounded > limit ? limit : rounded), added);
  }
  return { groupingPower: GROUPING_POWER, maxValuePower: layout.maxValuePower, words };
}

function layoutFor(largest: number): HistogramLayout {
  const power = largest < 1 ? MIN_VALUE_POWER : Math.ceil(Math.log2(largest)) + 1;
  return histogramLayout(GROUPING_POWER, Math.min(MAX_VALUE_POWER, Math.max(MIN_VALUE_POWER, power)));
}

/** The least power of ten by which the smallest bound over 0 is 1 or more. */
function scaleOf(bounds: readonly number[]): number {
  const smallest = Math.min(...bounds.filter((bound) => bound > 0));
  let scale = 1;
  while (smallest * scale < 1 && scale < 1e18) scale *= 10;
  return scale;
}

/** Two bounds can fall into one bucket. */
function addTo(words: Uint32Array, bucket: number, count: number): void {
  const sum = BigInt(words[2 * bucket]!) + (BigInt(words[2 * bucket + 1]!) << 32n) + BigInt(count);
  storeBigint(words, bucket, sum);
}
