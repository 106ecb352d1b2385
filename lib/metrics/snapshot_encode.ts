/**
 * Snapshots as MessagePack, byte for byte as the Rezolus agent writes them.
 *
 * V2: `[[s, ns], [s, ns], metadata, counters, gauges, histograms]`, an entry `[name, value, metadata, window?]`.
 * V3: `[[s, ns], [s, ns], metadata, groups]`, a group `[name, [hash, hash], schema|nil, window|nil, counters, gauges,
 * histograms]` with values in the order of the schema and nil for "registered, no reading".
 * A histogram is `[config of 8 fields, buckets]`, a window `[begin, end]` in nanoseconds.
 * Source: `SnapshotV2`, `SnapshotV3` of metriken-exposition; `Config` of the histogram crate.
 * @module
 */
import type { Labels } from "./metric.ts";
import { MsgpackWriter } from "./msgpack_writer.ts";
import { schemaWire } from "./schema_wire.ts";
import type { Group, HistogramValue, Schema, SchemaEntry, Snapshot, Window } from "./snapshot.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** Buffer shared by all encodings of this process: a snapshot is encoded in one go. */
const writer = new MsgpackWriter(1 << 20);

/** How to encode a V3 snapshot. */
export interface EncodeOptions {
  /** True leaves the group's schema out, for a reader that has it; upstream's readers then need their cache. */
  readonly omitSchema?: (group: Group) => boolean;
}

/**
 * Returns the snapshot in format V3, the agent's default.
 * @throws {RangeError} When a group's values do not match its schema.
 */
export function encodeSnapshotV3(snapshot: Snapshot, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  checkGroups(snapshot);
  writer.reset();
  writer.arrayHeader(4);
  writeHead(snapshot);
  writer.arrayHeader(snapshot.groups.length);
  for (const group of snapshot.groups) {
    const { bytes, hash } = schemaWire(group.schema);
    writer.arrayHeader(7);
    writer.string(group.name);
    writer.arrayHeader(2);
    writer.unsignedBigint(hash.high);
    writer.unsignedBigint(hash.low);
    if (options.omitSchema?.(group) === true) writer.nil();
    else writer.raw(bytes);
    if (group.window === undefined) writer.nil();
    else writer.raw(windowBytes(group.window));
    writer.unsignedArray(group.counters.words, group.counters.missing);
    writer.signedArray(group.gauges.words, group.gauges.missing);
    writer.arrayHeader(group.histograms.length);
    for (const histogram of group.histograms) {
      if (histogram === undefined) writer.nil();
      else writeHistogram(histogram);
    }
  }
  return writer.finish();
}

/**
 * Returns the snapshot in format V2: flat lists, each entry with its whole metadata; missing values are left out.
 * @throws {RangeError} When a group's values do not match its schema.
 */
export function encodeSnapshotV2(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
  checkGroups(snapshot);
  writer.reset();
  writer.arrayHeader(6);
  writeHead(snapshot);
  const groups = snapshot.groups;
  writer.arrayHeader(
    sum(groups, ({ counters }) => presentCount(counters.words.length / 2, counters.missing)),
  );
  for (const group of groups) {
    const { words, missing } = group.counters;
    writeEntries(group, flatPieces(group).counters, (index) => {
      if (missing?.[index] === 1) return undefined;
      return () => writer.unsignedWords(words[2 * index]!, words[2 * index + 1]!);
    });
  }
  writer.arrayHeader(sum(groups, ({ gauges }) => presentCount(gauges.words.length / 2, gauges.missing)));
  for (const group of groups) {
    const { words, missing } = group.gauges;
    writeEntries(group, flatPieces(group).gauges, (index) => {
      if (missing?.[index] === 1) return undefined;
      return () => writer.signedWords(words[2 * index]!, words[2 * index + 1]!);
    });
  }
  writer.arrayHeader(
    sum(groups, ({ histograms }) => histograms.filter((value) => value !== undefined).length),
  );
  for (const group of groups) {
    writeEntries(group, flatPieces(group).histograms, (index) => {
      const histogram = group.histograms[index];
      return histogram && (() => writeHistogram(histogram));
    });
  }
  return writer.finish();
}

function writeHead(snapshot: Snapshot): void {
  for (const ns of [snapshot.timeNs, snapshot.durationNs]) {
    writer.arrayHeader(2);
    writer.unsignedBigint(ns / NS_PER_SECOND);
    writer.unsigned(Number(ns % NS_PER_SECOND));
  }
  writer.stringMap(snapshot.metadata);
}

function windowBytes(window: Window): Uint8Array {
  const bytes = new MsgpackWriter(32);
  bytes.arrayHeader(2);
  bytes.unsignedBigint(window.beginNs);
  bytes.unsignedBigint(window.beginNs + BigInt(window.widthNs));
  return bytes.finish();
}

function writeHistogram(histogram: HistogramValue): void {
  writer.arrayHeader(2);
  writer.raw(configBytes(histogram));
  writer.unsignedArray(histogram.words);
}

const configs = new Map<number, Uint8Array>();

/** The histogram crate's `Config`: all eight fields follow from the first two. */
function configBytes({ groupingPower: p, maxValuePower: m }: HistogramValue): Uint8Array {
  const key = p * 128 + m;
  const known = configs.get(key);
  if (known !== undefined) return known;
  const config = new MsgpackWriter(32);
  config.arrayHeader(8);
  config.unsignedBigint((1n << BigInt(m)) - 1n); // largest value
  config.unsigned(p);
  config.unsigned(m);
  config.unsigned(p + 1); // cutoff power: below 2^it buckets are exact
  config.unsigned(2 ** (p + 1)); // cutoff value
  config.unsigned(2 ** (p + 1)); // exact buckets
  config.unsigned(2 ** p); // buckets in each power of two above
  config.unsigned((m - p - 1) * 2 ** p); // buckets above the cutoff
  const bytes = config.finish();
  configs.set(key, bytes);
  return bytes;
}

/** The parts of flat entries around their values: `name`, value, `metadata`, one after the other in `bytes`. */
interface FlatPieces {
  readonly bytes: Uint8Array;
  /** Entry i's name lies from `ends[2i−1]` to `ends[2i]`, its metadata from there to `ends[2i+1]`. */
  readonly ends: Uint32Array;
}

interface FlatGroup {
  readonly counters: FlatPieces;
  readonly gauges: FlatPieces;
  readonly histograms: FlatPieces;
  readonly layouts: string;
}

const flatBySchema = new WeakMap<Schema, FlatGroup>();

function flatPieces(group: Group): FlatGroup {
  const { schema } = group;
  const known = flatBySchema.get(schema);
  const layouts = layoutsOf(group);
  if (known?.layouts === layouts) return known;
  const flat = {
    counters: encodePieces(schema.counters, (entry) => entry.metadata),
    gauges: encodePieces(schema.gauges, (entry) => entry.metadata),
    histograms: encodePieces(schema.histograms, (entry, index) => withLayout(entry, group.histograms[index])),
    layouts,
  };
  flatBySchema.set(schema, flat);
  return flat;
}

function layoutsOf(group: Group): string {
  let text = "";
  for (const value of group.histograms) {
    text += value ? `${value.groupingPower}/${value.maxValuePower} ` : "- ";
  }
  return text;
}

/** V2 entries of histograms name their layout in the metadata; the values decide. */
function withLayout(entry: SchemaEntry, value: HistogramValue | undefined): Labels {
  if (value === undefined) return entry.metadata;
  return {
    ...entry.metadata,
    grouping_power: String(value.groupingPower),
    max_value_power: String(value.maxValuePower),
  };
}

function encodePieces(
  entries: readonly SchemaEntry[],
  metadata: (entry: SchemaEntry, index: number) => Labels,
): FlatPieces {
  const pieces = new MsgpackWriter(256);
  const ends = new Uint32Array(2 * entries.length);
  entries.forEach((entry, index) => {
    pieces.string(entry.name);
    ends[2 * index] = pieces.length;
    pieces.stringMap(metadata(entry, index));
    ends[2 * index + 1] = pieces.length;
  });
  return { bytes: pieces.finish(), ends };
}

function writeEntries(
  group: Group,
  { bytes, ends }: FlatPieces,
  valueOf: (index: number) => (() => void) | undefined,
): void {
  const window = group.window && windowBytes(group.window);
  for (let index = 0; 2 * index < ends.length; index++) {
    const writeValue = valueOf(index);
    if (writeValue === undefined) continue;
    const nameStart = index === 0 ? 0 : ends[2 * index - 1]!;
    writer.arrayHeader(window === undefined ? 3 : 4);
    writer.rawRange(bytes, nameStart, ends[2 * index]!);
    writeValue();
    writer.rawRange(bytes, ends[2 * index]!, ends[2 * index + 1]!);
    if (window !== undefined) writer.rawRange(window, 0, window.length);
  }
}

/** @throws {RangeError} When a group's values do not match its schema: they would be read as others'. */
function checkGroups(snapshot: Snapshot): void {
  for (const { name, schema, counters, gauges, histograms } of snapshot.groups) {
    const has = [counters.words.length / 2, gauges.words.length / 2, histograms.length];
    const needs = [schema.counters.length, schema.gauges.length, schema.histograms.length];
    if (has.some((count, kind) => count !== needs[kind])) {
      throw new RangeError(
        `Cannot encode group "${name}": it has ${has} counters, gauges, histograms, its schema ${needs}`,
      );
    }
  }
}

function presentCount(count: number, missing: Uint8Array | undefined): number {
  if (missing === undefined) return count;
  let present = 0;
  for (let index = 0; index < count; index++) present += missing[index] === 1 ? 0 : 1;
  return present;
}

function sum(groups: readonly Group[], count: (group: Group) => number): number {
  return groups.reduce((total, group) => total + count(group), 0);
}
