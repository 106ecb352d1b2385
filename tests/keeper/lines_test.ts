/** Lines from records: pieces of long lines, broken characters, carriage returns, byte order marks. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { KEEPER_RECORDS } from "../../ffi/keeper/mod.ts";
import { LINE_BYTES, LineAssembler, type LogEntry } from "../../lib/keeper/mod.ts";
import type { Records } from "../../lib/ring/mod.ts";

const TEXT = new TextEncoder();

/** What the records' contents become, all of one stream; `flush` at their end. */
function told(...contents: (string | Uint8Array)[]): string[] {
  const assembler = new LineAssembler();
  const lines: string[] = [];
  const tell = (entry: LogEntry) => void lines.push(entry.kind === "line" ? entry.line.text : entry.kind);
  for (const content of contents) assembler.take(record(KEEPER_RECORDS.stdout, content), tell);
  assembler.flush(tell);
  return lines;
}

function record(kind: number, content: string | Uint8Array): Records {
  const bytes = typeof content === "string" ? TEXT.encode(content) : content;
  const payload = new Uint8Array(8 + bytes.length);
  payload.set(bytes, 8);
  return { kind, payload: () => payload } as unknown as Records;
}

Deno.test("a line in one record is told as it is when it is in many, however long", () => {
  const long = "é".repeat(LINE_BYTES); // two bytes each
  for (const line of ["", "short", "x".repeat(LINE_BYTES), "x".repeat(LINE_BYTES + 1), long, `x${long}`]) {
    const whole = told(`${line}\nnext\n`);
    const parts = line.match(/.{1,999}/gsu) ?? [];
    deepStrictEqual(told(...parts, "\nnext\n"), whole);
    strictEqual(whole.join(""), `${line}next`);
    ok(whole.every((each) => TEXT.encode(each).length <= LINE_BYTES), "no piece is longer than said");
    ok(!whole.join("").includes("\ufffd"), "no character is broken");
  }
});

Deno.test("a carriage return is dropped before a line's end only, also where a long line is cut", () => {
  const full = "x".repeat(LINE_BYTES - 1);
  deepStrictEqual(told("a\r\nb\rc\n", "d\r", "\ne\r"), ["a", "b\rc", "d", "e"]);
  deepStrictEqual(told(`${full}\r\nb\n`), [full, "b"]);
  deepStrictEqual(told(`${full}\rb\n`), [`${full}\r`, "b"]);
});

Deno.test("characters and bytes that are none survive a cut", () => {
  const full = "x".repeat(LINE_BYTES - 1);
  for (const character of ["é", "€", "😀"]) {
    for (let before = 0; before < 4; before++) {
      const line = full.slice(before) + character + "rest";
      const pieces = told(`${line}\n`);
      strictEqual(pieces.join(""), line);
      strictEqual(pieces.length, 2);
    }
  }
  // Four bytes that only look like a beginning: nothing waits for what does not come.
  const invalid = new Uint8Array(LINE_BYTES + 3).fill(0x80);
  strictEqual(told(invalid).join(""), "\ufffd".repeat(LINE_BYTES + 3));
});

Deno.test("a byte order mark at a line's start stays", () => {
  deepStrictEqual(told("\ufeffone\n\ufefftwo\n"), ["\ufeffone", "\ufefftwo"]);
});

Deno.test("what was begun is forgotten when its end was overwritten", () => {
  const assembler = new LineAssembler();
  const lines: string[] = [];
  const tell = (entry: LogEntry) => void (entry.kind === "line" && lines.push(entry.line.text));
  assembler.take(record(KEEPER_RECORDS.stderr, "lost"), tell);
  assembler.reset();
  assembler.take(record(KEEPER_RECORDS.stderr, "next\n"), tell);
  deepStrictEqual(lines, ["next"]);
});
