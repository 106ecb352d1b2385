/** What a manager leaves for the next one: what was wanted, in any state that a kill can leave it. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import { Ledger, LEDGER_FORMAT } from "../../lib/supervisor/mod.ts";
import { Folder } from "../keeper/_log.ts";

// The library is opened once and stays open: not a leak of the first test.
processStart(1);

const path = (folder: Folder) => `${folder.path}/s/wanted.json`;

Deno.test("what is wanted is changed in the same file, whatever the length of what stood there", () => {
  using folder = new Folder();
  const ledger = new Ledger(`${folder.path}/s`);
  strictEqual(ledger.wanted(), undefined);
  const inodes = new Set<number | null>();
  for (
    const wanted of [{ up: true, failures: 0 }, { up: true, failures: 1e9, ready: 1e12 }, {
      up: false,
      failures: 3,
    }]
  ) {
    ledger.want(wanted);
    deepStrictEqual(ledger.wanted(), { format: LEDGER_FORMAT, ...wanted });
    inodes.add(Deno.statSync(path(folder)).ino);
  }
  strictEqual(inodes.size, 1, "no file is made for a change");
  deepStrictEqual([...Deno.readDirSync(`${folder.path}/s`)].map(({ name }) => name), ["wanted.json"]);
  ledger.forget();
  ledger.forget();
  strictEqual(ledger.wanted(), undefined);
});

Deno.test("what an earlier manager wrote without filling it up is read, and replaced as a whole", () => {
  using folder = new Folder();
  const ledger = new Ledger(`${folder.path}/s`);
  Deno.mkdirSync(`${folder.path}/s`);
  Deno.writeTextFileSync(path(folder), '{"format":1,"up":true,"failures":2,"ready":7}');
  deepStrictEqual(ledger.wanted(), { format: 1, up: true, failures: 2, ready: 7 });
  ledger.want({ up: false, failures: 0 });
  deepStrictEqual(ledger.wanted(), { format: 1, up: false, failures: 0 });
});

Deno.test("a file that is no manager's, or of a newer one, is refused by name", () => {
  using folder = new Folder();
  const ledger = new Ledger(`${folder.path}/s`);
  Deno.mkdirSync(`${folder.path}/s`);
  for (const text of ["", "{", "[]", '{"format":1}']) {
    Deno.writeTextFileSync(path(folder), text);
    throws(
      () => ledger.wanted(),
      /^SyntaxError: Cannot read ".*\/wanted\.json": it is not what a manager wrote/,
    );
  }
  Deno.writeTextFileSync(path(folder), '{"format":2,"up":true,"failures":0}');
  throws(() => ledger.wanted(), /format is 2, this build reads 1/);
});
