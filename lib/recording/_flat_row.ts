/**
 * Journal rows of the older form, which upstream's recorder writes for agents that send flat snapshots: a list of
 * `[name, metadata|nil, value, [begin, end]|nil]`, with the metadata only in the first row of a segment's span that has
 * the metric. They become rows of a group.
 *
 * The value is a tagged one, which `rmp-serde` has written as a map of one entry or as a pair, by the variant's name or
 * number; all are read. Source: `WalCell` and `WalValue` of the metriken workspace.
 * @module
 */
import {
  type Group,
  histogramLayout,
  type HistogramValue,
  MsgpackReader,
  type Schema,
  SchemaCache,
  type SchemaEntry,
} from "../metrics/mod.ts";
import { encodeGroupRow } from "./group_row.ts";

type Metadata = Readonly<Record<string, string>>;

const VARIANTS = { Counter: 0, Gauge: 1, Histogram: 2 } as const;

/** Turns the rows of one table, in order, into rows of a group. */
export class FlatRows {
  readonly #metadata = new Map<string, Metadata>();
  readonly #schemas = new SchemaCache();
  #last: Schema | undefined;

  /** @param name The table's name. */
  constructor(readonly name: string) {}

  /** Returns the row as one of a group. @throws {MsgpackError} When it is damaged. */
  convert(bytes: Uint8Array): Uint8Array {
    const reader = new MsgpackReader(bytes);
    const entries = {
      counters: [] as SchemaEntry[],
      gauges: [] as SchemaEntry[],
      histograms: [] as SchemaEntry[],
    };
    const words = { counters: [] as number[], gauges: [] as number[] };
    const histograms: HistogramValue[] = [];
    for (let left = reader.arrayHeader("row"); left > 0; left--) {
      if (reader.arrayHeader("cell") !== 4) throw reader.failure("a cell has not 4 fields", reader.at);
      const name = reader.string("cell's name");
      if (!reader.takeNil()) this.#metadata.set(name, reader.stringMap("cell's metadata"));
      const entry = { name, metadata: this.#metadata.get(name) ?? {} };
      const variant = readTag(reader);
      if (variant === VARIANTS.Histogram) {
        entries.histograms.push(entry);
        histograms.push(readHistogram(reader));
      } else {
        const kind = variant === VARIANTS.Counter ? "counters" : "gauges";
        reader[kind === "counters" ? "unsigned" : "signed"]("cell's value");
        entries[kind].push(entry);
        words[kind].push(reader.low, reader.high);
      }
      if (!reader.takeNil()) {
        for (let rest = reader.arrayHeader("window"); rest > 0; rest--) reader.unsigned("window");
      }
    }
    const schema = this.#schemas.intern(entries);
    const group: Group = {
      name: this.name,
      schema,
      counters: { words: Uint32Array.from(words.counters) },
      gauges: { words: Uint32Array.from(words.gauges) },
      histograms,
    };
    const row = encodeGroupRow(group, schema !== this.#last);
    this.#last = schema;
    return row;
  }
}

/** Reads the beginning of a tagged value up to its payload; returns the number of its variant. */
function readTag(reader: MsgpackReader): number {
  const format = reader.bytes[reader.at] ?? 0;
  const isMap = format >= 0x80 && format <= 0x8f;
  const count = isMap ? reader.mapHeader("cell's value") : reader.arrayHeader("cell's value");
  if (count !== (isMap ? 1 : 2)) throw reader.failure("a cell's value is not a tagged one", reader.at);
  const isText = (reader.bytes[reader.at] ?? 0) >= 0xa0;
  const tag = isText ? reader.string("variant") : reader.count("variant");
  const variant = typeof tag === "number"
    ? tag
    : Object.entries(VARIANTS).find(([name]) => name === tag)?.[1] ?? -1;
  if (variant < 0 || variant > 2) {
    throw reader.failure(`a cell's value has unknown variant ${tag}`, reader.at);
  }
  return variant;
}

function readHistogram(reader: MsgpackReader): HistogramValue {
  if (reader.arrayHeader("histogram") !== 3) throw reader.failure("a histogram has not 3 fields", reader.at);
  const [groupingPower, maxValuePower] = [reader.count("grouping power"), reader.count("max value power")];
  const words = reader.unsignedArray("buckets");
  const { bucketCount } = histogramLayout(groupingPower, maxValuePower);
  if (words.length !== 2 * bucketCount) {
    throw reader.failure(`a histogram has ${words.length / 2} buckets of ${bucketCount}`, reader.at);
  }
  return { groupingPower, maxValuePower, words };
}
