/** The packed file where all of glibc is in a store, as on NixOS: no `/lib`, no `/lib64`, no shell, no HOME. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { deadline } from "../../lib/async/mod.ts";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { inMinimalRoot, makeStoreRoot, STORE_FOLDERS } from "../../lib/build/minimal_root.ts";
import { pack } from "../../lib/build/pack.ts";
import { dirname, exec, exists } from "../../lib/build/step.ts";
import { runProgram, temporaryFolder } from "./packed.ts";

const CAN_CHROOT = Deno.uid() === 0 && Deno.build.arch === "x86_64" && exists("/usr/bin/dpkg") &&
  exists("/usr/bin/unshare");
const PATH = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
const PATIENCE_MS = 60_000;
const LOADER = "ld-linux-x86-64.so.2";
/** A glibc that works and is older, though not by the order of letters. */
const OLDER = `/nix/store/${"2".repeat(32)}-glibc-2.9-1/lib`;
/** Of packages that a store may hold beside and that start nothing. */
const USELESS = [
  "1111111111111111111111111111111a-glibc-2.100-1/lib/ld-linux-x86-64.so.2",
  "1111111111111111111111111111111b-glibc-2.100-1-bin/bin/ldd",
  "1111111111111111111111111111111c-gcc-99.1.0-lib/lib/libgcc_s.so.1",
  "short-glibc",
];

Deno.test({
  name: "in a read-only root with glibc in a store alone the packed tools start, load libraries and start " +
    "themselves (root)",
  ignore: !CAN_CHROOT,
  fn: async (t) => {
    using root = temporaryFolder();
    await makeStoreRoot(root.path);
    for (const file of USELESS) {
      const path = `${root.path}/nix/store/${file}`;
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeTextFileSync(path, "no library", { mode: 0o755 });
    }
    await exec("cp", ["-r", dirname(root.path + STORE_FOLDERS.libc6), dirname(root.path + OLDER)]);
    await pack(root.path, { answers: await packedAnswers("test"), commit: "test", say: () => {} });
    Deno.mkdirSync(`${root.path}/project`);
    // The tool is its own child: the keeper starts the packed file, which finds the loader again.
    Deno.writeTextFileSync(
      `${root.path}/project/.mcp-run`,
      'mcp_port = 0\n[process.own]\ncommand = ["/hostkit", "rezolus", "status", "/run/none.sock"]\n',
    );
    const inRoot = (words: readonly string[], { runDir = true } = {}) =>
      inMinimalRoot(root.path, words, { runDir, env: { XDG_STATE_HOME: "/run/state" } });

    await t.step("help needs neither a loader nor a folder", async () => {
      const { code, out } = await runProgram(
        "unshare",
        inRoot(["/bpm", "serve", "--help"], { runDir: false }),
        PATH,
      );
      strictEqual(code, 0);
      match(out, /^bpm serve: /);
    });

    await t.step(
      "bpm serves, runs the packed file itself as a process, and becomes a newer one",
      async () => {
        await using bpm = new Serving(inRoot(["/bpm", "serve", "/project"]));
        await bpm.logged(/\[own\] rezolus: .*none\.sock/);
        const [loader, option, folders, runtime] = bpm.commandLine();
        strictEqual(loader, `${STORE_FOLDERS.libc6}/${LOADER}`, "the newest that starts");
        strictEqual(option, "--library-path");
        deepStrictEqual(folders!.split(":"), [STORE_FOLDERS["libgcc-s1"], STORE_FOLDERS.libc6]);
        match(runtime!, /^\/run\/hostkit\/[0-9a-f]{32}\/deno$/);
        bpm.process.kill("SIGHUP");
        await bpm.logged(/becoming a newer manager[^]*serving MCP/);
        strictEqual(bpm.commandLine()[0], loader);
      },
    );

    await t.step("the glibc that starts the system's own shell goes before newer ones", async () => {
      Deno.mkdirSync(`${root.path}/bin`);
      Deno.writeTextFileSync(`${root.path}/sh.c`, "int main(void) { return 0; }\n");
      const linked = `-Wl,--dynamic-linker=${OLDER}/${LOADER}`;
      await exec("gcc", [linked, "-o", `${root.path}/bin/sh`, `${root.path}/sh.c`]);
      await using bpm = new Serving(inRoot(["/bpm", "serve", "/project"]));
      await bpm.logged(/serving MCP/);
      strictEqual(bpm.commandLine()[0], `${OLDER}/${LOADER}`);
    });

    const failing = async () => {
      const ended = await runProgram("unshare", inRoot(["/hostkit", "rezolus", "status"]), PATH);
      deepStrictEqual([ended.code, ended.out], [1, ""]);
      return ended.err;
    };

    await t.step("without libgcc it says which loaders it tried and what to install", async () => {
      Deno.removeSync(`${root.path}${STORE_FOLDERS["libgcc-s1"]}/libgcc_s.so.1`);
      const err = await failing();
      match(err, /^rezolus: cannot start the runtime: it needs glibc's loader and libraries; tried:$/m);
      match(err, /^ {2}\/lib64\/ld-linux-x86-64\.so\.2: there is no such loader$/m);
      match(err, new RegExp(`^  ${STORE_FOLDERS.libc6}/ld-linux\\S+: .*libgcc_s\\.so\\.1: `, "m"));
      match(err, /^libgcc is missing: nix build --no-link nixpkgs#libgcc brings it into the store\.$/m);
    });

    await t.step("without glibc, on NixOS, it names the option and the package", async () => {
      Deno.removeSync(`${root.path}/nix/store`, { recursive: true });
      Deno.mkdirSync(`${root.path}/etc`);
      Deno.writeTextFileSync(`${root.path}/etc/NIXOS`, "");
      match(
        await failing(),
        /^This is NixOS: set programs\.nix-ld\.enable = true .* package of config\/nix/m,
      );
    });

    await t.step("with musl it says that the runtime is made for glibc", async () => {
      for (const folder of ["etc", "nix"]) Deno.removeSync(`${root.path}/${folder}`, { recursive: true });
      Deno.mkdirSync(`${root.path}/lib`);
      Deno.writeTextFileSync(`${root.path}/lib/ld-musl-x86_64.so.1`, "");
      match(await failing(), /^This system's C library is musl, the runtime is made for glibc: /m);
    });
  },
});

/** A program in the root, and what it tells. */
class Serving implements AsyncDisposable {
  readonly #limit = deadline(PATIENCE_MS);
  readonly process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #log = "";

  constructor(args: string[]) {
    const { signal } = this.#limit;
    const streams = { stdin: "null", stdout: "null", stderr: "piped" } as const;
    this.process = new Deno.Command("unshare", { args, signal, env: PATH, clearEnv: true, ...streams })
      .spawn();
    this.#reader = this.process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  }

  async logged(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#log)) {
      const { value, done } = await this.#reader.read();
      ok(!done, `it ended: ${this.#log}`);
      this.#log += value;
    }
  }

  commandLine(): string[] {
    return Deno.readTextFileSync(`/proc/${this.process.pid}/cmdline`).split("\0");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGTERM");
    await this.#reader.cancel();
    await this.process.status;
    this.#limit[Symbol.dispose]();
  }
}
