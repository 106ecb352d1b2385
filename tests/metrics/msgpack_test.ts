/** Arrays of 64-bit integers in MessagePack, against an independent implementation. */
import { deepStrictEqual, throws } from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import { MsgpackError, MsgpackReader, MsgpackWriter, wordsOf } from "../../lib/metrics/mod.ts";

const VALUES = [
  0n,
  127n,
  128n,
  255n,
  256n,
  65_535n,
  65_536n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 64n - 1n,
];

Deno.test("unsigned arrays are read exactly, as another implementation and as ours wrote them", () => {
  const words = wordsOf(VALUES);
  const writer = new MsgpackWriter(8);
  writer.unsignedArray(words);
  for (const bytes of [encode(VALUES, { useBigInt64: true }), writer.finish()]) {
    deepStrictEqual(new MsgpackReader(Uint8Array.from(bytes)).unsignedArray("values"), words);
  }
});

Deno.test("an unsigned array refuses nil, negative numbers and text", () => {
  for (const value of [null, -1, "7"]) {
    throws(
      () => new MsgpackReader(Uint8Array.from(encode([1, value]))).unsignedArray("values"),
      MsgpackError,
    );
  }
});
