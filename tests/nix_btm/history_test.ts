/** What was built before, as it is kept. */
import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Job, JobState } from "../../lib/nix/mod.ts";
import { History, HISTORY_FORMAT, LogStore } from "../../lib/nix_btm/mod.ts";

const DRV = (name: string) => `/nix/store/${"0".repeat(32)}-${name}.drv`;

function job(
  name: string,
  endedMs: number,
  { tookMs = 1_000, host = "", state = { kind: "succeeded" } as JobState } = {},
): Job {
  return {
    id: 1,
    command: 1,
    kind: "build",
    subject: DRV(name),
    name,
    host,
    to: "",
    state,
    startedMs: endedMs - tookMs,
    endedMs,
    doneBytes: 0,
    expectedBytes: 0,
    phases: [{ name: "buildPhase", atMs: endedMs - tookMs }],
    lineCount: 2,
    tail: ["one", "two"],
  };
}

const FAILED: JobState = {
  kind: "failed",
  failure: { kind: "exit", text: "failed with exit code 3", code: 3 },
};

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "nix-btm-" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("how long a build takes is told by its own name first, then by its package, on its own host", () => {
  using history = History.open(":memory:");
  for (const [at, tookMs] of [5_000, 6_000, 7_000].entries()) {
    history.add(job("hello-2.12", 10_000 * (at + 1), { tookMs }));
  }
  history.add(job("hello-2.13", 50_000, { tookMs: 9_000, state: FAILED }));
  deepStrictEqual(history.durationsOf({ name: "hello-2.12", host: "" }), {
    count: 3,
    medianMs: 6_000,
    p90Ms: 7_000,
  });
  deepStrictEqual(history.durationsOf({ name: "hello-3.0", host: "" })?.medianMs, 6_000);
  strictEqual(history.durationsOf({ name: "hello-2.12", host: "ssh://m" }), undefined);
  strictEqual(history.durationsOf({ name: "other-1", host: "" }), undefined);
  history.add(job("hello-2.12", 90_000, { tookMs: 8_000 }));
  strictEqual(
    history.durationsOf({ name: "hello-2.12", host: "" })?.count,
    4,
    "what was known is asked anew",
  );
});

Deno.test("builds are found by name, outcome, time and derivation, the newest first, page by page", () => {
  using history = History.open(":memory:");
  for (const [at, name] of ["a-1", "b-1", "a-2"].entries()) history.add(job(name, 1_000 * (at + 1)));
  history.add(job("a-3", 4_000, { state: FAILED }), {
    log: "file",
    used: { cpuSeconds: 1.5, peakBytes: 1_024 },
  });
  const names = (query: Parameters<History["find"]>[0]) => history.find(query).map(({ name }) => name);
  deepStrictEqual(names({ limit: 10 }), ["a-3", "a-2", "b-1", "a-1"]);
  deepStrictEqual(names({ name: "a-", limit: 2 }), ["a-3", "a-2"]);
  deepStrictEqual(names({ sinceMs: 3_000, limit: 10 }), ["a-3", "a-2"]);
  deepStrictEqual(names({ derivation: DRV("b-1"), limit: 10 }), ["b-1"]);
  const [newest] = history.find({ outcome: "failed", limit: 10 });
  deepStrictEqual(names({ before: newest!.id, limit: 1 }), ["a-2"]);
  deepStrictEqual(
    [newest!.failure, newest!.phase, newest!.tail, newest!.log, newest!.cpuSeconds, newest!.peakBytes],
    ["failed with exit code 3", "buildPhase", ["one", "two"], "file", 1.5, 1_024],
  );
  deepStrictEqual(history.statistics({ limit: 10 })[0], {
    package: "a",
    builds: 3,
    failed: 1,
    totalMs: 3_000,
    medianMs: 1_000,
    p90Ms: 1_000,
    lastMs: 4_000,
  });
  // What failed after a while tells nothing of how long it takes.
  history.add(job("c-1", 5_000, { state: FAILED }));
  const { builds, failed, medianMs } = history.statistics({ limit: 10 }).find((each) =>
    each.package === "c"
  )!;
  deepStrictEqual([builds, failed, medianMs], [1, 1, null]);
});

Deno.test("what was kept is there for the next one; a newer format and another program's tables are refused by name", () => {
  using folder = new Folder();
  const path = `${folder.path}/history.sqlite`;
  {
    using history = History.open(path);
    history.add(job("a-1", 1_000));
  }
  {
    using again = History.open(path);
    strictEqual(again.find({ limit: 10 }).length, 1);
  }
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA user_version = ${HISTORY_FORMAT + 1}`);
  db.close();
  throws(
    () => History.open(path),
    new RegExp(
      `Cannot open history ${path}: format is ${HISTORY_FORMAT + 1}, this build reads ${HISTORY_FORMAT}`,
    ),
  );
  const other = `${folder.path}/other.sqlite`;
  const tables = new DatabaseSync(other);
  tables.exec("CREATE TABLE builds (x)");
  tables.close();
  throws(
    () => History.open(other),
    new RegExp(`^Error: Cannot open history ${other}: no such column: name$`),
  );
});

Deno.test("a history that is broken is kept beside the one that is begun anew", () => {
  using folder = new Folder();
  const path = `${folder.path}/history.sqlite`;
  const text = "this is no database, and it is longer than a header";
  Deno.writeTextFileSync(path, text);
  const told: string[] = [];
  {
    using history = History.open(path, (each) => void told.push(each));
    for (let at = 1; at <= 200; at++) history.add(job(`a-${at}`, at * 10_000));
    strictEqual(history.find({ limit: 1_000 }).length, 200);
  }
  strictEqual(Deno.readTextFileSync(`${path}.broken`), text);
  // Where only later pages are broken, it is seen when the next build is written.
  const bytes = Deno.readFileSync(path);
  Deno.writeFileSync(path, bytes.fill(7, 4_096));
  {
    using history = History.open(path, (each) => void told.push(each));
    throws(() => history.find({ limit: 9 }), /malformed/);
    history.add(job("b", 10_000));
    deepStrictEqual(history.find({ limit: 9 }).map(({ name }) => name), ["b"]);
  }
  deepStrictEqual(Deno.readFileSync(`${path}.broken`).subarray(4_096), bytes.subarray(4_096));
  const anew = `history ${path} is broken, it is kept as ${path}.broken and begun anew`;
  deepStrictEqual(told, [
    `${anew}: file is not a database`,
    `${anew}: database disk image is malformed`,
  ]);
});

Deno.test("a history that somebody has taken away is begun anew, and another's in its place is written to", () => {
  using folder = new Folder();
  const path = `${folder.path}/state/history.sqlite`;
  Deno.mkdirSync(`${folder.path}/state`);
  const history = History.open(path);
  history.add(job("a", 10_000));
  Deno.removeSync(`${folder.path}/state`, { recursive: true });
  history.add(job("b", 20_000));
  Deno.removeSync(path);
  const names = () => {
    using other = History.open(path);
    return other.find({ limit: 9 }).map(({ name }) => name);
  };
  deepStrictEqual(names(), []);
  history.add(job("c", 30_000));
  deepStrictEqual(names(), ["c"]);
  history[Symbol.dispose]();
  deepStrictEqual(names(), ["c"]);
});

Deno.test("a row that is none is no reason not to show the others", () => {
  using folder = new Folder();
  const path = `${folder.path}/history.sqlite`;
  using history = History.open(path);
  history.add(job("a", 10_000));
  using other = new DatabaseSync(path);
  other.exec("UPDATE builds SET phases = '{', tail = '7'");
  const [{ name, phases, tail } = {}] = history.find({ limit: 9 });
  deepStrictEqual({ name, phases, tail }, { name: "a", phases: [], tail: [] });
});

Deno.test("logs are kept whole until all are too large: then the oldest go, never one that is written", async () => {
  using folder = new Folder();
  using store = new LogStore(folder.path, 3_000);
  for (const [at, name] of ["1-1-a", "2-2-b", "3-3-c"].entries()) {
    for (let line = 0; line < 10; line++) store.add(at, { name, line: "x".repeat(99) });
    store.flush();
    if (at < 2) strictEqual(store.end(at), name);
  }
  strictEqual(store.nameOf(2), "3-3-c");
  store.add(3, { name: "0-4-d", line: "y".repeat(200) });
  store.flush();
  const kept = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  deepStrictEqual(kept, ["0-4-d.log", "2-2-b.log", "3-3-c.log"]);
  strictEqual((await store.read("3-3-c")).length, 10);
  strictEqual(store.end(9), undefined);
  for (const name of ["1-1-a", "../history"]) {
    await store.read(name).then(
      () => match(name, /never/),
      (error) => strictEqual(error instanceof Deno.errors.NotFound, true),
    );
  }
});

Deno.test("while another process has the file nobody waits, and what was built is written when it lets go", () => {
  using folder = new Folder();
  const path = `${folder.path}/history.sqlite`;
  const history = History.open(path);
  using other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  for (let at = 1; at <= 200; at++) history.add(job(`a-${at}`, at * 10_000));
  history.flush();
  deepStrictEqual(history.find({ limit: 9 }), []);
  other.exec("ROLLBACK");
  history.flush();
  strictEqual(history.find({ limit: 1_000 }).length, 200);
  other.exec("BEGIN EXCLUSIVE");
  history.add(job("last", 9_000_000));
  throws(() => history[Symbol.dispose](), /Cannot keep the last 1 builds: history is locked/);
});

Deno.test("logs that somebody else took away are no reason to take more", () => {
  using folder = new Folder();
  using store = new LogStore(folder.path, 1_000);
  const line = "x".repeat(299);
  for (const [at, name] of ["1-a", "2-b", "3-c"].entries()) {
    store.add(at, { name, line });
    store.end(at);
  }
  Deno.removeSync(`${folder.path}/1-a.log`);
  store.add(9, { name: "4-d", line });
  store.end(9);
  store.flush();
  deepStrictEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    "2-b.log",
    "3-c.log",
    "4-d.log",
  ]);
});

Deno.test("a history that broke while it was open tells no durations, and ends nothing", () => {
  using folder = new Folder();
  using history = History.open(`${folder.path}/history.sqlite`);
  history.add(job("a", 10_000));
  using other = new DatabaseSync(`${folder.path}/history.sqlite`);
  other.exec("DROP TABLE builds");
  strictEqual(history.durationsOf({ name: "a", host: "" }), undefined);
  throws(() => history.add(job("b", 20_000)), /no such table/);
  throws(() => history.add(job("c", 30_000)), /no such table/, "it is tried anew for each");
});
