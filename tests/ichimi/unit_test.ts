/** The daemon under systemd: its units, and a user's systemd that starts it for the first assistant. */
import { match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { ichimiService, ichimiSocket, type IchimiUnitOptions, isIchimiUnit } from "../../lib/ichimi/mod.ts";
import { until } from "../keeper/_log.ts";
import { Folder, HAS_ANALYZE, HAS_SYSTEMD, installedDeno, run, UserSystemd } from "../user_systemd.ts";

const ICHIMI: [string, ...string[]] = [installedDeno(), ...toolCommand("ichimi-server").slice(1)];

/** What the units in config/systemd are made for. */
const SAMPLE: IchimiUnitOptions = {
  name: "ichimi-server",
  command: ["/usr/local/bin/ichimi-server", "daemon"],
  path: "/home/me/.cargo/bin:/home/me/.local/bin:/usr/local/bin:/usr/bin:/bin",
  socket: "/home/me/.local/state/hostkit/ichimi/daemon.sock",
};

Deno.test("the units in config/systemd are what ichimi-server unit prints, and are known again", () => {
  const units = {
    "ichimi-server.service": ichimiService(SAMPLE),
    "ichimi-server.socket": ichimiSocket(SAMPLE),
  };
  for (const [file, text] of Object.entries(units)) {
    const path = `${ROOT}config/systemd/${file}`;
    if (Deno.env.has("UPDATE")) Deno.writeTextFileSync(path, text);
    strictEqual(Deno.readTextFileSync(path), text, file);
    ok(isIchimiUnit(text));
  }
  strictEqual(isIchimiUnit("[Unit]\n"), false);
  ok(!ichimiService({ ...SAMPLE, unconfined: true }).includes("NoNewPrivileges"));
  throws(() => ichimiService({ ...SAMPLE, socket: "/a\nb" }), /control characters have no way into it/);
  throws(() => ichimiSocket({ ...SAMPLE, socket: "a" }), /the folder is not absolute/);
});

Deno.test({
  name: "systemd finds no mistake in the units",
  ignore: !HAS_ANALYZE,
  fn: async () => {
    using folder = new Folder();
    const options = {
      ...SAMPLE,
      command: ["/bin/true"] as const,
      socket: `${folder.path}/50% of $HOME.sock`,
    };
    const files = [
      folder.write("ichimi-server.service", ichimiService(options)),
      folder.write("ichimi-server.socket", ichimiSocket(options)),
    ];
    const { code, out, err } = await run(["systemd-analyze", "verify", "--user", ...files], {
      XDG_RUNTIME_DIR: folder.path,
    });
    strictEqual(`${code} ${out}${err}`, "0 ");
  },
});

Deno.test({
  name: "a user's systemd starts the daemon for the first who asks, and a killed one around its processes",
  ignore: !HAS_SYSTEMD,
  fn: async () => {
    await using systemd = new UserSystemd();
    const holds = async (what: string, condition: () => Promise<boolean>) => await until(what, condition);
    const show = (property: string) => systemd.show("ichimi-server.service", property);
    await holds(
      "systemd",
      async () => (await systemd.run("systemctl", "--user", "is-active", "basic.target")).code === 0,
    );
    const installed = await systemd.run(...ICHIMI, "unit", "install", "--now");
    strictEqual(installed.code, 0, installed.err);
    strictEqual(await show("ActiveState"), "inactive", "it waits for somebody");

    const started = await systemd.run(...ICHIMI, "run", "--id", "kept", "--", "sleep", "1000");
    match(started.out, /^Process 'kept' started with PID \d+/, started.err);
    const pid = /PID (\d+)/.exec(started.out)![1];
    strictEqual(await show("ActiveState"), "active");
    const first = Number(await show("MainPID"));
    Deno.kill(first, "SIGKILL");
    await holds("the next one", async () => {
      const next = Number(await show("MainPID"));
      return next > 0 && next !== first && await show("ActiveState") === "active";
    });
    const pidNow = async () =>
      JSON.parse((await systemd.run(...ICHIMI, "status", "kept")).out).info.state.Running.pid;
    strictEqual(`${await pidNow()}`, pid, "its process went on");

    const before = await show("MainPID");
    const reloaded = await systemd.run("systemctl", "--user", "reload", "ichimi-server.service");
    strictEqual(reloaded.code, 0, reloaded.err);
    strictEqual(`${await pidNow()}`, pid);
    strictEqual(await show("MainPID"), before);

    await systemd.run(...ICHIMI, "remove", "kept");
    const removed = await systemd.run(...ICHIMI, "unit", "uninstall");
    strictEqual(removed.code, 0, removed.err);
    await rejects(Deno.stat(`/proc/${before}`), Deno.errors.NotFound);
  },
});
