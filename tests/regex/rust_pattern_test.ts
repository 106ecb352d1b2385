/** Patterns of Rust's regex crate, judged by ripgrep, which uses it. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { compilePattern, PatternError } from "../../lib/services/mod.ts";
import { translatePattern } from "../../lib/regex/rust_pattern.ts";

const HAS_RIPGREP = await new Deno.Command("rg", { args: ["--version"], stdout: "null", stderr: "null" })
  .output()
  .then(({ success }) => success, () => false);

const PATTERNS: readonly string[] = [
  String.raw`\d{4}\-\d{2}`,
  String.raw`\x{41}\x42\u{43}\u0044\U00000045`,
  String.raw`\U0001F600`,
  "[[:alpha:]]+1",
  "^[[:^alpha:]]+$",
  "^[[:upper:][:digit:]_]+$",
  "(?x) a b # a comment\n c \\ d",
  "(?x)[a b]x",
  "a(?i)b|c",
  "(x(?i)y|z)w",
  "(?i)error",
  "(?i:x)y",
  "(?is)E.*r",
  "(?-i:a)b",
  "(?m)^abc$",
  "(?P<name>x)y",
  "^[a-z&&[^x]]+$",
  "^[a-z--[aeiou]]+$",
  "^[a-z&&[^b]--[c]]+$",
  "[[a-c]x]1",
  String.raw`\pL+$`,
  String.raw`\p{Greek}`,
  String.raw`\P{Greek}1`,
  String.raw`\P{Lu}1`,
  String.raw`\AERR`,
  String.raw`end\z`,
  "[]a]!",
  "[^]a]!",
  String.raw`\#\&\~`,
  String.raw`\[x\]//`,
  String.raw`[\w.-]+@x`,
  String.raw`[a\-z]!`,
  String.raw`[\[\]]+`,
  "[a-]!",
  "(a|b)*?c",
  "a{2,3}b",
  "=>",
  "😀+",
  "[😀-😂]",
  String.raw`\bfoo\b`,
  "x|",
];
const TEXTS: readonly string[] = [
  ..."2026-11 ABCDE 😀 😁😀 abc1 ABC1 123 12a3 A_1 abcd abc aB C c xy Xy XY xYw Zw ZW zw bcd bad ad ac".split(
    " ",
  ),
  ..."ERROR error er Error: é α α1 1 É1 ERR the]! ]! b! a! -! z! x1 c1 foo! xfoo aab ab =>".split(" "),
  "the end",
  '#&~"<>@',
  "[x]//",
  "a.b-c@x",
  "foo bar",
  "abc d",
  "abc\td",
  "bx",
  "]",
  "",
];

Deno.test({
  name: "compilePattern() finds the lines that Rust's regex crate finds (ripgrep)",
  ignore: !HAS_RIPGREP,
  fn: async () => {
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, TEXTS.join("\n") + "\n");
    for (const pattern of PATTERNS) {
      const { stdout, stderr, code } = await new Deno.Command("rg", {
        args: ["--no-config", "--line-number", "--no-filename", "--color=never", "-e", pattern, file],
      }).output();
      ok(code < 2, `${pattern}: ${new TextDecoder().decode(stderr)}`);
      const lines = new TextDecoder().decode(stdout).trimEnd().split("\n").filter((line) => line !== "");
      const theirs = lines.map((line) => TEXTS[parseInt(line) - 1]);
      const compiled = compilePattern(pattern);
      deepStrictEqual(TEXTS.filter((text) => compiled.test(text)), theirs, `${pattern} as ${compiled}`);
    }
    await Deno.remove(file);
  },
});

Deno.test("translatePattern() leaves what both write the same, and takes what only Rust writes", () => {
  deepStrictEqual(translatePattern("^a(b|c)+[^d-f]$"), { source: "^a(b|c)+[^d-f]$", flags: "" });
  deepStrictEqual(translatePattern("(?i)a"), { source: "a", flags: "i" });
  strictEqual(translatePattern("[[:digit:]]\\-").source, "[0-9]-");
  // Newer than what judges the others.
  const finds = (pattern: string) =>
    ["foo bar", "food", '"@'].filter((text) => compilePattern(pattern).test(text));
  deepStrictEqual(finds("\\<foo\\>"), ["foo bar"]);
  deepStrictEqual(finds("(?<name>f)oo"), ["foo bar", "food"]);
  deepStrictEqual(finds('\\"\\@'), ['"@']);
  strictEqual(translatePattern("[a-z&&[^x]]").flags, "v");
});

Deno.test("compilePattern() refuses what is no pattern, and what JavaScript cannot say, with the reason", () => {
  for (
    const bad of [
      "(",
      "[",
      "a{2,1}",
      "*",
      "\\",
      ")",
      "\\q",
      "(?P<n",
      "(?U)a",
      "[a~~b]",
      "[a&&",
      "[[:alpha:]",
      "(?=a)",
      "(?<!a)b",
      "(a)\\1",
      "(a{99}){99}",
    ]
  ) {
    throws(() => compilePattern(bad), (error: Error) => {
      return error instanceof PatternError && /^Invalid regex pattern: ./.test(error.message);
    }, bad);
  }
});
