import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  Batch,
  decodeMessage,
  encodeMessage,
  MESSAGE_KIND,
  PAD_KIND,
  RECORD_HEADER_BYTES,
  recordBytes,
  Records,
} from "../../lib/ring/mod.ts";

const text = (string: string) => new TextEncoder().encode(string);

function walk(batch: Batch): [kind: number, payload: string][] {
  const records = new Records(batch.buffer);
  records.reset(batch.bytes);
  const found: [number, string][] = [];
  while (records.next()) found.push([records.kind, new TextDecoder().decode(records.payload())]);
  strictEqual(records.remainingBytes, 0);
  return found;
}

Deno.test("recordBytes(): a record is its header and its payload, padded to 8", () => {
  deepStrictEqual([0, 1, 8, 9].map(recordBytes), [8, 16, 16, 24]);
  strictEqual(recordBytes(0), RECORD_HEADER_BYTES);
});

Deno.test("Batch: records are found again in order, padding is stepped over", () => {
  const batch = new Batch(100);
  strictEqual(batch.add(1, text("first")), true);
  strictEqual(batch.add(PAD_KIND - 1, text("")), true);
  strictEqual(batch.add(3, text("third one")), true);
  deepStrictEqual(walk(batch), [[1, "first"], [PAD_KIND - 1, ""], [3, "third one"]]);
  new Uint32Array(batch.buffer.buffer)[1] = PAD_KIND;
  deepStrictEqual(walk(batch), [[PAD_KIND - 1, ""], [3, "third one"]]);
});

Deno.test("Batch: what does not fit is not added, and clear() makes room", () => {
  const batch = new Batch(32);
  strictEqual(batch.add(1, text("12345678")), true);
  strictEqual(batch.add(2, text("123456789")), false);
  strictEqual(batch.bytes, 16);
  batch.add(2, text("abc"));
  batch.clear(16);
  deepStrictEqual(walk(batch), [[2, "abc"]]);
  batch.clear();
  strictEqual(batch.bytes, 0);
});

Deno.test("Batch: kinds that mean something else are refused", () => {
  const batch = new Batch(32);
  for (const kind of [0, PAD_KIND, -1, 1.5]) throws(() => batch.add(kind, text("x")), RangeError);
});

Deno.test("Batch: what an earlier, longer record left is not written again", () => {
  const batch = new Batch(16);
  batch.add(1, text("secret!!"));
  batch.clear();
  batch.add(1, text("x"));
  strictEqual(new TextDecoder().decode(batch.buffer.subarray(8)), "x\0\0\0\0\0\0\0");
});

Deno.test("Records: bytes that are no records are named with their place", () => {
  const words = new Uint32Array([4, 1, 0, 0, 99, 1]);
  const records = new Records(new Uint8Array(words.buffer));
  records.reset(24);
  strictEqual(records.next(), true);
  throws(() => records.next(), { name: "SyntaxError", message: /byte 16 of 24: length is 99, kind is 1/ });
  words[0] = 0xffff_ffff;
  records.reset(24);
  throws(() => records.next(), /length is 4294967295/);
  words[0] = words[1] = 0;
  records.reset(24);
  throws(() => records.next(), /length is 0, kind is 0/);
});

Deno.test("messages: each decodes alone, and its bytes are its own", () => {
  const message = {
    name: "build",
    ids: [1, 2 ** 53 + 2, 9_007_199_254_740_995n],
    at: new Date(5),
    raw: text("abc"),
  };
  const batch = new Batch(512);
  batch.add(MESSAGE_KIND, encodeMessage({ other: true }));
  batch.add(MESSAGE_KIND, encodeMessage(message));
  const records = new Records(batch.buffer);
  records.reset(batch.bytes);
  records.next();
  deepStrictEqual(decodeMessage(records), { other: true });
  records.next();
  const decoded = decodeMessage(records) as typeof message;
  batch.buffer.fill(255);
  deepStrictEqual({ ...decoded, raw: [...decoded.raw] }, { ...message, raw: [97, 98, 99] });
});

Deno.test("messages: what is not CBOR is refused with its size", () => {
  const batch = new Batch(64);
  batch.add(MESSAGE_KIND, new Uint8Array([0x5a, 0xff, 0xff]));
  const records = new Records(batch.buffer);
  records.reset(batch.bytes);
  records.next();
  throws(() => decodeMessage(records), {
    name: "SyntaxError",
    message: /message of 3 bytes: it is not CBOR/,
  });
});
