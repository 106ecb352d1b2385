/** Messages as payloads: CBOR, self-contained, so that a reader can begin at any record. @module */
import { Encoder } from "cbor-x";
import type { Records } from "./records.ts";

/** Kind of records that hold one message, where a ring carries nothing else. */
export const MESSAGE_KIND = 1;

// No record extension: it would have each message lean on those before it, which a reader may never have seen.
// Byte strings are copied out, since the reader's buffer is used again.
const ENCODER = new Encoder({ useRecords: false, copyBuffers: true, tagUint8Array: false });

/** The bytes of a message: JSON's types, `undefined`, `bigint` up to 64 bits, `Uint8Array` and `Date`. */
export function encodeMessage(value: unknown): Uint8Array {
  return ENCODER.encode(value);
}

/**
 * The message that `records` stopped at.
 * @throws {SyntaxError} When the payload is not CBOR.
 */
export function decodeMessage(records: Records): unknown {
  try {
    return ENCODER.decode(records.payload());
  } catch (cause) {
    throw new SyntaxError(`Cannot decode message of ${records.length} bytes: it is not CBOR`, { cause });
  }
}

/**
 * The message in bytes that came otherwise than through a ring.
 * @throws {SyntaxError} When they are not CBOR.
 */
export function parseMessage(bytes: Uint8Array): unknown {
  try {
    return ENCODER.decode(bytes);
  } catch (cause) {
    throw new SyntaxError(`Cannot decode message of ${bytes.length} bytes: it is not CBOR`, { cause });
  }
}
