/**
 * Snapshots as JSON, the agent's `/metrics/json`: the same structure as V2 or V3 with named fields, as `serde_json`
 * writes it. Every 64-bit integer keeps all its digits, also beyond 2⁵³, where `JSON.stringify` would round.
 * @module
 */
import { histogramLayout } from "./histogram_layout.ts";
import { schemaWire } from "./schema_wire.ts";
import type { Group, HistogramValue, SchemaEntry, Snapshot, Values, Window } from "./snapshot.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** Returns the snapshot as one line of JSON, ended by a newline. */
export function encodeSnapshotJson(snapshot: Snapshot, version: 2 | 3 = 2): string {
  const body = version === 3 ? `"groups":${list(snapshot.groups, groupJson)}` : flatJson(snapshot);
  return `{"systemtime":${secondsJson(snapshot.timeNs, "secs_since_epoch", "nanos_since_epoch")},` +
    `"duration":${secondsJson(snapshot.durationNs, "secs", "nanos")},` +
    `"metadata":${JSON.stringify(snapshot.metadata)},${body}}\n`;
}

function secondsJson(ns: bigint, seconds: string, nanoseconds: string): string {
  return `{"${seconds}":${ns / NS_PER_SECOND},"${nanoseconds}":${ns % NS_PER_SECOND}}`;
}

function groupJson(group: Group): string {
  const { hash } = schemaWire(group.schema);
  const { counters, gauges, histograms } = group.schema;
  return `{"name":${JSON.stringify(group.name)},"schema_hash":[${hash.high},${hash.low}],` +
    `"schema":${JSON.stringify({ counters, gauges, histograms })},` +
    `"window":${group.window ? windowJson(group.window) : "null"},` +
    `"counters":[${valueTexts(group.counters, unsignedText)}],` +
    `"gauges":[${valueTexts(group.gauges, signedText)}],` +
    `"histograms":${list(group.histograms, (value) => value ? histogramJson(value) : "null")}}`;
}

function flatJson({ groups }: Snapshot): string {
  const counters = groups.flatMap((group) =>
    entries(group, "counters", valueTexts(group.counters, unsignedText))
  );
  const gauges = groups.flatMap((group) => entries(group, "gauges", valueTexts(group.gauges, signedText)));
  const histograms = groups.flatMap((group) =>
    entries(group, "histograms", group.histograms.map((value) => value ? histogramJson(value) : "null"))
  );
  return `"counters":[${counters}],"gauges":[${gauges}],"histograms":[${histograms}]`;
}

/** Values that could not be read are left out. */
function entries(
  group: Group,
  kind: "counters" | "gauges" | "histograms",
  values: readonly string[],
): string[] {
  const window = group.window ? `,"window":${windowJson(group.window)}` : "";
  return group.schema[kind].flatMap((entry, index) =>
    values[index] === "null" ? [] : [
      `{"name":${JSON.stringify(entry.name)},"value":${values[index]},` +
      `"metadata":${JSON.stringify(metadataOf(entry, group.histograms[index], kind))}${window}}`,
    ]
  );
}

function metadataOf(
  entry: SchemaEntry,
  value: HistogramValue | undefined,
  kind: string,
): SchemaEntry["metadata"] {
  if (kind !== "histograms" || value === undefined) return entry.metadata;
  return {
    ...entry.metadata,
    grouping_power: String(value.groupingPower),
    max_value_power: String(value.maxValuePower),
  };
}

function windowJson(window: Window): string {
  return `{"begin_ns":${window.beginNs},"end_ns":${window.beginNs + BigInt(window.widthNs)}}`;
}

function histogramJson({ groupingPower: p, maxValuePower: m, words }: HistogramValue): string {
  const upperCount = histogramLayout(p, m).bucketCount - 2 ** (p + 1);
  return `{"config":{"max":${(1n << BigInt(m)) - 1n},"grouping_power":${p},"max_value_power":${m},` +
    `"cutoff_power":${p + 1},"cutoff_value":${2 ** (p + 1)},"lower_bin_count":${2 ** (p + 1)},` +
    `"upper_bin_divisions":${2 ** p},"upper_bin_count":${upperCount}},` +
    `"buckets":[${valueTexts({ words }, unsignedText)}]}`;
}

function valueTexts({ words, missing }: Values, text: (low: number, high: number) => string): string[] {
  return Array.from(
    { length: words.length / 2 },
    (_, index) => missing?.[index] === 1 ? "null" : text(words[2 * index]!, words[2 * index + 1]!),
  );
}

function unsignedText(low: number, high: number): string {
  if (high < 0x20_0000) return String(high * 4_294_967_296 + low); // below 2⁵³
  return String((BigInt(high) << 32n) | BigInt(low));
}

function signedText(low: number, high: number): string {
  if (high < 0x8000_0000) return unsignedText(low, high);
  return String(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)));
}

function list<T>(items: readonly T[], text: (item: T) => string): string {
  return `[${items.map(text)}]`;
}
