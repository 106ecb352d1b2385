import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { RECORD_LIMIT_BYTES, RecordSplitter } from "../../lib/nix_btm/wrap/mod.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";

const [encode, decode] = [new TextEncoder(), new TextDecoder()];

/** What is found in pieces, in order: text as it is, records in angle brackets. */
function split(...pieces: (string | Uint8Array)[]): string[] {
  const found: string[] = [];
  const splitter = new RecordSplitter({
    text: (bytes) => void found.push(decode.decode(bytes)),
    record: (bytes) => void found.push(`<${decode.decode(bytes)}>`),
  });
  for (const piece of pieces) splitter.take(typeof piece === "string" ? encode.encode(piece) : piece);
  splitter.end();
  return found;
}

const CASES: [name: string, pieces: string[], found: string[]][] = [
  ["records and text are told apart", ['a\n@nix {"x":1}\nb\n'], ["a\n", '<{"x":1}>', "b\n"]],
  ["a record in pieces is one", ["@n", 'ix {"x"', ":1", "}\n"], ['<{"x":1}>']],
  ["text without a newline is told at once", ["Sure? ", "yes"], ["Sure? ", "yes"]],
  ["a record behind a question on its line is one", ['Sure? @nix {"x":1}\n'], ["Sure? ", '<{"x":1}>']],
  ["what only begins like a record is text", ["@nix", "os\n@ni", "@nix [\n"], ["@nixos\n", "@ni@nix [\n"]],
  ["a terminal's line ends are no part of records", ['@nix {"x":1}\r\n'], ['<{"x":1}>']],
  ["a record that is cut is shown", ['@nix {"x"'], ['@nix {"x"']],
  ["what begins at the end is shown at the end", ["me@"], ["me", "@"]],
];

for (const [name, pieces, found] of CASES) {
  Deno.test(`RecordSplitter: ${name}`, () => deepStrictEqual(split(...pieces), found));
}

Deno.test("RecordSplitter: wherever the pieces are cut, the same is found", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const whole = encode.encode('täxt @nix {"a":"@nix {"}\n@@nix {"b":2}\r\n@nix\nlast @nix {"c"');
  const expected = split(whole);
  const texts = (found: string[]) => found.filter((each) => !each.startsWith("<")).join("");
  const records = (found: string[]) => found.filter((each) => each.startsWith("<"));
  deepStrictEqual(records(expected), ['<{"a":"@nix {"}>', '<{"b":2}>']);
  for (let round = 0; round < 500; round++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < whole.length;) {
      const size = 1 + random.below(9);
      pieces.push(whole.subarray(at, at += size));
    }
    // Letters of two bytes may be cut: what is compared is bytes.
    const found: number[] = [];
    const seen: string[] = [];
    const splitter = new RecordSplitter({
      text: (bytes) => void found.push(...bytes),
      record: (bytes) => void seen.push(`<${decode.decode(bytes)}>`),
    });
    for (const piece of pieces) splitter.take(piece);
    splitter.end();
    deepStrictEqual(
      [decode.decode(new Uint8Array(found)), seen],
      [texts(expected), records(expected)],
      `seed ${seed}`,
    );
  }
});

Deno.test("RecordSplitter: a record without end is dropped at the limit and counted, what follows is found", () => {
  const found: string[] = [];
  const splitter = new RecordSplitter({ record: (bytes) => void found.push(decode.decode(bytes)) });
  const long = encode.encode(`@nix {"x":"${"y".repeat(RECORD_LIMIT_BYTES)}`);
  for (let at = 0; at < long.length; at += 65_536) splitter.take(long.subarray(at, at + 65_536));
  splitter.take(encode.encode('"}\n@nix {"x":1}\n'));
  deepStrictEqual([found, splitter.dropped], [['{"x":1}'], 1]);
});

Deno.test("RecordSplitter: pieces may be used again by who gave them", () => {
  const found: string[] = [];
  const splitter = new RecordSplitter({ record: (bytes) => void found.push(decode.decode(bytes)) });
  const piece = encode.encode('@nix {"x":');
  splitter.take(piece);
  piece.fill(0);
  splitter.take(encode.encode("1}\n"));
  strictEqual(found[0], '{"x":1}');
});
