/** What the terminal client does on keys, the mouse, news and time: its model and its effects. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { builderRows, processKey, tableRows } from "../../lib/nix_btm/tui/builder_rows.ts";
import { THEMES } from "../../lib/nix_btm/tui/theme_names.ts";
import { eagleRows, jobAt as jobOfRow } from "../../lib/nix_btm/tui/eagle_rows.ts";
import { jobRows } from "../../lib/nix_btm/tui/job_rows.ts";
import { KEYMAP } from "../../lib/nix_btm/tui/keymap.ts";
import { lineAt, lineCount } from "../../lib/nix_btm/tui/log_lines.ts";
import { TABS } from "../../lib/nix_btm/tui/model.ts";
import { buildAt, selectedJob } from "../../lib/nix_btm/tui/selected.ts";
import { keyLabel } from "../../lib/tui/mod.ts";
import { aBuild, PAST, Player } from "./_tui_player.ts";

const WIDE_153 = "building '/nix/store/df0ijwr8ndlwqn4lj0hyic79590186km-wide-153";

function diamond(until?: string): Player {
  return new Player().replay("03-diamond", until === undefined ? {} : { until });
}

function wide(): Player {
  return new Player().replay("05-wide-200-j8", { until: WIDE_153 });
}

function builders(): Player {
  return new Player().processes(
    aBuild("one"),
    aBuild("two", { uid: 30_002, pid: 6_000, cpuRatio: 1.5, children: 30 }),
  );
}

const eagleNames = ({ model }: Player) =>
  eagleRows(model).map((row) =>
    row.kind === "command" ? `#${row.command.id}` : `${" ".repeat(row.depth)}${row.name}`
  );
const jobNames = ({ model }: Player) => jobRows(model).map(({ name }) => name);
const jobAt = (player: Player) =>
  player.model.source.worlds.get("")!.jobs.get(selectedJob(player.model)!)?.name;
const builderKey = ({ model }: Player) => builderRows(model)[model.lists.builders.selected]!.key;

Deno.test("n and p go through the views and round, numbers go straight to one", () => {
  const player = new Player();
  const seen = TABS.map(() => player.press("n").model.tab);
  deepStrictEqual(seen, ["eagle", "jobs", "build", "history", "hosts", "builders"]);
  strictEqual(player.press("p").model.tab, "hosts");
  for (const [at, tab] of TABS.entries()) strictEqual(player.press(String(at + 1)).model.tab, tab);
});

Deno.test("q, Escape and Ctrl-C end the client, Escape in Build goes back to where it was opened", () => {
  for (const key of ["q", "escape", "ctrl+c"]) ok(new Player().press(key).model.ended);
  for (const tab of ["2", "3"]) {
    const player = diamond().press(tab, "G", ...(tab === "2" ? ["O", "G"] : []), "enter");
    strictEqual(player.model.tab, "build");
    strictEqual(player.press("escape").model.tab, TABS[Number(tab) - 1]);
    ok(!player.model.ended);
  }
});

Deno.test("j, k, the arrows, g and G move in each list, and stop at its ends", () => {
  for (const [tab, play] of [["1", builders], ["2", diamond], ["3", diamond]] as const) {
    const player = play().press(tab, ...(tab === "2" ? ["O"] : []));
    const name = TABS[Number(tab) - 1]!;
    const at = () => player.model.lists[name].selected;
    player.press("g", "j", "down");
    const two = at();
    ok(two > 0, name);
    strictEqual(player.press("k").model.lists[name].selected, two - 1);
    strictEqual(player.press("up", "up", "up", "up").model.lists[name].selected, 0);
    const last = player.press("G").model.lists[name].selected;
    strictEqual(player.press("j").model.lists[name].selected, last);
    strictEqual(player.press("home").model.lists[name].selected, 0);
    strictEqual(player.press("end").model.lists[name].selected, last);
  }
});

Deno.test("Ctrl-d goes half a page down and Ctrl-u half a page up", () => {
  const player = wide().press("3", "ctrl+d");
  const half = player.model.lists.jobs.selected;
  ok(half >= 8);
  strictEqual(player.press("ctrl+d").model.lists.jobs.selected, 2 * half);
  strictEqual(player.press("ctrl+u").model.lists.jobs.selected, half);
  strictEqual(player.press("pageup").model.lists.jobs.selected, 0);
  strictEqual(player.press("pagedown").model.lists.jobs.selected, half);
});

Deno.test("Enter, Tab and Space fold the tree of the view that is seen, and no other", () => {
  const player = diamond("building '/nix/store/nd7xsq7kw8az3jv0z3y3c78lr5l6g47l")
    .processes(aBuild("dia-d")).press("2", "j");
  for (const key of ["enter", "tab", "space"]) {
    const open = eagleNames(player);
    const builderTree = builderRows(player.model).length;
    deepStrictEqual(eagleNames(player.press(key)), ["#1", "  dia-d".slice(1)], key);
    strictEqual(builderRows(player.model).length, builderTree, "the Builders' tree stays");
    deepStrictEqual(eagleNames(player.press(key)), open);
  }
  const tree = eagleNames(player);
  player.press("1", "g");
  for (const key of ["enter", "tab", "space"]) {
    const count = builderRows(player.model).length;
    strictEqual(builderRows(player.press(key).model).length, count - 1, key);
    player.press(key);
  }
  deepStrictEqual(eagleNames(player), tree, "the Eagle Eye's tree stays");
});

Deno.test("what is over is folded, what runs or failed is seen; O unfolds and folds all", () => {
  const done = diamond().press("2");
  deepStrictEqual(eagleNames(done), ["#1"]);
  deepStrictEqual(eagleNames(done.press("O")), [
    "#1",
    " dia-d",
    "  dia-b",
    "   dia-a",
    "  dia-c",
    "   dia-a",
  ]);
  deepStrictEqual(eagleNames(done.press("O")), ["#1"]);
  const failed = new Player().replay("06-fail-chain").press("2");
  deepStrictEqual(eagleNames(failed), ["#1", " fc-top", "  fc-mid", "   fc-bad", "   fc-good"]);
});

Deno.test("what somebody has folded stays as it is when builds end", () => {
  const text = "building '/nix/store/nd7xsq7kw8az3jv0z3y3c78lr5l6g47l";
  const player = diamond(text).press("2", "j", "enter");
  deepStrictEqual(eagleNames(player), ["#1", " dia-d"]);
  player.press("enter");
  deepStrictEqual(eagleNames(player), ["#1", " dia-d", "  dia-b", "  dia-c"]);
  player.monitor.world.commands.get(1)!.state = "succeeded";
  for (const job of player.monitor.world.jobs.values()) job.state = { kind: "succeeded" };
  player.tell();
  deepStrictEqual(eagleNames(player), ["#1"], "the command is over");
  player.press("g", "enter");
  deepStrictEqual(eagleNames(player), ["#1", " dia-d", "  dia-b", "  dia-c"]);
});

Deno.test("A leaves what is left, then what runs or failed, then all again", () => {
  const player = wide().press("2");
  const all = eagleNames(player).length;
  const left = eagleNames(player.press("A")).length;
  const busy = eagleNames(player.press("A")).length;
  deepStrictEqual([all, left, busy], [201, 148, 9]);
  strictEqual(eagleNames(player.press("A")).length, all);
});

Deno.test("a tree of thousands is put in order once a second, and what each build does is told at once", () => {
  const player = new Player();
  const log = player.monitor.open({ source: "socket" });
  const drv = (at: number) => `/nix/store/${String(at).padStart(32, "0")}-many-${at}.drv`;
  for (let at = 1; at <= 1_500; at++) {
    const start = { action: "start", id: at, level: 3, type: 105, text: "", fields: [drv(at), "", 1, 1] };
    log.push(new TextEncoder().encode(`${JSON.stringify(start)}\n`));
  }
  player.tell().press("2");
  const first = () => eagleNames(player)[1];
  strictEqual(first(), " many-1");
  const { jobs } = player.monitor.world;
  const other = [...jobs.values()].find(({ name }) => name === "many-1500")!;
  jobs.set(other.id, { ...other, state: { kind: "failed", failure: { kind: "other", text: "x" } } });
  player.changed();
  const row = eagleRows(player.model).find((each) => each.kind === "derivation" && each.name === "many-1500");
  strictEqual(jobOfRow(row)?.state.kind, "failed");
  strictEqual(first(), " many-1");
  player.pass(1_000).changed();
  strictEqual(first(), " many-1500");
});

Deno.test("rows of Jobs keep their places while nothing changes, and the selection its job when they move", () => {
  const player = wide().press("3", "s");
  strictEqual(player.model.sort, "name");
  const names = jobNames(player);
  for (let turn = 0; turn < 5; turn++) {
    deepStrictEqual(jobNames(player.pass(1_000).tell()), names);
  }
  player.press("j", "j", "j");
  const chosen = jobAt(player);
  player.press("S");
  strictEqual(jobAt(player), chosen, "sorted the other way round");
  deepStrictEqual(jobNames(player), names.toReversed());
  player.monitor.world.jobs.delete(jobRows(player.model)[0]!.id);
  player.tell();
  strictEqual(jobAt(player), chosen, "another one has gone");
});

Deno.test("who has gone to no row sees the first one, whichever it is", () => {
  const player = diamond("buildPhase of dia-a").press("3");
  strictEqual(jobAt(player), "dia-a");
  const running = player.monitor.world.jobs.get(selectedJob(player.model)!)!;
  player.monitor.world.jobs.set(running.id, { ...running, state: { kind: "succeeded" } });
  player.tell();
  deepStrictEqual([player.model.lists.jobs.selected, jobAt(player)], [0, "dia-b"]);
  player.press("j", "g");
  player.monitor.world.jobs.set(running.id, running);
  deepStrictEqual(jobAt(player.tell()), "dia-a", "g goes back to it");
});

Deno.test("each order of Jobs is one; the state's has what failed on top", () => {
  const player = new Player().replay("06-fail-chain").replay("05-wide-200-j8", { until: WIDE_153 })
    .processes(aBuild("wide-148", { cpuRatio: 0.4 }), aBuild("wide-150", { pid: 6_000, cpuRatio: 0.9 }))
    .press("3");
  deepStrictEqual(jobNames(player).slice(0, 3), ["fc-bad", "fc-mid", "fc-top"]);
  const first = ["name", "time", "cpu", "memory", "lines"].map(() => jobNames(player.press("s"))[0]);
  deepStrictEqual(first.slice(0, 1).concat(first.slice(2, 3)), ["fc-bad", "wide-150"]);
  strictEqual(first[1], "fc-bad", "18 s is longest");
  strictEqual(first[4], "fc-bad", "4 lines are most");
});

Deno.test("Jobs are narrowed by kind, by state and by words, and Escape takes the words back", () => {
  const player = new Player().replay("33-mixed-substitute-and-build").replay("06-fail-chain").press("3");
  const all = jobNames(player).length;
  strictEqual(jobNames(player.press("t")).length, 11, "builds");
  const transfers = jobNames(player.press("t")).length;
  const others = jobNames(player.press("t")).length;
  strictEqual(11 + transfers + others, all);
  player.press("t", "o");
  deepStrictEqual(jobNames(player), [], "nothing is left to do");
  deepStrictEqual(jobNames(player.press("o")), ["fc-bad", "fc-mid", "fc-top"]);
  player.press("o", "/").type("build fc-m");
  deepStrictEqual(jobNames(player), ["fc-mid"], "looked for while it is typed");
  player.press("enter");
  strictEqual(player.model.overlay, undefined);
  strictEqual(jobNames(player.press("escape")).length, all);
  player.press("/").type("x").press("escape");
  deepStrictEqual([player.model.filter, player.model.ended], ["", false]);
  player.press("t", "o", "escape");
  deepStrictEqual([jobNames(player).length, player.model.ended], [all, false], "kinds and states too");
  ok(player.press("escape").model.ended);
});

Deno.test("themes are words: completion offers each as one", () => {
  deepStrictEqual(THEMES.filter((name) => !/^[a-z-]+$/.test(name)), []);
});

Deno.test("a build that is paused is told as such in the Jobs and in the tree", () => {
  const player = wide().processes(aBuild("wide-148", { isPaused: true }), aBuild("wide-150", { pid: 6_000 }));
  for (const key of ["2", "3"]) {
    const lines = player.press(key).text().split("\n");
    match(lines.find((line) => line.includes("wide-148"))!, /paused/);
    ok(!/paused/.test(lines.find((line) => line.includes("wide-150"))!));
  }
});

Deno.test("N and ] go to what failed, runs or waits, [ back", () => {
  const player = wide().press("2", "g");
  deepStrictEqual([jobAt(player.press("N")), jobAt(player.press("]")), jobAt(player.press("["))], [
    "wide-147",
    "wide-148",
    "wide-147",
  ]);
  const quiet = diamond().press("3", "]");
  match(quiet.text(), /nothing runs, waits or has failed/);
});

Deno.test("Enter on a job shows its log and asks for all of it, by its derivation where its number is forgotten", () => {
  const player = diamond().press("3", "s");
  player.done();
  player.press("enter");
  const [effect] = player.done();
  const job = player.model.job!;
  deepStrictEqual(effect, {
    kind: "readLog",
    job,
    derivation: "/nix/store/v14h4wflw4k41049a9q34n1k09cv6yzr-dia-a.drv",
  });
  strictEqual(lineCount(player.model), 3);
  ok(player.model.log!.isReading);
  player.news({ kind: "logRead", job, lines: ["one", "two", "three", "four", "five"] });
  strictEqual(lineAt(player.model, 4), "five");
  ok(!player.model.log!.isReading);
  player.news({ kind: "logRead", job: job + 1, lines: [] });
  strictEqual(lineCount(player.model), 5, "an answer for another one is late");
  player.news({ kind: "logFailed", job, reason: "it is not kept" });
  strictEqual(lineCount(player.model), 5);
});

Deno.test("a log that is followed stays at its end, moving leaves it, G and f come back", () => {
  const player = diamond("buildPhase of dia-a").press("3", "enter");
  const { job } = player.model;
  const lines = Array.from({ length: 500 }, (_, at) => `line ${at}`);
  player.news({ kind: "logRead", job: job!, lines });
  const end = player.model.lists.build.top;
  ok(end > 480 && player.model.follows);
  player.press("k", "k");
  deepStrictEqual([player.model.lists.build.top, player.model.follows], [end - 2, false]);
  player.press("G");
  deepStrictEqual([player.model.lists.build.top, player.model.follows], [end, true]);
  player.press("g");
  strictEqual(player.model.lists.build.top, 0);
  player.press("f");
  deepStrictEqual([player.model.lists.build.top, player.model.follows], [end, true]);
  strictEqual(player.press("ctrl+u").model.lists.build.top, end - 7);
});

Deno.test("a search in a log goes from match to match, round, and shows which one it is", () => {
  const player = diamond("buildPhase of dia-a").press("3", "enter");
  const lines = Array.from(
    { length: 300 },
    (_, at) => at % 100 === 50 ? `an \x1b[31mERR\x1b[0mor ${at}` : `line ${at}`,
  );
  player.news({ kind: "logRead", job: player.model.job!, lines });
  player.press("g", "/").type("error").press("enter");
  strictEqual(player.model.match, 50);
  match(player.text(), /\/error 1\/3/);
  strictEqual(player.press("n").model.match, 150);
  strictEqual(player.press("n").model.match, 250);
  strictEqual(player.press("n").model.match, 50, "round");
  strictEqual(player.press("N").model.match, 250);
  const { top } = player.model.lists.build;
  ok(top <= 250 && top > 230, "it is seen");
  player.press("g", "n");
  strictEqual(player.model.match, 50, "from what is seen");
  strictEqual(player.press("escape").model.search, "");
  strictEqual(player.press("n").model.tab, "history", "without a search n is the next view again");
  player.press("4", "/").type("nowhere").press("enter");
  match(player.text(), /no line has "nowhere"/);
});

Deno.test("the log moves to the side and back", () => {
  const player = diamond("buildPhase of dia-a").press("3", "enter");
  player.news({ kind: "logRead", job: player.model.job!, lines: [`${"x".repeat(100)}the end`] });
  ok(!player.text().includes("the end"));
  ok(player.press(">", ">", "right").text().includes("the end"));
  ok(!player.press("<", "left", "<", "<").text().includes("the end"));
});

Deno.test("h and l change between tree and table, and the keys move in the one that has the focus", () => {
  const player = builders().press("j", "j", "j");
  strictEqual(builderKey(player), "build build-6000");
  player.press("l", "j", "j");
  deepStrictEqual([player.model.side, player.model.table.selected, builderKey(player)], [
    "table",
    2,
    "build build-6000",
  ]);
  player.press("G");
  strictEqual(player.model.table.selected, 30);
  match(player.text(), /31\/31/);
  player.press("h", "k");
  deepStrictEqual([player.model.side, builderKey(player), player.model.table.selected], [
    "tree",
    "user 30002",
    0,
  ]);
});

Deno.test("processes are sorted by what they use, and the selected one stays selected when they change", () => {
  const player = builders().press("j", "j", "j", "l", "s");
  strictEqual(player.model.processSort, "cpu");
  strictEqual(tableRows(player.model).at(-1)!.pid, 6_000, "the shell uses least");
  player.press("s");
  strictEqual(tableRows(player.model)[0]!.pid, 6_030, "the last one has most memory");
  player.press("j");
  const key = player.model.process;
  player.processes(aBuild("two", { uid: 30_002, pid: 6_000, children: 28 }));
  player.processes(aBuild("two", { uid: 30_002, pid: 6_000, children: 40 }));
  player.press("l");
  strictEqual(processKey(tableRows(player.model)[player.model.table.selected]!), key);
});

Deno.test("< and > leave columns of the table", () => {
  const player = builders();
  match(player.text(), /pid +cpu/);
  player.press(">", ">");
  ok(!/pid +build/.test(player.text()));
  strictEqual(player.model.firstColumn, 2);
  player.press("left", "left", "<");
  strictEqual(player.model.firstColumn, 0);
});

Deno.test("environments are read when somebody wants them, for those that are seen", () => {
  const player = builders().press("j");
  player.done();
  const wanted = tableRows(player.model).map(({ pid, startTicks }) => ({ pid, startTicks }));
  deepStrictEqual(player.press("v").done(), [{ kind: "readEnvironments", processes: wanted }]);
  const found = new Map(wanted.map((each) => [processKey(each), `NAME=${each.pid}`]));
  player.news({ kind: "environmentsRead", found });
  match(player.text(), / environment +│\n.*NAME=5000/, "in 80 columns too");
  player.terminal({ kind: "resize", width: 160, height: 24 });
  match(player.text(), /NAME=5001/);
  deepStrictEqual(player.tell().done(), [], "they do not change");
  strictEqual(player.press("j", "j").done().length > 0, true, "others are read when they are seen");
  strictEqual(player.press("v").model.showsEnvironments, false);
  ok(!player.text().includes("environment"));
});

Deno.test("a process is shown whole with its environment", () => {
  const player = builders().press("l", "j");
  player.done();
  deepStrictEqual(player.press("enter").done(), [{
    kind: "readEnvironments",
    processes: [{ pid: 5_001, startTicks: 101 }],
  }]);
  match(player.text(), /process 5001[\s\S]*cc1plus -O2 main-1\.cc[\s\S]*reading its environment/);
  player.news({ kind: "environmentsRead", found: new Map([["process 5001 101", "A=1\nB=2"]]) });
  match(player.text(), /A=1[\s\S]*B=2/);
  player.processes(aBuild("other", { pid: 8_000 })).news({
    kind: "environmentsRead",
    found: new Map([["process 8000 100", "C=3"]]),
  });
  match(player.text(), /A=1/, "though the process has ended");
  strictEqual(player.press("x").model.overlay, undefined);
  ok(!player.text().includes("environment"));
});

Deno.test("pause, resume and kill reach the build that is selected, and kill asks first", () => {
  const player = builders().press("j");
  player.done();
  deepStrictEqual(player.press("P").done(), [{
    kind: "steer",
    steer: "pause",
    build: "build-5000",
    name: "one",
  }]);
  player.processes(aBuild("one", { isPaused: true })).done();
  deepStrictEqual(player.press("P").done(), [], "it is paused");
  deepStrictEqual(player.press("R").done(), [{
    kind: "steer",
    steer: "resume",
    build: "build-5000",
    name: "one",
  }]);
  deepStrictEqual(player.press("X").done(), []);
  match(player.text(), /kill one and all that it has started\?/);
  deepStrictEqual(player.press("enter").done(), []);
  match(player.text(), /nothing was done/);
  deepStrictEqual(player.press("X", "y").done(), [{
    kind: "steer",
    steer: "kill",
    build: "build-5000",
    name: "one",
  }]);
  player.news({ kind: "told", text: "killed one: 3 processes" });
  match(player.text(), /killed one: 3 processes/);
});

Deno.test("builds can be steered from Jobs too, but none of another host or where it is not allowed", () => {
  const running = () => wide().processes(aBuild("wide-148"));
  const player = running().press("3", "/").type("wide-148").press("enter");
  player.done();
  strictEqual(buildAt(player.model)?.name, "wide-148");
  deepStrictEqual(player.press("P").done().map(({ kind }) => kind), ["steer"]);
  player.model = { ...player.model, canSteer: false };
  deepStrictEqual(player.press("P", "X", "R").done(), []);
  player.model = { ...player.model, canSteer: true, host: "elsewhere" };
  deepStrictEqual(player.press("P", "X", "R").done(), []);
});

Deno.test("y copies the path of what is selected, the command of a process, and the whole log", () => {
  const copied = (player: Player, ...keys: string[]) => {
    player.done();
    return player.press(...keys, "y").done().flatMap((effect) => effect.kind === "copy" ? [effect.text] : []);
  };
  const player = diamond().press("2", "O", "j");
  deepStrictEqual(copied(player), ["/nix/store/nd7xsq7kw8az3jv0z3y3c78lr5l6g47l-dia-d.drv"]);
  match(player.text(), /copied …nd7xsq7kw8az3jv0z3y3c78lr5l6g47l-dia-d\.drv/);
  deepStrictEqual(copied(player, "3", "s"), ["/nix/store/v14h4wflw4k41049a9q34n1k09cv6yzr-dia-a.drv"]);
  player.press("enter").news({
    kind: "logRead",
    job: player.model.job!,
    lines: ["\x1b[1mone\x1b[0m", "two", "three"],
  });
  deepStrictEqual(copied(player), ["one\ntwo\nthree"]);
  match(player.text(), /copied 3 lines/);
  deepStrictEqual(copied(player, "6"), []);
  player.press("5").news({ kind: "historyRead", rows: PAST });
  deepStrictEqual(copied(player), [PAST[0]!.derivation]);
  deepStrictEqual(copied(builders(), "j"), ["one"]);
  deepStrictEqual(copied(builders(), "l", "j"), ["cc1plus -O2 main-1.cc"]);
});

Deno.test("e says why a build waits, failed, or ended long ago", () => {
  const player = diamond("buildPhase of dia-a").press("3", "s", "G", "e");
  match(player.text(), /waiting for dia-b \(planned\) and 1 more[\s\S]*planned +dia-b/);
  const failed = new Player().replay("06-fail-chain").press("3", "e");
  match(failed.text(), /failed +│\n.*with exit code 3[\s\S]*error: kaboom in fc-bad/);
  const past = new Player().press("5").news({ kind: "historyRead", rows: PAST }).press("e");
  match(past.text(), /failed with exit code 2[\s\S]*make: \*\*\* \[all\] Error 2/);
});

Deno.test("the history is read when it is seen, anew on r, narrowed by o and by a name", () => {
  const player = new Player();
  deepStrictEqual(player.press("5").done(), [{ kind: "readHistory", name: "", outcome: undefined }]);
  deepStrictEqual(player.press("r").done(), [{ kind: "readHistory", name: "", outcome: undefined }]);
  deepStrictEqual(player.press("o").done(), [{ kind: "readHistory", name: "", outcome: "failed" }]);
  player.press("o").done();
  deepStrictEqual(player.press("/").type("gcc").done(), []);
  deepStrictEqual(player.press("enter").done(), [{ kind: "readHistory", name: "gcc", outcome: undefined }]);
  deepStrictEqual(player.press("escape").done(), [{ kind: "readHistory", name: "", outcome: undefined }]);
  player.news({ kind: "historyFailed", reason: "no daemon is there" });
  match(player.text(), /no daemon is there/);
  player.news({ kind: "historyRead", rows: PAST });
  deepStrictEqual(player.press("enter").done(), [{ kind: "readLog", job: -3, file: "3.log" }]);
  player.news({ kind: "historyRead", rows: [] });
  match(player.text(), /gcc-13\.2\.0[\s\S]*make: \*\*\* \[all\] Error 2/);
  strictEqual(player.press("escape").model.tab, "history");
});

Deno.test("hosts are changed by } and {, and by Enter among the hosts", () => {
  const player = diamond();
  const { source } = player.model;
  const other = new Player().replay("06-fail-chain").model.source.worlds.get("")!;
  const two = { ...source, worlds: new Map([...source.worlds, ["builder", other]]) };
  player.news({ kind: "changed", source: two });
  strictEqual(player.press("}").model.host, "builder");
  match(player.press("3").text(), /fc-bad/);
  strictEqual(player.press("}").model.host, "");
  strictEqual(player.press("{").model.host, "builder");
  player.news({ kind: "changed", source });
  strictEqual(player.model.host, "", "a host that has gone is not looked at");
  player.news({ kind: "changed", source: two });
  player.press("6", "j", "enter");
  deepStrictEqual([player.model.host, player.model.tab], ["builder", "builders"]);
});

Deno.test("the mouse chooses views, rows, processes and orders, a second click opens", () => {
  const player = wide().processes(aBuild("wide-148"), aBuild("wide-150", { uid: 30_002, pid: 6_000 }));
  player.click("3 Jobs");
  strictEqual(player.model.tab, "jobs");
  player.click("wide-150");
  strictEqual(jobAt(player), "wide-150");
  player.click("name ");
  strictEqual(player.model.sort, "name");
  player.click("name");
  ok(player.model.isReversed, "again is the other way round");
  strictEqual(jobAt(player), "wide-150");
  player.click(" wide-150");
  strictEqual(player.model.tab, "build");
  player.click("1 Builders").click("▶ wide-150");
  strictEqual(builderKey(player), "build build-6000");
  player.click("6001");
  deepStrictEqual([player.model.side, player.model.table.selected], ["table", 1]);
  player.click("6001");
  strictEqual(player.model.overlay?.kind, "process");
  player.mouse("press", 0, 0);
  strictEqual(player.model.overlay, undefined);
  player.click("2 Eagle Eye").mouse("wheeldown", 5, 5);
  strictEqual(player.model.lists.eagle.selected, 3);
  player.mouse("wheelup", 5, 5);
  strictEqual(player.model.lists.eagle.selected, 0);
});

Deno.test("m gives the mouse to the terminal and takes it back, T changes the theme", () => {
  const player = new Player({ depth: 256 });
  deepStrictEqual(player.press("m", "m").done(), [{ kind: "mouse", on: false }, { kind: "mouse", on: true }]);
  const { theme } = player.model;
  ok(player.press("T").model.theme !== theme);
  player.press("T", "T", "T");
  strictEqual(player.model.themeName, "terminal");
  player.terminal({ kind: "background", red: 1, green: 1, blue: 1 });
  ok(player.model.theme.accent !== theme.accent, "a light terminal has other colours");
});

Deno.test("help has every key that does something now, M and ? open it, and it is scrolled", () => {
  for (const key of ["?", "M"]) {
    const player = wide().press("3", key);
    const offered = KEYMAP.filter(({ when }) => when === undefined || when(player.model));
    let text = "";
    for (let page = 0; page < 5; page++) {
      text += player.press("space").text() + player.press("pageup").text() + player.press("G").text();
    }
    for (const { keys, help } of offered) {
      ok(text.includes(keys.map(keyLabel).join(" ")) && text.includes(help), help);
    }
    strictEqual(player.press("g").model.overlay?.kind, "help");
    strictEqual(player.press("q").model.overlay, undefined);
    ok(!player.model.ended);
  }
});

Deno.test("an action is found by its name and done", () => {
  const player = wide().press("3", ":").type("by the next column").press("enter");
  strictEqual(player.model.sort, "name");
  strictEqual(player.press("ctrl+p").model.overlay?.kind, "palette");
  strictEqual(player.press("escape").model.overlay, undefined);
});

Deno.test("no key throws in any view, with and without rows", () => {
  const keys = new Set(KEYMAP.flatMap((binding) => binding.keys));
  for (const play of [() => new Player(), diamond, builders]) {
    for (const tab of TABS.keys()) {
      for (const key of keys) {
        const player = play().press(String(tab + 1), key);
        player.text();
      }
    }
  }
});
