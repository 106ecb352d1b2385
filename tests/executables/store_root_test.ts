/** The packed file where all of glibc is in a store, as on NixOS: no `/lib`, no `/lib64`, no shell, no HOME. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { deadline } from "../../lib/async/mod.ts";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { inMinimalRoot, makeStoreRoot, STORE_FOLDERS } from "../../lib/build/minimal_root.ts";
import { pack } from "../../lib/build/pack.ts";
import { exists } from "../../lib/build/step.ts";
import { runProgram, temporaryFolder } from "./packed.ts";

const CAN_CHROOT = Deno.uid() === 0 && exists("/usr/bin/dpkg") && exists("/usr/bin/unshare");
const PATH = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
const PATIENCE_MS = 60_000;
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
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(path, "no library", { mode: 0o755 });
    }
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
        // A process that starts again and again would say the same for ever.
        using limit = deadline(PATIENCE_MS);
        const child = new Deno.Command("unshare", {
          signal: limit.signal,
          args: inRoot(["/bpm", "serve", "/project"]),
          env: PATH,
          clearEnv: true,
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).spawn();
        let log = "";
        const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
        const logged = async (pattern: RegExp) => {
          while (!pattern.test(log)) {
            const { value, done } = await reader.read();
            ok(!done, `it ended: ${log}`);
            log += value;
          }
        };
        try {
          await logged(/\[own\] rezolus: .*none\.sock/);
          const [loader, option, folders, runtime] = commandLine(child.pid);
          strictEqual(loader, `${STORE_FOLDERS.libc6}/ld-linux-x86-64.so.2`);
          strictEqual(option, "--library-path");
          deepStrictEqual(folders!.split(":"), [STORE_FOLDERS["libgcc-s1"], STORE_FOLDERS.libc6]);
          match(runtime!, /^\/run\/hostkit\/[0-9a-f]{32}\/deno$/);
          log = "";
          child.kill("SIGHUP");
          await logged(/becoming a newer manager[^]*serving MCP/);
          strictEqual(commandLine(child.pid)[0], loader);
        } finally {
          child.kill("SIGTERM");
          await reader.cancel();
          await child.status;
        }
      },
    );

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

/** Program and arguments of a process. */
function commandLine(pid: number): string[] {
  return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
}
