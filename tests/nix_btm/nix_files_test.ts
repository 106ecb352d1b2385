/**
 * `config/nix` before real Nix: the package is built and run, the module and the flake are evaluated. Nixpkgs cannot be
 * had here; a model of the few things that are used of it stands in its place (`nixpkgs_model`).
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { makeStoreRoot, STORE_FOLDERS } from "../../lib/build/minimal_root.ts";
import { pack } from "../../lib/build/pack.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { exists } from "../../lib/build/step.ts";
import { runProgram, temporaryFolder } from "../executables/packed.ts";
import { hasNix, NixPlace } from "../nix/_nix.ts";

const MODEL = `${ROOT}tests/nix_btm/nixpkgs_model`;
const FILES = `${ROOT}config/nix`;
const HAS_DPKG = exists("/usr/bin/dpkg") && Deno.build.arch === "x86_64";

Deno.test({
  name: "the package of config/nix builds from the packed file, and runs with the glibc that it names (Nix)",
  ignore: !hasNix || !HAS_DPKG,
  fn: async () => {
    using folder = temporaryFolder();
    await using place = new NixPlace();
    await makeStoreRoot(folder.path);
    await pack(`${folder.path}/dist`, {
      answers: await packedAnswers("test"),
      commit: "test",
      say: () => {},
    });
    const [glibc, libgcc] = Object.values(STORE_FOLDERS).map((path) =>
      folder.path + path.slice(0, -"/lib".length)
    );
    const expression = `import ${FILES} { packed = ${folder.path}/dist/hostkit; ` +
      `pkgs = import ${MODEL} { glibc = "${glibc}"; libgcc = "${libgcc}"; }; }`;
    const [out] = await place.lines("nix-build", ["--no-out-link", "-E", expression]) as [string];

    const names = await place.lines("find", [out, "-type", "f", "-printf", "%P\n"]);
    deepStrictEqual(names.sort(), [
      "bin/nix-btm",
      "lib/systemd/system/nix-btm.service",
      "lib/systemd/system/nix-btm.socket",
      "libexec/hostkit",
      "share/bash-completion/completions/nix-btm.bash",
      "share/fish/vendor_completions.d/nix-btm.fish",
      "share/man/man1/nix-btm.1",
      "share/zsh/site-functions/_nix-btm",
    ]);
    const service = Deno.readTextFileSync(`${out}/lib/systemd/system/nix-btm.service`);
    match(service, new RegExp(`^ExecStart=${out}/bin/nix-btm daemon `, "m"));
    ok(!service.includes("/usr/local"));

    const cache = `${folder.path}/cache`;
    const { code, err } = await runProgram(`${out}/bin/nix-btm`, ["status", "-d", "/nowhere"], {
      HOSTKIT_CACHE_DIR: cache,
      HOME: folder.path,
    });
    strictEqual(code, 1);
    match(err, /^nix-btm: /);
    const [entry] = [...Deno.readDirSync(cache)].filter(({ isDirectory }) => isDirectory);
    const [how, loader, libraries] = Deno.readTextFileSync(`${cache}/${entry!.name}/loader`).split("\n");
    deepStrictEqual([how, loader], ["called", `${glibc}/lib/ld-linux-x86-64.so.2`]);
    strictEqual(libraries, `${libgcc}/lib:${glibc}/lib:${glibc}/lib`);
  },
});

/** What the module sets on a machine with this Nix. */
async function evaluate(
  settings: Record<string, unknown>,
  nix: { pname?: string; version: string } = { version: "2.31.2" },
): Promise<{ code: number; stderr: string; config: Record<string, unknown> }> {
  await using place = new NixPlace();
  const { code, stdout, stderr } = await place.run("nix-instantiate", [
    "--eval",
    "--strict",
    "--json",
    `${MODEL}/evaluate.nix`,
    "--arg",
    "module",
    `${FILES}/module.nix`,
    "--argstr",
    "nix",
    JSON.stringify(nix),
    "--argstr",
    "settings",
    JSON.stringify(settings),
  ]);
  return { code, stderr, config: code === 0 ? JSON.parse(stdout) : {} };
}

Deno.test({
  name: "the module gives Nix the socket's path, and systemd the package's units with what was set (Nix)",
  ignore: !hasNix,
  fn: async () => {
    deepStrictEqual((await evaluate({})).config, {}, "nothing of it is on unless it is enabled");
    const { config, stderr } = await evaluate({
      enable: true,
      socket: "/run/other.sock",
      group: "users",
      socketMode: "0660",
      httpAddress: "127.0.0.1:9119",
      tokenFile: "/run/secrets/token",
      extraArgs: ["--hook", "echo 50% $NIX_BTM_NAME"],
    });
    deepStrictEqual(config, {
      assertions: [{
        assertion: true,
        message: "services.nix-btm.tokenFile is in the store, where everybody can read it",
      }],
      warnings: [],
      environment: { systemPackages: ["/nix/store/package"] },
      nix: { settings: { "json-log-path": "/run/other.sock" } },
      systemd: {
        packages: ["/nix/store/package"],
        services: {
          "nix-btm": {
            serviceConfig: {
              ExecStart: [
                "",
                '"/nix/store/package/bin/nix-btm" "daemon" "--nix-json-file-path" "/run/other.sock" ' +
                '"--socket-group" "users" "--http" "127.0.0.1:9119" "--token-file" "/run/secrets/token" ' +
                '"--hook" "echo 50%% $$NIX_BTM_NAME"',
              ],
            },
          },
        },
        sockets: {
          "nix-btm": {
            wantedBy: ["sockets.target"],
            listenStreams: ["", "/run/other.sock"],
            socketConfig: { SocketMode: "0660", SocketGroup: "users" },
          },
        },
      },
    }, stderr);
  },
});

Deno.test({
  name: "where Nix has no json-log-path the module sets none and says so; wrong settings are refused (Nix)",
  ignore: !hasNix,
  fn: async () => {
    for (const nix of [{ version: "2.28.5" }, { pname: "lix", version: "2.93.3" }]) {
      const { config } = await evaluate({ enable: true }, nix);
      deepStrictEqual((config.nix as Record<string, unknown>).settings, {});
      match(String(config.warnings), new RegExp(`${nix.version} has no json-log-path`));
    }
    const [said] = (await evaluate({ enable: true, tokenFile: "/nix/store/x" })).config
      .assertions as { assertion: boolean }[];
    strictEqual(said!.assertion, false);
    match((await evaluate({ enable: true, group: 3 })).stderr, /services\.nix-btm\.group has a wrong value/);
    match((await evaluate({ enabled: true })).stderr, /services\.nix-btm\.enabled does not exist/);
  },
});

Deno.test({
  name:
    "the flake has a package for both architectures, an overlay and a module, from a file that is named (Nix)",
  ignore: !hasNix || !exists("/usr/bin/git"),
  fn: async () => {
    using folder = temporaryFolder();
    await using place = new NixPlace();
    const copy = `${folder.path}/sources`;
    await place.lines("mkdir", ["-p", `${copy}/config`, `${folder.path}/dist`]);
    await place.lines("cp", ["-r", FILES, `${ROOT}config/systemd`, `${copy}/config`]);
    Deno.writeTextFileSync(`${folder.path}/dist/hostkit`, "packed");
    // As in the checkout: what Git does not keep no flake sees.
    const git = ["-C", copy, "-c", "user.name=me", "-c", "user.email=me@localhost"];
    for (const words of [["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]]) {
      await place.lines("git", [...git, ...words]);
    }
    const flake = (attribute: string, ...apply: string[]) =>
      place.run("nix", [
        "eval",
        "--json",
        "--no-write-lock-file",
        "--override-input",
        "nixpkgs",
        `path:${MODEL}`,
        "--override-input",
        "packed",
        `path:${folder.path}/dist`,
        `git+file://${copy}?dir=config/nix#${attribute}`,
        ...apply,
      ]);
    for (const system of ["x86_64-linux", "aarch64-linux"]) {
      const { stdout, stderr } = await flake(`packages.${system}.default.name`);
      strictEqual(stdout.trim(), '"nix-btm-0.1.0"', stderr);
    }
    const overlay = "overlay: (overlay (import <model> { }) { }).nix-btm.meta.mainProgram"
      .replace("<model>", MODEL);
    const { stdout, stderr } = await flake("overlays.default", "--impure", "--apply", overlay);
    strictEqual(stdout.trim(), '"nix-btm"', stderr);
    const module = await flake("nixosModules.default", "--apply", "module: builtins.length module.imports");
    strictEqual(module.stdout.trim(), "1", module.stderr);
  },
});
