/** The original's flags of the daemon: in the background, with a log of its own. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { until } from "../keeper/_log.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { has } from "../user_systemd.ts";
import { DaemonProcess } from "./_daemon.ts";

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("-f true answers when the daemon runs, and its log is the file of -l", async () => {
  await using place = new DaemonProcess();
  const [nix, control, log] = ["n.sock", "d.sock", "own.log"].map((name) => `${place.folder}/${name}`) as [
    string,
    string,
    string,
  ];
  const words = ["daemon", "-n", nix, "-d", control, "-l", log, "--agent", "off", "--usage-from", "off"];
  const { code, err } = await place.run(...words, "-f", "true");
  strictEqual(code, 0, err);
  const asked = await place.run("client", "-d", control, "-n", nix, "--once");
  match(asked.out, /nothing is built/);
  match((await place.run("client", "-d", control)).out, /nothing is built/, "there is no terminal");
  match(Deno.readTextFileSync(log), /taking logs of Nix/);
  // One more is refused, says so, and takes nothing from the first one.
  const second = await place.run(...words, "--daemonize=true");
  ok(second.code !== 0);
  match(second.err, /Cannot listen on .*d\.sock: Address already in use/);
  const third = await place.run("daemon", "-n", nix, "-d", `${control}2`, "-l", log, "-f", "true");
  match(third.err, /Cannot start .* in the background: .*Cannot listen on .*n\.sock: Address already in use/);
  ok(isThere(nix) && isThere(control));
  Deno.kill(daemonPid(control), "SIGTERM");
  await until("its end", () => !isThere(control));
  // Where no socket is Nix would write a file; the next one takes its place.
  ok(isThere(nix));
  const next = await place.run(...words, "-f", "true");
  strictEqual(next.code, 0, next.err);
  Deno.kill(daemonPid(control), "SIGTERM");
  await until("its end", () => !isThere(control));
});

Deno.test("setup prints one line for nix.conf, and tells people whose Nix would not know it", async () => {
  await using place = new DaemonProcess();
  const bin = `${place.folder}/bin`;
  await Deno.mkdir(bin);
  const [program, ...args] = toolCommand("nix-btm");
  const setup = async (version: string, ...words: string[]) => {
    await Deno.writeTextFile(`${bin}/nix`, `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args, "setup", ...words],
      env: { ...place.env, PATH: `${bin}:/usr/bin:/bin` },
    }).output();
    strictEqual(code, 0);
    return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  };
  const line = `json-log-path = ${place.socket}\n`;
  const [out, err] = await setup("nix (Nix) 2.29.1");
  strictEqual(out, line);
  match(err, /^nix-btm: nix \(Nix\) 2\.29\.1 does not know json-log-path, .*nix-btm run and nix-btm pipe/);
  for (const version of ["nix (Nix) 2.30.0", "nix (Nix) 3.1", "nix (Determinate Nix 3.6.2) 2.29.0"]) {
    deepStrictEqual(await setup(version), [line, ""], version);
  }
  strictEqual((await setup("", "-n", "/tmp/nixbtm.sock"))[0], "json-log-path = /tmp/nixbtm.sock\n");
});

Deno.test("a file that Nix has made where no socket was is told, stays, and can be replayed", async () => {
  await using place = new DaemonProcess();
  const path = `${place.folder}/n.sock`;
  const said = '{"action":"msg","level":0,"msg":"error: nobody hears","raw_msg":"nobody hears"}\n';
  await Deno.writeTextFile(path, said);
  for (const tool of ["daemon", "debug"]) {
    const { code, err } = await place.run(tool, "-n", path);
    strictEqual(code, 1);
    match(err, /Cannot listen on .*n\.sock: a file stands there, .*nix-btm replay .*removed/);
  }
  strictEqual(await Deno.readTextFile(path), said);
  match((await place.run("replay", path, "--once")).out, /#1 failed/);
});

Deno.test({
  name: "what says how to open the socket is told to be unused where systemd has opened it",
  ignore: !await has("systemd-socket-activate"),
  async fn() {
    await using place = new DaemonProcess();
    const [given, control] = [`${place.folder}/given.sock`, `${place.folder}/d.sock`];
    const [program, ...args] = toolCommand("nix-btm");
    const words = ["daemon", "-n", "/elsewhere", "-d", control, "--socket-mode", "0600", "--agent", "off"];
    const child = new Deno.Command("systemd-socket-activate", {
      args: [
        ...["HOME", "DENO_DIR", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"].flatMap((name) => ["-E", name]),
        ...["-l", given, program, ...args, ...words],
      ],
      env: place.env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    using _log = await connected(given);
    await until("the daemon", () => isThere(control));
    child.kill("SIGTERM");
    const { stderr } = await child.output();
    const said = new TextDecoder().decode(stderr);
    match(said, /--nix-json-file-path \/elsewhere is not used: systemd has opened .*given\.sock/);
    match(said, /--socket-mode 0600 is not used: the unit of .*given\.sock says it as SocketMode=/);
  },
});

/** A connection as soon as somebody listens: a socket's path is there a little before that. */
async function connected(path: string): Promise<Deno.UnixConn> {
  const found: Deno.UnixConn[] = [];
  await until(`who listens on ${path}`, async () => {
    try {
      found.push(await Deno.connect({ transport: "unix", path }));
    } catch (error) {
      const { ConnectionRefused, NotFound } = Deno.errors;
      if (!(error instanceof ConnectionRefused || error instanceof NotFound)) throw error;
    }
    return found.length > 0;
  });
  return found[0]!;
}

/** The process that has the socket's path among its words. */
function daemonPid(control: string): number {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      if (words.includes(control) && words.includes("daemon")) return Number(name);
    } catch (error) {
      if (!(error instanceof Error)) throw error; // It has just ended.
    }
  }
  throw new Error(`no daemon has ${control}`);
}

Deno.test("what cannot be asked or read is told in the same words by every command", async () => {
  await using place = new DaemonProcess();
  const none = `${place.folder}/none`;
  for (const words of [["status"], ["stream"], ["client", "--json"]]) {
    const { code, err } = await place.run(...words);
    strictEqual(code, 1);
    match(err, /^nix-btm: Cannot ask the daemon at .*: there is no such socket \(ENOENT\); start one with /);
  }
  Deno.writeTextFileSync(`${place.folder}/empty`, "\n");
  const http = ["--http", "127.0.0.1:0", "--token-file"];
  const wrong: [string[], RegExp][] = [
    [["replay", none], /Cannot read log .*none: there is no such file\n/],
    [["replay", place.folder], /Cannot read log .*: it is a folder\n/],
    [["daemon", ...http, none], /Cannot read token .*none: there is no such file\n/],
    [["daemon", ...http, `${place.folder}/empty`], /Cannot read token .*: it is empty\n/],
  ];
  for (const [words, says] of wrong) match((await place.run(...words)).err, says);
});

Deno.test("a folder that cannot be used is told with what it is for, and why", async () => {
  await using place = new DaemonProcess();
  const file = `${place.folder}/file`;
  Deno.writeTextFileSync(file, "");
  Deno.mkdirSync(`${place.folder}/broken`);
  Deno.writeTextFileSync(`${place.folder}/broken/logs`, "");
  const { RUNTIME_DIRECTORY: runtime, STATE_DIRECTORY: state } = place.env;
  const wrong: [runtime: string, state: string, why: string][] = [
    [file, state, `Cannot use ${file} as the folder of sockets: it is no folder`],
    [
      `${file}/below`,
      state,
      `Cannot use ${file}/below as the folder of sockets: something on the way to it is no folder`,
    ],
    ["/proc/x", state, "Cannot use /proc/x as the folder of sockets: nothing can be made there"],
    [runtime, file, `Cannot use ${file} as the folder of what was built: it is no folder`],
    [
      runtime,
      `${place.folder}/broken`,
      `Cannot use ${place.folder}/broken/logs as the folder of logs of builds: it is no folder`,
    ],
  ];
  for (const [RUNTIME_DIRECTORY, STATE_DIRECTORY, why] of wrong) {
    Object.assign(place.env, { RUNTIME_DIRECTORY, STATE_DIRECTORY });
    for (const tool of ["daemon", "debug"]) {
      deepStrictEqual(await place.run(tool), { code: 1, out: "", err: `nix-btm: ${why}\n` });
    }
  }
  Object.assign(place.env, { RUNTIME_DIRECTORY: runtime, STATE_DIRECTORY: file });
  // Of a command that is only looked at nothing is lost.
  const { code, err } = await place.run("run", "true");
  deepStrictEqual([code, err], [
    0,
    `nix-btm: Cannot use ${file} as the folder of what was built: it is no folder; nothing is estimated\n`,
  ]);
  const log = await place.run("daemon", "-l", `${file}/log`);
  match(log.err, /^nix-btm: Cannot write the log to .*\/log: Not a directory/);
});
