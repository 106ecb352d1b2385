/** Bytes put together. @module */

export const NOTHING: Uint8Array = new Uint8Array(0);

/** Both, one behind the other; the first itself when the second is empty, and the other way round. */
export function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  if (right.length === 0) return left;
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}
