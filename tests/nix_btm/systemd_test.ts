/** The units of nix-btm's daemon: what systemd says of them, and what a process can do under them. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { assetPath } from "../../ffi/assets.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { Folder, HAS_ANALYZE, HAS_SYSTEMD, run, UserSystemd } from "../user_systemd.ts";

/** In tenths, as systemd counts them; nothing set is 98. */
const EXPOSURE_MAX = 32;
const PATIENCE_MS = 60_000;

/** The units as they are, but for a program that is there, in `folder`. */
function writeUnits(folder: string, program = "/bin/true"): string[] {
  Deno.mkdirSync(folder, { recursive: true });
  return ["service", "socket"].map((kind) => {
    const text = Deno.readTextFileSync(`${ROOT}config/systemd/nix-btm.${kind}`);
    const path = `${folder}/nix-btm.${kind}`;
    Deno.writeTextFileSync(path, text.replaceAll("/usr/local/bin/nix-btm", program));
    return path;
  });
}

/** Settings of a machine beside a unit, as the comments in the units tell. */
function dropIn(unit: string, text: string): void {
  Deno.mkdirSync(`${unit}.d`);
  Deno.writeTextFileSync(`${unit}.d/local.conf`, text);
}

Deno.test({
  name: "systemd finds no mistake in nix-btm's units, also with the settings that they tell of",
  ignore: !HAS_ANALYZE,
  fn: async () => {
    using folder = new Folder();
    const [service, socket] = writeUnits(folder.path) as [string, string];
    const verify = () => run(["systemd-analyze", "verify", service, socket]);
    deepStrictEqual(await verify(), { code: 0, out: "", err: "" });
    const said = Deno.readTextFileSync(socket).matchAll(/^# {3}(.+)$/gm);
    dropIn(socket, [...said].map(([, line]) => `${line}\n`).join(""));
    dropIn(service, "[Service]\nExecStart=\nExecStart=/bin/true daemon --nix-json-file-path /tmp/n WORD\n");
    deepStrictEqual(await verify(), { code: 0, out: "", err: "" });
    const security = ["security", "--offline=true", "--no-pager", `--threshold=${EXPOSURE_MAX}`, service];
    const { code, out } = await run(["systemd-analyze", ...security]);
    strictEqual(code, 0, out);
  },
});

Deno.test("service and socket tell of the same path, and Nix is to write to it", () => {
  const [service, socket] = ["service", "socket"].map((kind) =>
    Deno.readTextFileSync(`${ROOT}config/systemd/nix-btm.${kind}`)
  ) as [string, string];
  const [, path] = /^ListenStream=(.+)$/m.exec(socket)!;
  match(service, new RegExp(`^ExecStart=.* --nix-json-file-path ${path}( |$)`, "m"));
  match(socket, new RegExp(`^# .*json-log-path = ${path} in nix\\.conf`, "m"));
});

/** What the daemon's stand-in answers when it is told of a process. */
async function ask(path: string, pid: number): Promise<Record<string, string>> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(`${pid}`));
  return JSON.parse(await new Response(connection.readable).text());
}

Deno.test({
  name: "under systemd the first who writes to the socket starts the daemon, which has the rights that its " +
    "work takes and no others (root)",
  ignore: !HAS_SYSTEMD,
  fn: async () => {
    await using systemd = new UserSystemd();
    const folder = systemd.folder.path;
    const path = `${folder}/nix-btm/nix.sock`;
    const [service, socket] = writeUnits(`${folder}/config/systemd/user`) as [string, string];
    const command = [Deno.execPath(), "run", "-A", "--no-config", `${ROOT}tests/nix_btm/_stand_in.ts`];
    // This test's folder lies where another /tmp would hide it; the other two no systemd but the machine's own sets up.
    dropIn(
      service,
      `[Service]\nPrivateTmp=no\nProtectKernelLogs=no\nProtectKernelTunables=no\nExecStart=\nExecStart=${
        command.join(" ")
      } ${assetPath("lib/files.so")}\n` +
        `Environment=DENO_DIR=${folder}/deno\n`,
    );
    dropIn(socket, `[Socket]\nListenStream=\nListenStream=${path}\nSocketGroup=users\nSocketMode=0660\n`);
    const limit = performance.now() + PATIENCE_MS;
    while ((await systemd.run("systemctl", "--user", "start", "nix-btm.socket")).code !== 0) {
      strictEqual(performance.now() < limit, true, "systemd does not come");
    }
    const { mode, gid } = Deno.statSync(path);
    const users = /^users:[^:]*:(\d+):/m.exec(Deno.readTextFileSync("/etc/group"))![1];
    deepStrictEqual([mode! & 0o777, `${gid}`], [0o660, users]);
    strictEqual(await systemd.show("nix-btm.service", "ActiveState"), "inactive", "it waits for Nix");

    const builder = new Deno.Command("sleep", {
      args: ["1000"],
      uid: 65_534,
      gid: 65_534,
      env: { NIX_BUILD_TOP: "/build" },
    }).spawn();
    deepStrictEqual(await ask(path, builder.pid), {
      sockets: "nix",
      environment: "true",
      end: "undefined",
      cache: "undefined",
      state: "undefined",
      runtime: "undefined",
      system: "Read-only file system",
      namespaces: "false",
      library: "undefined",
    });
    strictEqual((await builder.status).signal, "SIGTERM");

    const stopped = await systemd.run("systemctl", "--user", "stop", "nix-btm.service", "nix-btm.socket");
    strictEqual(stopped.code, 0, stopped.err);
    strictEqual(Deno.statSync(path).isSocket, true, "Nix is refused there, and makes no file of its own");
  },
});
