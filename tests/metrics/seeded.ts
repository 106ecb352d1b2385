/** Chance for property tests: repeatable from a printed seed. @module */

/** Returns the seed of this run: `HOSTKIT_SEED` when set, else a new one. Put it into every assertion's message. */
export function testSeed(): number {
  const given = Deno.env.get("HOSTKIT_SEED");
  return given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(given);
}

/** A generator of repeatable numbers (mulberry32). */
export interface SeededRandom {
  /** An integer from 0 to limit − 1. */
  below(limit: number): number;
  /** An integer below 2^bits. */
  bigint(bits: number): bigint;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    below: (limit) => Math.floor((word() / 4_294_967_296) * limit),
    bigint: (bits) => BigInt.asUintN(bits, (BigInt(word()) << 32n) | BigInt(word())),
  };
}
