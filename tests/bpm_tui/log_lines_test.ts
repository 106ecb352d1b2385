import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { bytesText, cpuText, durationText, durationWord } from "../../lib/tui/mod.ts";
import {
  append,
  isApart,
  isMatch,
  lineOfText,
  type LogLines,
  matchesIn,
  MAX_LINE_CHARS,
  MAX_LINES,
  mergeTail,
  NO_LINES,
  searchFor,
} from "../../lib/bpm_tui/log_lines.ts";
import { anchorAround, bottomIndex, firstBottom, scrolled, seenUpTo } from "../../lib/bpm_tui/scroll.ts";
import { keyText } from "../../lib/bpm_tui/attach.ts";
import { chance, seedOf } from "../tui/vt.ts";

const texts = (...lines: string[]) => lines.map(lineOfText);
const logOf = (...lines: string[]) => append(NO_LINES, texts(...lines));
const shown = ({ lines }: LogLines) => lines.map(({ raw, stream }) => (stream === "note" ? `(${raw})` : raw));

Deno.test("standard error is known by upstream's mark, and lines are kept within their limits", () => {
  deepStrictEqual(texts("[stderr] a", "b"), [{ raw: "a", stream: "stderr" }, { raw: "b", stream: "stdout" }]);
  const log = append(
    logOf(...Array.from({ length: MAX_LINES }, (_, at) => `${at}`)),
    texts("x".repeat(9_999)),
  );
  strictEqual(log.lines.length, MAX_LINES);
  strictEqual(log.lines[0]!.raw, "1");
  deepStrictEqual([log.lines.at(-1)!.seq, log.next], [MAX_LINES, MAX_LINES + 1]);
  strictEqual(log.lines.at(-1)!.raw.length, MAX_LINE_CHARS + 1);
  strictEqual(append(logOf("\x1b[31mred\x1b[0m"), []).lines[0]!.plain, "red");
});

Deno.test("of a tail that is read again only what is new is added", () => {
  const log = logOf("a", "b", "c");
  deepStrictEqual(shown(mergeTail(log, texts("b", "c", "d"), false)), ["a", "b", "c", "d"]);
  deepStrictEqual(shown(mergeTail(log, texts("a", "b", "c"), true)), ["a", "b", "c"]);
  deepStrictEqual(shown(mergeTail(log, [], true)), ["a", "b", "c"]);
  deepStrictEqual([isApart(log, texts("c", "d")), isApart(log, texts("cd")), isApart(log, texts("d", "e"))], [
    false,
    false,
    true,
  ]);
  deepStrictEqual(shown(mergeTail(NO_LINES, texts("a"), true)), ["a"]);
  deepStrictEqual(shown(mergeTail(logOf("x", "x"), texts("x", "x", "x"), true)), ["x", "x", "x"]);
});

Deno.test("a last line that was not ended grows in its place", () => {
  const log = logOf("$ ", "ls", "$ ");
  const grown = mergeTail(log, texts("$ ", "ls", "$ echo", "out", "$ "), true);
  deepStrictEqual(shown(grown), ["$ ", "ls", "$ echo", "out", "$ "]);
  deepStrictEqual(grown.lines.map(({ seq }) => seq), [0, 1, 2, 3, 4]);
  deepStrictEqual(shown(mergeTail(logOf("10%"), texts("10%\r20%"), true)), ["10%\r20%"]);
  deepStrictEqual(shown(mergeTail(logOf("a", ""), texts("a", "", "b"), true)), ["a", "", "b"]);
  deepStrictEqual(shown(mergeTail(grown, texts("out", "$ q", "bye"), false)).slice(-3), [
    "out",
    "$ q",
    "bye",
  ]);
});

Deno.test("where nothing of a tail is known it is said why: another instance, or lines that were missed", () => {
  const log = logOf("a", "b");
  deepStrictEqual(shown(mergeTail(log, texts("x", "y"), true)), [
    "a",
    "b",
    "(a new instance begins)",
    "x",
    "y",
  ]);
  const missed = mergeTail(log, texts("x", "y"), false);
  deepStrictEqual(shown(missed), ["a", "b", "(lines between were not read)", "x", "y"]);
  deepStrictEqual(shown(mergeTail(missed, texts("y", "z"), false)).slice(-2), ["y", "z"]);
});

Deno.test("a log that grows by any number of distinct lines is followed without loss or doubles", () => {
  const seed = seedOf("tails");
  const random = chance(seed);
  for (let round = 0; round < 100; round++) {
    const written: string[] = [];
    let log = NO_LINES;
    const tail = 20;
    for (let turn = 0; turn < 20; turn++) {
      for (let more = random(tail); more > 0; more--) written.push(`line ${written.length}`);
      log = mergeTail(log, texts(...written.slice(-tail)), written.length < tail);
    }
    const numbers = log.lines.map(({ raw }) => raw);
    deepStrictEqual(numbers, written.slice(written.length - numbers.length), `round ${round}`);
  }
});

Deno.test("a search is a regular expression, or the text itself when it is none; capitals count when typed", () => {
  const [line] = logOf("GET /a(b 200 Error").lines;
  const at = (text: string) => matchesIn(line!, searchFor(text));
  deepStrictEqual(at("error"), [[13, 18]]);
  deepStrictEqual(at("ERROR"), []);
  deepStrictEqual(at("\\d+"), [[9, 12]]);
  deepStrictEqual(at("\\D{3}$"), [[15, 18]]);
  deepStrictEqual(at("a(b"), [[5, 8]]);
  deepStrictEqual(at("x*"), []);
  deepStrictEqual(at(""), []);
  ok(isMatch(line!, searchFor("get")) && isMatch(line!, searchFor("get")));
  strictEqual(isMatch(line!, searchFor("nope")), false);
  strictEqual(isMatch({ ...line!, stream: "note" }, searchFor("get")), false);
});

const OPTIONS = { width: 10, height: 4, wrap: false };
const { lines: TEN } = logOf(...Array.from({ length: 10 }, (_, at) => `line ${at}`));

Deno.test("scrolling stops where the first and the last page are full", () => {
  strictEqual(bottomIndex(TEN, undefined), 9);
  strictEqual(bottomIndex(TEN, 5), 5);
  strictEqual(bottomIndex(TEN, -1), -1);
  strictEqual(scrolled(TEN, undefined, -3, OPTIONS), 6);
  strictEqual(scrolled(TEN, 6, -100, OPTIONS), 3);
  strictEqual(scrolled(TEN, 6, 100, OPTIONS), undefined);
  strictEqual(scrolled([], undefined, -1, OPTIONS), undefined);
  strictEqual(firstBottom(TEN, { ...OPTIONS, height: 99 }), 9);
  strictEqual(anchorAround(TEN, 4, OPTIONS), 6);
});

Deno.test("only lines that fill the height are looked at, wrapped ones count their rows", () => {
  deepStrictEqual(seenUpTo(TEN, 9, OPTIONS).map(({ line }) => line.raw), [
    "line 6",
    "line 7",
    "line 8",
    "line 9",
  ]);
  const { lines } = logOf("short", "x".repeat(25), "end");
  const seen = seenUpTo(lines, 2, { ...OPTIONS, wrap: true });
  deepStrictEqual(seen.map(({ rows }) => rows.length), [3, 1]);
});

Deno.test("numbers are told in few columns", () => {
  deepStrictEqual([0, 59_999, 190_000, 7_500_000, 360_000_000].map(durationText), [
    "0s",
    "59s",
    "3m 10s",
    "2h 05m",
    "4d 04h",
  ]);
  deepStrictEqual([0, 340, 59_400, 187_000, 7_500_000, 360_000_000].map(durationWord), [
    "0ms",
    "340ms",
    "59s",
    "3m07s",
    "2h05m",
    "4d04h",
  ]);
  deepStrictEqual([0, 812, 1_536, 12_582_912, 3_435_973_836, 5e15].map(bytesText), [
    "0B",
    "812B",
    "1.5K",
    "12M",
    "3.2G",
    "4547T",
  ]);
  deepStrictEqual([0, 0.004, 0.12, 2.3].map(cpuText), ["0%", "0.4%", "12%", "230%"]);
});

Deno.test("keys are what a program on a terminal would read", () => {
  const text = (name: string, tty = true) => keyText({ kind: "key", name }, { tty });
  deepStrictEqual(
    ["enter", "up", "ctrl+c", "ctrl+space", "alt+x", "backspace", "f5"].map((name) => text(name)),
    [
      "\r",
      "\x1b[A",
      "\x03",
      "\0",
      "\x1bx",
      "\x7f",
      undefined,
    ],
  );
  strictEqual(text("enter", false), "\n");
  strictEqual(keyText({ kind: "key", name: "space", text: " " }, { tty: true }), " ");
});
