/**
 * The layout of the packed file, as `ffi/launcher/payload.h` reads it: launcher, contents, index, trailer. The index
 * is records of NUL-terminated fields, an empty field ends a record. Pure.
 * @module
 */

/** What the launcher finds in the file beside itself. */
export type Part =
  | { readonly kind: "tool"; readonly name: string; readonly args: readonly string[] }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly bytes: Uint8Array }
  | {
    readonly kind: "answer";
    readonly words: readonly string[];
    readonly style: string;
    readonly bytes: Uint8Array;
  };

/** Contents begin at multiples of this, so that file systems can share blocks. */
const ALIGNMENT = 4096;
const MAGIC = "hostkit-pack-1";
/** Trailer: magic (16 bytes), offset and size of the index (u64 each), key (32 hexadecimal digits). */
const TRAILER_BYTES = 64;
const KEY_LENGTH = 32;
/** As in `payload.h`. */
const MAX_FIELDS = 64;

/** Returns the pieces of the file in order. `key` names the contents, 32 hexadecimal digits. */
export function layOut(launcher: Uint8Array, parts: readonly Part[], key: string): Uint8Array<ArrayBuffer>[] {
  if (key.length !== KEY_LENGTH) {
    throw new RangeError(`Cannot pack: key "${key}" has ${key.length} digits, not ${KEY_LENGTH}`);
  }
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const append = (bytes: Uint8Array) => {
    pieces.push(bytes as Uint8Array<ArrayBuffer>);
    size += bytes.length;
    return size - bytes.length;
  };
  append(launcher);
  // Texts that several calls give stand in the file once.
  const placed = new Map<string, number>();
  const text = new TextDecoder();
  const index = parts.map((part) => {
    if (part.kind === "tool") return record(["tool", part.name, ...part.args]);
    if (part.kind === "file") {
      append(new Uint8Array(-size & (ALIGNMENT - 1)));
      const offset = append(part.bytes);
      return record(["file", part.path, part.mode.toString(8), `${offset}`, `${part.bytes.length}`]);
    }
    const content = text.decode(part.bytes);
    const offset = placed.get(content) ?? append(part.bytes);
    placed.set(content, offset);
    return record(["answer", part.style, `${offset}`, `${part.bytes.length}`, ...part.words]);
  });
  const indexBytes = new TextEncoder().encode(index.join(""));
  const indexOffset = append(indexBytes);
  append(trailer(indexOffset, indexBytes.length, key));
  return pieces;
}

function record(fields: readonly string[]): string {
  const wrong = fields.find((field) => field === "" || field.includes("\0"));
  if (wrong !== undefined || fields.length > MAX_FIELDS) {
    throw new RangeError(`Cannot pack a record of ${fields.length} fields: ${JSON.stringify(fields)}`);
  }
  return fields.map((field) => `${field}\0`).join("") + "\0";
}

function trailer(indexOffset: number, indexSize: number, key: string): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  const encoder = new TextEncoder();
  encoder.encodeInto(MAGIC, bytes);
  view.setBigUint64(16, BigInt(indexOffset), true);
  view.setBigUint64(24, BigInt(indexSize), true);
  encoder.encodeInto(key, bytes.subarray(32));
  return bytes;
}
