import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { compileRegex, MAX_PATTERN_CHARS } from "../../lib/promql/regex.ts";

/** Pattern, texts that match, texts that do not. */
const CASES: [string, string[], string[]][] = [
  ["", [""], ["a"]],
  ["abc", ["abc"], ["abcd", "xabc", "AbC"]],
  ["a|bc|", ["a", "bc", ""], ["b", "abc"]],
  [".*", ["", "any\nthing", "é😀"], []],
  [".", ["a", "😀", "\n"], ["", "ab"]],
  ["a+b?c{2}", ["aacc", "abcc"], ["bcc", "abc", "abccc"]],
  ["(?:ab){1,2}x", ["abx", "ababx"], ["x", "abababx"]],
  ["a{2,}", ["aa", "aaaaa"], ["a"]],
  ["a{x", ["a{x"], ["ax"]],
  ["(a+)+", ["aaaa"], ["", "b"]],
  ["(?i)pro.*", ["PROduction", "pro"], ["xpro"]],
  ["((?i)a)b", ["Ab", "ab"], ["aB"]],
  ["(?i:a)(?-s:.)b", ["AXb"], ["AXB", "A\nb"]],
  ["[a-c_]+[^0-9]", ["ab_x"], ["ab1", "x"]],
  ["[]a]+", ["]a]"], ["b"]],
  ["[[:alpha:]_]+[[:digit:]]", ["ab_1"], ["1", "a-1"]],
  ["[a\\-z]+", ["a-z"], ["b"]],
  ["\\d+\\.\\w\\s\\S", ["12.a b"], ["12a b"]],
  ["\\pL\\p{Greek}", ["aλ"], ["1λ", "ab"]],
  ["\\x41\\x{1F600}\\n\\t", ["A😀\n\t"], ["A"]],
  ["\\Qa.b*\\E+", ["a.b*", "a.b**"], ["axb"]],
  ["^foo$", ["foo"], ["foo\n"]],
  ["\\Afoo\\z", ["foo"], ["xfoo"]],
  ["(?m)a$\\n^b", ["a\nb"], ["ab"]],
  ["a\\b-\\Bx?-?", ["a-", "a--"], ["ax"]],
  ["/(api|v[12])/.+", ["/api/x", "/v1/y"], ["/v3/y", "/api/"]],
];

Deno.test("patterns match as RE2 does, always as a whole", () => {
  for (const [pattern, hits, misses] of CASES) {
    const regex = compileRegex(pattern, "test");
    for (const text of hits) ok(regex.test(text), `${pattern} matches ${JSON.stringify(text)}`);
    for (const text of misses) ok(!regex.test(text), `${pattern} does not match ${JSON.stringify(text)}`);
  }
});

Deno.test("groups hold what a preferred match gives them", () => {
  const groups = (pattern: string, text: string) => compileRegex(pattern, "test").exec(text)?.groups;
  deepStrictEqual(groups("(.*)-(.*)", "a-b-c"), ["a-b-c", "a-b", "c"], "greedy");
  deepStrictEqual(groups("(.*?)-(.*)", "a-b-c"), ["a-b-c", "a", "b-c"], "lazy");
  deepStrictEqual(groups("(?U)(.*)-(.*)", "a-b-c"), ["a-b-c", "a", "b-c"], "swapped");
  deepStrictEqual(groups("(a)|(b)", "b"), ["b", undefined, "b"]);
  deepStrictEqual(groups("(?:(a)|b)*", "ab"), ["ab", "a"]);
  strictEqual(groups("(a)", "b"), undefined);
  deepStrictEqual(compileRegex("(?P<x>a+)(?<y>b)", "test").exec("aab")!.named, { x: "aa", y: "b" });
});

Deno.test("what RE2 refuses is refused, in its words", () => {
  const cases: [string, RegExp][] = [
    ["(", /missing closing \)/],
    [")", /unexpected \)/],
    ["[a", /missing closing \]/],
    ["[z-a]", /invalid character class/],
    ["*a", /missing argument to repetition operator/],
    ["a**", /invalid nested repetition operator/],
    ["a{2,1}", /invalid repeat count/],
    ["a{1001}", /invalid repeat count/],
    ["(?=a)", /invalid or unsupported Perl syntax/],
    ["(?<!a)", /invalid or unsupported Perl syntax/],
    ["(a)\\1", /invalid escape sequence/],
    ["a\\", /trailing backslash/],
    ["(?P<a>x)(?P<a>y)", /duplicate capture group name/],
    ["((a{100}){100}){100}", /expression too large/],
    ["(".repeat(300) + ")".repeat(300), /nests too deeply/],
    ["a?".repeat(MAX_PATTERN_CHARS), /longer than/],
  ];
  for (const [pattern, message] of cases) {
    throws(() => compileRegex(pattern, "matcher"), message, pattern.slice(0, 40));
  }
});

Deno.test("patterns that make backtracking matchers run for ages take no time", () => {
  const text = "a".repeat(2_000) + "!";
  for (const pattern of ["(a+)+", "(a|a)*", "(a|aa)+", "(.*)*b", "a*a*a*a*a*b", "(a?){50}a{50}"]) {
    ok(!compileRegex(pattern, "test").test(text), pattern);
  }
});
