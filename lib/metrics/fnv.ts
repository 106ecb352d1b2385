/** FNV-1a with 128 bits, by which a schema is named on the wire. Source: draft-eastlake-fnv. @module */

/** A 128-bit hash as two unsigned 64-bit halves. */
export interface Hash128 {
  readonly high: bigint;
  readonly low: bigint;
}

/**
 * Returns the hash of `bytes`. Four limbs of 32 bits instead of bigint: the prime is 2⁸⁸ + 0x13b, so one step is a
 * multiplication by 315 and a shift by 88 bits, at a hundredth of a bigint's cost.
 */
export function fnv1a128(bytes: Uint8Array): Hash128 {
  let a = 0x6295c58d, b = 0x62b82175, c = 0x07bb0142, d = 0x6c62272e; // a is the lowest limb
  for (let index = 0; index < bytes.length; index++) {
    a = (a ^ bytes[index]!) >>> 0;
    const a315 = a * 315;
    const b315 = b * 315 + Math.floor(a315 / 4_294_967_296);
    const c315 = c * 315 + Math.floor(b315 / 4_294_967_296) + ((a << 24) >>> 0);
    const d315 = d * 315 + Math.floor(c315 / 4_294_967_296) + (((b << 24) | (a >>> 8)) >>> 0);
    a = a315 >>> 0;
    b = b315 >>> 0;
    c = c315 >>> 0;
    d = d315 >>> 0;
  }
  return { high: (BigInt(d) << 32n) | BigInt(c), low: (BigInt(b) << 32n) | BigInt(a) };
}
