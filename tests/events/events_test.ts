/** Events: what one is, and the newest of them. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { eventLabels, EventLog, eventOf, type HostEvent } from "../../lib/events/mod.ts";

const NOW = 1_790_000_000_000;
const FAILED: HostEvent = {
  timeMs: NOW - 5,
  source: "nix-btm",
  name: "build",
  text: 'hello "failed"',
  severity: "error",
  durationMs: 1_200,
};

Deno.test("an event survives its way over the socket, and what is not told has its usual value", () => {
  deepStrictEqual(eventOf(eventLabels(FAILED), NOW), FAILED);
  deepStrictEqual(eventOf({ source: "cron", name: "job", text: "done" }, NOW), {
    timeMs: NOW,
    source: "cron",
    name: "job",
    text: "done",
    severity: "info",
  });
});

Deno.test("an event that says too little, too much or nonsense is refused by the name of its label", () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ source: "" }, /it has no source/],
    [{ name: "x".repeat(65) }, /name has 65 characters, at most 64/],
    [{ text: "x".repeat(501) }, /text has 501 characters, at most 500/],
    [{ severity: "fatal" }, /severity is "fatal", known are info, warning, error/],
    [{ time_ms: "soon" }, /time_ms is "soon", expected whole milliseconds/],
    [{ time_ms: String(NOW + 61_000) }, /lies ahead/],
    [{ duration_ms: "-1" }, /duration_ms is "-1"/],
  ];
  for (const [labels, expected] of cases) {
    throws(
      () => eventOf({ ...eventLabels(FAILED), ...labels }, NOW),
      (error: Error) => error instanceof RangeError && expected.test(error.message),
    );
  }
});

Deno.test("the log keeps the newest, numbers them, forgets what is old, and counts what went", () => {
  const log = new EventLog({ events: 3, keepMs: 1_000 }, 2);
  strictEqual(log.newest, 2_000);
  for (const at of [0, 100, 200, 900]) log.add({ ...FAILED, timeMs: NOW + at });
  const all = log.since(0, NOW + 900);
  deepStrictEqual(all.events.map(({ id, timeMs }) => [id, timeMs - NOW]), [[2_002, 100], [2_003, 200], [
    2_004,
    900,
  ]]);
  strictEqual(all.next, 2_004);
  deepStrictEqual(log.since(2_003, NOW + 900).events.map(({ id }) => id), [2_004]);
  deepStrictEqual(log.since(all.next, NOW + 1_500), { events: [], next: 2_004 });
  deepStrictEqual(log.since(0, NOW + 1_500).events.map(({ id }) => id), [2_004]);
  deepStrictEqual(log.counts, { kept: 1, taken: 4, dropped: 1, expired: 2 });
});
