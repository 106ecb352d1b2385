/** What a metric is: its type, name, unit, help and labels, apart from any value. @module */

/** A counter only grows, a gauge goes both ways, a histogram counts into H2 buckets. */
export type MetricType = "counter" | "gauge" | "histogram";

/** Label names and values; the metric's own name is not among them. */
export type Labels = Readonly<Record<string, string>>;

/** One metric, before it is split by CPU, cgroup or task. */
export interface Metric {
  readonly type: MetricType;
  /** As upstream spells it, for example `cpu_usage`. */
  readonly name: string;
  /** What one step of the value is: `nanoseconds`, `bytes`, `packets`… */
  readonly unit?: string;
  /** One sentence for a person. */
  readonly help: string;
  readonly labels: Labels;
}

/** Everything of a metric but type and name. */
export interface MetricOptions {
  readonly unit?: string;
  readonly help: string;
  readonly labels?: Labels;
}

/** A value that only grows (and may wrap at 2⁶⁴). */
export function counter(name: string, options: MetricOptions): Metric {
  return { ...options, type: "counter", name, labels: options.labels ?? {} };
}

/** A signed value that goes both ways. */
export function gauge(name: string, options: MetricOptions): Metric {
  return { ...options, type: "gauge", name, labels: options.labels ?? {} };
}

/** A distribution, counted into the buckets of `HISTOGRAM_LAYOUT` unless its group says otherwise. */
export function histogram(name: string, options: MetricOptions): Metric {
  return { ...options, type: "histogram", name, labels: options.labels ?? {} };
}
