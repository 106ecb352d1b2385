/** Mutated inputs for parsers: a seeded slice in tests, the full count in the soak run. @module */
import type { SeededRandom } from "./metrics/seeded.ts";

/** How many inputs a test tries: `few`, or a million when `HOSTKIT_SOAK` is set. */
export function fuzzCount(few: number): number {
  return Deno.env.get("HOSTKIT_SOAK") === undefined ? few : 1_000_000;
}

/** A copy with up to eight changes: flipped, replaced, removed, repeated or inserted bytes, or a cut end. */
export function mutate(bytes: Uint8Array, random: SeededRandom): Uint8Array<ArrayBuffer> {
  let data = [...bytes];
  for (let changes = 1 + random.below(8); changes > 0; changes--) {
    const at = random.below(data.length + 1);
    const kind = random.below(6);
    if (kind === 0 && at < data.length) data[at] = data[at]! ^ (1 << random.below(8));
    else if (kind === 1 && at < data.length) data[at] = random.below(256);
    else if (kind === 2) data.splice(at, 1 + random.below(4));
    else if (kind === 3) data.splice(at, 0, random.below(256));
    else if (kind === 4) data.splice(at, 0, ...data.slice(at, at + random.below(16)));
    else data = data.slice(0, at);
  }
  return Uint8Array.from(data);
}
