/** What the TUI does on keys, the mouse, news and time: its model and its effects. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Effect } from "../../lib/bpm_tui/model.ts";
import { KEYMAP } from "../../lib/bpm_tui/keymap.ts";
import { FIRST_LINES, SEARCH_LINES } from "../../lib/bpm_tui/update.ts";
import { READ_ON_LINES, RETRY_MAX_MS } from "../../lib/bpm_tui/news.ts";
import { VIEWS } from "../../lib/bpm_tui/views/mod.ts";
import { aProject, Player, UPSTREAM, upstreamProject } from "./player.ts";

const kinds = (effects: Effect[]) => effects.map(({ kind }) => kind);
const ours = () => new Player().online(aProject());
const selected = ({ model }: Player) => model.projects[model.active]!.selected;

Deno.test("it connects, polls, and reads the log of the first service", () => {
  const player = new Player();
  player.news({ kind: "tick" });
  deepStrictEqual(player.done(), [{ kind: "connect", project: 0 }]);
  player.pass(5_000);
  deepStrictEqual(player.done(), [], "one question at a time");
  player.news({
    kind: "connected",
    project: 0,
    identity: { name: "x", version: "1", protocol: "1" },
    abilities: UPSTREAM,
  });
  deepStrictEqual(player.done(), [{ kind: "poll", project: 0 }]);
  player.news({ kind: "polled", project: 0, overview: upstreamProject() });
  deepStrictEqual(player.done(), [{
    kind: "readLog",
    project: 0,
    key: "run -1 api",
    target: { service: "api", of: "run", index: -1 },
    depth: FIRST_LINES,
  }]);
});

Deno.test("never more than one poll and one log is asked for, however slow the server is", () => {
  const player = ours();
  player.done();
  player.pass(1_500);
  deepStrictEqual(kinds(player.done()), ["poll"]);
  player.pass(60_000).press("j", "j", "k", "j");
  deepStrictEqual(player.done().filter(({ kind }) => kind !== "listen"), []);
});

Deno.test("a server that is away is tried again less and less often, and at once found", () => {
  const player = ours();
  const waits: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    player.news({ kind: "pollFailed", project: 0, reason: "gone" });
    player.done();
    const from = player.nowMs;
    while (!kinds(player.done()).includes("connect")) player.pass(100);
    waits.push(player.nowMs - from);
  }
  deepStrictEqual(waits, [1_000, 2_000, 4_000, RETRY_MAX_MS, RETRY_MAX_MS, RETRY_MAX_MS]);
  match(player.text(), /gone · trying …/);
  player.news({
    kind: "connected",
    project: 0,
    identity: { name: "x", version: "1", protocol: "1" },
    abilities: UPSTREAM,
  });
  ok(!player.text().includes("gone"));
});

Deno.test("while nothing changes the model stays the same object, so that nothing is drawn", () => {
  const player = ours().logs("a");
  player.pass(1_000);
  const before = player.model;
  player.nowMs += 100;
  player.news({ kind: "tick" });
  strictEqual(player.model, before);
});

Deno.test("upstream's keys move, restart, clear and quit", () => {
  const player = ours().logs("a line");
  player.done();
  player.press("j", "down", "up");
  strictEqual(selected(player), "api");
  player.press("k", "r");
  const [effect] = player.done().filter(({ kind }) => kind === "act");
  deepStrictEqual(effect, {
    kind: "act",
    job: { id: 1, project: 0, service: "web", verb: "restart", startedMs: player.nowMs },
  });
  match(player.text(), /⠋ web +restart…/);
  // A second restart of the same service is not asked for while the first is under way.
  player.press("r");
  deepStrictEqual(player.done(), []);
  player.news({ kind: "jobEnded", job: 1, ok: true, text: "done" });
  strictEqual(player.model.jobs.length, 0);
  match(player.text(), /✔ web: done/);
  player.pass(5_000);
  ok(!/✔ web: done /.test(player.text().split("\n").at(-2)!));
  player.press("c");
  match(player.text(), /cleared; new lines appear here/);
  player.press("q");
  strictEqual(player.model.ended, true);
});

Deno.test("Esc takes back one thing at a time, and from the list it quits", () => {
  const player = ours().logs("one", "two");
  player.press("enter", "z", "/").type("o").press("enter");
  for (
    const check of [
      () => player.model.found.search.text === "",
      () => !player.model.zoom,
      () => player.model.focus === "list",
      () => player.model.ended,
    ]
  ) {
    ok(!check() || player.model.focus === "list");
    player.press("escape");
    ok(check());
  }
});

Deno.test("what a server cannot do is neither offered nor done", () => {
  const player = new Player({ height: 60 }).online(upstreamProject(), UPSTREAM).logs("a");
  player.done();
  player.press("s", "x", "i", "a", "e", "d");
  deepStrictEqual(player.done(), []);
  strictEqual(player.model.tab, "log");
  strictEqual(player.model.overlay, undefined);
  const help = player.press("?").text();
  ok(!/ (start|stop) the service|attach|depends on/.test(help), help);
  match(help, /what it cannot do is not shown/);
});

Deno.test("start and stop are offered by state", () => {
  const player = ours().logs("a");
  player.done();
  player.press("s");
  deepStrictEqual(kinds(player.done()), []);
  player.press("x");
  deepStrictEqual(player.done().flatMap((each) => each.kind === "act" ? [each.job.verb] : []), ["stop"]);
  player.press("G", "x", "s");
  deepStrictEqual(
    player.done().flatMap((each) => each.kind === "act" ? [`${each.job.verb} ${each.job.service}`] : []),
    [
      "start 漢字-worker",
    ],
  );
});

Deno.test("a log that is followed shows new lines; one that was scrolled stays where it is", () => {
  const player = ours();
  const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`);
  player.logs(...lines).press("enter");
  match(player.text(), /line 99/);
  player.press("k", "k");
  match(player.text(), /line 97 [\s\S]*paused|paused[\s\S]*line 97 /);
  player.logs(...lines, "line 100");
  ok(!player.text().includes("line 98"));
  player.press("G");
  match(player.text(), /following[\s\S]*line 100/);
  player.press("g");
  match(player.text(), /line 0 /);
  player.press("pagedown");
  match(player.text(), /line 10 /);
  player.press("f");
  match(player.text(), /following/);
  player.press("f");
  match(player.text(), /paused/);
});

Deno.test("a search reads further back, marks what it finds, and goes from match to match", () => {
  const player = ours().logs(...Array.from({ length: 50 }, (_, at) => `line ${at}`));
  player.done();
  player.press("/").type("line 1\\d");
  player.pass(1_000);
  const asked = player.done().findLast((effect) => effect.kind === "readLog");
  strictEqual(asked?.kind === "readLog" && asked.depth, SEARCH_LINES);
  match(player.text(), /10 matches/);
  player.press("enter");
  match(player.text(), /10\/10 matches/);
  player.press("N", "p");
  match(player.text(), /8\/10 matches/);
  player.press("n", "n", "n");
  match(player.text(), /1\/10 matches/);
  player.press("&");
  ok(!player.text().includes("line 9 "));
  match(player.text(), /only matches/);
  player.press("/", "ctrl+u").type("nothing like it");
  match(player.text(), /0 matches/);
  player.press("escape");
  match(player.text(), /10 matches|1\/10 matches/);
});

Deno.test("older instances are read once, and one that is not there leads back", () => {
  const player = ours().logs("newest");
  player.done();
  player.press("[");
  const asked = player.done().find((effect) => effect.kind === "readLog");
  deepStrictEqual(asked?.kind === "readLog" && asked.target, { service: "web", of: "run", index: -2 });
  player.news({
    kind: "logRead",
    project: 0,
    key: "run -2 web",
    lines: [{ raw: "older", stream: "stdout" }],
    depth: 1_000,
  });
  match(player.text(), /instance -2[\s\S]*older/);
  player.pass(10_000);
  ok(!player.done().some(({ kind }) => kind === "readLog"));
  player.press("[");
  player.news({
    kind: "logFailed",
    project: 0,
    key: "run -3 web",
    reason: "Log instance -3 not found (have 2 instances)",
  });
  strictEqual(player.model.index, -2);
  match(player.text(), /have 2 instances/);
  player.press("]");
  match(player.text(), /newest/);
});

Deno.test("build logs and the graph are tabs, by key and by mouse", () => {
  const player = ours().logs("a");
  player.done();
  player.press("b");
  const asked = player.done().find((effect) => effect.kind === "readLog");
  strictEqual(asked?.kind === "readLog" && asked.target.of, "build");
  player.press("d");
  match(player.text(), /└─ ▶ db/);
  const row = player.text().split("\n").findIndex((line) => line.includes("[graph]"));
  player.mouse("press", 5, row);
  strictEqual(player.model.tab, "log");
  player.mouse("press", 11, row);
  strictEqual(player.model.tab, "build");
});

Deno.test("the mouse selects, focuses and scrolls", () => {
  const player = ours().logs(...Array.from({ length: 50 }, (_, at) => `line ${at}`));
  const rows = player.text().split("\n");
  player.mouse("press", 5, rows.findIndex((row) => row.includes("db  ")));
  strictEqual(selected(player), "db");
  player.mouse("wheelup", 5, 6);
  strictEqual(selected(player), "cache");
  player.mouse("wheelup", 5, 6).mouse("wheelup", 5, 6);
  strictEqual(selected(player), "web");
  player.mouse("press", 20, 18);
  strictEqual(player.model.focus, "output");
  player.mouse("wheelup", 20, 18);
  match(player.text(), /paused/);
  player.mouse("press", 0, 0);
  strictEqual(player.model.focus, "output");
});

Deno.test("text for a service's input goes out as it is typed, or as a line", () => {
  const player = ours().logs("a");
  player.done();
  player.press("i").type("rs x").press("enter");
  deepStrictEqual(player.done(), [{ kind: "send", project: 0, service: "web", text: "rs x\n" }]);
  player.press("a", "q", "up", "ctrl+c", "f5");
  deepStrictEqual(player.done().flatMap((each) => each.kind === "send" ? [each.text] : []), [
    "q",
    "\x1b[A",
    "\x03",
  ]);
  player.terminal({ kind: "paste", text: "pasted" });
  deepStrictEqual(player.done().flatMap((each) => each.kind === "send" ? [each.text] : []), ["pasted"]);
  player.press("ctrl+]");
  strictEqual(player.model.overlay, undefined);
  player.news({ kind: "notSent", reason: "not sent to web: it takes no input" });
  match(player.text(), /takes no input/);
});

Deno.test("a program that draws on its terminal is seen as it draws while somebody is attached", () => {
  const player = new Player({ width: 120, height: 30 }).online(aProject());
  player.logs("\x1b[?1049h\x1b[2J\x1b[3;5HMENU", "\x1b[1;1H\x1b[7mtitle\x1b[0m\x1b[4;5H> ");
  player.press("a");
  const rows = player.text().split("\n").map((row) => row.slice(55));
  deepStrictEqual(rows.slice(1, 5).map((row) => row.replace(/ *│$/, "")), ["title", "", "    MENU", "    >"]);
  const cursor = player.frame().cursor!;
  deepStrictEqual(player.frame().rowText(cursor.y)[cursor.x - 2], ">");
});

Deno.test("a log is read on by few lines, and further back when all of them are new", () => {
  const player = ours();
  const numbers = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => `line ${from + at}`);
  const depth = () => player.effects.findLast((each) => each.kind === "readLog")?.depth;
  const shown = () => {
    const view = player.model.projects[0]!.logs.get("run -1 web")!;
    return [
      view.log.lines.length,
      view.log.lines.at(-1)?.raw,
      view.log.lines.some(({ stream }) => stream === "note"),
    ];
  };
  player.logs(...numbers(0, 300)).done();
  player.pass(1_000);
  strictEqual(depth(), READ_ON_LINES);
  player.logs(...numbers(200, READ_ON_LINES)).done();
  deepStrictEqual(shown(), [400, "line 399", false]);
  player.pass(1_000);
  // Much was said meanwhile: nothing is shown before what lies between was read.
  player.logs(...numbers(700, READ_ON_LINES));
  deepStrictEqual(shown(), [400, "line 399", false]);
  strictEqual(depth(), FIRST_LINES);
  player.logs(...numbers(300, 600)).done();
  deepStrictEqual(shown(), [900, "line 899", false]);
  player.pass(1_000);
  strictEqual(depth(), READ_ON_LINES);
});

Deno.test("a terminal that one is attached to has the size of the output, and follows it", () => {
  const shop = aProject();
  const [web, ...others] = shop.services;
  const player = new Player({ width: 120, height: 30 }).online({
    ...shop,
    services: [{ ...web!, tty: true }, ...others],
  });
  player.logs("a").done();
  const sizes = () =>
    player.done().flatMap((each) => each.kind === "window" ? [[each.service, each.rows, each.columns]] : []);
  player.press("a");
  deepStrictEqual(sizes(), [["web", 27, 64]]);
  player.pass(1_000);
  deepStrictEqual(sizes(), []);
  player.terminal({ kind: "resize", width: 100, height: 40 });
  deepStrictEqual(sizes(), [["web", 37, 53]]);
  player.press("ctrl+]", "tab", "j", "a");
  deepStrictEqual(sizes(), []);
});

Deno.test("the palette does what its choices say, and finds services", () => {
  const player = ours().logs("a");
  player.press(":").type("go to mailer").press("enter");
  strictEqual(selected(player), "mailer");
  player.press("ctrl+p").type("wrap").press("enter");
  strictEqual(player.model.wrap, true);
});

Deno.test("several projects are polled, the one that is seen more often, and changed between", () => {
  const player = new Player({ urls: ["http://a/mcp", "http://b/mcp"], height: 30 });
  player.online(aProject()).logs("of a").online(upstreamProject(), UPSTREAM, 1);
  player.done();
  player.pass(5_000);
  deepStrictEqual(player.done().flatMap((each) => each.kind === "poll" ? [each.project] : []), [0, 1]);
  player.press("}");
  match(player.text(), /details: api/);
  player.press("}");
  match(player.text(), /details: web/);
  player.press("2");
  strictEqual(player.model.active, 1);
  player.press("9");
  strictEqual(player.model.active, 1);
  player.mouse("press", 2, 0);
  strictEqual(player.model.active, 0);
  player.press("{");
  strictEqual(player.model.active, 1);
});

Deno.test("news of trouble come when a service gets into it, once", () => {
  const player = ours();
  const crashed = aProject().services.map((each) =>
    each.name === "api" ? { ...each, state: "crashed" } : each
  );
  player.news({ kind: "polled", project: 0, overview: { services: crashed } });
  strictEqual(player.model.notice?.text, "api: crashed");
  player.pass(11_000);
  player.news({ kind: "polled", project: 0, overview: { services: crashed } });
  strictEqual(player.model.notice, undefined);
});

Deno.test("the selection stays with its service when others come and go", () => {
  const player = ours();
  player.press("j", "j", "j");
  strictEqual(selected(player), "db");
  player.news({ kind: "polled", project: 0, overview: { services: aProject().services.toReversed() } });
  strictEqual(selected(player), "db");
  player.news({ kind: "polled", project: 0, overview: { services: aProject().services.slice(0, 2) } });
  strictEqual(selected(player), "web");
  player.news({ kind: "polled", project: 0, overview: { services: [] } });
  strictEqual(selected(player), undefined);
  player.press("j", "r", "enter", "c", "/", "escape", "n");
  ok(player.text().includes("no processes are defined"));
});

Deno.test("2,000 services cost what is seen of them", () => {
  const base = { crashes: 0, dependsOn: [], events: [], state: "running" };
  const services = Array.from({ length: 2_000 }, (_, at) => ({ ...base, name: `service-${at}` }));
  const player = new Player({ width: 120, height: 40 }).online({ services });
  player.press("G");
  match(player.text(), /service-1999/);
  ok(!player.text().includes("service-1900"));
});

Deno.test("the mouse, copying and refreshing are asked for by key", () => {
  const player = new Player().online(aProject(), UPSTREAM).logs("one", "two");
  player.done();
  player.press("y");
  deepStrictEqual(player.done(), [{ kind: "copy", text: "one\ntwo" }]);
  player.press("m", "m");
  deepStrictEqual(player.done(), [{ kind: "mouse", on: false }, { kind: "mouse", on: true }]);
  player.news({ kind: "polled", project: 0, overview: aProject() });
  player.done();
  player.press("ctrl+l").pass(100);
  deepStrictEqual(kinds(player.done()).filter((kind) => kind !== "readLog"), ["redraw", "poll"]);
  player.press("e");
  deepStrictEqual(player.done(), []);
});

Deno.test("what explains a failure can be scrolled and closed", () => {
  const player = ours();
  player.done();
  player.press("e");
  deepStrictEqual(player.done().filter(({ kind }) => kind === "explain"), [{
    kind: "explain",
    project: 0,
    service: "web",
  }]);
  const text = Array.from({ length: 60 }, (_, at) => `reason ${at}`).join("\n");
  player.news({ kind: "told", title: "why", text });
  player.press("pagedown", "j");
  ok(!player.text().includes("reason 0 "));
  player.press("k", "g");
  match(player.text(), /reason 0 /);
  player.mouse("wheeldown", 5, 5).mouse("press", 5, 5);
  strictEqual(player.model.overlay, undefined);
});

Deno.test("the background that the terminal tells changes the theme", () => {
  const player = new Player({ depth: 256 });
  const before = player.model.theme;
  player.terminal({ kind: "background", red: 1, green: 1, blue: 1 });
  ok(player.model.theme.accent !== before.accent);
});

Deno.test("every key has one meaning in each state", () => {
  const all = KEYMAP.flatMap(({ keys }) => keys);
  deepStrictEqual(all.length, new Set(all).size);
});

Deno.test("the list of views is all that their folder draws", async () => {
  const folder = new URL("../../lib/bpm_tui/views/", import.meta.url);
  /** Drawn by a view, or over all of them. */
  const within = ["drawGraph", "drawOverlay", "drawTerminal"];
  const drawn: unknown[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    const exported: Record<string, unknown> = await import(new URL(name, folder).href);
    for (const [key, value] of Object.entries(exported)) {
      if (key.startsWith("draw") && !within.includes(key)) drawn.push(value);
    }
  }
  deepStrictEqual(new Set(drawn), new Set(VIEWS.map(({ draw }) => draw)));
});
