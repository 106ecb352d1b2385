import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { exec } from "../../lib/build/step.ts";
import {
  Doorbell,
  readBuffer,
  type ReadResult,
  RingWriter,
  SegmentReader,
  type SegmentSizes,
  SegmentWriter,
} from "../../lib/ring/mod.ts";
import { KIND, payloadOf, Peer, ringFolder, SANITIZED, Tally } from "./peer.ts";

const DATA_BYTES = 4096;
const FILE_BYTES = DATA_BYTES + 8192;
const SIZES: SegmentSizes = { dataBytes: DATA_BYTES, retainBytes: 4 * FILE_BYTES, overflow: "dropOldest" };
const never = new AbortController().signal;

function write(writer: SegmentWriter, from: number, count: number): void {
  for (let n = from; n < from + count; n++) strictEqual(writer.write(KIND, payloadOf(n)), true);
  strictEqual(writer.flush(), true);
}

/** Reads to the end; counts the laps by what they say was lost. */
function readAll(reader: SegmentReader, tally: Tally): { lost: bigint; last: ReadResult } {
  let lost = 0n;
  for (;;) {
    const result = reader.read();
    if (result.kind === "records") tally.take(result.records);
    else if (result.kind === "lapped") {
      tally.lap();
      lost += result.lostBytes;
    } else if (result.kind !== "restarted") return { lost, last: result };
  }
}

Deno.test("SegmentWriter: a stream goes on from file to file and is read as one", () => {
  using folder = ringFolder();
  using writer = SegmentWriter.open(folder.path, { ...SIZES, retainBytes: 1000 * FILE_BYTES });
  using reader = SegmentReader.open(folder.path);
  const tally = new Tally();
  write(writer, 0, 100);
  strictEqual(readAll(reader, tally).last.kind, "empty");
  write(writer, 100, 400);
  readAll(reader, tally);
  deepStrictEqual([tally.seen, tally.torn, tally.gaps], [500, 0, 0]);
  strictEqual(reader.position, writer.position);
  ok([...Deno.readDirSync(folder.path)].length > 10);
  strictEqual(writer.droppedBytes, 0n);
});

Deno.test("SegmentWriter: at retention the oldest goes, is counted, and a reader is told exactly what it lost", () => {
  using folder = ringFolder();
  using writer = SegmentWriter.open(folder.path, SIZES);
  using reader = SegmentReader.open(folder.path);
  const tally = new Tally();
  write(writer, 0, 10);
  readAll(reader, tally);
  const before = reader.position;
  write(writer, 10, 990);
  const files = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  strictEqual(files.length, 4);
  strictEqual(writer.droppedBytes, BigInt(`0x${files[0]!.slice(0, 16)}`));
  const { lost } = readAll(reader, tally);
  // The file that was open when it was removed is still read to its end.
  ok(lost > 0n && lost < writer.droppedBytes - before);
  deepStrictEqual([tally.next, tally.torn, tally.silent, tally.gaps], [1000, 0, 0, 1]);
  strictEqual(reader.status().droppedBytes, writer.droppedBytes);
});

Deno.test("SegmentWriter: overflow `block` refuses to write until somebody has made room", () => {
  using folder = ringFolder();
  const writer = SegmentWriter.open(folder.path, { ...SIZES, overflow: "block" });
  let n = 0;
  while (writer.write(KIND, payloadOf(n))) n++;
  strictEqual(writer.flush(), false);
  const oldest = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort()[0]!;
  using reader = SegmentReader.open(folder.path);
  Deno.removeSync(`${folder.path}/${oldest}`);
  strictEqual(writer.flush(), true);
  const tally = new Tally();
  readAll(reader, tally);
  deepStrictEqual([tally.seen, tally.torn, tally.gaps], [n, 0, 0]);
  while (writer.write(KIND, payloadOf(n))) n++;
  throws(() => writer[Symbol.dispose](), /the log is full, \d+ bytes were not written/);
});

Deno.test("SegmentWriter: the next writer goes on in the newest file, and readers are told", () => {
  using folder = ringFolder();
  const first = SegmentWriter.open(folder.path, SIZES);
  throws(() => SegmentWriter.open(folder.path, SIZES), { fault: "busy" });
  write(first, 0, 45);
  const end = first.position;
  first[Symbol.dispose]();
  using reader = SegmentReader.open(folder.path);
  deepStrictEqual(readAll(reader, new Tally()).last, { kind: "ended", how: "closed" });
  // As a writer leaves it that died between making a file and publishing it.
  Deno.writeTextFileSync(`${folder.path}/0000000000001000.seg.1.2.new`, "");
  using second = SegmentWriter.open(folder.path, SIZES);
  strictEqual(second.position, end);
  write(second, 45, 1);
  deepStrictEqual(reader.read(), { kind: "restarted", epoch: 2 });
  strictEqual(reader.read().kind, "records");
  ok([...Deno.readDirSync(folder.path)].every(({ name }) => name.endsWith(".seg")));
});

Deno.test("SegmentWriter: after a crash of the machine what does not make sense any more is left out", () => {
  using folder = ringFolder();
  {
    using writer = SegmentWriter.open(folder.path, SIZES);
    write(writer, 0, 5);
  }
  {
    using file = Deno.openSync(`${folder.path}/0000000000000000.seg`, { write: true });
    file.seekSync(104 - 8, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(8).fill(1)); // the id of another boot
    file.seekSync(8192 + 24 + 32, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(40)); // record 2 never reached the disk
  }
  using writer = SegmentWriter.open(folder.path, SIZES);
  strictEqual(writer.position, 56n);
  write(writer, 2, 1);
  using reader = SegmentReader.open(folder.path);
  const tally = new Tally();
  readAll(reader, tally);
  deepStrictEqual([tally.seen, tally.torn, tally.gaps], [3, 0, 0]);
});

Deno.test("SegmentWriter: names the child and keeps how it ended, also in later files", () => {
  using folder = ringFolder();
  using writer = SegmentWriter.open(folder.path, SIZES);
  writer.childStarted(4242, 99n);
  using reader = SegmentReader.open(folder.path, { from: "end" });
  deepStrictEqual({ ...reader.status().child }, {
    state: "running",
    pid: 4242,
    startTicks: 99n,
    waitStatus: 0,
    exitNs: 0n,
  });
  write(writer, 0, 100);
  writer.childExited(9);
  using late = SegmentReader.open(folder.path, { from: "end" });
  const { exitNs, ...child } = late.status().child;
  deepStrictEqual(child, { state: "exited", pid: 4242, startTicks: 99n, waitStatus: 9 });
  ok(exitNs > 0n);
});

Deno.test("SegmentWriter: sizes that cannot work and payloads that cannot fit are refused", () => {
  using folder = ringFolder();
  throws(() => SegmentWriter.open(folder.path, { ...SIZES, dataBytes: 1000 }), RangeError);
  throws(
    () => SegmentWriter.open(folder.path, { ...SIZES, retainBytes: FILE_BYTES }),
    /retention is 12288 bytes, two files have 24576/,
  );
  using writer = SegmentWriter.open(folder.path, SIZES);
  throws(() => writer.write(KIND, new Uint8Array(505)), /payload has 505 bytes, at most 504 fit/);
  using reader = SegmentReader.open(folder.path);
  const before = reader.status().writer.heartbeatNs;
  writer.beat();
  ok(reader.status().writer.heartbeatNs > before);
});

Deno.test("SegmentReader: begins at a position inside an older file", () => {
  using folder = ringFolder();
  using writer = SegmentWriter.open(folder.path, SIZES);
  write(writer, 0, 40);
  const snapshot = writer.position;
  write(writer, 40, 40);
  using reader = SegmentReader.open(folder.path, { from: snapshot });
  const tally = new Tally();
  tally.next = 40;
  readAll(reader, tally);
  deepStrictEqual([tally.seen, tally.gaps], [40, 0]);
  throws(() => SegmentReader.open(folder.path, { from: writer.position + 8n }), RangeError);
});

Deno.test("SegmentReader: a folder without segments, and one with a damaged segment, are named", () => {
  using folder = ringFolder();
  throws(() => SegmentReader.open(folder.path), { name: "NotFound", message: /no segment is there/ });
  Deno.writeTextFileSync(`${folder.path}/0000000000000000.seg`, "not a segment");
  throws(() => SegmentReader.open(folder.path), {
    name: "RingError",
    message: /0000000000000000\.seg": it is no ring/,
  });
  throws(() => SegmentWriter.open(folder.path, SIZES), /\(segment 0000000000000000\.seg\)/);
});

Deno.test("SegmentReader: follow() wakes for a writer in C, across files, to its end", async () => {
  using folder = ringFolder();
  const args = ["log", folder.path, `${DATA_BYTES}`, `${1000 * FILE_BYTES}`, "3000"];
  await using writer = Peer.start(SANITIZED, args);
  strictEqual(await writer.line(), "ready");
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  using reader = SegmentReader.open(folder.path);
  const tally = new Tally();
  await writer.go();
  let end = "";
  for await (const result of reader.follow(doorbell, never)) {
    if (result.kind === "records") tally.take(result.records);
    else end += result.kind === "ended" ? result.how : result.kind;
  }
  strictEqual(end, "closed");
  deepStrictEqual([tally.seen, tally.torn, tally.gaps], [3000, 0, 0]);
  const { child } = reader.status();
  deepStrictEqual([child.state, child.pid, child.waitStatus], ["exited", writer.pid, 7 << 8]);
  ok(child.startTicks > 0n);
});

/** A file system in memory that is full at `bytes`. */
async function smallDisk(path: string, bytes: number): Promise<AsyncDisposable> {
  await exec("/bin/mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", path]);
  return {
    [Symbol.asyncDispose]: async () => {
      await exec("/bin/umount", [path]);
    },
  };
}

Deno.test({
  name: "ring: a full disk is an error when a file is made, never a crash in a write (needs root)",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using folder = ringFolder();
    await using _disk = await smallDisk(folder.path, 5 * FILE_BYTES);
    throws(() => RingWriter.open(`${folder.path}/a`, { dataBytes: 1 << 20 }), { code: "ENOSPC" });
    strictEqual([...Deno.readDirSync(folder.path)].length, 0);
    // Retention allows more than the disk: the oldest goes all the same.
    using writer = SegmentWriter.open(folder.path, { ...SIZES, retainBytes: 100 * FILE_BYTES });
    write(writer, 0, 500);
    ok(writer.droppedBytes > 0n);
    using reader = SegmentReader.open(folder.path);
    const tally = new Tally();
    tally.lap();
    readAll(reader, tally);
    deepStrictEqual([tally.next, tally.torn, tally.gaps], [500, 0, 1]);
  },
});

Deno.test("SegmentReader: each() reads many logs through one buffer, and none has a word of another", async () => {
  const folders = Array.from({ length: 8 }, () => ringFolder());
  using stack = new DisposableStack();
  const buffer = readBuffer();
  await using doorbell = Doorbell.create(`${stack.use(ringFolder()).path}/bell`);
  const all = folders.map((folder, at) => {
    stack.use(folder);
    const writer = SegmentWriter.open(folder.path, { ...SIZES, retainBytes: 1000 * FILE_BYTES });
    const reader = stack.use(SegmentReader.open(folder.path, { buffer }));
    const seen: string[] = [];
    const done = reader.each(doorbell, never, (result) => {
      if (result.kind !== "records") return;
      while (result.records.next()) seen.push(new TextDecoder().decode(result.records.payload()));
    });
    return { at, writer, seen, done };
  });
  for (let n = 0; n < 300; n++) {
    for (const { at, writer } of all) {
      writer.write(KIND, new TextEncoder().encode(`log ${at} record ${n}`));
      writer.flush();
    }
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  for (const { writer } of all) writer[Symbol.dispose]();
  for (const { at, seen, done } of all) {
    await done;
    deepStrictEqual(seen, Array.from({ length: 300 }, (_, n) => `log ${at} record ${n}`));
  }
});

Deno.test("SegmentWriter: long records make the batch grow", () => {
  using folder = ringFolder();
  using writer = SegmentWriter.open(folder.path, { ...SIZES, dataBytes: 1 << 20, retainBytes: 4 << 20 });
  using reader = SegmentReader.open(folder.path);
  strictEqual(writer.write(KIND, new Uint8Array(writer.maxPayloadBytes)), true);
  writer.flush();
  const result = reader.read();
  ok(result.kind === "records" && result.records.next());
  strictEqual(result.records.length, writer.maxPayloadBytes);
});
