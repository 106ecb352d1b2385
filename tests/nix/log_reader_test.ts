/** Lines to records. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { LogReader, type NixRecord } from "../../lib/nix/mod.ts";

function read(text: string | Uint8Array): { records: NixRecord[]; reader: LogReader } {
  const records: NixRecord[] = [];
  const reader = new LogReader((record) => records.push(record));
  reader.push(typeof text === "string" ? new TextEncoder().encode(text) : text);
  reader.end();
  return { records, reader };
}

Deno.test("both framings, plain lines between them and Windows' line ends are read", () => {
  const { records, reader: { counts } } = read(
    `@nix {"action":"stop","id":1}\n{"action":"stop","id":2}\nwarning: plain\r\n@nix broken\n{"half\n@nix {"action":"new"}\n`,
  );
  deepStrictEqual(records, [
    { kind: "stop", id: "1" },
    { kind: "stop", id: "2" },
    { kind: "plain", text: "warning: plain" },
    { kind: "plain", text: "@nix broken" },
    { kind: "plain", text: '{"half' },
  ]);
  deepStrictEqual([counts.lines, counts.plain, counts.unknown], [6, 3, 1]);
});

Deno.test("a record that is cut off is dropped, a plain line is not", () => {
  deepStrictEqual(read(`{"action":"stop","id":1`).records, []);
  const { records, reader } = read("error: the end");
  deepStrictEqual(records, [{ kind: "plain", text: "error: the end" }]);
  strictEqual(reader.counts.truncated, 1);
});

Deno.test("what nobody looks at is counted and not read, what matters of it is", () => {
  const debug = (level: number, msg: string) => `@nix ${JSON.stringify({ action: "msg", level, msg })}\n`;
  const { records, reader } = read(
    debug(5, "executing builder '/bin/sh'") + debug(5, "instantiated 'a' -> '/nix/store/a.drv'") +
      debug(6, "sandbox setup") + debug(7, "vomit") +
      debug(
        6,
        "building of '/s/a.drv!out' from .drv file: waitee 'building of '/s/b.drv!out' from .drv file' done; 0 left",
      ),
  );
  deepStrictEqual(records.map((record) => record.kind === "message" && record.level), [5, 6]);
  deepStrictEqual(reader.counts.messages.filter((count) => count > 0), [2, 2, 1]);
});

Deno.test("a line above 4 MiB is cut off, and what follows is read", () => {
  const long = new TextEncoder().encode(
    `@nix {"action":"msg","level":3,"msg":"${"x".repeat(5 * 2 ** 20)}"}\n@nix {"action":"stop","id":3}\n`,
  );
  const records: NixRecord[] = [];
  const reader = new LogReader((record) => records.push(record));
  for (let at = 0; at < long.length; at += 65_536) reader.push(long.subarray(at, at + 65_536));
  deepStrictEqual(records.at(-1), { kind: "stop", id: "3" });
  strictEqual(reader.counts.tooLong, 1);
});

Deno.test("bytes that are no UTF-8 become the sign for that", () => {
  const { records } = read(new Uint8Array([0x61, 0xff, 0x62, 0x0a]));
  deepStrictEqual(records, [{ kind: "plain", text: "a\ufffdb" }]);
});
