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

/** The layout of a histogram in a row. */
export interface RowPowers {
  readonly groupingPower: number;
  readonly maxValuePower: number;
}

/** A row whose values are found but not decoded: a segment's buckets, all at once, would not fit into memory. */
export interface ScannedRow {
  readonly hash: Hash128;
  readonly schema: Schema | undefined;
  readonly window: Window | undefined;
  readonly counterCount: number;
  readonly gaugeCount: number;
  /** By histogram; `undefined` where there is no reading. */
  readonly powers: readonly (RowPowers | undefined)[];
  /** Where each value begins, counters first, then gauges, then each histogram's first bucket; 0 for no reading. */
  readonly positions: Uint32Array;
}

/** Finds the values of a row. @throws {MsgpackError} When it is damaged. */
export function scanGroupRow(bytes: Uint8Array): ScannedRow {
  const reader = new MsgpackReader(bytes);
  if (reader.arrayHeader("row") !== 6) throw reader.failure("a row has not 6 fields", 0);
  if (reader.arrayHeader("schema hash") !== 2) {
    throw reader.failure("a schema hash has not 2 halves", reader.at);
  }
  const hash = { high: reader.bigint("schema hash"), low: reader.bigint("schema hash") };
  const schema = reader.takeNil() ? undefined : readSchema(reader);
  const window = readWindow(reader);
  const positions: number[] = [];
  const counterCount = scanValues(reader, "unsigned", positions);
  const gaugeCount = scanValues(reader, "signed", positions);
  const powers: (RowPowers | undefined)[] = [];
  for (let left = reader.arrayHeader("histograms"); left > 0; left--) {
    powers.push(scanHistogram(reader, positions));
  }
  return { hash, schema, window, counterCount, gaugeCount, powers, positions: Uint32Array.from(positions) };
}

function readWindow(reader: MsgpackReader): Window | undefined {
  if (reader.takeNil()) return undefined;
  if (reader.arrayHeader("window") !== 2) throw reader.failure("a window has not 2 fields", reader.at);
  const [beginNs, endNs] = [reader.bigint("window"), reader.bigint("window")];
  return { beginNs, widthNs: endNs > beginNs ? Number(endNs - beginNs) : 0 };
}

function scanValues(reader: MsgpackReader, kind: "unsigned" | "signed", positions: number[]): number {
  const count = reader.arrayHeader("values");
  for (let index = 0; index < count; index++) {
    positions.push(reader.at);
    if (reader.takeNil()) positions[positions.length - 1] = 0;
    else reader[kind]("value");
  }
  return count;
}

function scanHistogram(reader: MsgpackReader, positions: number[]): RowPowers | undefined {
  if (reader.takeNil()) {
    positions.push(0);
    return undefined;
  }
  if (reader.arrayHeader("histogram") !== 3) throw reader.failure("a histogram has not 3 fields", reader.at);
  const [groupingPower, maxValuePower] = [reader.count("grouping power"), reader.count("max value power")];
  const count = reader.arrayHeader("buckets");
  const { bucketCount } = histogramLayout(groupingPower, maxValuePower);
  if (count !== bucketCount) {
    throw reader.failure(`a histogram has ${count} buckets of ${bucketCount}`, reader.at);
  }
  positions.push(reader.at);
  for (let bucket = 0; bucket < count; bucket++) {
    if (reader.bytes[reader.at]! < 128) reader.at++;
    else reader.unsigned("bucket");
  }
  return { groupingPower, maxValuePower };
}
