import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { FUNCTIONS, parse, ParseError, print, typeOf } from "../../lib/promql/mod.ts";
import { tokenize } from "../../lib/promql/lexer.ts";

/** Text, and what `print` makes of its tree. */
const VALID: [string, string][] = [
  ["1", "1"],
  ["0x1F", "31"],
  ["1_000.5e-1", "100.05"],
  [".5", "0.5"],
  ["5.", "5"],
  ["+Inf", "+Inf"],
  ["-inf", "-Inf"],
  ["nAn", "NaN"],
  ["1h30m", "1h30m"],
  ["-1^2", "-1 ^ 2"],
  ["2 ^ 3 ^ 2", "2 ^ 3 ^ 2"],
  ["1 + 2 * 3 == bool 7", "1 + 2 * 3 == bool 7"],
  ["(1 + 2) * 3", "(1 + 2) * 3"],
  ["'it''s'".replace("''", "\\'"), '"it\'s"'],
  ["`raw \\n`", '"raw \\\\n"'],
  ['"\\x41\\u00e9\\101"', '"AéA"'],
  ["foo", "foo"],
  ["foo:bar", "foo:bar"],
  [":foo", ":foo"],
  ['foo{a="b",c!="d",e=~"f|g",h!~"i",}', 'foo{a="b",c!="d",e=~"f|g",h!~"i"}'],
  ['{"a metric", b="c"}', '{__name__="a metric",b="c"}'],
  ['{__name__="foo"}', "foo"],
  ['{"label with space"="x"}', '{"label with space"="x"}'],
  ["sum", "sum"],
  ["on", "on"],
  ["offset", "offset"],
  ["foo[5m]", "foo[5m]"],
  ["foo[300]", "foo[5m]"],
  ["foo[1m + step() * 2]", "foo[(1m + (step() * 2s))]"],
  ["foo[max_of(1m, range())] offset -5m @ 10", "foo[max_of(1m, range())] @ 10.000 offset -5m"],
  ["foo @ start() offset 1m", "foo @ start() offset 1m"],
  ["foo[5m] smoothed", "foo[5m] smoothed"],
  ["rate(foo[1m])[5m:]", "rate(foo[1m])[5m:]"],
  ["rate(foo[1m])[5m:30s] offset 1h", "rate(foo[1m])[5m:30s] offset 1h"],
  ["SUM BY (a, b) (foo)", "sum by (a, b) (foo)"],
  ["sum(foo) without (a,)", "sum without (a) (foo)"],
  ["topk(3, foo) by (on)", "topk by (on) (3, foo)"],
  ['count_values("v", foo)', 'count_values("v", foo)'],
  ["foo / on (a) group_left (b) bar", "foo / on (a) group_left (b) bar"],
  ["foo + ignoring(a) bar", "foo + ignoring (a) bar"],
  ["foo and on () bar", "foo and on () bar"],
  ["foo or bar unless baz", "foo or bar unless baz"],
  ["foo + fill_left(0) fill_right(-1) bar", "foo + fill_left (0) fill_right (-1) bar"],
  ["foo atan2 bar", "foo atan2 bar"],
  ["-foo", "-foo"],
  ["histogram_quantiles([0.5, .9], foo)", "histogram_quantiles([0.5, 0.9], foo)"],
  ["foo # a comment\n + bar", "foo + bar"],
  ["time()", "time()"],
  ["label_join(foo, 'a', ',', 'b', 'c')", 'label_join(foo, "a", ",", "b", "c")'],
];

/** Text, and the whole message. */
const INVALID: [string, string][] = [
  ["", "1:1: parse error: no expression found in input"],
  ["# only a comment", "1:17: parse error: no expression found in input"],
  ["1+", "1:3: parse error: unexpected end of input"],
  ["*1", "1:1: parse error: unexpected <op:*>"],
  ["(1))", "1:4: parse error: unexpected right parenthesis ')'"],
  ["((1)", "1:5: parse error: unclosed left parenthesis"],
  ["foo $", "1:5: parse error: unexpected character: '$'"],
  ["foo !a", "1:5: parse error: unexpected character after '!': 'a'"],
  ["'open", "1:1: parse error: unterminated quoted string"],
  ["`open", "1:1: parse error: unterminated raw string"],
  ['"\\q"', '1:2: parse error: unknown escape sequence "\\\\q"'],
  ["1m1h", '1:1: parse error: bad number or duration syntax: "1m1h"'],
  ["foo{", "1:5: parse error: unexpected end of input inside braces"],
  ['foo{a="b"', "1:10: parse error: unexpected end of input inside braces"],
  ["foo{a=b}", '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
  ['foo{a!"b"}', "1:6: parse error: unexpected character after '!': '\"'"],
  ["{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['{a=~".*"}', "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['foo{__name__="bar"}', '1:5: parse error: metric name must not be set twice: "foo" or "bar"'],
  ["foo[0m]", "1:5: parse error: duration must be greater than 0"],
  ["foo[5m", '1:7: parse error: unexpected end of input in range selector, expected "]"'],
  ["1[5m]", "1:2: parse error: ranges only allowed for vector selectors"],
  ["foo offset 5m[5m]", "1:14: parse error: no offset modifiers allowed before range"],
  ["foo @ 1 [5m]", "1:9: parse error: no @ modifiers allowed before range"],
  ["foo offset 1m offset 2m", "1:24: parse error: offset may not be set multiple times"],
  [
    "1 offset 1d",
    "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
  ],
  ["1 and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ["1 == 1", "1:1: parse error: comparisons between scalars must use BOOL modifier"],
  ["foo + bool bar", "1:7: parse error: bool modifier can only be used on comparison operators"],
  [
    '-"text"',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
  ],
  ["foo or on(bar) group_left(baz) bar", '1:8: parse error: no grouping allowed for "or" operation'],
  [
    "foo + on(a) group_left(a) bar",
    '1:1: parse error: label "a" must not occur in ON and GROUP clause at once',
  ],
  ["1 + on(a) foo", "1:1: parse error: vector matching only allowed between instant vectors"],
  ["foo[1m] + 1", "1:1: parse error: binary expression must contain only scalar and instant vector types"],
  ["nope(foo)", '1:1: parse error: unknown function with name "nope"'],
  [
    "rate(foo)",
    '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
  ],
  ["rate(foo[1m], 1)", '1:1: parse error: expected 1 argument(s) in call to "rate", got 2'],
  ["round()", '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'],
  ["round(foo, 1, 2)", '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
  ["sum()", "1:1: parse error: no arguments for aggregate expression provided"],
  [
    "topk(foo)",
    "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
  ],
  [
    "sum(foo[1m])",
    "1:5: parse error: expected type instant vector in aggregation expression, got range vector",
  ],
  ["topk(foo, foo)", "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"],
  [
    "foo[1m][5m:1m]",
    "1:1: parse error: subquery is only allowed on instant vector, got range vector instead",
  ],
  ["foo\n  +\n  ^", "3:3: parse error: unexpected <op:^>"],
  ["sum(foo,)", "1:8: parse error: trailing commas not allowed in function call args"],
  ["abs([1], foo)", '1:1: parse error: expected 1 argument(s) in call to "abs", got 2'],
];

Deno.test("a query prints as canonical text, which parses to the same", () => {
  for (const [text, printed] of VALID) {
    strictEqual(print(parse(text)), printed, text);
    strictEqual(print(parse(printed)), printed, `printed form of ${text}`);
  }
});

Deno.test("what is no query is refused with line, column and what was expected", () => {
  for (const [text, message] of INVALID) {
    throws(() => parse(text), (error) => {
      ok(error instanceof ParseError, String(error));
      strictEqual(error.message, message, text);
      return true;
    }, text);
  }
});

Deno.test("every expression has a type", () => {
  const cases: [string, string][] = [
    ["1", "scalar"],
    ["'a'", "string"],
    ["foo", "vector"],
    ["foo[1m]", "matrix"],
    ["foo[1m:1s]", "matrix"],
    ["1 + 1", "scalar"],
    ["1 + foo", "vector"],
    ["time()", "scalar"],
    ["(sum(foo))", "vector"],
    ["-foo", "vector"],
  ];
  for (const [text, type] of cases) strictEqual(typeOf(parse(text)), type, text);
});

Deno.test("tokens cover the text in order, whatever it is", () => {
  const text = 'sum by (a) (rate(foo{b=~"c\\"d"}[5m] offset -1h30m @ end())) # end';
  const tokens = tokenize(text);
  strictEqual(tokens.at(-1)!.kind, "eof");
  for (const [i, token] of tokens.entries()) {
    ok(token.start >= (tokens[i - 1]?.end ?? 0) && token.end <= text.length);
    if (token.kind !== "string") strictEqual(text.slice(token.start, token.end), token.text);
  }
});

Deno.test("no text makes the parser fail with anything but its own error (seeded)", () => {
  const seed = 20261121;
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  const pieces = [
    "foo",
    "sum",
    "by",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "5m",
    "1",
    '"a"',
    "=",
    "=~",
    "!=",
    ",",
    "+",
    "-",
    "^",
    "or",
    "on",
    "offset",
    "@",
    "start",
    ":",
    "rate",
    "bool",
    "group_left",
    "-inf",
    "`",
    "\\",
    "é",
    " ",
    "fill",
  ];
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]).join(
      random(2) ? " " : "",
    );
    try {
      const printed = print(parse(text));
      strictEqual(print(parse(printed)), printed, `seed ${seed}: ${text}`);
    } catch (error) {
      ok(error instanceof ParseError, `seed ${seed}: ${JSON.stringify(text)} gives ${error}`);
    }
  }
});

Deno.test("a query too deep or too long is refused before the stack ends", () => {
  throws(() => parse("(".repeat(100_000)), /nested deeper than/);
  throws(() => parse("-".repeat(100_000) + "1"), /nested deeper than/);
  throws(() => parse("a".repeat(2_000_000)), /characters/);
});

Deno.test("each function is listed once, with help and arity", () => {
  for (const [name, entry] of FUNCTIONS) {
    strictEqual(entry.name, name);
    ok(/^[A-Z0-9−π].*\.$/.test(entry.help), `${name}: ${entry.help}`);
    ok((entry.optional ?? 0) <= entry.args.length, name);
  }
  deepStrictEqual(
    ["rate", "irate", "histogram_quantile", "label_replace"].filter((name) => !FUNCTIONS.has(name)),
    [],
  );
});
