/** Which series an entry of a schema is: its labels, without what only describes the value. @module */
import { type Labels, type MetricType, type SchemaEntry } from "../metrics/mod.ts";
import type { SeriesInfo } from "./series.ts";

/** Metadata that describes a value and does not tell series apart. */
const DESCRIPTIVE = new Set(["metric", "unit", "metric_type", "grouping_power", "max_value_power"]);

/** The series of an entry: `__name__` is its `metric` (or its column's name), all other metadata are labels. */
export function seriesOf(entry: SchemaEntry, type: MetricType): SeriesInfo {
  const labels: Record<string, string> = { __name__: entry.metadata.metric ?? entry.name };
  for (const [name, value] of Object.entries(entry.metadata)) {
    if (!DESCRIPTIVE.has(name) && value !== "") labels[name] = value;
  }
  const unit = entry.metadata.unit;
  return unit === undefined ? { labels, type } : { labels, type, unit };
}

/** A text that is equal for equal labels, whatever their order. */
export function identity(labels: Labels, type: MetricType): string {
  const parts = Object.keys(labels).sort().map((name) => `${name}\u0001${labels[name]}`);
  return `${type}\u0000${parts.join("\u0000")}`;
}
