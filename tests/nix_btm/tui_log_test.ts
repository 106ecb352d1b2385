/** Lines of the log that is looked at: read, continued, and missing. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { emptyWorld } from "../../lib/nix_btm/mod.ts";
import { continued, joined, lineCount } from "../../lib/nix_btm/tui/log_lines.ts";
import type { LogView } from "../../lib/nix_btm/tui/model.ts";
import { update } from "../../lib/nix_btm/tui/update.ts";
import { Player } from "./_tui_player.ts";

const LOG: LogView = { job: 1, lines: ["a", "b"], more: [], count: 2, isReading: false, failure: undefined };

Deno.test("lines that come are put behind a log once, and nothing is copied for none", () => {
  strictEqual(continued(LOG, { tail: ["a", "b"], count: 2 }), LOG);
  const next = continued(LOG, { tail: ["a", "b", "c", "d"], count: 4 })!;
  deepStrictEqual([next.lines, next.more, next.count], [["a", "b"], ["c", "d"], 4]);
  strictEqual(next.lines, LOG.lines);
  strictEqual(continued(LOG, { tail: ["x", "y"], count: 9 }), undefined, "five lines are missing");
  const tail = Array.from({ length: 100 }, (_, at) => `${at}`);
  let log = LOG;
  for (let turn = 1; turn <= 50; turn++) log = continued(log, { tail, count: 2 + turn * 100 })!;
  strictEqual(log.lines.length + log.more.length, 5_002);
  ok(log.more.length < 4_200 && log.lines.length > 4_000, "many are moved");
});

Deno.test("a log that was read and the newest lines are joined by how many there are", () => {
  const tail = ["c", "d", "e"];
  deepStrictEqual(joined(["a", "b", "c", "d", "e"], { tail, count: 5 }).more, []);
  deepStrictEqual(joined(["a", "b", "c"], { tail, count: 5 }).more, ["d", "e"]);
  deepStrictEqual(joined(["a", "b"], { tail, count: 5 }).more, ["c", "d", "e"]);
  deepStrictEqual(joined(["a", "b", "c", "d", "e", "f"], { tail, count: 5 }), {
    lines: ["a", "b", "c", "d", "e", "f"],
    more: [],
    count: 6,
  });
  deepStrictEqual(joined(["a"], { tail, count: 9 }).more, ["[5 lines are not kept]", "c", "d", "e"]);
  deepStrictEqual(joined([], { tail, count: 9 }), { lines: tail, more: [], count: 9 });
  // The same line again and again is no reason to lose one.
  deepStrictEqual(joined(["x", "x"], { tail: ["x", "x", "x"], count: 3 }).more, ["x"]);
});

Deno.test("more lines than are told at once make the log be read anew, once", () => {
  const player = new Player().replay("03-diamond", { until: "buildPhase of dia-a" }).press("3", "enter");
  const job = player.model.job!;
  player.news({ kind: "logRead", job, lines: ["unpackPhase of dia-a"] });
  player.done();
  const row = player.monitor.world.jobs.get(job)!;
  player.monitor.world.jobs.set(job, { ...row, lineCount: 5_000 });
  player.monitor.world.tails.set(job, Array.from({ length: 100 }, (_, at) => `line ${4_900 + at}`));
  const asked = { kind: "readLog", job, derivation: row.subject } as const;
  deepStrictEqual(player.tell().done(), [asked]);
  deepStrictEqual(player.tell().done(), [], "an answer is on its way");
  player.news({ kind: "logRead", job, lines: Array.from({ length: 5_000 }, (_, at) => `line ${at}`) });
  strictEqual(lineCount(player.model), 5_000);
  deepStrictEqual(player.tell().done(), []);
});

Deno.test("of another host's build the last lines are shown, and no log is asked for by its number", () => {
  const player = new Player().replay("03-diamond", { until: "buildPhase of dia-a" });
  const { world } = player.monitor;
  player.model = {
    ...player.model,
    source: { ...player.model.source, worlds: new Map([["", emptyWorld()], ["far", world]]) },
    host: "far",
  };
  player.press("3");
  player.done();
  player.press("enter");
  const job = player.model.job!;
  deepStrictEqual(player.done(), []);
  ok(!player.model.log!.isReading);
  strictEqual(lineCount(player.model), world.tails.get(job)!.length);
  world.jobs.set(job, { ...world.jobs.get(job)!, lineCount: 5_000 });
  world.tails.set(job, ["line 4998", "line 4999"]);
  const { source, nowMs } = player.model;
  const [next, effects] = update(player.model, { kind: "changed", source: { ...source }, nowMs });
  deepStrictEqual([next.log!.lines, effects], [["line 4998", "line 4999"], []]);
});
