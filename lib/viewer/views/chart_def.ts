/** What a chart's definition is, and shorthands for the shapes that return. @module */

/** What numbers of a chart are; decides how they are written. */
export type Unit = "ns" | "bytes" | "bytes/s" | "per second" | "ratio" | "count" | "hertz" | "cores";

/** One query of a chart. */
export interface QueryDef {
  /** PromQL with `$rate(selector)` and `$range`; see `expandQuery`. */
  readonly query: string;
  /** Name of its series: a text, or labels in double braces, as in `{{op}}`. Without it, the labels that differ. */
  readonly name?: string;
}

export interface ChartDef {
  /** Unique within its section. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  /** One sentence for the person who wonders. */
  readonly help: string;
  readonly queries: readonly QueryDef[];
  /** `stack`: areas on each other; `log`: logarithmic axis. By itself: lines on a linear axis from zero. */
  readonly style?: "stack" | "log";
  /** `largest`: the legend begins with the line that has the largest mean, since there are too many to show. */
  readonly order?: "largest";
  /** The top of the axis where it is known. */
  readonly max?: number;
}

/** Charts under one heading. */
export interface GroupDef {
  readonly title: string;
  readonly charts: readonly ChartDef[];
}

export interface SectionDef {
  readonly id: string;
  readonly title: string;
  /** Names of metrics without any of which it is not shown at all. */
  readonly needs?: RegExp;
  readonly groups: readonly GroupDef[];
}

/** Window of a rate where every point is shown: room for a missed tick or four. */
const FINE_WINDOW_POINTS = 5;

/** A series without a point in so many intervals is over: one tick may be late. */
const FRESH_POINTS = 2;

/** Least window of a rate on a coarser grid: of two points that jitter one may lie outside, which would be a gap. */
const COARSE_WINDOW_POINTS = 4;

/**
 * The query for one resolution. At the source's own, `$rate(x)` is the change between two points; on a coarser grid it
 * is the mean over the step, so that nothing between two steps is left out. `$range` is the length of what is shown,
 * `$fresh` the time in which a series that goes on has a point.
 */
export function expandQuery(
  query: string,
  { step, interval, range }: { step: number; interval: number; range: number },
): string {
  const seconds = (value: number) => `${Math.max(1, Math.round(value))}s`;
  const fine = step < 2 * interval;
  const window = seconds(
    fine ? Math.max(10, FINE_WINDOW_POINTS * interval) : Math.max(step, COARSE_WINDOW_POINTS * interval),
  );
  return query
    .replace(
      /\$rate\(([^()]*)\)/g,
      (_, selector: string) => `${fine ? "irate" : "rate"}(${selector}[${window}])`,
    )
    .replaceAll("$range", seconds(range))
    .replaceAll("$fresh", seconds(Math.max(FRESH_POINTS * interval, step)));
}

const PERCENTILES: readonly [string, string][] = [["0.5", "p50"], ["0.9", "p90"], ["0.99", "p99"], [
  "0.999",
  "p99.9",
]];

/** A histogram as lines of its percentiles. */
export function percentiles(chart: Omit<ChartDef, "queries" | "style">, selector: string): ChartDef {
  const queries = PERCENTILES.map(([q, name]) => ({
    name,
    query: `histogram_quantile(${q}, sum($rate(${selector})))`,
  }));
  return { ...chart, style: "log", queries };
}

/** A histogram as a heatmap of its buckets over time. */
export function buckets(chart: Omit<ChartDef, "queries">, selector: string): ChartDef {
  return { ...chart, queries: [{ query: `sum($rate(${selector}))` }] };
}

/** The members with the largest rate over what is shown, by one label. */
export function largest(count: number, label: string, selector: string, factor = ""): string {
  const mean = `topk(${count}, sum by (${label}) (rate(${selector}[$range] @ end())))`;
  return `sum by (${label}) ($rate(${selector}))${factor} and on (${label}) ${mean}`;
}

/** The number of CPUs, from the counters themselves. */
export const CPUS = "scalar(count(count by (id) (cpu_usage)))";

/** CPU nanoseconds a second as a share of all CPUs. */
export function busyShare(by: string): string {
  return `sum${by} ($rate(cpu_usage)) / 1e9 / ${CPUS}`;
}
