/** Services may have any name; their folders not. */
import { notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { fileName } from "../../lib/supervisor/file_name.ts";

Deno.test("a plain name is the folder's", () => {
  for (const name of ["web", "web.1", "a@b", "A_b-c"]) strictEqual(fileName(name), name);
});

Deno.test("any other has a folder that is its own, below its parent, and no longer than others", () => {
  const names = ["..", ".", "../up", "a/b", "a_b~", "a b", "a\0b", "日本", "x".repeat(5_000), "-rf", ""];
  for (const name of names) {
    ok(/^[A-Za-z0-9_.@~-]{17,41}$/.test(fileName(name)) && !/^\.{1,2}$/.test(fileName(name)), name);
  }
  strictEqual(new Set(names.map(fileName)).size, names.length);
  notStrictEqual(fileName(fileName("a/b")), fileName("a/b"));
});
