/** The three ways to show a recorded log: a terminal, lines, and JSON. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  isBusy,
  JsonView,
  LINE_MAX,
  LineJoiner,
  type Moment,
  PlainView,
  PROGRESS_EVERY_MS,
  progressText,
  Seen,
  TerminalView,
  TEXTS_MAX,
  type View,
} from "../../lib/nix_btm/inline/mod.ts";
import { Monitor } from "../../lib/nix_btm/mod.ts";
import { snapshotOf } from "../../lib/nix_btm/world.ts";
import { Emulator, stripAnsi } from "../../lib/tui/mod.ts";
import { Replay } from "./_inline.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What a view says of a recorded log of which it is shown so many pictures. */
function said(replay: Replay, view: View, pictures: number): string[] {
  const moment = (): Moment => ({ nowMs: replay.nowMs, width: 80, height: 24 });
  const texts: string[] = [];
  for (let at = 1; at <= pictures; at++) {
    replay.to(at / pictures);
    for (const { job, text } of replay.lines.splice(0)) view.line(job, text);
    for (const { text, level } of replay.messages.splice(0)) view.message(text, level);
    texts.push(view.show(snapshotOf(replay.world), moment()));
  }
  const { exit_code: code } = replay.scenario.expected;
  texts.push(view.end({ kind: "exited", code }, moment()));
  strictEqual(view.pendingLength, 0);
  return texts;
}

function lines(texts: readonly string[]): string[] {
  return texts.join("").split("\n").slice(0, -1);
}

Deno.test("without a terminal each build has a line when it begins and when it ends", () => {
  const replay = new Replay("03-diamond", 50);
  deepStrictEqual(lines(said(replay, new PlainView(replay.world), 40)), [
    "building dia-a",
    "built dia-a in 1s",
    "1 built, 3 left",
    "building dia-b",
    "building dia-c",
    "built dia-b in 4s",
    "built dia-c in 3s",
    "building dia-d",
    "built dia-d in 1s",
    "✔ 4 │ finished after 20s",
  ]);
});

Deno.test("progress has a line each ten seconds at most, and none when nothing has changed", () => {
  const replay = new Replay("05-wide-200-j8", 5);
  const texts = said(replay, new PlainView(replay.world), 200);
  const progress = lines(texts).filter((line) => / left\b/.test(line));
  ok(
    progress.length > 5 && progress.length <= (200 * replay.nowMs) / PROGRESS_EVERY_MS,
    String(progress.length),
  );
  strictEqual(new Set(progress).size, progress.length);
  strictEqual(progressText(replay.world, replay.nowMs), "200 built");
});

Deno.test("a build that failed has the end of its log behind it, and logs are printed when asked for", () => {
  const plain = new Replay("06-fail-chain", 50);
  const log = ["unpackPhase of fc-bad", "buildPhase of fc-bad", "about to fail", "error: kaboom in fc-bad"]
    .map((line) => `fc-bad> ${line}`);
  const [drv] = [...plain.to(0.5).world.jobs.values()].filter(({ name }) => name === "fc-bad");
  const failure = ["fc-bad failed with exit code 3 after 4s in buildPhase", `  ${drv!.subject}`];
  const all = lines(said(plain, new PlainView(plain.world), 50));
  const at = all.indexOf(failure[0]!);
  deepStrictEqual(all.slice(at, at + 6), [...failure, ...log]);
  strictEqual(all.at(-1), "⚠ 1 ⏹ 1 ⏸ 2 │ failed with exit code 100 after 13s");
  ok(!all.some((line) => line.includes("dependencies of derivation")));
  const logs = new Replay("06-fail-chain", 50);
  const whole = lines(said(logs, new PlainView(logs.world, { logs: true }), 50));
  deepStrictEqual(whole.filter((line) => line.startsWith("fc-bad> ")), log);
});

Deno.test("GitHub's runner gets a group for each log and an annotation for each failure", () => {
  const replay = new Replay("06-fail-chain", 50);
  const view = new PlainView(replay.world, { github: true });
  view.message("\x1b[33mwarning:\x1b[0m 100%\nsure", 1);
  const all = lines(said(replay, view, 50));
  ok(all.includes("::warning::100%25%0Asure"));
  const begin = all.findIndex((line) => line.startsWith("::group::fc-bad failed with exit code 3"));
  deepStrictEqual(all.slice(begin + 4, begin + 6), ["fc-bad> error: kaboom in fc-bad", "::endgroup::"]);
  match(
    all[begin + 6]!,
    /^::error title=fc-bad failed::failed with exit code 3[^\n]*%0Aerror: kaboom in fc-bad$/,
  );
});

Deno.test("what an expression prints is no command to GitHub's runner", () => {
  const { world } = new Monitor();
  const view = new PlainView(world, { github: true });
  view.message("trace: a\n::add-mask::b\n  ##[error]c\r::stop-commands::d\x1b]0;e\x07", 1);
  deepStrictEqual(view.show(undefined, { nowMs: 0, width: 80, height: 24 }).split("\n"), [
    "trace: a",
    "| ::add-mask::b",
    "|   ##[error]c::stop-commands::d",
    "",
  ]);
});

Deno.test("a quiet one says what went wrong and nothing else", () => {
  const good = new Replay("03-diamond", 50);
  deepStrictEqual(lines(said(good, new PlainView(good.world, { quiet: true }), 9)), []);
  const bad = new Replay("06-fail-chain", 50);
  const all = lines(said(bad, new PlainView(bad.world, { quiet: true }), 9));
  match(all[0]!, /^fc-bad failed/);
  strictEqual(all.at(-1), "fc-bad> error: kaboom in fc-bad");
});

Deno.test("words of the command itself are passed on in whole lines, the last one without its end too", () => {
  const replay = new Replay("03-diamond", 50);
  const view = new PlainView(replay.world);
  const moment = { nowMs: 0, width: 80, height: 24 };
  view.text(bytes("building the sys"));
  strictEqual(view.show(undefined, moment), "");
  view.text(bytes("tem\nactiv"));
  view.output(bytes("ating"));
  strictEqual(view.show(undefined, moment), "building the system\n");
  strictEqual(view.end({ kind: "exited", code: 0 }, moment), "activating\n");
});

Deno.test("each change is a JSON object, and the last one tells the end", () => {
  const replay = new Replay("06-fail-chain", 50);
  const view = new JsonView(replay.world);
  view.text(bytes("hello\n"));
  view.output(bytes("/nix/store/x"));
  const rows = lines(said(replay, view, 30)).map((line) => JSON.parse(line));
  ok(rows.every(({ kind, atMs }) => typeof kind === "string" && atMs <= replay.nowMs));
  deepStrictEqual(rows[0], { kind: "message", atMs: rows[0].atMs, text: "hello" });
  deepStrictEqual(rows.filter(({ kind }) => kind === "output").map(({ text }) => text), ["/nix/store/x"]);
  const states = rows.filter(({ name }) => name === "fc-bad").map(({ state, phase }) =>
    `${state} ${phase ?? ""}`
  );
  deepStrictEqual([...new Set(states)], [
    "planned ",
    "running ",
    "running unpackPhase",
    "running buildPhase",
    "failed buildPhase",
  ]);
  strictEqual(states.length, new Set(states).size);
  const end = rows.at(-1);
  deepStrictEqual([end.kind, end.exitCode, end.builds.failed], ["end", 100, 1]);
  deepStrictEqual([end.failed[0].name, end.failed[0].failure.code, end.failed[0].log.at(-1)], [
    "fc-bad",
    3,
    "error: kaboom in fc-bad",
  ]);
  deepStrictEqual(end.errors, []);
});

Deno.test("transfers are told when they begin and end", () => {
  const replay = new Replay("33-mixed-substitute-and-build", 20);
  const rows = lines(said(replay, new JsonView(replay.world), 300)).map((line) => JSON.parse(line));
  const transfers = rows.filter(({ kind }) => kind === "transfer");
  strictEqual(new Set(transfers.map(({ path }) => path)).size, 24);
  const ends = transfers.filter(({ state }) => state === "succeeded");
  strictEqual(ends.length, 24);
  ok(ends.every(({ direction, store }) => direction === "download" && store.startsWith("http://127.0.0.1")));
});

/** A terminal before which everything was drawn. */
function screen(texts: readonly string[]): string {
  const emulator = new Emulator(80, 60);
  emulator.write(texts.join("").replaceAll("\n", "\r\n"));
  return emulator.frame.text();
}

Deno.test("on a terminal all lines of logs stay above, and at the end nothing is left of the tree", () => {
  const replay = new Replay("03-diamond", 50);
  const view = new TerminalView(replay.world, { depth: "none" });
  const texts = said(replay, view, 40);
  const seen = screen(texts);
  strictEqual(seen.match(/^dia-[abcd]> /gm)?.length, 12);
  ok(!/┃/.test(seen));
  match(seen, /^┗━ ✔ 4 │ finished after 20s *$/m);
  ok(isBusy(new Replay("03-diamond", 50).to(0.5).world));
  ok(!isBusy(replay.world));
});

Deno.test("text without a newline is shown below the log while something is built, and passed on otherwise", () => {
  const replay = new Replay("03-diamond", 50);
  const view = new TerminalView(replay.world, { depth: "none" });
  const moment = { nowMs: replay.nowMs, width: 80, height: 24 };
  view.text(bytes("Password: "));
  const asked = [view.show(undefined, moment)];
  deepStrictEqual(asked, ["Password: "]);
  replay.to(0.6);
  view.text(bytes("half a li"));
  asked.push(view.show(undefined, moment));
  match(screen(asked), /^Password: *\nhalf a li *\n┃ ┌─ ⏵ dia-b/);
  view.text(bytes("ne\n"));
  asked.push(view.show(undefined, moment));
  match(screen(asked), /^Password: *\nhalf a line *\n┃ ┌─ ⏵ dia-b/);
});

Deno.test("a message is told once, a trace each time", () => {
  const replay = new Replay("03-diamond", 50);
  const view = new TerminalView(replay.world, { depth: "none" });
  for (const text of ["warning: a", "warning: a", "trace: b", "trace: b", "error: c"]) view.message(text, 0);
  const seen = screen([view.show(undefined, { nowMs: 0, width: 80, height: 24 })]);
  strictEqual(seen.replaceAll(/\s+/g, " ").trim(), "warning: a trace: b trace: b");
});

Deno.test("lines are whole, however their bytes come", () => {
  const joiner = new LineJoiner();
  const text = bytes("eins zwei\nfünf\nsechs");
  const found = Array.from(text, (byte) => joiner.take(new Uint8Array([byte]))).flat();
  deepStrictEqual([...found, joiner.rest], ["eins zwei", "fünf", "sechs"]);
  strictEqual(joiner.drain(), "sechs");
  strictEqual(joiner.rest, "");
});

Deno.test("a line without an end comes in pieces, and what is held of it has a bound", () => {
  const joiner = new LineJoiner();
  const chunk = new TextEncoder().encode("ö".repeat(2 ** 15)).subarray(1);
  let told = 0;
  for (let at = 0; at < 200; at++) {
    for (const line of joiner.take(chunk)) told += line.length;
    ok(joiner.rest.length <= LINE_MAX);
  }
  strictEqual(told + joiner.drain().length, 200 * 2 ** 15);
});

Deno.test("of more texts than anybody repeats, and of endless ones, little is remembered", () => {
  const seen = new Seen();
  const text = (at: number) => `${at} ${"x".repeat(2 ** 16)}`;
  for (let at = 0; at <= TEXTS_MAX; at++) seen.add(text(at));
  deepStrictEqual([0, 1, TEXTS_MAX, TEXTS_MAX + 1].map((at) => seen.has(text(at))), [
    false,
    true,
    true,
    false,
  ]);
});

Deno.test("between two steps the last picture stays for a moment, and then goes", () => {
  const replay = new Replay("03-diamond", 50).to(0.6);
  const view = new TerminalView(replay.world, { depth: "none", lingerMs: 300 });
  const at = (nowMs: number) => view.show(undefined, { nowMs, width: 80, height: 24 });
  const texts = [at(0)];
  ok(!view.isLingering);
  replay.to(1);
  texts.push(at(1_000));
  view.text(bytes("meanwhile\n"));
  texts.push(at(1_200));
  ok(view.isLingering);
  match(screen(texts), /^meanwhile *\n┃ ┌─ ⏵ dia-b/);
  texts.push(at(1_300));
  ok(!view.isLingering);
  match(screen(texts), /^meanwhile\s*$/);
});

Deno.test("an error that the command has written itself is not told again where it is still to be seen", () => {
  const monitor = new Monitor();
  const log = monitor.open({ source: "pipe" });
  log.push(bytes("error: odd\n"));
  log.end(1);
  monitor.flush();
  const moment = { nowMs: 0, width: 80, height: 24 };
  for (const view of [new TerminalView(monitor.world, { depth: "none" }), new PlainView(monitor.world)]) {
    const end = { kind: "exited", code: 1 } as const;
    match(view.end(end, moment), /^error: odd$/m);
    view.text(bytes("\x1b[31merror:\x1b[0m odd\n"));
    strictEqual(stripAnsi(view.end(end, moment)), "error: odd\n");
  }
});

Deno.test("an error of any length is told whole, and once", () => {
  const error = `error: a begin ${"x".repeat(100_000)}\n  the cause`;
  let views: View[] = [];
  const monitor = new Monitor({
    onMessage: (text, level) => {
      for (const view of views) view.message(text, level);
    },
  });
  const { world } = monitor;
  views = [
    new TerminalView(world, { depth: "none" }),
    new PlainView(world),
    new PlainView(world, { github: true }),
    new JsonView(world),
  ];
  const log = monitor.open({ source: "pipe" });
  const record = `@nix ${JSON.stringify({ action: "msg", level: 0, msg: error })}\n`;
  log.push(bytes(record + record));
  log.end(1);
  monitor.flush();
  const told = views.map((view) =>
    view.end({ kind: "exited", code: 1 }, { nowMs: 0, width: 80, height: 24 })
  );
  const text = error.slice("error: ".length);
  deepStrictEqual(told.slice(0, 3), [
    `${error}\n`,
    `${error}\n`,
    `::error::${text.replaceAll("\n", "%0A")}\n`,
  ]);
  deepStrictEqual(JSON.parse(told[3]!).errors, [text]);
});
