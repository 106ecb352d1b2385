/** Records one by one. */
import { deepStrictEqual, throws } from "node:assert/strict";
import { type NixRecord, parseRecord } from "../../lib/nix/mod.ts";

Deno.test("ids are the digits that Nix wrote, on both sides of 2^53", () => {
  for (
    const id of ["0", "9007199254740991", "9007199254740992", "18014394214514689", "18446744073709551615"]
  ) {
    deepStrictEqual(parseRecord(`{"action":"stop","id":${id}}`), { kind: "stop", id });
    const start = parseRecord(`{"action":"start","id":${id},"level":3,"parent":${id},"text":"","type":105}`);
    deepStrictEqual(start?.kind === "start" && [start.id, start.parent], [id, id === "0" ? undefined : id]);
  }
});

Deno.test("digits within texts stay what they are", () => {
  const text = 'say "id":12345678901234567890';
  const record = parseRecord(JSON.stringify({ action: "result", id: 1, type: 101, fields: [text] }));
  deepStrictEqual(record?.kind === "result" && record.fields, [text]);
});

const TOLERATED: [what: string, json: string, record: NixRecord | undefined][] = [
  ["an action that nobody knows", `{"action":"dance","id":1}`, undefined],
  ["no action", `{}`, undefined],
  ["unknown keys and types", `{"action":"start","id":7,"level":1,"machine":"m","text":"x","type":999}`, {
    kind: "start",
    id: "7",
    parent: undefined,
    type: 999,
    level: 1,
    text: "x",
    fields: [],
  }],
  ["fields of other types", `{"action":"result","id":7,"type":5,"fields":[null,{"a":1},2,"b"]}`, {
    kind: "result",
    id: "7",
    type: 5,
    fields: ["null", '{"a":1}', 2, "b"],
    payload: undefined,
  }],
  ["a payload in place of fields", `{"action":"result","id":7,"type":110,"payload":{"status":"Built"}}`, {
    kind: "result",
    id: "7",
    type: 110,
    fields: [],
    payload: { status: "Built" },
  }],
  ["a message without a level", `{"action":"msg","msg":"x"}`, {
    kind: "message",
    level: 3,
    text: "x",
    isOwnError: false,
  }],
  ["an error of Nix itself", `{"action":"msg","level":0,"msg":"error: x","raw_msg":"x"}`, {
    kind: "message",
    level: 0,
    text: "error: x",
    isOwnError: true,
  }],
];
for (const [what, json, record] of TOLERATED) {
  Deno.test(`parseRecord(): ${what}`, () => deepStrictEqual(parseRecord(json), record));
}

for (
  const json of [
    "",
    "{",
    "[]",
    "null",
    "1",
    `{"action":"stop"}`,
    `{"action":"stop","id":-1}`,
    `{"action":"stop","id":1.5}`,
  ]
) {
  Deno.test(`parseRecord() refuses ${JSON.stringify(json)}`, () => {
    throws(() => parseRecord(json), SyntaxError);
  });
}
