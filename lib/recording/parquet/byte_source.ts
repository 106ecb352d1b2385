/** Where a file's bytes come from: a part at a time, so that only what is asked for is read. @module */

/** Bytes that can be read in parts. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Returns `byteCount` bytes from `offset`; the caller must not change them. @throws {Error} When they are not there. */
  read(offset: number, byteCount: number): Uint8Array;
}

/** Returns a source over bytes in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return { sizeBytes: bytes.length, read: (offset, byteCount) => bytes.subarray(offset, offset + byteCount) };
}
