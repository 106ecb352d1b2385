/** What the console computes without a browser. */
import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { piecesOf, plainText } from "../../lib/ichimi/web/ansi.ts";
import { EN } from "../../lib/ichimi/web/words_en.ts";
import { JA } from "../../lib/ichimi/web/words_ja.ts";

Deno.test("colours of terminals become classes, and everything else that is for terminals is left out", () => {
  const cases: [string, [text: string, look: string][]][] = [
    ["plain", [["plain", ""]]],
    ["", [["", ""]]],
    ["\x1b[31mred\x1b[0m and plain", [["red", "color-1"], [" and plain", ""]]],
    ["\x1b[1;32mbold\x1b[22m green\x1b[39m.", [["bold", "color-2 bold"], [" green", "color-2"], [".", ""]]],
    ["\x1b[94mbright\x1b[m", [["bright", "color-4"]]],
    ["\x1b[38;5;9mone of 256\x1b[0m", [["one of 256", "color-1"]]],
    ["\x1b[38;5;200m\x1b[48;2;1;2;3mno name\x1b[0m", [["no name", ""]]],
    ["\x1b[38;2;31;32;33mneither\x1b[0m", [["neither", ""]]],
    ["\x1b[2Kcleared\x1b[1A\x1b[?25l", [["cleared", ""]]],
    ["\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", [["link", ""]]],
    ["\x1b[2mdim", [["dim", "dim"]]],
    ["cut off \x1b[3", [["cut off \x1b[3", ""]]],
  ];
  for (const [line, expected] of cases) {
    deepStrictEqual(piecesOf(line).map(({ text, look }) => [text, look]), expected, JSON.stringify(line));
    strictEqual(plainText(line), expected.map(([text]) => text).join(""));
  }
});

/** Texts by their places; those with gaps are filled with something. */
function textsOf(words: object, place = ""): Map<string, string> {
  return new Map(
    Object.entries(words).flatMap(([key, value]): [string, string][] => {
      const at = `${place}.${key}`;
      if (typeof value === "function") return [[at, String(value("X", 2, 3))]];
      return typeof value === "string" ? [[at, value]] : [...textsOf(value, at)];
    }),
  );
}

Deno.test("every text is there in both languages, and Japanese is Japanese", () => {
  const [english, japanese] = [textsOf(EN), textsOf(JA)];
  deepStrictEqual([...japanese.keys()].sort(), [...english.keys()].sort());
  /** The same everywhere. */
  const shared = /^(CPU|PID|OK|English|日本語|X \/ 2)$/;
  for (const [place, text] of english) {
    ok(text.trim() !== "", place);
    const other = japanese.get(place)!;
    if (shared.test(text)) continue;
    notStrictEqual(other, text, place);
    ok(
      /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(other),
      `${place}: ${other}`,
    );
  }
});
