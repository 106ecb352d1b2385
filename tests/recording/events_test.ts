/** What happened to a run: it stands in the file when it happens, once and with all digits. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  inlineSealer,
  Journal,
  MAX_EVENTS,
  openRecording,
  RunEvents,
  type SnapshotSource,
} from "../../lib/recording/mod.ts";
import { folder, snapshotAt, START_NS } from "./fixture.ts";
import { agent, record } from "./run_fixture.ts";

Deno.test("events of several recordings are told once, in order of time, with all digits of their times", async () => {
  using dir = folder();
  using sealer = inlineSealer();
  const run = `{"timestamp":1700000000123456789,"kind":"run_start","description":"make"}`;
  const away = `{"timestamp":1700000002123456789,"kind":"source_away","description":"b"}`;
  const step = `{"timestamp":1700000001123456789,"kind":"clock_step","description":"a"}`;
  const info = (name: string, events: string) => ({ labels: { host: name }, metadata: { events } });
  using journal = Journal.create(dir.path("r.rez"), START_NS, {
    sealer,
    ...info("a", `{"events":[${run},${away}]}`),
  });
  const second = journal.addRecording(START_NS, info("b", `{"events":[${run},${step}],"left_out":2}`));
  for (const each of [journal, second]) {
    each.append(snapshotAt(0), { timestampNs: snapshotAt(0).timeNs, wallOffsetNs: 0n });
  }
  await journal.finish();
  using recording = openRecording(dir.path("r.rez"));
  strictEqual(recording.metadata["events"], `{"events":[${run},${step},${away}],"left_out":2}`);
});

Deno.test("a recording that is cut off tells of its gaps, and counts nothing that it does not know", async () => {
  using dir = folder();
  const output = dir.path("r.rez");
  const found: Record<string, string>[] = [];
  const sources = {
    a: agent("one", (asking) => {
      if (asking === 20) {
        using recording = openRecording(output);
        found.push({ ...recording.metadata });
      }
      return asking >= 10 && asking < 15 ? new Error("gone") : snapshotAt(asking);
    }),
  };
  await record({ output, sources }).result;
  using recording = openRecording(output);
  found.push({ ...recording.metadata });
  const [cut, whole] = found.map(({ events, per_source_metadata }) => ({
    kinds: JSON.parse(events!).events.map(({ kind }: { kind: string }) => kind),
    ticks: JSON.parse(per_source_metadata!).rezolus.ticks,
  }));
  deepStrictEqual(cut, { kinds: ["source_away", "source_back"], ticks: undefined });
  deepStrictEqual(whole, { kinds: ["source_away", "source_back"], ticks: 25 });
});

Deno.test("what an endpoint tells of itself and cannot be kept ends the recording with its error", async () => {
  using dir = folder();
  const output = dir.path("r.rez");
  const looks = agent("one", (asking) => snapshotAt(asking));
  const source: SnapshotSource = {
    get(path) {
      if (path === "/systeminfo") {
        const db = new DatabaseSync(output);
        db.exec("DROP TABLE recordings");
        db.close();
      }
      return looks.get(path);
    },
    [Symbol.dispose]: () => {},
  };
  const { result } = record({ output, sources: { a: source }, command: ["sleep", "1000"] });
  await rejects(result, /^JournalError: Cannot describe recording .*r\.rez: no such table: recordings$/);
});

Deno.test("of events beyond the limit only the number is told, and an endpoint's own are its and the run's", () => {
  const events = new RunEvents();
  strictEqual(events.toMetadata(), undefined);
  events.add({ timestampNs: START_NS + 7n, kind: "run_start", description: "make" });
  for (let tick = 1; tick < MAX_EVENTS; tick++) {
    ok(events.add({ timestampNs: START_NS, kind: "source_away", description: "gone", source: "a" }));
  }
  const late = { timestampNs: START_NS, kind: "source_back", description: "there", source: "b" } as const;
  deepStrictEqual([events.add(late), events.add(late)], [false, false]);
  const all = JSON.parse(events.toMetadata()!);
  deepStrictEqual([all.events.length, all.left_out], [MAX_EVENTS, 2]);
  strictEqual(
    events.toMetadata("b"),
    `{"events":[{"timestamp":${START_NS + 7n},"kind":"run_start","description":"make"}],"left_out":2}`,
  );
});
