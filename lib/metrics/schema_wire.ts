/**
 * A schema as it goes over the wire: encoded once per schema object and kept as long as that object lives, so that a
 * steady scrape copies bytes instead of encoding thousands of names again.
 * Source: `GroupSchema` and `MetricDesc` of the metriken workspace, as `rmp-serde` writes them.
 * @module
 */
import { fnv1a128, type Hash128 } from "./fnv.ts";
import type { MsgpackReader } from "./msgpack_reader.ts";
import { MsgpackWriter } from "./msgpack_writer.ts";
import type { Schema, SchemaEntry } from "./snapshot.ts";

/** A schema's MessagePack and the hash by which readers keep it. */
export interface SchemaWire {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: Hash128;
}

const wireBySchema = new WeakMap<Schema, SchemaWire>();

/** Returns the wire form of `schema`, encoded at most once. */
export function schemaWire(schema: Schema): SchemaWire {
  const known = wireBySchema.get(schema);
  if (known !== undefined) return known;
  const writer = new MsgpackWriter(1 << 16);
  writer.arrayHeader(3);
  for (const entries of [schema.counters, schema.gauges, schema.histograms]) {
    writer.arrayHeader(entries.length);
    for (const entry of entries) writer.raw(entryBytes(entry));
  }
  const bytes = writer.finish();
  const wire = { bytes, hash: fnv1a128(bytes) };
  wireBySchema.set(schema, wire);
  return wire;
}

const bytesByEntry = new WeakMap<SchemaEntry, Uint8Array>();

/** Entries outlive schemas: of a group of tasks most members are the same when one comes or goes. */
function entryBytes(entry: SchemaEntry): Uint8Array {
  let bytes = bytesByEntry.get(entry);
  if (bytes === undefined) {
    const writer = new MsgpackWriter(256);
    writer.arrayHeader(2);
    writer.string(entry.name);
    writer.stringMap(entry.metadata);
    bytesByEntry.set(entry, bytes = writer.finish());
  }
  return bytes;
}

/** Takes `bytes`, from which `schema` was read, as its wire form; returns it. Saves encoding it again. */
export function adoptSchemaWire(schema: Schema, bytes: Uint8Array<ArrayBuffer>): SchemaWire {
  const wire = { bytes, hash: fnv1a128(bytes) };
  wireBySchema.set(schema, wire);
  return wire;
}

/** Reads a schema. @throws {MsgpackError} When the bytes are not one. */
export function readSchema(reader: MsgpackReader): Schema {
  const count = reader.arrayHeader("schema");
  if (count !== 3) throw reader.failure(`schema has ${count} lists, expected 3`, reader.at);
  return {
    counters: readEntries(reader, "counters of the schema"),
    gauges: readEntries(reader, "gauges of the schema"),
    histograms: readEntries(reader, "histograms of the schema"),
  };
}

function readEntries(reader: MsgpackReader, what: string): SchemaEntry[] {
  const entries: SchemaEntry[] = [];
  for (let left = reader.arrayHeader(what); left > 0; left--) {
    const fields = reader.arrayHeader(what);
    if (fields !== 2) {
      throw reader.failure(`an entry of the ${what} has ${fields} fields, expected 2`, reader.at);
    }
    entries.push({ name: reader.string(what), metadata: reader.stringMap(what) });
  }
  return entries;
}
