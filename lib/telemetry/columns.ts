/**
 * A group of values under construction: its schema, and one array per type that samplers write by index.
 *
 * The arrays are reused from sample to sample, so a steady host costs no allocation; when members come or go a new
 * `Columns` replaces the old one, and with it the schema object (see `lib/metrics/snapshot.ts`).
 * @module
 */
import {
  type Group,
  HISTOGRAM_LAYOUT,
  type HistogramValue,
  type Labels,
  type Metric,
  type Schema,
  type SchemaEntry,
  storeBigint,
} from "../metrics/mod.ts";

/** One value of a group: a metric and the labels that tell it from its siblings (`id`, `name`, `pid`…). */
export interface Member {
  readonly metric: Metric;
  readonly labels?: Labels;
}

/** Two words a value, two words a bucket. */
const WORDS = 2;

/** Values of one group. */
export class Columns {
  readonly name: string;
  readonly schema: Schema;
  /** Words of the counters, in the order of the members that are counters. */
  readonly counters: Uint32Array;
  readonly gauges: Uint32Array;
  readonly histograms: readonly HistogramValue[];

  constructor(name: string, schema: Schema) {
    this.name = name;
    this.schema = schema;
    this.counters = new Uint32Array(WORDS * this.schema.counters.length);
    this.gauges = new Uint32Array(WORDS * this.schema.gauges.length);
    this.histograms = this.schema.histograms.map(() => ({
      groupingPower: HISTOGRAM_LAYOUT.groupingPower,
      maxValuePower: HISTOGRAM_LAYOUT.maxValuePower,
      words: new Uint32Array(WORDS * HISTOGRAM_LAYOUT.bucketCount),
    }));
  }

  /** Columns for members: `sampler` becomes a label of each, the name is `<sampler>/<group>`. */
  static of(sampler: string, group: string, members: readonly Member[]): Columns {
    const entries = (type: Metric["type"]): SchemaEntry[] =>
      members.filter((member) => member.metric.type === type).map((member) => entryOf(sampler, member));
    return new Columns(`${sampler}/${group}`, {
      counters: entries("counter"),
      gauges: entries("gauge"),
      histograms: entries("histogram"),
    });
  }

  /** Stores a counter; `index` counts counters only. */
  setCounter(index: number, value: bigint): void {
    storeBigint(this.counters, index, value);
  }

  /** Stores a gauge; `index` counts gauges only. */
  setGauge(index: number, value: bigint): void {
    storeBigint(this.gauges, index, value);
  }

  /** The group with the values as they are now; shares the arrays. */
  toGroup(): Group {
    return {
      name: this.name,
      schema: this.schema,
      counters: { words: this.counters },
      gauges: { words: this.gauges },
      histograms: this.histograms,
    };
  }
}

/** A value's identity in its group's schema. Its column id is the metric's name and the labels' values: readable, and stable over restarts. */
export function entryOf(sampler: string, { metric, labels = {} }: Member): SchemaEntry {
  const all = { ...metric.labels, ...labels };
  const unit = metric.unit === undefined ? {} : { unit: metric.unit };
  return {
    name: [metric.name, ...Object.values(all)].join("/"),
    metadata: { metric: metric.name, sampler, ...unit, ...all },
  };
}
