/** bpm under systemd: its units, the sockets that it is passed, and what it tells. */
import { more } from "../more.ts";
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { sendDatagram, takeListener } from "../../ffi/sockets/mod.ts";
import { deadline } from "../../lib/async/mod.ts";
import { serviceUnit, socketUnit, unitFolder, unitName, type UnitOptions } from "../../lib/bpm/mod.ts";
import { ServiceManager } from "../../lib/systemd/mod.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { freePort } from "../free_port.ts";
import { Folder, has, HAS_ANALYZE, HAS_SYSTEMD, installedDeno, run, UserSystemd } from "../user_systemd.ts";

const BPM: [string, ...string[]] = [installedDeno(), ...toolCommand("bpm").slice(1)];

const PATIENCE_MS = 60_000;

/** What the units in config/systemd are made for. */
const SAMPLE: UnitOptions = {
  name: "bpm",
  folder: "/home/me/project",
  command: ["/usr/local/bin/bpm", "serve", "--quiet", "/home/me/project"],
  path: "/home/me/.cargo/bin:/home/me/.local/bin:/usr/local/bin:/usr/bin:/bin",
  socket: "127.0.0.1:3001",
};

const HAS_ACTIVATE = await Deno.stat("/usr/bin/systemd-socket-activate").then(() => true, () => false);
Deno.test("the units in config/systemd are what bpm unit prints", () => {
  const units = {
    "bpm.service": serviceUnit(SAMPLE),
    "bpm.socket": socketUnit({ ...SAMPLE, socket: SAMPLE.socket! }),
  };
  for (const [file, text] of Object.entries(units)) {
    const path = `${ROOT}config/systemd/${file}`;
    if (Deno.env.has("UPDATE")) Deno.writeTextFileSync(path, text);
    strictEqual(Deno.readTextFileSync(path), text, file);
  }
});

Deno.test("a unit says what it was written for, and a name is made of its folder", () => {
  strictEqual(unitFolder(serviceUnit(SAMPLE)), SAMPLE.folder);
  strictEqual(unitFolder("[Unit]\n"), undefined);
  deepStrictEqual(["/home/me/My project!", "/", "/a/.hidden"].map(unitName), [
    "bpm-My-project-",
    "bpm-root",
    "bpm-hidden",
  ]);
});

Deno.test("what systemd would replace or cut is escaped, and what it cannot say is refused", () => {
  const text = serviceUnit({
    ...SAMPLE,
    folder: "/a b/100%",
    command: ["/bin/x", "a b", '$HOME"\\', "%h"],
    socket: undefined,
  });
  match(text, /^ExecStart=\/bin\/x "a b" "\$\$HOME\\"\\\\" %%h$/m);
  match(text, /^WorkingDirectory=\/a b\/100%%$/m);
  ok(!text.includes(".socket"));
  ok(!serviceUnit({ ...SAMPLE, unconfined: true }).includes("NoNewPrivileges"));
  throws(
    () => serviceUnit({ ...SAMPLE, folder: "/a\nb" }),
    /^SyntaxError: Cannot write a unit for "\/a\\nb": control characters/,
  );
  throws(() => serviceUnit({ ...SAMPLE, folder: "a" }), /the folder is not absolute/);
  throws(() => serviceUnit({ ...SAMPLE, command: ["bpm"] }), /the program bpm is not absolute/);
  throws(() => serviceUnit({ ...SAMPLE, name: "a/b" }), /its name "a\/b" is not of letters/);
});

/** In tenths, as systemd counts them for a service that it takes for root's; nothing set is 98. */
const EXPOSURE_MAX = 77;

Deno.test({
  name: "systemd finds no mistake in the units, also with odd folders, and their exposure stays where it is",
  ignore: !HAS_ANALYZE,
  fn: async () => {
    using folder = new Folder();
    const env = { XDG_RUNTIME_DIR: folder.path };
    for (const project of [folder.path, `${folder.path}/50% of "this" $HOME`]) {
      Deno.mkdirSync(project, { recursive: true });
      const options: UnitOptions = { ...SAMPLE, folder: project, command: ["/bin/true", "serve", project] };
      const service = folder.write("bpm.service", serviceUnit(options));
      const socket = folder.write("bpm.socket", socketUnit({ ...options, socket: "127.0.0.1:3001" }));
      for (const more of [["--user"], []]) {
        const { code, err } = await run(["systemd-analyze", "verify", ...more, service, socket], env);
        deepStrictEqual([code, err], [0, ""]);
      }
      const security = ["security", "--offline=true", "--user", "--no-pager", `--threshold=${EXPOSURE_MAX}`];
      const { code, out } = await run(["systemd-analyze", ...security, service], env);
      strictEqual(code, 0, out);
    }
  },
});

/** A client of MCP in one request. */
async function ask(port: number, tool: string, args: Record<string, unknown> = {}): Promise<string> {
  using limit = deadline(PATIENCE_MS);
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method: "POST",
    headers: { accept: "application/json" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: tool, arguments: args },
    }),
    signal: limit.signal,
  });
  return (await response.json()).result.content[0].text;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const limit = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    ok(performance.now() < limit, `${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const SLEEPER =
  '[process.api]\ncommand = ["sh", "-c", "echo pid $$; env | grep -E \'^(LISTEN|NOTIFY|WATCHDOG)_\'; exec sleep 1000"]\n';

Deno.test({
  name:
    "the first client that connects to a socket of systemd-socket-activate starts bpm, and is answered by it",
  ignore: !HAS_ACTIVATE,
  fn: async () => {
    using folder = new Folder();
    const port = freePort();
    folder.write(".mcp-run", `mcp_port = ${freePort()}\n${SLEEPER}`);
    const manager = new Deno.Command("systemd-socket-activate", {
      // It passes on of its environment only what it is told to.
      args: [
        "-E",
        `XDG_STATE_HOME=${folder.path}/state`,
        "-l",
        `127.0.0.1:${port}`,
        ...BPM,
        "serve",
        "--quiet",
        folder.path,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reader = manager.stderr.pipeThrough(new TextDecoderStream()).getReader();
    await using end = new AsyncDisposableStack();
    end.defer(async () => {
      manager.kill("SIGTERM");
      const { code } = await manager.status;
      await reader.cancel();
      strictEqual(code, 0);
    });
    let log = "";
    const logged = async (pattern: RegExp) => {
      while (!pattern.test(log)) {
        const { value, done } = await reader.read();
        ok(!done, `it ended: ${log}`);
        log += value;
      }
    };
    await logged(/Listening on 127/);
    match(await ask(port, "get_status"), /^ {2}api: /m);
    await ask(port, "wait", { process: "api", pattern: "pid" });
    match(
      await ask(port, "search_logs", { process: "api" }),
      /^pid \d+$/,
      "nothing of it reaches the processes",
    );

    // The socket goes on with whom it becomes.
    log = "";
    manager.kill("SIGHUP");
    await logged(/becoming a newer manager[^]*all processes were started/);
    match(await ask(port, "search_logs", { process: "api" }), /^pid \d+$/m);
  },
});

Deno.test("bpm unit installs for this user, replaces its own units alone, and removes them", async () => {
  using folder = new Folder();
  const env = {
    XDG_CONFIG_HOME: `${folder.path}/config`,
    XDG_RUNTIME_DIR: folder.path,
    XDG_STATE_HOME: `${folder.path}/state`,
    DBUS_SESSION_BUS_ADDRESS: "",
  };
  const bpm = (...words: string[]) => run([...BPM, "unit", ...words], env);
  folder.write(".mcp-run", `mcp_port = 3456\n${SLEEPER}`);
  const name = unitName(folder.path);
  const place = `${folder.path}/config/systemd/user`;
  const files = () => [...Deno.readDirSync(place)].map((each) => each.name).sort();
  const printed = await bpm("print", "--socket", folder.path);
  deepStrictEqual([printed.code, printed.err], [0, ""]);
  match(
    printed.out,
    new RegExp(
      `^# ${name}\\.service\n# Written by bpm unit for ${folder.path}\n[^]*ListenStream=127.0.0.1:3456$`,
      "m",
    ),
  );
  await rejects(Deno.stat(place), Deno.errors.NotFound);

  const first = await bpm("install", "--socket", folder.path);
  strictEqual(first.code, 0, first.err);
  match(
    first.err,
    new RegExp(`start it now and at each login with: systemctl --user enable --now ${name}.socket`),
  );
  deepStrictEqual(files(), [`${name}.service`, `${name}.socket`]);
  strictEqual((await bpm("install", "--unconfined", folder.path)).code, 0);
  deepStrictEqual(files(), [`${name}.service`]);
  const text = Deno.readTextFileSync(`${place}/${name}.service`);
  match(text, new RegExp(`^ExecStart=/.* serve --quiet ${folder.path}$`, "m"));
  ok(!text.includes("NoNewPrivileges"));

  Deno.writeTextFileSync(`${place}/other.service`, "[Unit]\n");
  for (const words of [["install", "--name", "other"], ["uninstall", "--name", "other"]]) {
    const refused = await bpm(...words, folder.path);
    strictEqual(refused.code, 1);
    match(refused.err, /Cannot change \S+other\.service: somebody else wrote it/);
  }
  strictEqual((await bpm("uninstall", folder.path)).code, 0);
  deepStrictEqual(files(), ["other.service"]);
  match((await bpm("uninstall", folder.path)).err, /Cannot remove the units of \S+: there are none in/);
});

Deno.test({
  name:
    "a user's systemd starts bpm for a client, restarts a killed one around its processes, reloads and stops it",
  ignore: !HAS_SYSTEMD,
  fn: async () => {
    await using systemd = new UserSystemd();
    await until("systemd", async () => {
      const { code } = await systemd.run("systemctl", "--user", "is-active", "basic.target");
      return code === 0 || undefined;
    });
    const port = freePort();
    const { path } = systemd.folder;
    systemd.folder.write(".mcp-run", `mcp_port = ${port}\n${SLEEPER}`);
    const installed = await systemd.run(...BPM, "unit", "install", "--socket", "--now", path);
    strictEqual(installed.code, 0, installed.err);
    const service = `${unitName(path)}.service`;
    strictEqual(await systemd.show(service, "ActiveState"), "inactive", "it waits for a client");

    await ask(port, "wait", { process: "api", pattern: "pid" });
    const child = await ask(port, "search_logs", { process: "api" });
    match(child, /^pid \d+$/);
    strictEqual(await systemd.show(service, "ActiveState"), "active");
    await until(
      "its status",
      async () => (await systemd.show(service, "StatusText")).startsWith("serving MCP") || undefined,
    );

    const first = Number(await systemd.show(service, "MainPID"));
    Deno.kill(first, "SIGKILL");
    const second = await until("the next manager", async () => {
      const pid = Number(await systemd.show(service, "MainPID"));
      return pid > 0 && pid !== first && await systemd.show(service, "ActiveState") === "active"
        ? pid
        : undefined;
    });
    strictEqual(await ask(port, "search_logs", { process: "api" }), child, "its process went on");

    const reloaded = await systemd.run("systemctl", "--user", "reload", service);
    strictEqual(reloaded.code, 0, reloaded.err);
    await until(
      "its status",
      async () => (await systemd.show(service, "StatusText")).startsWith("serving MCP") || undefined,
    );
    strictEqual(Number(await systemd.show(service, "MainPID")), second);
    strictEqual(await ask(port, "search_logs", { process: "api" }), child);

    const removed = await systemd.run(...BPM, "unit", "uninstall", path);
    strictEqual(removed.code, 0, removed.err);
    await rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
    await rejects(
      Deno.stat(`/proc/${child.slice("pid ".length)}`),
      Deno.errors.NotFound,
      "it was stopped with its manager",
    );
  },
});

/** An environment that is only thought of. */
function environment(variables: Record<string, string>) {
  const left = new Map(Object.entries(variables));
  return { left, get: (name: string) => left.get(name), delete: (name: string) => void left.delete(name) };
}

const READER = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True: print(repr(s.recv(4096).decode()), flush=True)`;

Deno.test({
  name: "a service manager hears when bpm is ready, what it does, that it is not stuck, and that it ends",
  ignore: !await has("python3"),
  fn: async () => {
    using folder = new Folder();
    const socket = `${folder.path}/notify`;
    const reader = new Deno.Command("python3", {
      args: ["-c", READER, socket],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const lines = reader.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    const hear = async (text: string) => {
      while (!heard.includes(text)) heard += await more(lines);
    };
    await hear("bound");
    const env = environment({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "10000", PATH: "/bin" });
    {
      using services = new ServiceManager(env, 7);
      deepStrictEqual([...env.left.keys()], ["PATH"]);
      services.ready("starting");
      await hear("'READY=1\\nSTATUS=starting'");
      services.status("going on");
      await hear("'STATUS=going on'");
      await hear("'WATCHDOG=1'");
      services.stopping("stopping the processes");
      await hear("'STOPPING=1\\nSTATUS=stopping the processes'");
    }
    reader.kill("SIGKILL");
    await lines.cancel();
    await reader.status;
  },
});

Deno.test("what is said to another process is not taken, and what makes no sense is told", () => {
  const named = (pid: string, count: string) => environment({ LISTEN_PID: pid, LISTEN_FDS: count });
  const other = named("8", "2");
  deepStrictEqual([new ServiceManager(other, 7).listeners, other.left.size], [[], 0]);
  deepStrictEqual(new ServiceManager(named("7", "0"), 7).listeners, []);
  throws(
    () => new ServiceManager(named("7", "many"), 7),
    /Cannot take sockets: LISTEN_FDS is "many", expected 0 to 64/,
  );
  throws(
    () => takeListener(9_999),
    /Cannot take over descriptor 9999 as a listening socket: Bad file descriptor/,
  );
  throws(
    () => sendDatagram("/nowhere/at/all", "x"),
    /Cannot send a message to \/nowhere\/at\/all: No such file/,
  );
  const { error } = console;
  const told: string[] = [];
  console.error = (text: string) => void told.push(text);
  new ServiceManager(environment({ NOTIFY_SOCKET: "/nowhere/at/all" }), 7).ready("x");
  console.error = error;
  match(told.join(), /^Cannot send a message to \/nowhere/);
});
