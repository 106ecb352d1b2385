/** The units of nix-btm's daemon: what systemd says of them, and what a process can do under them. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { assetPath } from "../../ffi/assets.ts";
import { pack } from "../../lib/build/pack.ts";
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

/** Loads the units of a user's systemd, with settings beside them; returns the path of Nix' socket. */
async function start(systemd: UserSystemd, command: string): Promise<string> {
  const folder = systemd.folder.path;
  const path = `${folder}/nix-btm/nix.sock`;
  const [service, socket] = writeUnits(`${folder}/config/systemd/user`) as [string, string];
  // The folder lies where another /tmp would hide it.
  const without = "PrivateTmp=no\n";
  const environment = `Environment=DENO_DIR=${folder}/deno HOSTKIT_CACHE_DIR=${folder}/.cache/nix-btm\n`;
  dropIn(service, `[Service]\n${without}ExecStart=\nExecStart=${command}\n${environment}`);
  dropIn(socket, `[Socket]\nListenStream=\nListenStream=${path}\nSocketGroup=users\nSocketMode=0660\n`);
  const limit = performance.now() + PATIENCE_MS;
  while ((await systemd.run("systemctl", "--user", "start", "nix-btm.socket")).code !== 0) {
    strictEqual(performance.now() < limit, true, "systemd does not come");
  }
  return path;
}

Deno.test({
  name: "under systemd the first who writes to the socket starts the daemon, which has the rights that its " +
    "work takes and no others (root)",
  ignore: !HAS_SYSTEMD,
  fn: async () => {
    await using systemd = new UserSystemd();
    const command = [Deno.execPath(), "run", "-A", "--no-config", `${ROOT}tests/nix_btm/_stand_in.ts`];
    const path = await start(systemd, `${command.join(" ")} ${assetPath("lib/files.so")}`);
    const { mode, gid } = Deno.statSync(path);
    deepStrictEqual([mode! & 0o777, gid], [0o660, groupId("users")]);
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

Deno.test({
  name:
    "under systemd the packed daemon takes what is written to the socket, and members of adm may ask it (root)",
  ignore: !HAS_SYSTEMD,
  fn: async () => {
    using dist = new Folder();
    await pack(dist.path, { answers: await packedAnswers("test"), commit: "test", say: () => {} });
    await using systemd = new UserSystemd();
    const folder = `${systemd.folder.path}/nix-btm`;
    const path = await start(
      systemd,
      `${dist.path}/nix-btm daemon --nix-json-file-path ${folder}/nix.sock --socket-group adm`,
    );
    const fields = [`/nix/store/${"0".repeat(32)}-hello.drv`, "", 1, 1];
    const record = { action: "start", id: 1, level: 3, parent: 0, text: "building", type: 105, fields };
    using nix = await Deno.connect({ transport: "unix", path });
    await nix.write(new TextEncoder().encode(`${JSON.stringify(record)}\n`));

    const limit = performance.now() + PATIENCE_MS;
    const status = [`${dist.path}/nix-btm`, "status", "-d", `${folder}/control.sock`] as const;
    for (;;) {
      const { out, err } = await run(status, { HOSTKIT_CACHE_DIR: `${dist.path}/cache` });
      if (/hello/.test(out)) break;
      strictEqual(performance.now() < limit, true, out + err);
    }
    const rights = ["control.sock", "updates.ring"].map((name) => {
      const { mode, gid } = Deno.statSync(`${folder}/${name}`);
      return [name, mode! & 0o777, gid];
    });
    const adm = groupId("adm");
    deepStrictEqual(rights, [["control.sock", 0o660, adm], ["updates.ring", 0o640, adm]]);
    strictEqual(await systemd.show("nix-btm.service", "NRestarts"), "0");
  },
});

function groupId(name: string): number {
  return Number(new RegExp(`^${name}:[^:]*:(\\d+):`, "m").exec(Deno.readTextFileSync("/etc/group"))![1]);
}
