/** Lines, figures for people, the bytes that replace what is shown, and what is printed above it. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  barText,
  endingLines,
  fitLine,
  inlineLines,
  isWorthTelling,
  type Line,
  lineText,
  LiveArea,
  logLine,
  unstyledText,
} from "../../lib/nix_btm/inline/mod.ts";
import type { Command } from "../../lib/nix/mod.ts";
import { applyUpdate, emptyWorld, type JobRow } from "../../lib/nix_btm/world.ts";
import { Replay } from "./_inline.ts";
import { Emulator, GREEN, partText, sizeText, style } from "../../lib/tui/mod.ts";

const plain = (text: string): Line => [{ text, style: 0 }];

Deno.test("bytes are told in the unit of the whole", () => {
  deepStrictEqual([0, 999, 1_024, 1_500_000, 3 * 2 ** 30].map(sizeText), [
    "0 B",
    "999 B",
    "1.0 KiB",
    "1.4 MiB",
    "3.0 GiB",
  ]);
  strictEqual(partText(512, 2 ** 20), "0.0 of 1.0 MiB");
  strictEqual(partText(2_048, 0), "2.0 KiB");
  strictEqual(partText(9_000, 4_096), "4.0 of 4.0 KiB");
});

Deno.test("a bar goes in halves, and not beyond its ends", () => {
  deepStrictEqual([-1, 0, 0.25, 0.5, 1, 7].map((ratio) => barText(ratio, 4)), [
    "□□□□",
    "□□□□",
    "■□□□",
    "■■□□",
    "■■■■",
    "■■■■",
  ]);
  strictEqual(barText(0.4, 4), "■◧□□");
});

Deno.test("a line that is too long ends with an ellipsis, whichever span it is cut in", () => {
  const line: Line = [{ text: "abc", style: 1 }, { text: "defg", style: 2 }];
  deepStrictEqual([7, 6, 4, 3, 1].map((columns) => unstyledText(fitLine(line, columns))), [
    "abcdefg",
    "abcde…",
    "abc…",
    "ab…",
    "…",
  ]);
});

Deno.test("a line leaves the terminal's own look behind it, and has none without colours", () => {
  const line: Line = [{ text: "a", style: style({ fg: GREEN }) }, { text: "b", style: style({ fg: GREEN }) }];
  strictEqual(lineText(line, 16), "\x1b[0;32mab\x1b[0m");
  strictEqual(lineText(line, "none"), "ab");
  strictEqual(lineText(plain("ab"), "true"), "ab");
});

/** A terminal that has seen this. */
function screen(text: string, width: number, height: number): string[] {
  const emulator = new Emulator(width, height);
  emulator.write(text.replaceAll("\n", "\r\n"));
  return emulator.frame.text().trimEnd().split("\n").map((row) => row.trimEnd());
}

Deno.test("log lines go above, and what is shown is replaced where it stood", () => {
  const area = new LiveArea("none");
  const first = area.draw("one\n", [plain("tree 1"), plain("sum 1")], 20);
  const second = area.draw("two\nthree\n", [plain("sum 2")], 20);
  deepStrictEqual(screen(first, 20, 8), ["one", "tree 1", "sum 1"]);
  deepStrictEqual(screen(first + second, 20, 8), ["one", "two", "three", "sum 2"]);
  strictEqual(area.draw("", [plain("sum 2")], 20), "");
  const last = area.draw("", [], 20);
  deepStrictEqual(screen(first + second + last, 20, 8), ["one", "two", "three"]);
  ok(area.isEmpty);
  for (const text of [first, second, last]) {
    ok(text.startsWith("\x1b[?2026h") && text.endsWith("\x1b[?2026l"));
  }
});

Deno.test("what a narrower terminal has wrapped is erased as well", () => {
  const area = new LiveArea("none");
  area.draw("", [plain("x".repeat(25)), plain("sum")], 40);
  ok(area.draw("", [plain("new")], 10).includes("\x1b[4A"));
});

Deno.test("what others have written below is not erased", () => {
  const area = new LiveArea("none");
  const first = area.draw("", [plain("old")], 20);
  area.forget();
  deepStrictEqual(screen(`${first}[1]+ Stopped\n${area.draw("", [plain("new")], 20)}`, 20, 8), [
    "old",
    "[1]+ Stopped",
    "new",
  ]);
});

Deno.test("a build's line has its name before it, always in the same colour, and moves no cursor", () => {
  const [name, ...rest] = logLine("hello", "a\x1b[31mred\x1b[0m\x1b[2Jb");
  strictEqual(unstyledText([name!, ...rest]), "hello> aredb");
  strictEqual(logLine("hello", "other")[0]!.style, name!.style);
});

Deno.test("of messages those are told that a person has to know", () => {
  const told = ["warning: x", "\x1b[35;1mwarning:\x1b[0m x", "trace: x", "evaluation warning: x"];
  for (const text of told) ok(isWorthTelling(text, 0), text);
  ok(isWorthTelling("updating lock file", 1));
  ok(isWorthTelling("some notice", 2));
  // Of daemons everything comes as level 0; plans and copies are seen anyway.
  ok(!isWorthTelling("acquiring write lock", 0));
  ok(!isWorthTelling("error: told at the end", 0));
  ok(!isWorthTelling("these 4 derivations will be built:", 1));
  ok(!isWorthTelling("evaluating file 'x'", 4));
});

const COMMAND: Command = {
  id: 1,
  requester: { source: "wrapped" },
  startedMs: 0,
  endedMs: undefined,
  state: "running",
  targets: [],
  evaluating: undefined,
  evaluatedFiles: 0,
  builds: { done: 0, expected: 0, running: 0, failed: 0 },
  substitutions: { done: 0, expected: 0, running: 0, failed: 0 },
  plannedBuilds: 0,
  plannedFetches: 0,
  downloadBytes: 0,
  unpackedBytes: 0,
  problems: [],
};

function copy(id: number, more: Partial<JobRow>): JobRow {
  return {
    id,
    command: 1,
    kind: "copy",
    subject: `/nix/store/${"a".repeat(32)}-path-${id}`,
    name: `path-${id}`,
    host: "https://cache.nixos.org",
    to: "",
    state: { kind: "running" },
    startedMs: 0,
    endedMs: undefined,
    doneBytes: 3 * 2 ** 20,
    expectedBytes: 12 * 2 ** 20,
    phases: [],
    lineCount: 0,
    ...more,
  };
}

Deno.test("a transfer tells its part, its rate, and its store where there are several", () => {
  const world = emptyWorld();
  applyUpdate(world, { jobs: [copy(1, {})] });
  const rows = () => inlineLines(world, { width: 100, height: 30, nowMs: 4_000 }).map(unstyledText);
  deepStrictEqual(rows(), [
    "┃ ↓ path-1    4s  ■■◧□□□□□□□  25%  3.0 of 12.0 MiB  768.0 KiB/s",
    "┗━ ↓ 0 of 1 3.0 of 12.0 MiB",
  ]);
  applyUpdate(world, { commands: [COMMAND] });
  strictEqual(rows().at(-1), "┗━ ↓ 0 of 1 3.0 of 12.0 MiB │ ⏱ 4s, done in ~12s");
  world.commands.clear();
  applyUpdate(world, { jobs: [copy(2, { host: "", to: "ssh-ng://mac.example.org", doneBytes: 0 })] });
  deepStrictEqual(rows(), [
    "┃ ↓ path-1    4s  ■■◧□□□□□□□  25%  3.0 of 12.0 MiB  768.0 KiB/s  from cache",
    "┃ ↑ path-2    4s  □□□□□□□□□□   0%  0.0 of 12.0 MiB  to mac",
    "┗━ ↓ 0 of 1 3.0 of 12.0 MiB │ ↑ 0 of 1",
  ]);
});

Deno.test("at the end each machine has a row where there are several", () => {
  const world = emptyWorld();
  const build = (id: number, host: string): JobRow =>
    copy(id, { kind: "build", host, state: { kind: "succeeded" }, endedMs: 2_000 });
  const over = { state: { kind: "succeeded" }, endedMs: 9 } as const;
  applyUpdate(world, {
    jobs: [
      build(1, ""),
      build(2, "ssh://nix@big.example.org"),
      build(3, "ssh://nix@big.example.org"),
      copy(4, over),
    ],
  });
  const end = { kind: "exited", code: 0 } as const;
  const lines = endingLines(world, { width: 80, nowMs: 5_000, end, tailLines: 5 }).map(unstyledText);
  deepStrictEqual(lines, [
    "┏━ host   builds  downloads",
    "┃  here   ✔ 1",
    "┃  cache          ↓ 1 12.0 MiB",
    "┃  big    ✔ 2",
    "┗━ ✔ 3 │ ↓ 1 12.0 MiB │ finished after 0ms",
  ]);
});

Deno.test("errors are told once, those of builds with the end of their logs, others as Nix writes them", () => {
  const world = emptyWorld();
  const failure = {
    kind: "hash-mismatch",
    text: "hash mismatch",
    specified: "sha256-A",
    got: "sha256-B",
  } as const;
  const problem = (text: string) => ({ severity: "error", text, atMs: 0 }) as const;
  applyUpdate(world, {
    jobs: [copy(1, { kind: "build", host: "", state: { kind: "failed", failure }, endedMs: 2_000 })],
    lines: [{ job: 1, lines: ["first", "\x1b[1mlast\x1b[0m"] }],
    commands: [{
      ...COMMAND,
      problems: [
        problem("path-1: hash mismatch"),
        problem("1 dependencies of derivation '/nix/store/x.drv' failed"),
        problem("undefined variable 'x'\n\nat file.nix:1:2:"),
      ],
    }],
  });
  const end = { kind: "exited", code: 102 } as const;
  const lines = endingLines(world, { width: 80, nowMs: 5_000, end, tailLines: 1 }).map(unstyledText);
  deepStrictEqual(lines, [
    "⚠ path-1 failed: hash mismatch after 2s",
    `  nix log /nix/store/${"a".repeat(32)}-path-1`,
    "  specified: sha256-A",
    "  got:       sha256-B",
    "  │ last",
    "error: undefined variable 'x'",
    "",
    "at file.nix:1:2:",
    "┗━ ⚠ 1 │ failed with exit code 102 after 5s",
  ]);
  const killed = { kind: "signaled", signal: "SIGTERM" } as const;
  match(
    unstyledText(endingLines(world, { width: 80, nowMs: 5_000, end: killed, tailLines: 0 }).at(-1)!),
    /interrupted/,
  );
});

Deno.test("nothing is said of a command that had nothing to do", () => {
  const end = { kind: "exited", code: 0 } as const;
  deepStrictEqual(endingLines(emptyWorld(), { width: 80, nowMs: 0, end, tailLines: 5 }), []);
});

Deno.test("evaluation, and what stores are asked for, is told as long as nothing else is done", () => {
  const replay = new Replay("01-single", 500);
  const line = () =>
    inlineLines(replay.world, { width: 80, height: 24, nowMs: replay.nowMs }).map(unstyledText).at(-1);
  const texts = [0.02, 0.05, 0.5].map((part) => {
    replay.to(part);
    return line();
  });
  deepStrictEqual(texts, [
    "┗━ ⏵ evaluating /tmp/fixture/lib.nix │ ⏱ 1s",
    "┗━ ↓ asking stores │ ⏱ 2s",
    "┗━ ⏸ 1 │ ⏱ 27s",
  ]);
});
