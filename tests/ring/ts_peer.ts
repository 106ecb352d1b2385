/** A writer in another Deno process: `deno run -A ts_peer.ts PATH DATA_BYTES RECORDS`. @module */
import { RingWriter } from "../../lib/ring/mod.ts";
import { KIND, payloadOf } from "./peer.ts";

const [path, dataBytes, records] = Deno.args;
using writer = RingWriter.open(path!, { dataBytes: Number(dataBytes) });
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
for (let n = 0; n < Number(records); n++) {
  writer.write(KIND, payloadOf(n));
  if (n % 10 === 0) writer.flush();
}
