/** A full disk: the error names what was being done, and what was recorded stays. Needs root: mounts a tmpfs. */
import { ok, rejects, strictEqual, throws } from "node:assert/strict";
import { encodeSnapshotV3 } from "../../lib/metrics/mod.ts";
import {
  inlineSealer,
  Journal,
  openRecording,
  runRecord,
  type Sealer,
  type SnapshotSource,
  workerSealer,
} from "../../lib/recording/mod.ts";
import { snapshotAt, START_NS } from "./fixture.ts";
import { CAN_MOUNT, fill, smallDisk } from "./small_disk.ts";

/** An agent that gives one snapshot after the other, and what stops a recording after so many. */
function agent(count: number): { readonly source: SnapshotSource; readonly signal: AbortSignal } {
  const stop = new AbortController();
  let asked = 0;
  const source: SnapshotSource = {
    get(path) {
      if (path !== "/metrics/binary") return Promise.reject(new Error("not there"));
      if (asked === count - 1) stop.abort();
      return Promise.resolve(encodeSnapshotV3(snapshotAt(asked++)));
    },
    [Symbol.dispose]: () => {},
  };
  return { source, signal: stop.signal };
}

/** A clock that never waits. */
const hurried = {
  nowMs: () => Number(START_NS / 1_000_000n),
  monotonicNs: () => BigInt(Math.round(performance.now() * 1e6)),
  sleepUntil: () => Promise.resolve(),
};

/** Points of the series that every tick has. */
function ticksOf(path: string): number {
  using recording = openRecording(path);
  const info = recording.series.series().find(({ labels }) => labels.__name__ === "level")!;
  return recording.series.read(info).times.length;
}

Deno.test({
  name:
    "a full disk ends a journal with a clear error and keeps what was recorded (needs root: mounts a tmpfs)",
  ignore: !CAN_MOUNT,
  fn() {
    using disk = smallDisk(400);
    using sealer = inlineSealer();
    const path = disk.path("a.rez");
    using journal = Journal.create(path, START_NS, { sealer });
    let ticks = 0;
    throws(() => {
      for (;; ticks++) {
        const snapshot = snapshotAt(ticks);
        journal.append(snapshot, { timestampNs: snapshot.timeNs, wallOffsetNs: 0n });
      }
    }, /Cannot append to recording .*a.rez: the disk is full; what was recorded before stays readable/);
    ok(ticks > 10);
    journal[Symbol.dispose]();
    strictEqual(ticksOf(path), ticks);
  },
});

const SEALERS: [string, () => Sealer][] = [["this thread", inlineSealer], [
  "a worker",
  () => workerSealer(() => {}),
]];
for (const [where, makeSealer] of SEALERS) {
  Deno.test({
    name:
      `a disk that is full when parquet is made in ${where} leaves the journal (needs root: mounts a tmpfs)`,
    ignore: !CAN_MOUNT,
    async fn() {
      using disk = smallDisk(2_000);
      const working = makeSealer();
      using sealer: Sealer = {
        run(job) {
          if (job.kind === "convert") fill(disk.path("filler"));
          return working.run(job);
        },
        [Symbol.dispose]: () => working[Symbol.dispose](),
      };
      const { source, signal } = agent(50);
      const output = disk.path("r.parquet");
      Deno.writeTextFileSync(output, "an earlier recording");
      await rejects(
        runRecord(
          { endpoints: [{ url: "a" }], output, sealer, connect: () => source, clock: hurried },
          signal,
        ),
        /^Error: Cannot convert recording \S*r\.parquet\.rez to \S*r\.parquet: the disk is full; \S*r\.parquet\.rez keeps what was recorded$/,
      );
      strictEqual(ticksOf(`${output}.rez`), 50);
      strictEqual(Deno.readTextFileSync(output), "an earlier recording");
      strictEqual([...Deno.readDirSync(disk.path("."))].some(({ name }) => name.endsWith(".partial")), false);
    },
  });
}

Deno.test({
  name: "a disk that is full while a journal is finished leaves the journal (needs root: mounts a tmpfs)",
  ignore: !CAN_MOUNT,
  async fn() {
    using disk = smallDisk(2_000);
    const working = inlineSealer();
    using sealer: Sealer = {
      run(job) {
        if (job.kind === "finish") fill(disk.path("filler"));
        return working.run(job);
      },
      [Symbol.dispose]: () => {},
    };
    const { source, signal } = agent(50);
    const output = disk.path("r.rez");
    await rejects(
      runRecord({ endpoints: [{ url: "a" }], output, sealer, connect: () => source, clock: hurried }, signal),
      /Cannot finish recording .*r\.rez: the disk (is full|cannot be written); what was recorded before stays readable/,
    );
    Deno.removeSync(disk.path("filler"));
    strictEqual(ticksOf(output), 50);
  },
});

Deno.test({
  name:
    "a full disk ends a raw recording with a clear error, and its whole snapshots are read (needs root: mounts a tmpfs)",
  ignore: !CAN_MOUNT,
  async fn() {
    using disk = smallDisk(200);
    const { source, signal } = agent(Infinity);
    const output = disk.path("r.raw");
    await rejects(
      runRecord(
        { endpoints: [{ url: "a" }], output, sealer: inlineSealer(), connect: () => source, clock: hurried },
        signal,
      ),
      /Cannot append to recording .*r\.raw: the disk is full; what was recorded before stays readable/,
    );
    ok(ticksOf(output) > 10);
  },
});
