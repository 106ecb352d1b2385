/** Log lines for a reader with little room. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { digest, digestText, isTrouble, type LogLine } from "../../lib/services/mod.ts";

const line = (
  timeMs: number,
  text: string,
  process = "api",
  stream: LogLine["stream"] = "stdout",
): LogLine => {
  return { process, timeMs, stream, text };
};

Deno.test("digest() merges by time and folds what one process says again and again", () => {
  const { lines, omitted } = digest([
    line(1, "up"),
    line(3, "tick"),
    line(4, "tick"),
    line(6, "tick"),
    line(2, "hello", "web"),
    line(5, "world", "web", "stderr"),
  ], 1_000);
  deepStrictEqual(lines.map(({ process, text, repeated }) => [process, text, repeated]), [
    ["api", "up", 1],
    ["web", "hello", 1],
    ["api", "tick", 3],
    ["web", "world", 1],
  ]);
  strictEqual(omitted, 0);
});

Deno.test("digest() with little room keeps trouble first, then the newest, and counts the rest", () => {
  const lines = Array.from(
    { length: 100 },
    (_, at) => line(at, at === 10 ? "ERROR: no space left" : `line ${at}`),
  );
  const { lines: shown, omitted } = digest(lines, 38);
  deepStrictEqual(shown.map(({ text }) => text), ["ERROR: no space left", "line 98", "line 99"]);
  strictEqual(omitted, 97);
});

Deno.test("digest() cuts a line that would take the room of all others, whatever it tells of", () => {
  const dump = `${"x".repeat(100_000)} ERROR`;
  const { lines, omitted } = digest([line(1, "before"), line(2, dump), line(3, "after")], 200);
  deepStrictEqual(lines.map(({ text }) => text), [
    "before",
    `${"x".repeat(200)}… (99806 more characters)`,
    "after",
  ]);
  strictEqual(omitted, 0);
});

Deno.test("isTrouble() knows the words of many languages, and no parts of others", () => {
  const yes = [
    "thread panicked at x",
    "Traceback (most recent call last):",
    "FATAL: x",
    "TypeError: Error: x",
    "1 failed",
  ];
  const no = ["errorless", "terrors", "no trouble", "failover ready"];
  deepStrictEqual(yes.map((text) => isTrouble(line(0, text))), yes.map(() => true));
  deepStrictEqual(no.map((text) => isTrouble(line(0, text))), no.map(() => false));
});

Deno.test("digestText() tells time, process, stream, repeats and what is left out", () => {
  const at = Date.UTC(2026, 0, 1, 12, 30, 1, 250);
  const text = digestText({
    lines: [{ ...line(at, "a"), repeated: 3 }, { ...line(at, "b", "web", "stderr"), repeated: 1 }],
    omitted: 7,
  });
  strictEqual(
    text,
    "12:30:01.250 api a (3 times)\n12:30:01.250 web! b\n(7 more lines had no room; search_logs finds them)",
  );
  strictEqual(digestText({ lines: [], omitted: 0 }), "(nothing new)");
});
