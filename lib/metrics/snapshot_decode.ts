/**
 * Snapshots from MessagePack: formats V1, V2 and V3, which are told apart by the number of their fields alone (5, 6, 4).
 * V1 and V2 have flat lists; they become one group per sampler, named after it.
 * @module
 */
import type { Hash128 } from "./fnv.ts";
import { histogramLayout } from "./histogram_layout.ts";
import { MsgpackReader } from "./msgpack_reader.ts";
import { SchemaCache } from "./schema_cache.ts";
import { FlatGroups } from "./_flat_groups.ts";
import type { Group, HistogramValue, Snapshot, Values, Window } from "./snapshot.ts";

/** A snapshot and where it ended. */
export interface DecodedSnapshot {
  readonly snapshot: Snapshot;
  /** 1, 2 or 3. */
  readonly version: number;
  /** Offset of the byte behind it. */
  readonly end: number;
}

/** How to decode. */
export interface DecodeOptions {
  /**
   * A snapshot of the same source that is not needed any more: its histograms' memory is used again, which is most of a
   * snapshot's. For loops that look at one snapshot at a time.
   */
  readonly recycle?: Snapshot | undefined;
}

/**
 * Returns the snapshot that `bytes` are. Give the same `cache` to all snapshots of one source: their schemas are then
 * parsed once and stay the same objects, and groups sent without their schema can be read.
 * @throws {MsgpackError} When the bytes are no snapshot, or more than one.
 */
export function decodeSnapshot(
  bytes: Uint8Array,
  cache: SchemaCache = new SchemaCache(),
  options: DecodeOptions = {},
): Snapshot {
  const { snapshot, end } = decodeSnapshotAt(bytes, 0, cache, options);
  if (end !== bytes.length) {
    throw new MsgpackReader(bytes).failure(
      `Cannot decode snapshot: ${bytes.length - end} bytes follow its end at byte ${end}`,
      end,
    );
  }
  return snapshot;
}

/** Returns the snapshot that begins at `offset`; more may follow. @throws {MsgpackError} When none does. */
export function decodeSnapshotAt(
  bytes: Uint8Array,
  offset: number,
  cache: SchemaCache,
  options: DecodeOptions = {},
): DecodedSnapshot {
  const reader = new MsgpackReader(bytes, offset);
  try {
    return readSnapshot(reader, cache, options.recycle);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
    const truncated = "truncated" in error && error.truncated === true;
    const failure = reader.failure(`Cannot decode snapshot: ${error.message}`, reader.at, truncated);
    failure.cause = error;
    throw failure;
  }
}

function readSnapshot(reader: MsgpackReader, cache: SchemaCache, recycled?: Snapshot): DecodedSnapshot {
  const fields = reader.arrayHeader("snapshot");
  const version = fields === 5 ? 1 : fields === 6 ? 2 : fields === 4 ? 3 : undefined;
  if (version === undefined) {
    throw reader.failure(`it has ${fields} fields, this build reads V1 (5), V2 (6) and V3 (4)`, reader.at);
  }
  const timeNs = readTime(reader, "system time");
  const durationNs = version === 1 ? 0n : readTime(reader, "duration");
  const metadata = reader.stringMap("snapshot metadata");
  const groups = version === 3 ? readGroups(reader, cache, recycled) : readFlatGroups(reader, cache);
  return { snapshot: { timeNs, durationNs, metadata, groups }, version, end: reader.at };
}

function readTime(reader: MsgpackReader, what: string): bigint {
  const fields = reader.arrayHeader(what);
  if (fields !== 2) {
    throw reader.failure(`${what} has ${fields} fields, expected seconds and nanoseconds`, reader.at);
  }
  const seconds = reader.bigint(what);
  const nanoseconds = reader.count(what);
  if (nanoseconds >= 1e9) throw reader.failure(`${what} has ${nanoseconds} nanoseconds`, reader.at);
  const ns = seconds * 1_000_000_000n + BigInt(nanoseconds);
  // The word width of every time stamp that follows; the year 2554 is the last to fit.
  if (ns >= 1n << 64n) {
    throw reader.failure(`${what} is ${seconds} s, beyond 64 bits of nanoseconds`, reader.at);
  }
  return ns;
}

function readGroups(reader: MsgpackReader, cache: SchemaCache, recycled: Snapshot | undefined): Group[] {
  const groups: Group[] = [];
  for (let left = reader.arrayHeader("groups"); left > 0; left--) {
    const fields = reader.arrayHeader("group");
    if (fields !== 7) throw reader.failure(`a group has ${fields} fields, expected 7`, reader.at);
    const name = reader.string("group name");
    const hash = readHash(reader, name);
    const schema = reader.takeNil() ? cache.get(hash) : cache.read(reader, hash);
    if (schema === undefined) {
      throw reader.failure(`group "${name}" comes without its schema, which was not seen before`, reader.at);
    }
    const window = readWindow(reader);
    const counters = readValues(reader, schema.counters.length, `counters of "${name}"`, "unsigned");
    const gauges = readValues(reader, schema.gauges.length, `gauges of "${name}"`, "signed");
    const before = recycled?.groups[groups.length];
    const histograms = readHistograms(reader, schema.histograms.length, name, before?.histograms ?? []);
    groups.push({ name, schema, ...(window && { window }), counters, gauges, histograms });
  }
  return groups;
}

function readHash(reader: MsgpackReader, group: string): Hash128 {
  const fields = reader.arrayHeader(`schema hash of "${group}"`);
  if (fields !== 2) throw reader.failure(`schema hash of "${group}" has ${fields} halves`, reader.at);
  return { high: reader.bigint("schema hash"), low: reader.bigint("schema hash") };
}

/** Reads a window `[begin, end]` or nil; one that ends before it begins has no width. */
function readWindow(reader: MsgpackReader): Window | undefined {
  if (reader.takeNil()) return undefined;
  const fields = reader.arrayHeader("window");
  if (fields !== 2) throw reader.failure(`window has ${fields} fields, expected begin and end`, reader.at);
  const beginNs = reader.bigint("window");
  const endNs = reader.bigint("window");
  return { beginNs, widthNs: endNs > beginNs ? Number(endNs - beginNs) : 0 };
}

function readValues(
  reader: MsgpackReader,
  expected: number,
  what: string,
  kind: "unsigned" | "signed",
): Values {
  const count = reader.arrayHeader(what);
  if (count !== expected) throw reader.failure(`${count} ${what}, its schema has ${expected}`, reader.at);
  const words = new Uint32Array(2 * count);
  let missing: Uint8Array | undefined;
  for (let index = 0; index < count; index++) {
    if (reader.takeNil()) {
      missing ??= new Uint8Array(count);
      missing[index] = 1;
      continue;
    }
    reader[kind](what);
    words[2 * index] = reader.low;
    words[2 * index + 1] = reader.high;
  }
  return missing === undefined ? { words } : { words, missing };
}

function readHistograms(
  reader: MsgpackReader,
  expected: number,
  group: string,
  recycled: readonly (HistogramValue | undefined)[],
): (HistogramValue | undefined)[] {
  const what = `histograms of "${group}"`;
  const count = reader.arrayHeader(what);
  if (count !== expected) throw reader.failure(`${count} ${what}, its schema has ${expected}`, reader.at);
  return Array.from(
    { length: count },
    (_, index) => reader.takeNil() ? undefined : readHistogram(reader, what, recycled[index]?.words),
  );
}

/** Reads `[config, buckets]`; only the config's grouping and max value power are used, the rest follows from them. */
function readHistogram(reader: MsgpackReader, what: string, recycled?: Uint32Array): HistogramValue {
  const fields = reader.arrayHeader(what);
  if (fields !== 2) throw reader.failure(`${what}: ${fields} fields, expected config and buckets`, reader.at);
  const configFields = reader.arrayHeader(what);
  if (configFields !== 8) {
    throw reader.failure(`${what}: config has ${configFields} fields, expected 8`, reader.at);
  }
  reader.unsigned(what); // largest value
  const [groupingPower, maxValuePower] = [reader.count(what), reader.count(what)];
  for (let skipped = 0; skipped < 5; skipped++) reader.unsigned(what);
  const { bucketCount } = histogramLayout(groupingPower, maxValuePower);
  const count = reader.arrayHeader(what);
  if (count !== bucketCount) {
    throw reader.failure(`${what}: ${count} buckets, its config has ${bucketCount}`, reader.at);
  }
  const words = recycled?.length === 2 * count ? recycled : new Uint32Array(2 * count);
  reader.unsignedInto(words, count, what);
  return { groupingPower, maxValuePower, words };
}

/** Reads V1 and V2's three lists of `[name, value, metadata, window?]`. */
function readFlatGroups(reader: MsgpackReader, cache: SchemaCache): Group[] {
  const flat = new FlatGroups();
  for (const kind of ["counters", "gauges", "histograms"] as const) {
    for (let left = reader.arrayHeader(kind); left > 0; left--) {
      const fields = reader.arrayHeader(kind);
      if (fields !== 3 && fields !== 4) {
        throw reader.failure(`an entry of the ${kind} has ${fields} fields, expected 3 or 4`, reader.at);
      }
      const name = reader.string(kind);
      let histogram: HistogramValue | undefined;
      if (kind === "histograms") histogram = readHistogram(reader, kind);
      else reader[kind === "counters" ? "unsigned" : "signed"](kind);
      const [low, high] = [reader.low, reader.high];
      const entry = { name, metadata: reader.stringMap(kind) };
      const window = fields === 4 ? readWindow(reader) : undefined;
      flat.add(kind, entry, histogram ?? { low, high }, window);
    }
  }
  return flat.groups(cache);
}
