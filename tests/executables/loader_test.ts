/** How the launcher starts a dynamic runtime where glibc's loader does not stand in its usual place. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ROOT } from "../../lib/build/paths.ts";
import { exec, filesBelow } from "../../lib/build/step.ts";
import { FAKE_KEY, fakeParts, type Folder, runProgram, temporaryFolder, writeFake } from "./packed.ts";

const LOADER_NAME = Deno.build.arch === "x86_64" ? "ld-linux-x86-64.so.2" : "ld-linux-aarch64.so.1";
/** Where this machine's loader stands. */
const LOADER = Deno.realPathSync(
  Deno.build.arch === "x86_64" ? `/lib64/${LOADER_NAME}` : `/lib/${LOADER_NAME}`,
);

/** Tells who started it, and on its output how it was called, but for trials, which it counts in $TRIALS. */
const RUNTIME = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef LIBRARY
int special(void);
#endif
int main(int argc, char **argv)
{
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length < 0 ? 0 : length] = 0;
#ifdef LIBRARY
	if (special() != 7) return 3;
#endif
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		FILE *trials = getenv("TRIALS") ? fopen(getenv("TRIALS"), "a") : NULL;
		if (trials) { fprintf(trials, "%s\\n", self); fclose(trials); }
		return 0;
	}
	printf("%s\\n", self);
	for (int at = 0; at < argc; at++) printf("%s\\n", argv[at]);
	return 0;
}
`;

interface Pack extends Folder {
  readonly program: string;
  readonly entry: string;
  /** Runs it, and counts the trials that it made. */
  run(env?: Record<string, string>, ...words: string[]): Promise<
    { code: number; out: string; err: string; trials: number }
  >;
}

/** A pack whose runtime looks for its loader at `interpreter`, a name in the pack's folder. */
async function packFor(interpreter: string, { library = false } = {}): Promise<Pack> {
  const folder = temporaryFolder();
  const path = (name: string) => `${folder.path}/${name}`;
  Deno.writeTextFileSync(path("runtime.c"), RUNTIME);
  const linked: string[] = [];
  if (library) {
    Deno.mkdirSync(path("libraries"));
    Deno.writeTextFileSync(path("special.c"), "int special(void) { return 7; }\n");
    await exec("gcc", ["-shared", "-fPIC", "-o", path("libraries/libspecial.so"), path("special.c")]);
    linked.push("-DLIBRARY", `-L${path("libraries")}`, "-lspecial");
  }
  await exec("gcc", [
    "-o",
    path("runtime"),
    path("runtime.c"),
    `-Wl,--dynamic-linker=${path(interpreter)}`,
    ...linked,
  ]);
  const bytes = Deno.readFileSync(path("runtime"));
  const parts = fakeParts().map((part) =>
    part.kind === "file" && part.path === "deno" ? { ...part, bytes } : part
  );
  const program = path("hostkit");
  await writeFake(program, parts);
  const trials = path("trials");
  const run = async (env: Record<string, string> = {}, ...words: string[]) => {
    Deno.writeTextFileSync(trials, "");
    const all = { HOSTKIT_CACHE_DIR: path("cache"), TRIALS: trials, ...env };
    const ended = await runProgram(program, words.length === 0 ? ["second", "x"] : words, all);
    return { ...ended, trials: Deno.readTextFileSync(trials).split("\n").length - 1 };
  };
  return { ...folder, program, entry: path(`cache/${FAKE_KEY}`), run };
}

/** What a start through a loader prints. */
function called(pack: Pack): string {
  return [LOADER, `${pack.entry}/deno`, "run", `${pack.entry}/hostkit.js`, "second", "x", ""].join("\n");
}

Deno.test("a runtime whose loader is where it looks is started straight; the first start tries it, once", async () => {
  using pack = await packFor("ld.so");
  Deno.symlinkSync(LOADER, `${pack.path}/ld.so`);
  const straight = called(pack).replace(LOADER, `${pack.entry}/deno`);
  deepStrictEqual(await pack.run(), { code: 0, out: straight, err: "", trials: 1 });
  deepStrictEqual(await pack.run(), { code: 0, out: straight, err: "", trials: 0 });
});

Deno.test("what stands in the loader's place and starts nothing, as NixOS' stub does, is passed over", async () => {
  using pack = await packFor(LOADER_NAME);
  Deno.symlinkSync(LOADER, `${pack.path}/${LOADER_NAME}`);
  strictEqual((await pack.run()).out.split("\n")[0], `${pack.entry}/deno`);
  Deno.removeSync(`${pack.path}/${LOADER_NAME}`);
  Deno.copyFileSync("/bin/false", `${pack.path}/${LOADER_NAME}`);
  // The loader that starts this machine's own shell has the name that is looked for.
  deepStrictEqual(await pack.run(), { code: 0, out: called(pack), err: "", trials: 1 });
  deepStrictEqual(await pack.run(), { code: 0, out: called(pack), err: "", trials: 0 });
});

Deno.test("a loader can be named: by HOSTKIT_LOADER as the only one, by NIX_LD as the first", async () => {
  using pack = await packFor("missing");
  Deno.symlinkSync(LOADER, `${pack.path}/named`);
  for (const name of ["HOSTKIT_LOADER", "NIX_LD"]) {
    const env = { [name]: `${pack.path}/named` };
    strictEqual((await pack.run(env)).out, called(pack));
  }
  const ended = await pack.run({ HOSTKIT_LOADER: "/bin/false" });
  deepStrictEqual([ended.code, ended.out], [1, ""]);
  match(
    ended.err,
    /^second: cannot start the runtime: it needs glibc's loader and libraries; tried:\n {2}\/bin\/false: it ended with exit code 1\nNo other was tried, since HOSTKIT_LOADER names this one/,
  );
  match(ended.err, /^HOSTKIT_LOADER=\/path\/to\/missing names a loader, HOSTKIT_LIBRARY_PATH folders/m);
  match((await pack.run({ HOSTKIT_LOADER: "/nowhere" })).err, /^ {2}\/nowhere: there is no such file$/m);
});

Deno.test("folders of libraries come from HOSTKIT_LIBRARY_PATH or nix-ld's, and are remembered while they are there", async () => {
  using pack = await packFor("missing", { library: true });
  const named = { HOSTKIT_LOADER: LOADER };
  const without = await pack.run(named);
  strictEqual(without.code, 1);
  match(without.err, new RegExp(`^ {2}${LOADER}: .*libspecial\\.so: cannot open shared object file`, "m"));
  for (const name of ["HOSTKIT_LIBRARY_PATH", "NIX_LD_LIBRARY_PATH"]) {
    const { out } = await pack.run({ ...named, [name]: `${pack.path}/libraries` });
    strictEqual(out, called(pack));
  }
  strictEqual((await pack.run(named)).out, called(pack), "what started before is remembered");
  // Garbage collection took them.
  Deno.renameSync(`${pack.path}/libraries`, `${pack.path}/elsewhere`);
  match((await pack.run(named)).err, /libspecial\.so/);
});

Deno.test("ready answers need no loader", async () => {
  using pack = await packFor("missing");
  const help = await pack.run({ HOSTKIT_LOADER: "/nowhere" }, "first", "go", "--help");
  deepStrictEqual(help, { code: 0, out: "plain help\n", err: "", trials: 0 });
});

Deno.test("no tool asks the runtime for its own program: through a loader that would be the loader", () => {
  const files = ["lib", "cmd", "ffi"].flatMap((folder) => filesBelow(folder, /\.tsx?$/));
  const asking = files.filter((file) => {
    return !/^(lib\/build|cmd\/dev)\//.test(file) && /\bexecPath\b/.test(Deno.readTextFileSync(ROOT + file));
  });
  deepStrictEqual(asking, []);
});
