import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { charWidth, clusters, fitText, padText, textWidth } from "../../lib/tui/mod.ts";
import { isSimple } from "../../lib/tui/width.ts";

const WIDTHS: [what: string, text: string, columns: number][] = [
  ["ASCII", "plain", 5],
  ["Latin with accents", "é à ü", 5],
  ["a combining mark", "e\u0301", 1],
  ["several marks on one letter", "a\u0300\u0301\u0302", 1],
  ["Han", "漢字", 4],
  ["Hangul syllables", "한글", 4],
  ["Hangul from its parts", "\u1112\u1161\u11ab", 2],
  ["Kana and full width", "カナＡ", 6],
  ["half width Kana", "ｶﾅ", 2],
  ["an emoji", "🦀", 2],
  ["an emoji of a skin", "👍🏽", 2],
  ["a family joined by zero width", "👨‍👩‍👧", 2],
  ["a flag of two letters", "🇩🇪", 2],
  ["half a flag", "🇩", 1],
  ["a heart that is asked to be an emoji", "❤️", 2],
  ["a heart as text", "❤", 1],
  ["ambiguous ones", "→±█", 3],
  ["a soft hyphen", "a\u00adb", 3],
  ["a zero width space stands on a blank", "\u200b", 1],
  ["a mark without a base stands on a blank", "\u0301", 1],
  ["Devanagari", "नि", 1],
  ["an ideographic space", "\u3000", 2],
];
for (const [what, text, columns] of WIDTHS) {
  Deno.test(`textWidth(): ${what}`, () => strictEqual(textWidth(text), columns));
}

Deno.test("charWidth() is 0, 1 or 2 for every code point there is", () => {
  const wrong: number[] = [];
  for (let code = 0; code <= 0x10_ffff; code += 7) if (![0, 1, 2].includes(charWidth(code))) wrong.push(code);
  deepStrictEqual(wrong, []);
  deepStrictEqual([0x41, 0x301, 0x200d, 0x6f22, 0x1f980, 0x2028].map(charWidth), [1, 0, 0, 2, 2, 1]);
});

Deno.test("characters that are taken for simple have one column each and join no other", () => {
  const chars = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code)).filter(isSimple);
  deepStrictEqual(chars.filter((char) => charWidth(char.codePointAt(0)!) !== 1), []);
  strictEqual([...new Intl.Segmenter().segment(chars.join(""))].length, chars.length);
  strictEqual(isSimple("▶ ✔ ✖ ⚑ ⏸ ⏱ …"), true, "what views are full of");
  strictEqual(isSimple("✔\ufe0f"), false, "an emoji");
});

Deno.test("no control, lone surrogate or mark that turns a line comes out of clusters()", () => {
  const nasty = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join("") +
    "\ud800 \udc00 \u2028\u2029\u202e\u2066\u200e\ufffa x\u202e";
  const out = [...clusters(nasty)].map(({ text }) => text).join("");
  strictEqual(
    // deno-lint-ignore no-control-regex
    /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\ud800-\udfff]/.test(out),
    false,
  );
  strictEqual([...clusters("\x1b")][0]?.text, "␛");
  strictEqual([...clusters("\x7f")][0]?.text, "␡");
  strictEqual([...clusters("\x9b")][0]?.text, "\ufffd");
  strictEqual([...clusters("\r\n")][0]?.text, "␍");
});

Deno.test("fitText() cuts between characters and never makes anything wider than asked", () => {
  for (
    const [text, columns, fitted] of [
      ["short", 10, "short"],
      ["exact", 5, "exact"],
      ["too long", 5, "too …"],
      ["漢字漢字", 5, "漢字…"],
      ["漢字漢字", 4, "漢 …"],
      ["abc", 1, "…"],
      ["abc", 0, ""],
    ] as const
  ) strictEqual(fitText(text, columns), fitted);
});

Deno.test("padText() fills to the columns at the side that is asked for", () => {
  strictEqual(padText("ab", 4), "ab  ");
  strictEqual(padText("ab", 4, "right"), "  ab");
  strictEqual(padText("漢", 3), "漢 ");
  strictEqual(padText("abcdef", 3), "ab…");
});
