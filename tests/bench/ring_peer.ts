/** Writes CBOR messages from a process of its own: `ring_peer.ts PATH DATA_BYTES MESSAGES`. @module */
import { encodeMessage, MESSAGE_KIND, RingWriter } from "../../lib/ring/mod.ts";

/** Messages that repeat; the reader finds their number in them. */
const CYCLE = 64;
const BATCH = 64;

const [path, dataBytes, messages] = Deno.args;
const encoded = Array.from(
  { length: CYCLE },
  (_, n) =>
    encodeMessage({
      id: n,
      kind: "build",
      derivation: `/nix/store/abc-package-${n}`,
      phase: "build",
      atNs: 1e18 + n,
    }),
);
using writer = RingWriter.open(path!, { dataBytes: Number(dataBytes) });
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
for (let n = 0; n < Number(messages); n++) {
  writer.write(MESSAGE_KIND, encoded[n % CYCLE]!);
  if (n % BATCH === BATCH - 1) writer.flush();
}
