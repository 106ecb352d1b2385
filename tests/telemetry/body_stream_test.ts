/** Bodies in pieces: whole for a client that reads, cut off for one that does not. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { PIECE_BYTES, streamBody } from "../../lib/telemetry/body_stream.ts";

Deno.test("a body of any size arrives whole, in pieces", async () => {
  for (const size of [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 5]) {
    const bytes = Uint8Array.from({ length: size }, (_, at) => at * 7);
    const pieces: number[] = [];
    const all: number[] = [];
    for await (const piece of streamBody(bytes)) {
      pieces.push(piece.length);
      for (const byte of piece) all.push(byte);
    }
    strictEqual(Math.max(0, ...pieces) <= PIECE_BYTES, true);
    deepStrictEqual(Uint8Array.from(all), bytes);
  }
});

Deno.test("a reader that stops taking pieces is cut off, one that goes away leaves nothing behind", async () => {
  const stalled = streamBody(new Uint8Array(3 * PIECE_BYTES), 1).getReader();
  await stalled.read();
  await rejects(stalled.closed, /nothing was taken for 1 ms/);
  const left = streamBody(new Uint8Array(3 * PIECE_BYTES)).getReader();
  await left.read();
  await left.cancel();
});
