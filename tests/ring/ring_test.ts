import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { type ReadResult, recordBytes, RING_FORMAT, RingReader, RingWriter } from "../../lib/ring/mod.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { KIND, payloadOf, Peer, ringFolder, SANITIZED, Tally } from "./peer.ts";
import { soakLaps } from "./soak_laps.ts";

const DATA_BYTES = 4096;

/** Numbers of all self-checking records of a result, or its kind. */
function numbers(result: ReadResult): number[] | string {
  if (result.kind !== "records") return result.kind;
  const found: number[] = [];
  while (result.records.next()) found.push(new Uint32Array(result.records.payload().slice().buffer)[0]!);
  return found;
}

Deno.test("RingWriter: records reach a reader when they are flushed, and it is told the end", () => {
  using folder = ringFolder();
  const writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  writer.write(KIND, payloadOf(0));
  deepStrictEqual([numbers(reader.read()), reader.pending], ["empty", false]);
  writer.write(KIND, payloadOf(1));
  writer.flush();
  strictEqual(reader.pending, true);
  deepStrictEqual(numbers(reader.read()), [0, 1]);
  strictEqual(reader.position, writer.position);
  writer.write(KIND, payloadOf(2));
  writer[Symbol.dispose]();
  writer[Symbol.dispose]();
  deepStrictEqual(numbers(reader.read()), [2]);
  deepStrictEqual(reader.read(), { kind: "ended", how: "closed" });
  throws(() => writer.flush(), /it is closed/);
});

Deno.test("RingWriter: a payload that is too long is refused, with both sizes", () => {
  using folder = ringFolder();
  using writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  strictEqual(writer.maxPayloadBytes, 504);
  writer.write(KIND, new Uint8Array(504));
  throws(() => writer.write(KIND, new Uint8Array(505)), /payload has 505 bytes, at most 504 fit/);
  throws(() => RingWriter.open(`${folder.path}/b`, { dataBytes: 5000 }), RangeError);
});

Deno.test("ring: records longer than the buffers of writer and reader arrive whole, among short ones", () => {
  using folder = ringFolder();
  using writer = RingWriter.open(`${folder.path}/a`, { dataBytes: 4 << 20 });
  using reader = RingReader.open(`${folder.path}/a`);
  const lengths = [3, 100_000, 5, writer.maxPayloadBytes, 70_000, 1];
  for (const length of lengths) writer.write(KIND, new Uint8Array(length).fill(length % 251));
  writer.flush();
  const found: number[] = [];
  for (let result = reader.read(); result.kind === "records"; result = reader.read()) {
    while (result.records.next()) {
      const payload = result.records.payload();
      ok(payload.every((byte) => byte === payload.length % 251));
      found.push(payload.length);
    }
  }
  deepStrictEqual(found, lengths);
});

Deno.test("RingWriter: one ring has one writer, and the other is named", () => {
  using folder = ringFolder();
  using _writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  throws(
    () => RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES }),
    {
      name: "RingError",
      fault: "busy",
      message: new RegExp(`"${folder.path}/a": process ${Deno.pid} writes to it`),
    },
  );
});

Deno.test("RingWriter: a new writer goes on at the same position in a new epoch, and readers are told", () => {
  using folder = ringFolder();
  const first = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  first.write(KIND, payloadOf(0));
  first[Symbol.dispose]();
  using second = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  second.write(KIND, payloadOf(1));
  second.flush();
  deepStrictEqual([second.epoch, reader.epoch], [2, 1]);
  deepStrictEqual(numbers(reader.read()), [0]);
  deepStrictEqual(reader.read(), { kind: "restarted", epoch: 2 });
  deepStrictEqual([numbers(reader.read()), reader.epoch], [[1], 2]);
});

Deno.test("RingWriter: one that begins anew tells the readers of the old file", () => {
  using folder = ringFolder();
  const first = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  first.write(KIND, payloadOf(0));
  first[Symbol.dispose]();
  using second = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES, mode: "replace" });
  deepStrictEqual([second.epoch, second.position], [2, 24n]);
  deepStrictEqual(numbers(reader.read()), [0]);
  deepStrictEqual(reader.read(), { kind: "ended", how: "replaced" });
  second.write(KIND, payloadOf(1));
  second.flush();
  // Positions go on under the same name: what the old file's reader has not seen is found, what is gone is told.
  using next = RingReader.open(`${folder.path}/a`, { from: reader.position });
  deepStrictEqual(numbers(next.read()), [1]);
  using late = RingReader.open(`${folder.path}/a`, { from: 0n });
  deepStrictEqual(late.read(), { kind: "lapped", lostBytes: 24n, position: 24n });
  deepStrictEqual(numbers(late.read()), [1]);
});

Deno.test("RingWriter: beat() moves the heartbeat", () => {
  using folder = ringFolder();
  using writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  const before = reader.status().writer;
  deepStrictEqual([before.pid, before.alive], [Deno.pid, true]);
  writer.beat();
  ok(reader.status().writer.heartbeatNs > before.heartbeatNs);
});

Deno.test("RingReader: begins at the oldest, at the end, or where a snapshot says", () => {
  using folder = ringFolder();
  const path = `${folder.path}/a`;
  using writer = RingWriter.open(path, { dataBytes: DATA_BYTES });
  writer.write(KIND, payloadOf(0));
  writer.flush();
  const snapshot = writer.position;
  writer.write(KIND, payloadOf(1));
  writer.flush();
  using oldest = RingReader.open(path);
  using end = RingReader.open(path, { from: "end" });
  using at = RingReader.open(path, { from: snapshot });
  deepStrictEqual([oldest, end, at].map((reader) => numbers(reader.read())), [[0, 1], "empty", [1]]);
  throws(() => RingReader.open(path, { from: snapshot + 800n }), {
    name: "RangeError",
    message: /position is 824, the end is 56/,
  });
  at.seekBack(DATA_BYTES);
  deepStrictEqual(numbers(at.read()), [0, 1]);
  at.seek(snapshot);
  deepStrictEqual(numbers(at.read()), [1]);
});

/** Where the model says that records lie; `pos` counts as `ring.h` does. */
interface Placed {
  readonly at: number;
  readonly end: number;
}

Deno.test("ring: readers of any speed see what a model of the format says, across laps and restarts", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const said = `HOSTKIT_SEED=${seed}`;
  for (let round = 0; round < 40; round++) {
    using folder = ringFolder();
    const path = `${folder.path}/a`;
    const open = () => RingWriter.open(path, { dataBytes: DATA_BYTES });
    let writer = open();
    const placed: Placed[] = [];
    let head = 0;
    const readers = [0, 1, 2].map(() => ({ ring: RingReader.open(path), next: 0, lost: 0n }));
    for (let step = 0; step < 500; step++) {
      const what = random.below(20);
      if (what === 0) {
        writer[Symbol.dispose]();
        writer = open();
      } else if (what < 10) {
        for (let count = random.below(6); count > 0; count--) {
          // Long ones too, so that the end of the data is often filled with padding.
          const payload = new Uint8Array(4 + random.below(random.below(5) === 0 ? 500 : 40));
          new DataView(payload.buffer).setUint32(0, placed.length, true);
          const bytes = recordBytes(payload.length);
          const room = DATA_BYTES - (head % DATA_BYTES);
          const at = bytes > room ? head + room : head;
          placed.push({ at, end: at + bytes });
          head = at + bytes;
          writer.write(KIND, payload);
        }
        writer.flush();
        strictEqual(writer.position, BigInt(head), said);
      } else {
        const reader = readers[random.below(3)]!;
        const before = Number(reader.ring.position);
        const result = reader.ring.read();
        const after = Number(reader.ring.position);
        if (result.kind === "records") {
          ok(head - before <= DATA_BYTES, said);
          while (result.records.next()) {
            const view: DataView = new DataView(result.records.buffer.buffer, result.records.start);
            strictEqual(view.getUint32(0, true), reader.next, said);
            strictEqual(
              recordBytes(result.records.length),
              placed[reader.next]!.end - placed[reader.next]!.at,
            );
            reader.next++;
          }
          // What follows may be padding that belongs to the next record.
          ok(placed[reader.next - 1]!.end === after || placed[reader.next]!.at >= after, said);
        } else if (result.kind === "lapped") {
          ok(head - before > DATA_BYTES && head - after <= DATA_BYTES / 2, said);
          reader.lost += BigInt(after - before);
          deepStrictEqual([result.lostBytes, result.position], [BigInt(after - before), BigInt(after)], said);
          reader.next = placed.findIndex(({ at, end }) => at === after || (at > after && end > after));
          if (reader.next < 0) reader.next = placed.length;
        } else if (result.kind === "empty") {
          strictEqual(before, head, said);
        }
      }
    }
    for (const { ring, lost } of readers) {
      strictEqual(ring.status().lostBytes, lost, said);
      ring[Symbol.dispose]();
    }
    writer[Symbol.dispose]();
  }
});

Deno.test("ring: a writer in another Deno process, read here and by a C process, loses nothing", async () => {
  using folder = ringFolder();
  const path = `${folder.path}/a`;
  const script = new URL("ts_peer.ts", import.meta.url).pathname;
  await using writer = Peer.start(Deno.execPath(), ["run", "-A", script, path, `${1 << 20}`, "5000"]);
  strictEqual(await writer.line(), "ready");
  await using other = Peer.start(SANITIZED, ["read", path, "5000"]);
  await other.line();
  using reader = RingReader.open(path);
  await writer.go();
  strictEqual(await writer.end(), 0);
  const tally = new Tally();
  for (let result = reader.read(); result.kind === "records"; result = reader.read()) {
    tally.take(result.records);
  }
  deepStrictEqual([tally.seen, tally.torn, tally.gaps], [5000, 0, 0]);
  deepStrictEqual(JSON.parse(await other.line()), {
    seen: 5000,
    torn: 0,
    gaps: 0,
    silent: 0,
    laps: 0,
    lostBytes: 0,
  });
});

Deno.test("ring: a hostile writer's 10^7 records leave no torn and no silently lost record", async () => {
  const { typescript, c } = await soakLaps(10_000_000);
  for (const { torn, silent, gaps, laps, seen } of [typescript, c]) {
    deepStrictEqual({ torn, silent }, { torn: 0, silent: 0 });
    ok(gaps <= laps && seen > 0);
  }
  ok(typescript.laps + c.laps > 0, "nobody was lapped: this tested nothing");
});

Deno.test("ring: a writer that was killed is found out, and the next one goes on after what it had begun", async () => {
  using folder = ringFolder();
  const path = `${folder.path}/a`;
  await using dead = Peer.start(SANITIZED, ["die", path, `${DATA_BYTES}`]);
  strictEqual(await dead.end(), "SIGKILL");
  using reader = RingReader.open(path);
  const { writer, state } = reader.status();
  deepStrictEqual([writer.pid, writer.alive, state], [dead.pid, false, "live"]);
  deepStrictEqual([numbers(reader.read()), numbers(reader.read())], [[0], "empty"]);
  using next = RingWriter.open(path, { dataBytes: DATA_BYTES });
  next.write(KIND, payloadOf(1));
  next.flush();
  deepStrictEqual(reader.read(), { kind: "restarted", epoch: 2 });
  deepStrictEqual([numbers(reader.read()), reader.position], [[1], next.position]);
});

const GOLDEN = new URL("../testdata/ring/format-1.ring", import.meta.url).pathname;

Deno.test("RingReader: reads the golden file of format 1", () => {
  using reader = RingReader.open(GOLDEN);
  const tally = new Tally();
  const result = reader.read();
  if (result.kind === "records") tally.take(result.records);
  deepStrictEqual([result.kind, tally.seen, tally.torn, tally.gaps], ["records", 8, 0, 0]);
  deepStrictEqual(reader.read(), { kind: "ended", how: "closed" });
  const { position, epoch, writer } = reader.status();
  deepStrictEqual([position, epoch, writer.alive], [416n, 1, false]);
  strictEqual(new Uint32Array(Deno.readFileSync(GOLDEN).buffer)[3], RING_FORMAT);
});

Deno.test("RingWriter: writes what the golden file has, but for who and when", () => {
  using folder = ringFolder();
  const path = `${folder.path}/a`;
  {
    using writer = RingWriter.open(path, { dataBytes: DATA_BYTES });
    for (let n = 0; n < 8; n++) writer.write(KIND, payloadOf(n));
  }
  const [mine, golden] = [Deno.readFileSync(path), Deno.readFileSync(GOLDEN)];
  for (const bytes of [mine, golden]) {
    bytes.fill(0, 40, 48); // created
    bytes.fill(0, 80, 84); // pid
    bytes.fill(0, 88, 112); // start, boot id, heartbeat
  }
  deepStrictEqual(mine, golden);
});

/** Bytes put at an offset of a good file, its new size, and what the error must name. */
const BAD: [name: string, offset: number, bytes: number[], size: number, fault: string, words: RegExp][] = [
  [
    "a foreign file",
    0,
    [...new TextEncoder().encode("SQLite 3")],
    12_288,
    "foreign",
    /no ring: 12288 bytes that begin with 0x53514c6974652033/,
  ],
  ["a newer format", 12, [2], 12_288, "newer", /its format is 2, this build reads 1/],
  ["the other byte order", 8, [1, 2, 3, 4], 12_288, "byteOrder", /byte order is 0x04030201/],
  ["a truncated file", 0, [], 12_287, "truncated", /cut short: 12287 bytes, its header says 12288/],
  ["a truncated header", 0, [], 200, "truncated", /cut short: 200 bytes, the header alone has 8192/],
  ["an empty file", 0, [], 0, "truncated", /it is empty/],
  ["a damaged size", 24, [1], 12_288, "foreign", /header is damaged: 8192 bytes of header, 4097 of data/],
  ["damaged positions", 128, [255, 255], 12_288, "foreign", /positions are damaged: first 0, head 65535/],
];
for (const [name, offset, bytes, size, fault, words] of BAD) {
  Deno.test(`ring: ${name} is refused by name and left as it is`, () => {
    using folder = ringFolder();
    const path = `${folder.path}/bad`;
    const content = Deno.readFileSync(GOLDEN);
    content.set(bytes, offset);
    Deno.writeFileSync(path, content.subarray(0, size));
    throws(() => RingReader.open(path), (error: Error & { fault?: string }) => {
      match(error.message, words);
      match(error.message, new RegExp(`Cannot open ring "${path}"`));
      strictEqual(error.fault, fault);
      return true;
    });
    throws(() => RingWriter.open(path, { dataBytes: DATA_BYTES }), words);
    deepStrictEqual(Deno.readFileSync(path), content.slice(0, size));
    const replace = () => RingWriter.open(path, { dataBytes: DATA_BYTES, mode: "replace" })[Symbol.dispose]();
    if (fault === "truncated") replace();
    else throws(replace, words);
  });
}

Deno.test("RingReader: a ring that is not there is an error of the system", () => {
  throws(() => RingReader.open("/dev/shm/hkring-none"), {
    name: "SystemError",
    code: "ENOENT",
    message: /Cannot open ring "\/dev\/shm\/hkring-none"/,
  });
  throws(() => RingReader.open("a\0b"), TypeError);
});

Deno.test("RingReader: damaged records are an error that names the position", () => {
  using folder = ringFolder();
  const path = `${folder.path}/a`;
  {
    using writer = RingWriter.open(path, { dataBytes: 1 << 16 });
    for (let n = 0; n < 300; n++) writer.write(KIND, payloadOf(n));
  }
  using file = Deno.openSync(path, { write: true });
  file.seekSync(8192, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(16));
  using reader = RingReader.open(path);
  throws(() => reader.read(), { name: "SystemError", message: /Cannot read ring ".*" at position 0/ });
});

Deno.test("RingReader: a closed reader refuses to be used", () => {
  const reader = RingReader.open(GOLDEN);
  reader[Symbol.dispose]();
  reader[Symbol.dispose]();
  throws(() => reader.read(), /it is closed/);
});
