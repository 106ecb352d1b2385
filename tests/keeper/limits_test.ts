/** A keeper at its limits: full logs, long messages, many clients, no descriptors, failures before the child began. */
import { existsSync } from "node:fs";
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { assetPath } from "../../ffi/assets.ts";
import { keeperArguments } from "../../ffi/keeper/mod.ts";
import { processStart } from "../../ffi/ring/mod.ts";
import { adoptListeners, openListener, withInherited } from "../../ffi/sockets/mod.ts";
import { TEST_BUILD } from "../../lib/build/paths.ts";
import { inspectInstance, KeeperControl, type KeeperOptions, startInstance } from "../../lib/keeper/mod.ts";
import { Consumer, Folder, until } from "./_log.ts";

const IS_ROOT = Deno.uid() === 0;
const SEGMENT_BYTES = 4_096;
/** Two small segments, then the child waits. */
const SMALL = {
  segmentBytes: SEGMENT_BYTES,
  retainBytes: 2 * (SEGMENT_BYTES + 8_192),
  overflow: "block",
} as const;

const PRELUDE = `
import os, socket, sys
def notify(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    s.send(text)
def fill(): os.write(1, b"0123456789abcde\\n" * 2000)
`;

function python(body: string): [string, ...string[]] {
  return ["python3", "-c", PRELUDE + body];
}

/** Bytes of the log's files: what a full one has. */
function isFull(folder: string): boolean {
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".seg")).length === 2;
}

Deno.test("a message that comes while the log is full is there as soon as there is room", async () => {
  using folder = new Folder();
  const body = `fill(); notify(b"READY=1"); open("${folder.path}/sent", "w").close()`;
  const keeper = startInstance({ folder: folder.path, command: python(body), notify: true, ...SMALL });
  await keeper.begun;
  await until("the message", () => existsSync(`${folder.path}/sent`));
  await until("a full log", () => isFull(folder.path));
  using log = new Consumer(folder.path, SEGMENT_BYTES);
  await until("the end", () => (log.take(), log.ended));
  deepStrictEqual(log.words(), ["READY"]);
  strictEqual(log.entries.filter(({ kind }) => kind === "line").length, 2_000);
  strictEqual(await keeper.ended, 0);
});

Deno.test("a message after a time of a full log does not wait for output", async () => {
  using folder = new Folder();
  const body = `fill(); sys.stdin.readline(); notify(b"READY=1"); sys.stdin.readline()`;
  const keeper = startInstance({
    folder: folder.path,
    command: python(body),
    notify: true,
    stdin: "pipe",
    ...SMALL,
  });
  await keeper.begun;
  await until("a full log", () => isFull(folder.path));
  using log = new Consumer(folder.path, SEGMENT_BYTES);
  await until("all output", () => (log.take(), log.entries.length === 2_000));
  using control = await KeeperControl.open(folder.path);
  await control.input(new TextEncoder().encode("go\n"));
  await until("the message", () => (log.take(), log.words().includes("READY")));
  await control.stop(0);
  strictEqual(await keeper.ended, 0);
});

Deno.test("the keeper's own words wait for room too", async () => {
  using folder = new Folder();
  const owner = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const keeper = startInstance({
    folder: folder.path,
    command: python(`import time; fill(); time.sleep(1000)`),
    owner: { pid: owner.pid, startTicks: processStart(owner.pid) },
    leftoverMs: 20_000,
    ...SMALL,
  });
  await keeper.begun;
  await until("a full log", () => isFull(folder.path));
  owner.kill("SIGKILL");
  await owner.status;
  await until("the child's end", () => inspectInstance(folder.path).kind === "exited");
  using log = new Consumer(folder.path, SEGMENT_BYTES);
  await until("the end", () => (log.take(), log.ended));
  deepStrictEqual(log.words(), ["the process that owns this instance has ended"]);
  strictEqual(await keeper.ended, 0);
});

Deno.test("a message that is too long is cut, and that is told", async () => {
  using folder = new Folder();
  const body = `notify(b"STATUS=" + b"x" * 5000); notify(b""); notify(b"READY=1")`;
  const keeper = startInstance({ folder: folder.path, command: python(body), notify: true });
  strictEqual(await keeper.ended, 0);
  using log = new Consumer(folder.path, 1 << 18);
  log.take();
  deepStrictEqual(log.words(), ["STATUS", "a notification of 5007 bytes was cut to 4096", "READY"]);
  const [first] = log.entries;
  strictEqual(first?.kind === "notify" && first.values["STATUS"]?.length, 4_096 - "STATUS=".length);
});

Deno.test("clients that say nothing make place for those who do", async () => {
  using folder = new Folder();
  const keeper = startInstance({ folder: folder.path, command: ["sleep", "1000"] });
  await keeper.begun;
  const path = `${folder.path}/control`;
  const idle: Deno.UnixConn[] = [];
  for (let at = 0; at < 8; at++) idle.push(await Deno.connect({ transport: "unix", path }));
  // In the middle of a frame: it is spared.
  await idle[0]!.write(Uint8Array.of(4, 0, 0));
  using control = await KeeperControl.open(folder.path);
  strictEqual(await idle[1]!.read(new Uint8Array(1)), null, "the one that was silent longest had to go");
  await idle[0]!.write(Uint8Array.of(0, 4, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0)); // SIGWINCH
  await control.stop(0);
  strictEqual(await keeper.ended, 0);
  for (const each of idle) each.close();
});

Deno.test("a keeper without free descriptors rests, and takes connections when it has some again", async () => {
  using folder = new Folder();
  const args = keeperArguments({ folder: folder.path, command: ["sleep", "1000"] });
  const limited = ["-c", `ulimit -n 16; exec "$0" "$@"`, assetPath("bin/keeper"), ...args];
  const keeper = new Deno.Command("sh", { args: limited, stdin: "null", stderr: "null" }).spawn();
  await until("the child", () => inspectInstance(folder.path).kind === "running");
  const path = `${folder.path}/control`;
  const many: Deno.UnixConn[] = [];
  for (let at = 0; at < 12; at++) many.push(await Deno.connect({ transport: "unix", path }));
  // Its descriptors are used up, and still somebody waits.
  await until("its last descriptor", () => [...Deno.readDirSync(`/proc/${keeper.pid}/fd`)].length === 16);
  const spent = () => Number(/\) \S (?:\S+ ){10}(\d+) (\d+)/.exec(stat(keeper.pid))?.slice(1).reduce(plus));
  const before = spent();
  await new Promise((resolve) => setTimeout(resolve, 300));
  ok(spent() - before < 10, "it does not spend its time with asking"); // ticks of 10 ms
  for (const each of many) each.close();
  using control = await KeeperControl.open(folder.path);
  await control.stop(0);
  strictEqual((await keeper.status).code, 0);
});

Deno.test("only output gets large pipes, and without rights moderate ones", async () => {
  const body = "import fcntl; print(*(fcntl.fcntl(fd, 1032) for fd in (0, 1, 2)))"; // F_GETPIPE_SZ
  const size = async (options: Partial<KeeperOptions>, user?: number) => {
    using folder = new Folder();
    const args = keeperArguments({
      folder: folder.path,
      command: ["python3", "-c", body],
      stdin: "pipe",
      ...options,
    });
    if (user !== undefined) Deno.chownSync(folder.path, user, user);
    const as = user === undefined ? {} : { uid: user, gid: user };
    const keeper = new Deno.Command(assetPath("bin/keeper"), {
      args,
      stdin: "null",
      stderr: "piped",
      cwd: "/",
      ...as,
    });
    strictEqual((await keeper.output()).code, 0);
    using log = new Consumer(folder.path, 1 << 18);
    log.take();
    const [line] = log.entries;
    return line?.kind === "line" ? line.line.text : "";
  };
  match(await size({}), IS_ROOT ? /^65536 1048576 1048576$/ : /^\d+ \d+ \d+$/);
  if (IS_ROOT) match(await size({}, 65_534), /^65536 262144 262144$/);
});

Deno.test("an instance whose keeper failed before its child began is not lost: nothing ever ran", async () => {
  using folder = new Folder();
  // A folder in the place of the socket.
  Deno.mkdirSync(`${folder.path}/control`);
  const keeper = startInstance({ folder: folder.path, command: ["true"] });
  await rejects(keeper.begun, /cannot bind the control socket: Address already in use/);
  strictEqual(await keeper.ended, 71);
  deepStrictEqual(inspectInstance(folder.path), { kind: "unstarted" });
});

Deno.test("a keeper in a folder on a long path is told, asked and notified like any other", async () => {
  using folder = new Folder();
  const long = `${folder.path}/${"x".repeat(150)}/${"y".repeat(150)}`;
  Deno.mkdirSync(long, { recursive: true });
  await rejects(KeeperControl.open(long), Deno.errors.NotFound);
  const body = `notify(b"READY=1"); print(len(sys.stdin.read()))`;
  const keeper = startInstance({ folder: long, command: python(body), notify: true, stdin: "pipe" });
  await keeper.begun;
  {
    using control = await KeeperControl.open(long);
    await control.input(new Uint8Array(300_000).fill(97));
    await control.endInput();
  }
  strictEqual(await keeper.ended, 0);
  using log = new Consumer(long, 1 << 18);
  log.take();
  deepStrictEqual(log.words(), ["READY"]);
  deepStrictEqual(log.entries.flatMap((each) => each.kind === "line" ? [each.line.text] : []), ["300000"]);
  deepStrictEqual([...Deno.readDirSync(long)].filter(({ name }) => !name.endsWith(".seg")).length, 1);
});

Deno.test("numbers that do not fit a frame are refused", async () => {
  using folder = new Folder();
  const keeper = startInstance({ folder: folder.path, command: ["sleep", "1000"] });
  await keeper.begun;
  using control = await KeeperControl.open(folder.path);
  for (const graceMs of [-1, 2 ** 32, NaN]) throws(() => control.stop(graceMs), RangeError);
  throws(() => control.window(65_536, 1), /Cannot set the window's size: 65536 does not lie in 0\.\.65535/);
  throws(() => control.window(1, -1), RangeError);
  await control.stop(0);
  strictEqual(await keeper.ended, 0);
});

Deno.test("under sanitizers: sockets given away, messages cut, clients in and out, a full log", async () => {
  using folder = new Folder();
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  const args = keeperArguments({
    folder: folder.path,
    command: python(`notify(b"x=" + b"y" * 9000); fill(); notify(b"READY=1"); sys.stdin.readline()`),
    notify: true,
    stdin: "pipe",
    listeners: [{ fd: listener.fd, name: "web" }, { fd: listener.fd, name: "held", passed: false }],
    ...SMALL,
  });
  const command = new Deno.Command(`${TEST_BUILD}keeper`, { args, stdin: "null", stderr: "piped" });
  const keeper = withInherited([listener.fd], () => command.spawn());
  await until("the child", () => inspectInstance(folder.path).kind === "running");
  const idle: Deno.UnixConn[] = [];
  for (let at = 0; at < 20; at++) {
    idle.push(await Deno.connect({ transport: "unix", path: `${folder.path}/control` }));
    const adopted = await adoptListeners(folder.path);
    deepStrictEqual(adopted.map(({ name }) => name), ["web", "held"]);
    for (const each of adopted) each.listener[Symbol.dispose]();
  }
  using log = new Consumer(folder.path, SEGMENT_BYTES);
  await until("the message", () => (log.take(), log.words().includes("READY")));
  // Records of such a small log are small: 512 bytes with their headers.
  deepStrictEqual(log.words(), ["x", "a notification of 9002 bytes was cut to 496", "READY"]);
  using control = await KeeperControl.open(folder.path);
  await control.input(new TextEncoder().encode("end\n"));
  await until("the end", () => (log.take(), log.ended));
  const { code, stderr } = await keeper.output();
  deepStrictEqual([code, new TextDecoder().decode(stderr)], [0, "+"]);
  for (const each of idle) each.close();
});

function stat(pid: number): string {
  return Deno.readTextFileSync(`/proc/${pid}/stat`);
}

function plus(left: string, right: string): string {
  return String(Number(left) + Number(right));
}
