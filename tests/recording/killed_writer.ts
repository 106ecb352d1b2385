/** Appends ticks for ever and says each one's number when it is stored; `journal_test.ts` kills it. @module */
import { Journal, workerSealer } from "../../lib/recording/mod.ts";
import { snapshotAt, START_NS } from "./fixture.ts";

const sealer = workerSealer((text) => console.error(text));
// Small segments, so that kills also fall into sealing.
const journal = Journal.create(Deno.args[0]!, START_NS, { sealer, segmentRows: 7 });
const encoder = new TextEncoder();
for (let tick = 0;; tick++) {
  const snapshot = snapshotAt(tick);
  journal.append(snapshot, { timestampNs: snapshot.timeNs, wallOffsetNs: 0n });
  Deno.stdout.writeSync(encoder.encode(`${tick}\n`));
  await new Promise((resolve) => setTimeout(resolve, 0)); // lets the worker's answers in
}
