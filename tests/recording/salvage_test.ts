/** What is left of a `.rez` that was cut or changed is read, told, and right. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  convertToParquet,
  inlineSealer,
  Journal,
  openRecording,
  type Recording,
  RecordingError,
} from "../../lib/recording/mod.ts";
import { fuzzCount } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { SECOND_NS, snapshotAt, START_NS } from "./fixture.ts";

const TICKS = 240;

/** A whole file is opened in each round, which takes milliseconds. */
const MAX_FUZZ_ROUNDS = 20_000;

/** A finished recording and one that still runs, which is whole without its `-wal` file; made once. */
let made: Promise<Readonly<Record<string, Uint8Array<ArrayBuffer>>>> | undefined;

async function make(): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const root = Deno.makeTempDirSync({ prefix: "hostkit-salvage-" });
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  using sealer = inlineSealer();
  for (const name of ["finished", "running"]) {
    const path = `${root}/${name}.rez`;
    using journal = Journal.create(path, START_NS, {
      sealer,
      segmentRows: name === "finished" ? 20 : 100,
      metadata: { source: "rezolus" },
    });
    for (let tick = 0; tick < TICKS; tick++) {
      const snapshot = snapshotAt(tick);
      journal.append(snapshot, { timestampNs: snapshot.timeNs, wallOffsetNs: 0n });
      await Promise.resolve(); // lets the sealer in
    }
    if (name === "finished") await journal.finish();
    journal[Symbol.dispose]();
    files[name] = Deno.readFileSync(path);
  }
  Deno.removeSync(root, { recursive: true });
  return files;
}

/** A folder with both. */
async function recordings(): Promise<Disposable & { readonly path: (name: string) => string }> {
  const root = Deno.makeTempDirSync({ prefix: "hostkit-salvage-" });
  for (const [name, bytes] of Object.entries(await (made ??= make()))) {
    Deno.writeFileSync(`${root}/${name}.rez`, bytes);
  }
  return {
    path: (name) => `${root}/${name}`,
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
}

/** Checks each value that is there against the tick of its time; returns the number of ticks. */
function checkValues(recording: Recording): number {
  let most = 0;
  for (const info of recording.series.series()) {
    const series = recording.series.read(info);
    const { __name__: name, id } = info.labels;
    let [last, present] = [-1, 0];
    series.times.forEach((time, point) => {
      const tick = Math.round(time - Number(START_NS / SECOND_NS));
      ok(tick > last && tick < TICKS, `${name}: tick ${tick} behind ${last}`);
      last = tick;
      if (series.missing?.[point] === 1) return;
      present++;
      if (series.kind !== "number") return;
      const expected = name === "memory_free"
        ? 4_096 * tick
        : name === "level"
        ? (tick % 2 === 0 ? tick : -tick)
        : id === "0"
        ? 1_000 * tick
        : Number((1n << 60n) + BigInt(tick));
      strictEqual(series.values[point], expected, `${name} of tick ${tick}`);
    });
    most = Math.max(most, present);
  }
  return most;
}

/** Opens what is left; `undefined` when it was refused, which has to be in one line that names the file. */
function openLeft(path: string): Recording | undefined {
  try {
    return openRecording(path);
  } catch (error) {
    ok(error instanceof RecordingError, String(error));
    ok(
      error.message.startsWith(`Cannot open recording ${path}: `) && !error.message.includes("\n"),
      error.message,
    );
    return undefined;
  }
}

for (const name of ["finished", "running"]) {
  Deno.test(`a ${name} recording that is cut anywhere gives its ticks up to there, and tells how many`, async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    using dir = await recordings();
    const whole = Deno.readFileSync(dir.path(`${name}.rez`));
    const path = dir.path("cut.rez");
    for (let round = 0; round < 60; round++) {
      const length = round === 0 ? whole.length - 1 : 1 + random.below(whole.length - 1);
      Deno.writeFileSync(path, whole.subarray(0, length));
      const where = `seed ${seed}: cut at ${length} of ${whole.length}`;
      using left = openLeft(path);
      if (left === undefined) {
        ok(length < whole.length / 2, `${where}: refused whole`);
        continue;
      }
      const ticks = checkValues(left);
      if (length >= whole.length - 4_096 && left.notes.length === 0) continue; // nothing but free space is lost
      const told = /^it is damaged \(.*\): (\d+) ticks? (?:was|were) read, the last of 2023-11-14T/.exec(
        left.notes[0]!,
      );
      ok(told !== null, `${where}: ${left.notes[0]}`);
      ok(Number(told[1]) >= ticks && Number(told[1]) <= TICKS, `${where}: ${told[1]} told, ${ticks} read`);
      strictEqual(left.complete, false);
    }
  });
}

Deno.test("of a recording cut in the middle a good part is there, and becomes parquet", async () => {
  using dir = await recordings();
  for (const name of ["finished", "running"]) {
    const path = dir.path(`${name}.rez`);
    Deno.truncateSync(path, Math.floor(Deno.statSync(path).size * 0.7));
    using left = openRecording(path);
    const ticks = checkValues(left);
    ok(ticks >= TICKS / 5, `${name}: ${ticks} of ${TICKS}`);
    deepStrictEqual(left.metadata, { source: "rezolus" });
    convertToParquet(path, dir.path(`${name}.parquet`));
    using parquet = openRecording(dir.path(`${name}.parquet`));
    strictEqual(checkValues(parquet), ticks);
  }
});

Deno.test({
  name: "a program with a list of permissions, as all tools have, reads what is left as one with all of them",
  permissions: { read: true, write: true },
  async fn() {
    using dir = await recordings();
    const path = dir.path("finished.rez");
    Deno.truncateSync(path, Math.floor(Deno.statSync(path).size * 0.7));
    using left = openRecording(path);
    ok(checkValues(left) >= TICKS / 5, left.notes.join("\n"));
  },
});

Deno.test("damage to pages leaves what is in the others", async () => {
  using dir = await recordings();
  const path = dir.path("finished.rez");
  const all = Deno.readFileSync(path);
  const from = Math.floor(all.length / 2 / 4_096) * 4_096;
  all.fill(0xff, from, from + 3 * 4_096);
  Deno.writeFileSync(path, all);
  using left = openLeft(path);
  ok(left !== undefined);
  const ticks = checkValues(left);
  ok(ticks > TICKS / 2 && ticks < TICKS, String(ticks));
});

Deno.test("damage to one row or segment of a damaged file leaves that one out, and says so", async () => {
  using dir = await recordings();
  const path = dir.path("running.rez");
  const db = new DatabaseSync(path);
  const row = db.prepare("SELECT rowid AS id FROM wal WHERE sampler = 'cpu/percpu' ORDER BY ts DESC LIMIT 1")
    .get()!;
  db.prepare("UPDATE wal SET row = x'c1c1' WHERE rowid = ?").run(row["id"]!);
  db.exec("UPDATE segments SET bytes = x'50415231' WHERE sampler = 'memory/info' AND seq = 0");
  db.close();
  using left = openRecording(path);
  deepStrictEqual(left.notes.slice(1), [
    "1 segments could not be read and are left out",
    "1 rows could not be read and are left out",
  ]);
  ok(/^it is damaged \(.*\): 239 ticks were read, the last of /.test(left.notes[0]!), left.notes[0]);
  strictEqual(checkValues(left), TICKS - 1 - Math.floor(TICKS / 10) + Math.floor(TICKS / 10));
});

Deno.test("files with changed bytes are read or refused in words, whatever the bytes", async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  using dir = await recordings();
  const path = dir.path("flipped.rez");
  for (const name of ["finished", "running"]) {
    const whole = Deno.readFileSync(dir.path(`${name}.rez`));
    let opened = 0;
    const rounds = Math.min(MAX_FUZZ_ROUNDS, fuzzCount(100));
    for (let round = 0; round < rounds; round++) {
      const bytes = whole.slice();
      for (let flips = 1 + random.below(16); flips > 0; flips--) {
        const at = random.below(bytes.length);
        bytes[at] = bytes[at]! ^ (1 << random.below(8));
      }
      Deno.writeFileSync(path, bytes);
      using left = openLeft(path);
      if (left === undefined) continue;
      opened++;
      for (const info of left.series.series()) {
        try {
          left.series.read(info);
        } catch (error) {
          ok(error instanceof SyntaxError, `seed ${seed}, ${name}, round ${round}: ${error}`);
          ok(error.message.startsWith("Cannot read ") && error.message.includes(path), error.message);
        }
      }
    }
    ok(opened > rounds / 2, `seed ${seed}: ${opened} of ${rounds} ${name} ones opened`);
  }
});

Deno.test("a file of which nothing is left says what SQLite found", () => {
  const path = Deno.makeTempFileSync({ suffix: ".rez" });
  try {
    Deno.writeTextFileSync(path, "SQLite format 3\0and nothing of it");
    throws(() => openRecording(path), /Cannot open recording .*: file is not a database$/);
  } finally {
    Deno.removeSync(path);
  }
});
