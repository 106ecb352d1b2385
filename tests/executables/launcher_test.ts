import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { programTestSteps } from "../../lib/build/programs.ts";
import { exists } from "../../lib/build/step.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom } from "../metrics/seeded.ts";
import { FAKE_KEY, fakeParts, type Folder, runProgram, temporaryFolder, writeFake } from "./packed.ts";

/** A fake pack, a link for each of its tools, and a folder for the cache. */
async function fakePack(): Promise<Folder & { program: string; cache: string; entry: string }> {
  const folder = temporaryFolder();
  const program = `${folder.path}/hostkit`;
  await writeFake(program, fakeParts());
  for (const tool of ["first", "second", "renamed"]) await Deno.symlink("hostkit", `${folder.path}/${tool}`);
  const cache = `${folder.path}/cache`;
  return { ...folder, program, cache, entry: `${cache}/${FAKE_KEY}` };
}

Deno.test("a ready answer is printed for exactly its words, and nothing is unpacked", async () => {
  using pack = await fakePack();
  const env = { HOSTKIT_CACHE_DIR: pack.cache };
  deepStrictEqual(await runProgram(pack.program, ["first", "go", "--help"], env), {
    code: 0,
    out: "plain help\n",
    err: "",
  });
  strictEqual((await runProgram(pack.program, [], env)).out, "all tools\n");
  strictEqual((await runProgram(`${pack.path}/first`, ["go", "--help"], env)).out, "plain help\n");
  deepStrictEqual([...Deno.readDirSync(pack.path)].some(({ name }) => name === "cache"), false);
  // One word more or less is for the tool itself.
  match((await runProgram(pack.program, ["first", "go", "--help", "x"], env)).out, /^--help\nx$/m);
  match((await runProgram(pack.program, ["first", "go"], env)).out, /^first\ngo$/m);
});

Deno.test("the runtime gets the tool's own arguments, the bundle, the tool's name and the words", async () => {
  using pack = await fakePack();
  const env = { HOSTKIT_CACHE_DIR: pack.cache, DENO_DIR: "/mine" };
  const first = await runProgram(pack.program, ["first", "a b", ""], env);
  deepStrictEqual(first.out.split("\n"), [
    `${pack.entry}/deno`,
    "run",
    "--allow-read=/proc",
    `${pack.entry}/hostkit.js`,
    "first",
    "a b",
    "",
    `DENO_DIR=${pack.entry}/cache`,
    "DENO_DIR=/mine",
    "",
    "",
  ]);
  const second = await runProgram(`${pack.path}/second`, ["x"], env);
  deepStrictEqual(second.out.split("\n").slice(1, 5), ["run", `${pack.entry}/hostkit.js`, "second", "x"]);
  match((await runProgram(`${pack.path}/renamed`, ["second", "x"], env)).out, /^second\nx$/m);
});

Deno.test("an unknown tool is refused with the names of those there are", async () => {
  using pack = await fakePack();
  const ended = await runProgram(pack.program, ["third"], { HOSTKIT_CACHE_DIR: pack.cache });
  deepStrictEqual(ended, {
    code: 2,
    out: "",
    err: 'hostkit: unknown tool "third"; there are: first, second\nTry "hostkit --help".\n',
  });
});

Deno.test("starts at the same time unpack once and all run", async () => {
  using pack = await fakePack();
  const env = { HOSTKIT_CACHE_DIR: pack.cache };
  const starts = Array.from({ length: 8 }, (_, at) => runProgram(pack.program, ["second", `${at}`], env));
  for (const [at, { code, out, err }] of (await Promise.all(starts)).entries()) {
    deepStrictEqual([code, err], [0, ""]);
    match(out, new RegExp(`^second\n${at}$`, "m"));
  }
  deepStrictEqual([...Deno.readDirSync(pack.cache)].map(({ name }) => name).sort(), [
    FAKE_KEY,
    `${FAKE_KEY}.lock`,
    `${FAKE_KEY}.used`,
  ]);
});

Deno.test("a new version removes the entries that nobody runs from, and no others", async () => {
  using folder = temporaryFolder();
  const env = { HOSTKIT_CACHE_DIR: `${folder.path}/cache`, PATH: "/usr/bin:/bin" };
  const keys = ["1", "2", "3"].map((digit) => digit.repeat(32));
  const bytes = new TextEncoder().encode("#!/bin/sh\necho up\ncat\n");
  const waiting = fakeParts().map((part) =>
    part.kind === "file" && part.path === "deno" ? { ...part, bytes } : part
  );
  for (const key of keys) await writeFake(`${folder.path}/${key}`, waiting, { key });
  const entries = () =>
    [...Deno.readDirSync(env.HOSTKIT_CACHE_DIR)].filter(({ isDirectory }) => isDirectory).map(({ name }) =>
      name
    ).sort();

  const first = new Deno.Command(`${folder.path}/${keys[0]}`, {
    args: ["second"],
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const out = first.stdout.getReader();
  await out.read();
  await Deno.mkdir(`${env.HOSTKIT_CACHE_DIR}/${"4".repeat(32)}.new`);
  await Deno.mkdir(`${env.HOSTKIT_CACHE_DIR}/mine`);
  await runProgram(`${folder.path}/${keys[1]}`, ["second"], env);
  deepStrictEqual(entries(), [keys[0], keys[1], "mine"]);

  await first.stdin.close();
  await first.status;
  await out.cancel();
  await runProgram(`${folder.path}/${keys[2]}`, ["second"], env);
  deepStrictEqual(entries(), [keys[2], "mine"]);
});

/** Ways in which an unpacked entry can be wrong. */
const DAMAGES: [string, (entry: string) => void][] = [
  ["a bundle cut short", (entry) => rewrite(`${entry}/hostkit.js`, (bytes) => bytes.subarray(0, 3))],
  ["a changed byte in the bundle", (entry) => rewrite(`${entry}/hostkit.js`, (bytes) => flip(bytes, 2))],
  ["a large file cut short", (entry) => rewrite(large(entry), (bytes) => bytes.subarray(0, 5000))],
  ["a changed byte in a large file", (entry) => rewrite(large(entry), (bytes) => flip(bytes, 3_000_001))],
  ["a large file of zeros with the right time", (entry) => {
    rewrite(large(entry), (bytes) => new Uint8Array(bytes.length));
    Deno.utimeSync(large(entry), 946684800, 946684800);
  }],
  ["a missing asset", (entry) => Deno.removeSync(large(entry))],
  ["a link in place of the bundle", (entry) => {
    Deno.renameSync(`${entry}/hostkit.js`, `${entry}/other.js`);
    Deno.symlinkSync("other.js", `${entry}/hostkit.js`);
  }],
  ["a file that others may write", (entry) => Deno.chmodSync(`${entry}/hostkit.js`, 0o666)],
  ["a folder that others may enter", (entry) => Deno.chmodSync(entry, 0o755)],
  ["a file in place of the entry", (entry) => {
    Deno.removeSync(entry, { recursive: true });
    Deno.writeTextFileSync(entry, "");
  }],
  ["what a start that was killed left behind", (entry) => Deno.renameSync(entry, `${entry}.new`)],
];

function large(entry: string): string {
  return `${entry}/assets/lib/large.so`;
}

function rewrite(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const { mode } = Deno.statSync(path);
  const bytes = Deno.readFileSync(path);
  Deno.chmodSync(path, 0o700);
  Deno.writeFileSync(path, change(bytes));
  Deno.chmodSync(path, mode! & 0o777);
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at]! ^= 1;
  return bytes;
}

for (const [name, damage] of DAMAGES) {
  Deno.test(`an unpacked entry with ${name} is made anew`, async () => {
    using pack = await fakePack();
    const env = { HOSTKIT_CACHE_DIR: pack.cache };
    const first = await runProgram(pack.program, ["second"], env);
    damage(pack.entry);
    const again = await runProgram(pack.program, ["second"], env);
    deepStrictEqual(again, first);
    for (const part of fakeParts()) {
      if (part.kind !== "file") continue;
      const path = `${pack.entry}/${part.path}`;
      ok(Deno.lstatSync(path).isFile);
      strictEqual(Deno.statSync(path).mode! & 0o777, part.mode);
      deepStrictEqual(Deno.readFileSync(path), part.bytes);
    }
    strictEqual(Deno.statSync(pack.entry).mode! & 0o777, 0o700);
    deepStrictEqual([...Deno.readDirSync(pack.cache)].some(({ name }) => name.endsWith(".new")), false);
  });
}

Deno.test("an entry that is whole is used as it is, also from a folder that cannot be written", async () => {
  using pack = await fakePack();
  const env = { HOSTKIT_CACHE_DIR: pack.cache };
  await runProgram(pack.program, ["second"], env);
  const before = Deno.statSync(`${pack.entry}/deno`).ino;
  Deno.chmodSync(pack.cache, 0o500);
  strictEqual((await runProgram(pack.program, ["second"], env)).code, 0);
  Deno.chmodSync(pack.cache, 0o700);
  strictEqual(Deno.statSync(`${pack.entry}/deno`).ino, before);
});

Deno.test("a folder that others may write is passed over for the next one", async () => {
  using pack = await fakePack();
  const open = `${pack.path}/open`;
  const below = `${open}/below`;
  const next = `${pack.path}/next`;
  Deno.mkdirSync(open);
  Deno.chmodSync(open, 0o777);
  Deno.mkdirSync(below, { mode: 0o700 });
  for (const folder of [open, below]) {
    const env = { HOSTKIT_CACHE_DIR: folder, XDG_CACHE_HOME: next };
    const { code, out } = await runProgram(pack.program, ["second"], env);
    strictEqual(code, 0);
    strictEqual(out.split("\n")[0], `${next}/hostkit/${FAKE_KEY}/deno`);
    deepStrictEqual([...Deno.readDirSync(below)], []);
  }
});

Deno.test("a packed file that is cut short or damaged says so", async () => {
  using pack = await fakePack();
  const whole = Deno.readFileSync(pack.program);
  const cut = [whole.subarray(0, -1), whole.subarray(0, -64), whole.subarray(0, whole.length >> 1)];
  // The offset of the index, the magic and the key stand in the last 64 bytes.
  const wrong = [64, 48, 1].map((back) => flip(whole.slice(), whole.length - back));
  for (const bytes of [...cut, ...wrong]) {
    const path = `${pack.path}/damaged`;
    Deno.writeFileSync(path, bytes, { mode: 0o755 });
    deepStrictEqual(await runProgram(path, ["first"], { HOSTKIT_CACHE_DIR: pack.cache }), {
      code: 1,
      out: "",
      err: "hostkit: cannot read the packed file: it is cut short or damaged\n",
    });
  }
});

Deno.test("an answer that cannot be written is a failure", async () => {
  using pack = await fakePack();
  const { code, err } = await runProgram("/bin/sh", ["-c", `${pack.program} > /dev/full`]);
  deepStrictEqual([code, err], [1, "hostkit: cannot write to standard output: No space left on device\n"]);
});

Deno.test("a damaged index never leads the launcher astray (AddressSanitizer, UBSan)", async () => {
  using folder = temporaryFolder();
  const whole = `${folder.path}/whole`;
  const parts = fakeParts().filter((part) => part.kind !== "file" || part.bytes.length < 1000);
  await writeFake(whole, parts, { step: programTestSteps().find(({ name }) => name === "launcher_test")! });
  const bytes = Deno.readFileSync(whole);
  const view = new DataView(bytes.buffer);
  const indexAt = Number(view.getBigUint64(bytes.length - 48, true));
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = seededRandom(seed);
  const path = `${folder.path}/mutant`;
  const env = { HOSTKIT_CACHE_DIR: `${folder.path}/cache`, PATH: "/usr/bin:/bin" };
  for (let round = 0; round < Math.min(fuzzCount(60), 10_000); round++) {
    const index = mutate(bytes.subarray(indexAt), random);
    Deno.writeFileSync(path, bytes.subarray(0, indexAt), { mode: 0o755 });
    Deno.writeFileSync(path, index, { append: true });
    const { err } = await runProgram(path, ["first", "go", round % 2 === 0 ? "--help" : "x"], env);
    ok(!/AddressSanitizer|runtime error/.test(err), `seed ${seed}, round ${round}: ${err}`);
  }
});

const ARM = programTestSteps().find(({ name }) => name === "aarch64/launcher");
const QEMU = "/usr/bin/qemu-aarch64-static";

Deno.test({
  name: "the launcher works on aarch64 (needs the cross compiler and qemu-user-static)",
  ignore: ARM === undefined || !exists(QEMU),
  fn: async () => {
    using folder = temporaryFolder();
    const program = `${folder.path}/hostkit`;
    await writeFake(program, fakeParts(), { step: ARM! });
    const env = { HOSTKIT_CACHE_DIR: `${folder.path}/cache` };
    strictEqual((await runProgram(QEMU, [program, "first", "go", "--help"], env)).out, "plain help\n");
    match((await runProgram(QEMU, [program, "second", "x"], env)).out, /^second\nx$/m);
  },
});
