/** What a manager leaves for the next one: what was wanted, in any state that a kill can leave it. */
import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { Ledger, LEDGER_FORMAT, Supervisor } from "../../lib/supervisor/mod.ts";
import { Folder, pidOf } from "./_scene.ts";

const never = new AbortController().signal;
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

Deno.test("a file that is damaged tells nothing, and one of a newer manager is refused by name", () => {
  using folder = new Folder();
  const ledger = new Ledger(`${folder.path}/s`);
  Deno.mkdirSync(`${folder.path}/s`);
  strictEqual(ledger.damage(), undefined);
  for (const text of ["", "{", "[]", '{"format":1}']) {
    Deno.writeTextFileSync(path(folder), text);
    strictEqual(ledger.wanted(), undefined);
    match(ledger.damage()!, /^Cannot read ".*\/wanted\.json": it is not what a manager wrote/);
  }
  Deno.writeTextFileSync(path(folder), '{"format":2,"up":true,"failures":0}');
  strictEqual(ledger.damage(), undefined);
  throws(() => ledger.wanted(), /^SyntaxError: Cannot read ".*": format is 2, this build reads 1/);
});

Deno.test("what damage or strange files a manager finds costs no service its process", async () => {
  using folder = new Folder();
  const specs = ["whole", "damaged", "ended"].map((name) => ({
    name,
    command: { argv: ["/bin/sh", "-c", name === "ended" ? "exit 0" : "exec sleep 1000"] as const },
    policy: { restart: "never" as const },
  }));
  const services = `${folder.path}/services`;
  const first = Supervisor.open(specs, folder.path);
  await first.start(never);
  await first.until(first.services.get("ended")!, (service) => service.is("finished"));
  const before = ["whole", "damaged"].map((name) => pidOf(first, name));
  await first.release();
  const whole = Deno.readTextFileSync(`${services}/whole/wanted.json`);

  // A newer manager's: it is told before anything is touched.
  Deno.writeTextFileSync(`${services}/whole/wanted.json`, '{"format":2,"up":true,"failures":0}');
  throws(() => Supervisor.open(specs, folder.path), /format is 2/);

  Deno.writeTextFileSync(`${services}/whole/wanted.json`, whole);
  Deno.writeTextFileSync(`${services}/damaged/wanted.json`, "");
  Deno.writeTextFileSync(`${services}/ended/wanted.json`, "{");
  Deno.writeTextFileSync(`${services}/notes.txt`, "strange");
  Deno.writeTextFileSync(`${services}/whole/run-000099`, "strange");
  await using second = Supervisor.open(specs, folder.path);
  const told: string[] = [];
  second.listen((notice) => notice.kind === "event" && told.push(`${notice.service}: ${notice.text}`));
  await second.start(never);
  deepStrictEqual(["whole", "damaged"].map((name) => pidOf(second, name)), before);
  await second.until(second.services.get("ended")!, (service) => service.is("finished"));
  match(
    told.sort().join("\n"),
    /^damaged: Cannot read .*; what runs goes on\nended: .* it is as if it were new$/,
  );
});
