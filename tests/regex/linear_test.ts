/** Patterns without flags mean the same as with them, and none takes for ever. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { linePattern, rustRegExp } from "../../lib/regex/mod.ts";
import { flatPattern } from "../../lib/regex/flat_pattern.ts";
import { chance, seedOf } from "../tui/vt.ts";

const ALL = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code));
const MORE = [
  ..."ΑαΣσςЯяẞßſKÅÅ😀😂𐐀𐐨𝒳",
  "aa",
  "AA",
  "bB",
  "",
  "]x",
  ".K",
  "x1",
  "a\nb",
  "fooſ",
  "é!",
  "ÉÉ",
  "a😀b",
];
const TEXTS = [...ALL, ...MORE];

/** Source and flags, as JavaScript has them. */
const PATTERNS: readonly (readonly [string, string])[] = [
  ...[
    "a",
    "K",
    "s",
    "1",
    "[a-c]",
    "[A-C]",
    "[^a-c]",
    "[Y-b]",
    "[+-z]",
    "[aB1-]",
    "[\\]]x",
    "\\d",
    "[\\dx]",
    "é",
    "ß",
  ]
    .flatMap((source): [string, string][] => [[source, "u"], [source, "iu"]]),
  ...[
    "(?:a|B)",
    "(x)",
    "a{2}|b",
    "^q$",
    "\\bz",
    "\\.k",
    "[\\]a]",
    "\\n|a",
    "σ",
    "\\u0041",
    "[\\u0041é]",
    "\\x41",
  ]
    .map((source): [string, string] => [source, "iu"]),
  ...["(?i:a)B", "(?i:a(?-i:b))", "(?s:.)b", "(?<n>a)a", "😀", "[😀-😂]", "\\u{1f600}+", "a{17}"]
    .map((source): [string, string] => [source, "u"]),
  ...["\\p{Lu}", "\\P{Lu}!", "\\p{Script=Greek}", "[\\p{L}&&[^a-z]]", "[[a-c]x]1", "[^\\p{L}]"]
    .flatMap((source): [string, string][] => [[source, "v"], [source, "iv"]]),
];

Deno.test("what is written out matches what the flags would, and the engine of linear time takes it", () => {
  for (const [source, flags] of PATTERNS) {
    const flat = new RegExp(flatPattern({ source, flags: flags.replace("u", "") }).source, "l");
    const flagged = new RegExp(source, flags);
    deepStrictEqual(
      TEXTS.filter((text) => flat.test(text)),
      TEXTS.filter((text) => flagged.test(text)),
      `${flagged} as ${flat}`,
    );
  }
});

Deno.test("random patterns find the same in both engines", () => {
  const seed = seedOf("patterns");
  const random = chance(seed);
  const pick = (list: readonly string[]) => list[random(list.length)]!;
  const part = (depth: number): string => {
    const atom = depth === 0 || random(3) > 0
      ? pick(["a", "b", "[ab]", "[^a]", ".", "\\w", "ä", "(?i:B)", "\\b"])
      : `(${part(depth - 1)}${pick(["", "|"])}${part(depth - 1)})`;
    return (atom === "\\b"
      ? atom
      : atom + pick(["", "", "*", "+?", "?", "{2}", "{0,3}", "{5,}", ...depth === 0 ? ["{18}"] : []])) +
      (random(2) > 0 ? part(Math.max(0, depth - 1)) : "");
  };
  for (let round = 0; round < 300; round++) {
    const pattern = part(2);
    const [usual, linear] = [new RegExp(pattern, "u"), rustRegExp(pattern)];
    for (let turn = 0; turn < 20; turn++) {
      const text = Array.from({ length: random(9) }, () => pick(["a", "b", "B", "ä", " "])).join("");
      strictEqual(linear.test(text), usual.test(text), `${pattern} in "${text}" (seed ${seed})`);
      strictEqual(
        linePattern(pattern).test(text),
        usual.test(text),
        `${pattern} in "${text}" (seed ${seed})`,
      );
    }
  }
});

Deno.test("a pattern that has many ways to match is only tried in the usual engine on lines that are short for it", () => {
  const charsOf = (source: string) => flatPattern({ source, flags: "" }).fastChars;
  strictEqual(charsOf("error|panic"), 5e7);
  strictEqual(charsOf("\\d+ ms"), 1e4);
  strictEqual(charsOf("\\d+ .* ms"), 464);
  strictEqual(charsOf("(?:x\\d+)?y"), 7071);
  for (const nested of ["(a+)+$", "(a|b)*c", "(a?){9}", "((a{1,3}){2})"]) {
    strictEqual(charsOf(nested), 0, nested);
  }
});

Deno.test("no pattern is lost in a line, however it goes back", () => {
  const line = `${"a".repeat(50_000)}!`;
  for (
    const pattern of [
      "(a+)+$",
      "(?i:(a|aa)+)$",
      "(a|aa)+$",
      "(?:a?){60}a{60}$",
      "(.*)*(.*)*(.*)*x",
      "a*a*a*a*b",
    ]
  ) {
    ok(rustRegExp(pattern).flags.includes("l"), "the runtime has the engine");
    strictEqual(rustRegExp(pattern).test(line), false, pattern);
    strictEqual(linePattern(pattern).test(line), false, pattern);
  }
  strictEqual(linePattern("(?i)(ä|ää)+$").test("Ä".repeat(50_000) + "!"), false);
});
