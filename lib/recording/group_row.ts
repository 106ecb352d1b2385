/**
 * A journal's row: what one acquisition group showed at one tick, as MessagePack
 * `[[hash, hash], schema|nil, [begin, end]|nil, counters, gauges, histograms]`, a histogram `[p, m, buckets]`.
 *
 * The schema stands only in the first row of each segment's span and where it changes: a reader needs no other source.
 * Source: `WalGroupRow` of the metriken workspace (metriken-model, `wal.rs`).
 * @module
 */
import {
  type Group,
  type Hash128,
  histogramLayout,
  MsgpackReader,
  MsgpackWriter,
  readSchema,
  type Schema,
  schemaWire,
  type Values,
  type Window,
} from "../metrics/mod.ts";

const writer = new MsgpackWriter(1 << 16);

/** Returns the row of a group, with its schema when `anchored`. */
export function encodeGroupRow(group: Group, anchored: boolean): Uint8Array<ArrayBuffer> {
  const { bytes, hash } = schemaWire(group.schema);
  writer.reset();
  writer.arrayHeader(6);
  writer.arrayHeader(2);
  writer.unsignedBigint(hash.high);
  writer.unsignedBigint(hash.low);
  if (anchored) writer.raw(bytes);
  else writer.nil();
  if (group.window === undefined) writer.nil();
  else {
    writer.arrayHeader(2);
    writer.unsignedBigint(group.window.beginNs);
    writer.unsignedBigint(group.window.beginNs + BigInt(group.window.widthNs));
  }
  writer.unsignedArray(group.counters.words, group.counters.missing);
  writer.signedArray(group.gauges.words, group.gauges.missing);
  writer.arrayHeader(group.histograms.length);
  for (const histogram of group.histograms) {
    if (histogram === undefined) {
      writer.nil();
      continue;
    }
    writer.arrayHeader(3);
    writer.unsigned(histogram.groupingPower);
    writer.unsigned(histogram.maxValuePower);
    writer.unsignedArray(histogram.words);
  }
  return writer.finish();
}

/** A histogram inside a row: its layout, and where its buckets begin in the row's bytes. */
export interface RowHistogram {
  readonly groupingPower: number;
  readonly maxValuePower: number;
  readonly at: number;
}

/** A row whose histograms are not decoded yet: a segment's buckets, all at once, would not fit into memory. */
export interface GroupRow {
  readonly bytes: Uint8Array;
  readonly hash: Hash128;
  readonly schema: Schema | undefined;
  readonly window: Window | undefined;
  readonly counters: Values;
  readonly gauges: Values;
  readonly histograms: readonly (RowHistogram | undefined)[];
}

/** Reads a row. @throws {MsgpackError} When it is damaged. */
export function decodeGroupRow(bytes: Uint8Array): GroupRow {
  const reader = new MsgpackReader(bytes);
  if (reader.arrayHeader("row") !== 6) throw reader.failure("a row has not 6 fields", 0);
  if (reader.arrayHeader("schema hash") !== 2) {
    throw reader.failure("a schema hash has not 2 halves", reader.at);
  }
  const hash = { high: reader.bigint("schema hash"), low: reader.bigint("schema hash") };
  const schema = reader.takeNil() ? undefined : readSchema(reader);
  const window = readWindow(reader);
  const counters = readValues(reader, "unsigned");
  const gauges = readValues(reader, "signed");
  const count = reader.arrayHeader("histograms");
  const histograms = Array.from(
    { length: count },
    () => reader.takeNil() ? undefined : skipHistogram(reader),
  );
  return { bytes, hash, schema, window, counters, gauges, histograms };
}

/** Decodes the buckets of one histogram of a row. @throws {MsgpackError} When they are damaged. */
export function readBuckets(row: GroupRow, histogram: RowHistogram): Uint32Array {
  return new MsgpackReader(row.bytes, histogram.at).unsignedArray("buckets");
}

function readWindow(reader: MsgpackReader): Window | undefined {
  if (reader.takeNil()) return undefined;
  if (reader.arrayHeader("window") !== 2) throw reader.failure("a window has not 2 fields", reader.at);
  const [beginNs, endNs] = [reader.bigint("window"), reader.bigint("window")];
  return { beginNs, widthNs: endNs > beginNs ? Number(endNs - beginNs) : 0 };
}

function readValues(reader: MsgpackReader, kind: "unsigned" | "signed"): Values {
  const count = reader.arrayHeader("values");
  const words = new Uint32Array(2 * count);
  let missing: Uint8Array | undefined;
  for (let index = 0; index < count; index++) {
    if (reader.takeNil()) {
      missing ??= new Uint8Array(count);
      missing[index] = 1;
      continue;
    }
    reader[kind]("value");
    words[2 * index] = reader.low;
    words[2 * index + 1] = reader.high;
  }
  return missing === undefined ? { words } : { words, missing };
}

function skipHistogram(reader: MsgpackReader): RowHistogram {
  if (reader.arrayHeader("histogram") !== 3) throw reader.failure("a histogram has not 3 fields", reader.at);
  const [groupingPower, maxValuePower] = [reader.count("grouping power"), reader.count("max value power")];
  const at = reader.at;
  const count = reader.arrayHeader("buckets");
  const { bucketCount } = histogramLayout(groupingPower, maxValuePower);
  if (count !== bucketCount) throw reader.failure(`a histogram has ${count} buckets of ${bucketCount}`, at);
  for (let bucket = 0; bucket < count; bucket++) {
    if (reader.bytes[reader.at]! < 128) reader.at++;
    else reader.unsigned("bucket");
  }
  return { groupingPower, maxValuePower, at };
}
