/** Patterns that ignore case without the flag mean the same as with it. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { compilePattern } from "../../lib/services/mod.ts";
import { foldCase } from "../../lib/services/fold_case.ts";

const ALL = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

Deno.test("what is folded matches what the flag would", () => {
  const sources = [
    ...[
      "a",
      "A",
      "1",
      ".",
      "[a-c]",
      "[A-C]",
      "[^a-c]",
      "[Y-b]",
      "[+-z]",
      "[aB1-]",
      "[]]x",
      "\\d",
      "\\D",
      "[\\dx]",
      "[^\\Dx]",
    ],
    ...["(?:a|B)", "(x)", "a{2}|b", "^q$", "\\bz", "\\.k", "[\\]a]", "\\n|a"],
  ];
  for (const source of sources) {
    const folded = foldCase(source);
    const [plain, flagged] = [new RegExp(folded!), new RegExp(source, "i")];
    const texts = [...ALL, "aa", "AA", "bB", "", "]x", ".K"];
    deepStrictEqual(
      texts.filter((text) => plain.test(text)),
      texts.filter((text) => flagged.test(text)),
      source,
    );
  }
});

Deno.test("what cannot be said without the flag keeps it", () => {
  for (const source of ["é", "(?i:a)", "(?<n>a)", "(?=a)", "\\x41", "[\\u0041]", "[\\n-z]", "(a)\\1", "[a"]) {
    strictEqual(foldCase(source), undefined, source);
  }
  strictEqual(compilePattern("(?i)É").test("é"), true);
  strictEqual(compilePattern("(?i)error").flags, "");
  strictEqual(compilePattern("(?i)error").test("an ERROR"), true);
});
