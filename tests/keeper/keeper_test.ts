/** Keepers, with sanitizers and without: output, exit status, control, the whole tree, and what they outlive. */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { KEEPER_CLAIMED, keeperArguments } from "../../ffi/keeper/mod.ts";
import { processStart } from "../../ffi/ring/mod.ts";
import { assetPath } from "../../ffi/assets.ts";
import { TEST_BUILD } from "../../lib/build/paths.ts";
import {
  giveUpInstance,
  inspectInstance,
  KeeperControl,
  type KeeperOptions,
  LineAssembler,
  type LogEntry,
  startInstance,
} from "../../lib/keeper/mod.ts";
import { SegmentReader } from "../../lib/ring/mod.ts";
import { Folder, until } from "./_log.ts";

const IS_ROOT = Deno.uid() === 0;

/** All that an ended instance's log holds. */
function entries(folder: string): LogEntry[] {
  using reader = SegmentReader.open(folder);
  const lines = new LineAssembler();
  const found: LogEntry[] = [];
  const tell = (entry: LogEntry) => void found.push(entry);
  for (
    let result = reader.read();
    result.kind !== "ended" && result.kind !== "empty";
    result = reader.read()
  ) {
    ok(result.kind === "records", result.kind);
    while (result.records.next()) lines.take(result.records, tell);
  }
  lines.flush(tell);
  return found;
}

function texts(folder: string, stream?: "stdout" | "stderr"): string[] {
  return entries(folder).flatMap((entry) =>
    entry.kind === "line" && (stream === undefined || entry.line.stream === stream) ? [entry.line.text] : []
  );
}

/** Runs a command to its end. */
async function run(folder: string, command: [string, ...string[]], more: Partial<KeeperOptions> = {}) {
  const keeper = startInstance({ folder, command, ...more });
  await keeper.begun;
  strictEqual(await keeper.ended, 0);
  return inspectInstance(folder);
}

const alive = (pid: number) => processStart(pid) !== 0n;

Deno.test("output is kept by stream, with its time, and the exit status after the keeper is gone", async () => {
  using folder = new Folder();
  const before = Date.now();
  const status = await run(folder.path, ["sh", "-c", "echo one; echo two >&2; printf three; exit 3"]);
  ok(status.kind === "exited");
  deepStrictEqual([status.exit.code, status.exit.signal, status.keeperAlive], [3, undefined, false]);
  deepStrictEqual([texts(folder.path, "stdout"), texts(folder.path, "stderr")], [["one", "three"], ["two"]]);
  for (const entry of entries(folder.path)) {
    ok(entry.kind === "line" && entry.line.timeMs >= before - 1 && entry.line.timeMs <= Date.now() + 1);
  }
  deepStrictEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    "0000000000000000.seg",
    "claim",
  ]);
});

Deno.test("a signal is told as a shell does, and what cannot be run says why", async () => {
  using first = new Folder();
  const killed = await run(first.path, ["sh", "-c", "kill -KILL $$"]);
  ok(killed.kind === "exited");
  deepStrictEqual([killed.exit.code, killed.exit.signal], [137, 9]);
  const cases: [[string, ...string[]], Partial<KeeperOptions>, number, RegExp][] = [
    [["/no/such/program"], {}, 127, /"\/no\/such\/program" cannot be run: No such file/],
    [["/etc/passwd"], {}, 126, /cannot be run: Permission denied/],
    [["true"], { cwd: "/no/such/folder" }, 126, /cannot change to its working directory: No such file/],
    [["true"], { cgroups: ["/no/such/cgroup"] }, 126, /cannot join its cgroup: No such file/],
  ];
  for (const [command, more, code, expected] of cases) {
    using folder = new Folder();
    const status = await run(folder.path, command, more);
    ok(status.kind === "exited" && status.exit.code === code, JSON.stringify(status));
    const event = entries(folder.path).find((entry) => entry.kind === "event");
    match(event?.kind === "event" ? event.text : "", expected);
  }
});

Deno.test("an option that makes no sense is refused with what was expected", async () => {
  using folder = new Folder();
  const keeper = startInstance({ folder: folder.path, command: ["true"], segmentBytes: 5000 });
  await rejects(keeper.begun, /Cannot start "true": keeper: cannot open the log in .*: Invalid argument/);
  strictEqual(await keeper.ended, 71);
  const args = keeperArguments({ folder: folder.path, command: ["true"], nice: 99 });
  const child = new Deno.Command(assetPath("bin/keeper"), { args, stderr: "piped" });
  const { code, stderr } = await child.output();
  strictEqual(code, 64);
  match(new TextDecoder().decode(stderr), /--nice is "99", expected a number from -20 to 20/);
});

Deno.test("the settings of a process reach it", async () => {
  using folder = new Folder();
  const script = "ulimit -n; umask; nice; pwd; echo $ONE; cat /proc/self/stat | cut -d' ' -f6";
  const status = await run(folder.path, ["sh", "-c", `${script}; echo $$; id -u; id -G`], {
    cwd: "/tmp",
    env: { ONE: "two" },
    nice: 3,
    umask: 0o027,
    rlimits: { nofile: { soft: 77, hard: 99 } },
    ...(IS_ROOT ? { uid: 65534, gid: 65534, groups: [12] } : {}),
  });
  ok(status.kind === "exited" && status.exit.code === 0, JSON.stringify(entries(folder.path)));
  const [nofile, umask, nice, cwd, env, session, pid, uid, groups] = texts(folder.path);
  deepStrictEqual([nofile, umask, nice, cwd, env], ["77", "0027", "3", "/tmp", "two"]);
  strictEqual(session, pid, "it leads a session of its own");
  if (IS_ROOT) deepStrictEqual([uid, groups], ["65534", "65534 12"]);
});

Deno.test("input is written, ended, and a terminal has its size", async () => {
  using folder = new Folder();
  const keeper = startInstance({ folder: folder.path, command: ["cat"], stdin: "pipe" });
  await keeper.begun;
  const large = "x".repeat(300_000);
  {
    using control = await KeeperControl.open(folder.path);
    await control.input(new TextEncoder().encode(`hello\n${large}\n`));
    await control.endInput();
  }
  strictEqual(await keeper.ended, 0);
  const lines = texts(folder.path);
  strictEqual(lines[0], "hello");
  strictEqual(lines.slice(1).join(""), large);

  using second = new Folder();
  const command: [string, ...string[]] = [
    "sh",
    "-c",
    "test -t 0 && stty size; read line; stty size; echo $line",
  ];
  const terminal = startInstance({ folder: second.path, command, stdin: { rows: 40, columns: 120 } });
  await terminal.begun;
  await until("the first size", () => texts(second.path).includes("40 120"));
  {
    using control = await KeeperControl.open(second.path);
    await control.window(50, 132);
    await control.input(new TextEncoder().encode("typed\n"));
  }
  strictEqual(await terminal.ended, 0);
  deepStrictEqual(texts(second.path), ["40 120", "typed", "50 132", "typed"]);
});

Deno.test("a stop is polite first and reaches the whole tree after the grace period", async () => {
  using folder = new Folder();
  // It ignores SIGTERM, and its grandchild has left the session twice.
  const script = "trap '' TERM; setsid setsid sleep 1000 & echo $!; while :; do sleep 0.05; done";
  const keeper = startInstance({ folder: folder.path, command: ["sh", "-c", script], leftoverMs: 50 });
  await keeper.begun;
  await until("the grandchild", () => texts(folder.path).length > 0);
  const grandchild = Number(texts(folder.path)[0]);
  const status = inspectInstance(folder.path);
  ok(status.kind === "running");
  {
    using control = await KeeperControl.open(folder.path);
    await control.stop(100);
  }
  strictEqual(await keeper.ended, 0);
  const end = inspectInstance(folder.path);
  ok(end.kind === "exited" && end.exit.signal === 9, JSON.stringify(end));
  deepStrictEqual([alive(status.pid), alive(grandchild)], [false, false]);
});

Deno.test("the keeper and its child do not notice the end of whoever started them", async () => {
  using folder = new Folder();
  const starter = `
    import { startInstance } from "${import.meta.resolve("../../lib/keeper/mod.ts")}";
    const command = ["sh", "-c", "for i in $(seq 100); do echo line $i; sleep 0.01; done; exit 7"];
    await startInstance({ folder: "${folder.path}", command }).begun;
    Deno.kill(Deno.pid, "SIGKILL");
  `;
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", starter],
    stderr: "inherit",
  }).output();
  strictEqual(signal, "SIGKILL");
  const found = inspectInstance(folder.path);
  ok(found.kind === "running" || found.kind === "exited");
  await until("its end", () => {
    const status = inspectInstance(folder.path);
    return status.kind === "exited" && !status.keeperAlive;
  });
  const status = inspectInstance(folder.path);
  ok(status.kind === "exited" && status.exit.code === 7);
  deepStrictEqual(texts(folder.path), Array.from({ length: 100 }, (_, at) => `line ${at + 1}`));
});

Deno.test("a killed keeper leaves an instance that is lost, never an invented status", async () => {
  for (const orphan of ["kill", "keep"] as const) {
    using folder = new Folder();
    const keeper = startInstance({ folder: folder.path, command: ["sleep", "1000"], orphan });
    await keeper.begun;
    const status = inspectInstance(folder.path);
    ok(status.kind === "running" && status.keeperPid === keeper.pid);
    Deno.kill(keeper.pid, "SIGKILL");
    await keeper.ended;
    if (orphan === "kill") await until("the child's end", () => !alive(status.pid));
    const lost = inspectInstance(folder.path);
    deepStrictEqual(lost, orphan === "kill" ? { kind: "lost" } : { kind: "lost", orphan: status.pid });
    if (orphan === "keep") Deno.kill(status.pid, "SIGKILL");
  }
});

Deno.test("an instance that was given up is not begun by a keeper that comes late, and the other way round", async () => {
  using folder = new Folder();
  deepStrictEqual(inspectInstance(folder.path), { kind: "unborn" });
  strictEqual(giveUpInstance(folder.path), true);
  deepStrictEqual(inspectInstance(folder.path), { kind: "void" });
  const late = startInstance({ folder: folder.path, command: ["sh", "-c", `touch ${folder.path}/ran`] });
  strictEqual(await late.ended, KEEPER_CLAIMED);
  await rejects(late.begun, /Cannot start "sh": its keeper ended before the child began/);
  deepStrictEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["claim"]);

  using other = new Folder();
  const keeper = startInstance({ folder: other.path, command: ["true"] });
  await keeper.begun;
  strictEqual(giveUpInstance(other.path), false);
  strictEqual(await keeper.ended, 0);
});

Deno.test("an instance ends with its owner", async () => {
  using folder = new Folder();
  const owner = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const startTicks = processStart(owner.pid);
  const keeper = startInstance({
    folder: folder.path,
    command: ["sleep", "1000"],
    owner: { pid: owner.pid, startTicks },
  });
  await keeper.begun;
  owner.kill("SIGKILL");
  await owner.status;
  strictEqual(await keeper.ended, 0);
  const status = inspectInstance(folder.path);
  ok(status.kind === "exited" && status.exit.signal === 15);
  ok(Deno.statSync(`${folder.path}/owner_ended`).isFile);
});

Deno.test("sd_notify reaches the log as variables", async () => {
  using folder = new Folder();
  const program = `
    import socket, os
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    s.send(b"READY=1\\nSTATUS=up and = well")
    print(os.environ["WATCHDOG_USEC"], int(os.environ["WATCHDOG_PID"]) == os.getpid())
  `.replaceAll(/^ {4}/gm, "");
  const status = await run(folder.path, ["python3", "-c", program], { notify: true, watchdogUs: 3_000_000 });
  ok(status.kind === "exited" && status.exit.code === 0, JSON.stringify(entries(folder.path)));
  const notify = entries(folder.path).find((entry) => entry.kind === "notify");
  ok(notify?.kind === "notify");
  deepStrictEqual(notify.values, { READY: "1", STATUS: "up and = well" });
  deepStrictEqual(texts(folder.path), ["3000000 True"]);
});

Deno.test("a full log drops the oldest and counts it, or makes the child wait until there is room", async () => {
  const sizes = { segmentBytes: 16_384, retainBytes: 3 * (16_384 + 8_192) };
  using dropping = new Folder();
  await run(dropping.path, ["seq", "100000"], sizes);
  const lines = texts(dropping.path);
  strictEqual(lines.at(-1), "100000");
  {
    using reader = SegmentReader.open(dropping.path, { from: "end" });
    const kept = lines.join("\n").length;
    ok(reader.status().droppedBytes > 588_895n - BigInt(kept) - 100_000n, "what went away is counted");
  }

  using blocking = new Folder();
  const keeper = startInstance({
    folder: blocking.path,
    command: ["seq", "1", "400000"],
    ...sizes,
    overflow: "block",
  });
  await keeper.begun;
  // Reading takes what is there and makes room by removing what was read.
  const seen: string[] = [];
  const assembler = new LineAssembler();
  const tell = (entry: LogEntry) => void (entry.kind === "line" && seen.push(entry.line.text));
  using reader = SegmentReader.open(blocking.path);
  for (;;) {
    const result = reader.read();
    ok(result.kind !== "lapped" && result.kind !== "restarted");
    if (result.kind === "ended") break;
    if (result.kind === "records") {
      while (result.records.next()) assembler.take(result.records, tell);
      const files = [...Deno.readDirSync(blocking.path)].map(({ name }) => name).filter((name) =>
        name.endsWith(".seg")
      ).sort();
      for (const name of files.slice(0, -1)) {
        if (BigInt(`0x${name.slice(0, 16)}`) + 16_384n <= reader.position) {
          Deno.removeSync(`${blocking.path}/${name}`);
        }
      }
    } else await new Promise((resolve) => setTimeout(resolve, 5));
  }
  strictEqual(await keeper.ended, 0);
  strictEqual(seen.length, 400_000);
  ok(seen.every((text, at) => text === String(at + 1)), "each line once, in order");
});

Deno.test("under sanitizers: output, input, signals, garbage on the control socket, and a tree that forks away", async () => {
  using folder = new Folder();
  const args = keeperArguments({
    folder: folder.path,
    command: ["sh", "-c", "setsid sleep 1000 & cat; echo done; exit 5"],
    stdin: "pipe",
    notify: true,
    leftoverMs: 10,
  });
  const keeper = new Deno.Command(`${TEST_BUILD}keeper`, { args, stderr: "piped" }).spawn();
  await until("the keeper", () => inspectInstance(folder.path).kind === "running");
  for (
    const garbage of [[255, 255, 255, 255, 1, 0, 0, 0], [4, 0, 0, 0, 99, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]]
  ) {
    const connection = await Deno.connect({ transport: "unix", path: `${folder.path}/control` });
    await connection.write(Uint8Array.from(garbage));
    strictEqual(await connection.read(new Uint8Array(1)), null, "a malformed frame ends the connection");
    connection.close();
  }
  {
    using control = await KeeperControl.open(folder.path);
    await control.input(new TextEncoder().encode("through\n"));
    await control.signal("SIGWINCH");
    await control.endInput();
  }
  const { code, stderr } = await keeper.output();
  strictEqual(
    new TextDecoder().decode(stderr),
    "+",
    "all that a keeper says itself, once its child has begun",
  );
  strictEqual(code, 0);
  deepStrictEqual(texts(folder.path), ["through", "done"]);
  const status = inspectInstance(folder.path);
  ok(status.kind === "exited" && status.exit.code === 5);
});

for (const program of [assetPath("bin/keeper"), `${TEST_BUILD}keeper`]) {
  const how = program.startsWith(TEST_BUILD) ? "with" : "without";
  Deno.test(`much output at once is in the log byte by byte, ${how} sanitizers`, async () => {
    using folder = new Folder();
    const args = keeperArguments({
      folder: folder.path,
      command: ["sh", "-c", "seq 1000000; seq 1000000 >&2"],
      retainBytes: 2 ** 25,
    });
    const { code } = await new Deno.Command(program, { args, stdin: "null", stderr: "piped" }).output();
    strictEqual(code, 0);
    for (const stream of ["stdout", "stderr"] as const) {
      const lines = texts(folder.path, stream);
      strictEqual(lines.length, 1_000_000);
      ok(lines.every((text, at) => text === String(at + 1)), "each line once, in order");
    }
  });
}

Deno.test("input that nobody reads, of a client that has gone away, does not keep the keeper busy", async () => {
  using folder = new Folder();
  const keeper = startInstance({ folder: folder.path, command: ["sleep", "1000"], stdin: "pipe" });
  await keeper.begun;
  const client = await Deno.connect({ transport: "unix", path: `${folder.path}/control` });
  const frame = new Uint8Array(8 + 65_536);
  new Uint32Array(frame.buffer, 0, 2).set([65_536, 1]);
  // More than the child's pipe takes: 64 KiB. What the connection takes behind it tells that the keeper waits.
  const many = new Uint8Array(3 * frame.length);
  for (let at = 0; at < many.length; at += frame.length) many.set(frame, at);
  for (let at = 0; at < many.length;) at += await client.write(many.subarray(at));
  client.close();
  const state = () => / ([A-Z]) \d+ \d+ \d+ /.exec(Deno.readTextFileSync(`/proc/${keeper.pid}/stat`))?.[1];
  await until("a time of rest", async () => {
    for (let look = 0; look < 50; look++) {
      if (state() !== "S") return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  });
  Deno.kill(keeper.pid, "SIGTERM");
  strictEqual(await keeper.ended, 0);
});

Deno.test("a child has its listening sockets in their places, and no descriptor beside them", async () => {
  const starter = `
    import os, sys
    for at in range(16): os.dup2(0, 40 + at, True)
    os.dup2(0, 99, True)
    os.execv(sys.argv[1], sys.argv[1:])
  `.replaceAll(/^ {4}/gm, "");
  const listeners = Array.from({ length: 16 }, (_, at) => ({ fd: 40 + at, name: `n${at}` }));
  const begin = async (folder: string, command: [string, ...string[]]) => {
    const args = [
      "-c",
      starter,
      assetPath("bin/keeper"),
      ...keeperArguments({ folder, command, listeners }),
    ];
    const { code } = await new Deno.Command("python3", { args, stdin: "null", stderr: "inherit" }).output();
    strictEqual(code, 0);
  };
  using folder = new Folder();
  await begin(folder.path, ["sh", "-c", "ls /proc/$$/fd; echo $LISTEN_FDS $LISTEN_FDNAMES"]);
  const lines = texts(folder.path);
  const names = listeners.map(({ name }) => name).join(":");
  strictEqual(lines.at(-1), `16 ${names}`);
  deepStrictEqual(
    lines.slice(0, -1).map(Number).sort((a, b) => a - b),
    Array.from({ length: 19 }, (_, at) => at),
  );

  using missing = new Folder();
  await begin(missing.path, ["/no/such/program"]);
  const event = entries(missing.path).find((entry) => entry.kind === "event");
  match(event?.kind === "event" ? event.text : "", /cannot be run: No such file/);

  using wrong = new Folder();
  const options: KeeperOptions = {
    folder: wrong.path,
    command: ["true"],
    listeners: [{ fd: 7_777, name: "n" }],
  };
  throws(() => startInstance(options), /Cannot pass on descriptor 7777: Bad file descriptor/);
  const keeper = new Deno.Command(assetPath("bin/keeper"), {
    args: keeperArguments(options),
    stdin: "null",
    stderr: "piped",
  });
  const { code, stderr } = await keeper.output();
  strictEqual(code, 71);
  match(new TextDecoder().decode(stderr), /cannot take over a listening socket: Bad file descriptor/);
});

Deno.test("a keeper that is killed while it begins leaves no child behind", async () => {
  for (let round = 0; round < 60; round++) {
    using folder = new Folder();
    const keeper = startInstance({ folder: folder.path, command: ["tail", "-f", `${folder.path}/claim`] });
    const told = keeper.begun.catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    Deno.kill(keeper.pid, "SIGKILL");
    await Promise.all([keeper.ended, told]);
    await until("the child's end", () => !isNamedByProcess(folder.path));
  }
});

Deno.test("descendants that never stop talking do not keep the child's end from being told", async () => {
  using folder = new Folder();
  const status = await run(folder.path, ["sh", "-c", "yes & yes & yes & yes >&2 & exit 3"], {
    leftoverMs: 50,
  });
  ok(status.kind === "exited" && status.exit.code === 3);
});

/** Whether any process has these words among its arguments; a fork has those of its parent until it is a program. */
function isNamedByProcess(words: string): boolean {
  return [...Deno.readDirSync("/proc")].some(({ name }) => {
    try {
      return /^\d+$/.test(name) && Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(words);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || /ESRCH|No such process/.test(String(error))) return false;
      throw error;
    }
  });
}
