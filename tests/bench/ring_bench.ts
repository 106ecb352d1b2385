/** The ring's rows of `deno task bench`; alone: `deno run -A tests/bench/ring_bench.ts`. @module */
import { atLeast, atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { createRing, ring, writeRecords } from "../../ffi/ring/mod.ts";
import { clockNs } from "../../ffi/sys/mod.ts";
import { exec } from "../../lib/build/step.ts";
import { Batch, decodeMessage, Doorbell, MESSAGE_KIND, RingReader, RingWriter } from "../../lib/ring/mod.ts";
import { fastPeer, Peer, ringFolder } from "../ring/peer.ts";
import { soakLaps } from "../ring/soak_laps.ts";

const DATA_BYTES = 4 << 20;
const PAYLOAD = new Uint8Array(248); // with its header 256 bytes
const never = new AbortController().signal;

/** Measures everything; takes about ten seconds. */
export async function ringRows(): Promise<BenchRow[]> {
  using folder = ringFolder();
  const program = await fastPeer();
  return [
    ...await nativeRows(program, folder.path),
    ...scriptRows(folder.path),
    await messageRow(folder.path),
    ...await wakeRows(program, folder.path),
    ...await doorbellRows(program, folder.path),
    ...await lapRows(),
  ];
}

/** The C reference, of 20 M messages. */
async function nativeRows(program: string, folder: string): Promise<BenchRow[]> {
  const told = JSON.parse(await exec(program, ["bench", `${folder}/c`, "20000000"]));
  return [
    atLeast("ring: written in batches from C, 256 B", told.writesPerS / 1e6, "M/s", 20),
    {
      name: "ring: the same while another process reads",
      value: told.contendedWritesPerS / 1e6,
      unit: "M/s",
    },
    {
      name: "ring: log segments written from C, the oldest removed",
      value: told.segmentsGBPerS,
      unit: "GB/s",
    },
    atMost("ring: drained by C", told.drainNs, "ns/message", 15),
  ];
}

/** The same from TypeScript, by turns on one core: half a ring written, then drained. */
function scriptRows(folder: string): BenchRow[] {
  using writer = RingWriter.open(`${folder}/ts`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder}/ts`);
  const block = DATA_BYTES / 2 / 256;
  const spent = { native: 0, write: 0, drain: 0, walk: 0 };
  let [written, drained, walked] = [0, 0, 0];
  for (let round = 0; round < 400; round++) {
    const began = performance.now();
    for (let n = 0; n < block; n++) writer.write(1, PAYLOAD);
    writer.flush();
    const middle = performance.now();
    const walking = round % 2 === 1;
    for (let result = reader.read(); result.kind !== "empty"; result = reader.read()) {
      if (result.kind !== "records") throw new Error(`Cannot measure: the reader was ${result.kind}`);
      if (!walking) drained += result.records.remainingBytes / 256;
      else while (result.records.next()) walked++;
    }
    if (round < 20) [written, drained, walked] = [0, 0, 0]; // until the code is compiled and the pages are there
    else {
      written += block;
      spent.write += middle - began;
      spent[walking ? "walk" : "drain"] += performance.now() - middle;
    }
  }
  return [
    atLeast("ring: batches handed over by TypeScript", batchesPerSecond(folder) / 1e6, "M/s", 20),
    { name: "ring: RingWriter.write, payload copied", value: written / spent.write / 1e3, unit: "M/s" },
    atMost("ring: drained by TypeScript", spent.drain * 1e6 / drained, "ns/message", 15),
    { name: "ring: drained and walked over", value: spent.walk * 1e6 / walked, unit: "ns/message" },
  ];
}

/** One native call for each batch of 64 that is ready. */
function batchesPerSecond(folder: string): number {
  const batch = new Batch(64 * 256);
  while (batch.add(1, PAYLOAD));
  const handle = createRing(`${folder}/batches`, DATA_BYTES, "continue");
  const turns = 100_000;
  const began = performance.now();
  for (let turn = 0; turn < turns; turn++) writeRecords("ring", handle, batch.buffer, batch.bytes);
  const rate = turns * 64 / (performance.now() - began) * 1e3;
  ring().ring_writer_free(handle);
  return rate;
}

/** Messages of a writer in another process, decoded here; a ring that holds them all, so that none may be lost. */
async function messageRow(folder: string): Promise<BenchRow> {
  const messages = 1_000_000;
  const script = new URL("ring_peer.ts", import.meta.url).pathname;
  const args = ["run", "-A", script, `${folder}/cbor`, `${1 << 27}`, `${messages}`];
  await using peer = Peer.start(Deno.execPath(), args);
  await peer.line();
  using reader = RingReader.open(`${folder}/cbor`);
  await using doorbell = Doorbell.create(`${folder}/bell`);
  await peer.go();
  let [began, seen] = [0, 0];
  for await (const result of reader.follow(doorbell, never)) {
    if (result.kind === "ended") break;
    if (result.kind !== "records") throw new Error(`Cannot measure: the reader was ${result.kind}`);
    began ||= performance.now();
    while (result.records.next()) {
      const { id } = decodeMessage(result.records) as { id: number };
      if (result.records.kind !== MESSAGE_KIND || id !== seen % 64) {
        throw new Error(`Message ${seen} is lost`);
      }
      seen++;
    }
  }
  if (seen !== messages) throw new Error(`Cannot measure: ${messages - seen} messages are lost`);
  const rate = seen / (performance.now() - began);
  return atLeast("ring: CBOR messages decoded in TypeScript, none lost", rate, "k/s", 500);
}

/** From a C writer's clock to the line after the wait in TypeScript, the reader asleep each time. */
async function wakeRows(program: string, folder: string): Promise<BenchRow[]> {
  const path = `${folder}/pulse`;
  await using peer = Peer.start(program, ["pulse", path, `${1 << 16}`, "1500", "2000"]);
  await peer.line();
  using reader = RingReader.open(path);
  await using doorbell = Doorbell.create(`${folder}/bell`);
  const delays: number[] = [];
  await peer.go();
  for await (const result of reader.follow(doorbell, never)) {
    const now = clockNs("monotonic");
    if (result.kind !== "records") break;
    while (result.records.next()) {
      const sent = new DataView(result.records.buffer.buffer).getBigUint64(result.records.start, true);
      delays.push(Number(now - sent) / 1e3);
    }
  }
  // What others do on the machine delays a wake too: the bar is for an idle one, so the quietest third counts.
  const thirds = [0, 1, 2].map((third) => delays.slice(third * 500, third * 500 + 500).sort((a, b) => a - b));
  const quietest = thirds.reduce((best, third) => (third[495]! < best[495]! ? third : best));
  return [
    atMost("ring: wake, p50 (quietest of 3 x 500)", quietest[250]!, "µs", 40),
    { name: "ring: wake, p90", value: quietest[450]!, unit: "µs" },
    atMost("ring: wake, p99", quietest[495]!, "µs", 500),
    { name: "ring: wake, p99 of all 1,500", value: delays.sort((a, b) => a - b)[1485]!, unit: "µs" },
  ];
}

/** Each round one record into each of 1,000 rings; a round ends when all of them have been read. */
async function doorbellRows(program: string, folder: string): Promise<BenchRow[]> {
  const [rings, rounds] = [1_000, 30];
  await using peer = Peer.start(program, ["rings", folder, `${rings}`, "4096"]);
  await peer.line();
  await using doorbell = Doorbell.create(`${folder}/bell`);
  using stack = new DisposableStack();
  const readers = Array.from({ length: rings }, (_, n) => stack.use(RingReader.open(`${folder}/${n}.ring`)));
  for (const reader of readers) stack.use(doorbell.add(reader));
  await Promise.all(readers.map((reader) => doorbell.ready(reader, { signal: never })));
  let [seen, spent] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    await peer.go();
    const began = performance.now();
    await Promise.all(readers.map(async (reader) => {
      await doorbell.ready(reader, { signal: never });
      const result = reader.read();
      if (result.kind === "records") { while (result.records.next()) seen++; }
    }));
    spent += performance.now() - began;
  }
  return [
    atLeast("ring: 1,000 rings behind one doorbell, records delivered", seen, "records", rings * rounds),
    { name: "ring: one round of them", value: spent / rounds, unit: "ms" },
  ];
}

async function lapRows(): Promise<BenchRow[]> {
  const { typescript, c } = await soakLaps(10_000_000);
  return [
    atMost(
      "ring: torn or silently lost of 10 M",
      typescript.torn + typescript.silent + c.torn + c.silent,
      "records",
      0,
    ),
    { name: "ring: laps told meanwhile", value: typescript.laps + c.laps, unit: "laps" },
  ];
}

if (import.meta.main) {
  for (const { name, value, unit, bar, ok } of await ringRows()) {
    const verdict = ok === undefined ? "" : `${ok ? "ok" : "MISSED"} (${bar})`;
    console.log(`${name.padEnd(58)} ${value.toFixed(2).padStart(12)} ${unit.padEnd(11)} ${verdict}`);
  }
}
