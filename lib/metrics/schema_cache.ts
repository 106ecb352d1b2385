/** Schemas already seen by a reader, so that equal bytes give the same object again. @module */
import type { Hash128 } from "./fnv.ts";
import { adoptSchemaWire, readSchema, schemaWire } from "./schema_wire.ts";
import type { MsgpackReader } from "./msgpack_reader.ts";
import type { Schema } from "./snapshot.ts";

/**
 * Bytes of schemas, as they are on the wire, kept by one cache: beyond it the one unused longest goes, and is read again
 * when it returns. A host's schemas take 1 MB; those of tasks change at every tick and are never seen again.
 */
const MAX_SCHEMA_BYTES = 8 << 20;

/** Keeps schemas by their hash. One per source of snapshots. */
export class SchemaCache {
  readonly #byHash = new Map<string, Schema>();
  #byteCount = 0;

  /** Returns the schema known under `hash`. */
  get(hash: Hash128): Schema | undefined {
    const key = keyOf(hash);
    const schema = this.#byHash.get(key);
    if (schema === undefined) return undefined;
    this.#byHash.delete(key);
    this.#byHash.set(key, schema);
    return schema;
  }

  /** Keeps `schema`, or returns the equal one that is kept already. */
  intern(schema: Schema): Schema {
    const { hash, bytes } = schemaWire(schema);
    const known = this.get(hash);
    if (known !== undefined) return known;
    this.#byHash.set(keyOf(hash), schema);
    this.#byteCount += bytes.length;
    for (const [key, oldest] of this.#byHash) {
      if (this.#byteCount <= MAX_SCHEMA_BYTES || oldest === schema) break;
      this.#byHash.delete(key);
      this.#byteCount -= schemaWire(oldest).bytes.length;
    }
    return schema;
  }

  /**
   * Reads a schema that is said to have `hash`; one with the very bytes of the schema kept under it is not parsed again.
   * @throws {MsgpackError} When the bytes are no schema or their hash differs: its values would be read as others'.
   */
  read(reader: MsgpackReader, hash: Hash128): Schema {
    const known = this.get(hash);
    if (known !== undefined && startsWith(reader, schemaWire(known).bytes)) {
      reader.at += schemaWire(known).bytes.length;
      return known;
    }
    const start = reader.at;
    const schema = readSchema(reader);
    const found = adoptSchemaWire(schema, reader.bytes.slice(start, reader.at)).hash;
    if (found.high !== hash.high || found.low !== hash.low) {
      throw reader.failure(
        `schema at byte ${start} has hash ${keyOf(found)}, its group says ${keyOf(hash)}`,
        start,
      );
    }
    return this.intern(schema);
  }
}

function keyOf(hash: Hash128): string {
  return hash.high.toString(16).padStart(16, "0") + hash.low.toString(16).padStart(16, "0");
}

function startsWith(reader: MsgpackReader, expected: Uint8Array): boolean {
  if (reader.remaining < expected.length) return false;
  for (let index = 0; index < expected.length; index++) {
    if (reader.bytes[reader.at + index] !== expected[index]) return false;
  }
  return true;
}
