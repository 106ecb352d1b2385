/** The daemon as a process, fed by connections as Nix 2.30 makes them, and its clients. */
import { deepStrictEqual, doesNotMatch, match, ok, rejects, strictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { isInStore, isRegistered, readDerivation } from "../../lib/nix_btm/mod.ts";
import { freePort } from "../free_port.ts";
import { until } from "../keeper/_log.ts";
import { scenario } from "../nix/_scenarios.ts";
import { DaemonProcess, Follower } from "./_daemon.ts";

function textOf(name: string): string {
  return new TextDecoder().decode(scenario(name).bytes);
}

/** Both parts of a log, cut at the first line that has `mark`. */
function cutAt(text: string, mark: string): [string, string] {
  const at = text.lastIndexOf("\n", text.indexOf(mark)) + 1;
  return [text.slice(0, at), text.slice(at)];
}

Deno.test("two clients see what a fed log says as it comes, and one that comes later has it all", async () => {
  await using daemon = await new DaemonProcess().start();
  await using one = new Follower(daemon.control, daemon.folder);
  await using other = new Follower(daemon.control, daemon.folder);
  using feed = await daemon.connect();
  const [first, rest] = cutAt(
    textOf("03-diamond"),
    `"text":"building '/nix/store/nd7xsq7kw8az3jv0z3y3c78lr5l6g47l`,
  );
  await feed.write(first);
  for (const client of [one, other]) {
    await client.until(
      "three builds",
      () => Object.values(client.builds).filter((kind) => kind === "succeeded").length === 3,
    );
  }
  await using late = new Follower(daemon.control, daemon.folder);
  await late.until("the snapshot", () => late.client.standing.kind === "live");
  strictEqual(late.builds["dia-d"], "planned");
  await feed.write(rest);
  feed[Symbol.dispose]();
  const all = { "dia-a": "succeeded", "dia-b": "succeeded", "dia-c": "succeeded", "dia-d": "succeeded" };
  for (const client of [one, other, late]) {
    await client.until(
      "the end",
      () => [...client.client.worlds.get("")!.commands.values()][0]?.state === "succeeded",
    );
    deepStrictEqual(client.builds, all);
  }
  const [command] = late.client.worlds.get("")!.commands.values();
  deepStrictEqual([command!.requester.uid, command!.requester.pid], [Deno.uid(), Deno.pid]);
  const { out } = await daemon.run("status");
  match(out, /^#1 succeeded: 4 built, 0 running, 0 failed, 0 left/);
});

Deno.test("stream ends well when nobody reads it any more", async () => {
  await using daemon = await new DaemonProcess().start();
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", 'exec 3> >(:); wait $!; "$@" >&3', "bash", ...toolCommand("nix-btm"), "stream"],
    env: daemon.env,
  }).output();
  deepStrictEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
});

Deno.test("of a chain that fails one build is counted as failed, and what needs it as blocked", async () => {
  const port = freePort();
  await using daemon = await new DaemonProcess().start("--http", `127.0.0.1:${port}`);
  {
    using feed = await daemon.connect();
    await feed.write(textOf("06-fail-chain"));
  }
  const metrics = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await until("the blocked ones", async () => /builds_ended\{outcome="blocked"\} 2$/m.test(await metrics()));
  match(await metrics(), /builds_ended\{outcome="failed"\} 1$/m);
});

Deno.test("status tells why a command failed that built nothing", async () => {
  await using daemon = await new DaemonProcess().start();
  await using client = new Follower(daemon.control, daemon.folder);
  {
    using feed = await daemon.connect();
    const record = { action: "msg", level: 0, msg: "error: no attribute 'app'\nof 'set'", raw_msg: "…" };
    await feed.write(`@nix ${JSON.stringify(record)}\n`);
  }
  await client.until(
    "its end",
    () => client.client.worlds.get("")?.commands.values().some(({ state }) => state === "failed") === true,
  );
  const { out } = await daemon.run("status");
  match(out, /^#1 failed: 0 built.*\n {2}error {4}no attribute 'app'\n {11}of 'set'\n$/);
});

Deno.test("a daemon that is killed and started again is found by its clients, with the history of before", async () => {
  await using daemon = await new DaemonProcess().start();
  await using client = new Follower(daemon.control, daemon.folder);
  {
    using feed = await daemon.connect();
    await feed.write(textOf("06-fail-chain"));
  }
  await client.until("the failure", () => client.builds["fc-top"] === "failed");
  await daemon.stop("SIGKILL");
  await client.until("the loss", () => client.client.standing.kind === "lost");
  strictEqual(client.builds["fc-bad"], "failed", "what was known is still shown");
  await daemon.start();
  await client.until("the new one", () => client.client.standing.kind === "live");
  deepStrictEqual(client.builds, {});
  using feed = await daemon.connect();
  await feed.write(textOf("01-single"));
  await client.until("its build", () => client.builds["single-1.0"] === "succeeded");
  const history = await client.client.history({ limit: 10 });
  const bad = history.find(({ name }) => name === "fc-bad")!;
  deepStrictEqual([bad.outcome, bad.phase, bad.tail.at(-1)], [
    "failed",
    "buildPhase",
    "error: kaboom in fc-bad",
  ]);
  deepStrictEqual(await client.client.log({ file: bad.log! }), [
    "unpackPhase of fc-bad",
    "buildPhase of fc-bad",
    "about to fail",
    "error: kaboom in fc-bad",
  ]);
});

Deno.test("where the ring and the logs are tidied away clients go on, new ones come, and logs are kept", async () => {
  await using daemon = await new DaemonProcess().start();
  await using client = new Follower(daemon.control, daemon.folder);
  await client.until("the daemon", () => client.client.standing.kind === "live");
  await Deno.remove(`${daemon.folder}/run/updates.ring`);
  await Deno.remove(`${daemon.folder}/state/logs`, { recursive: true });
  await client.until("a new ring", () => existsSync(`${daemon.folder}/run/updates.ring`));
  await using other = new Follower(daemon.control, daemon.folder);
  using feed = await daemon.connect();
  await feed.write(textOf("06-fail-chain"));
  for (const each of [client, other]) {
    await each.until("the failure", () => each.builds["fc-bad"] === "failed");
  }
  const [bad] = await client.client.history({ name: "fc-bad", limit: 1 });
  strictEqual((await client.client.log({ file: bad!.log! })).at(-1), "error: kaboom in fc-bad");
});

Deno.test("50 clients at once keep nobody waiting, and are right in the end", async () => {
  await using daemon = await new DaemonProcess().start();
  const others = Array.from({ length: 50 }, () => new Follower(daemon.control, daemon.folder));
  await using stack = new AsyncDisposableStack();
  for (const each of others) stack.use(each);
  const text = textOf("05-wide-200-j8");
  // Each time other ids, as each process has them: 200 builds a round.
  for (let round = 1; round <= 10; round++) {
    using feed = await daemon.connect();
    await feed.write(
      text.replaceAll(/"id":(\d+)/g, (_, id: string) => `"id":${BigInt(id) + BigInt(round) * 2n ** 32n}`),
    );
  }
  for (const client of others) {
    await client.until("2,000 builds", () => {
      const world = client.client.worlds.get("");
      return world !== undefined && world.commands.size === 10 &&
        [...world.commands.values()].every(({ state }) => state === "succeeded");
    });
    const world = client.client.worlds.get("")!;
    strictEqual([...world.jobs.values()].filter(({ state }) => state.kind === "succeeded").length, 2_000);
  }
});

Deno.test("a log that breaks off leaves nothing running, and lines of a build are read whole while it runs", async () => {
  await using daemon = await new DaemonProcess().start();
  await using client = new Follower(daemon.control, daemon.folder);
  const feed = await daemon.connect();
  const [first] = cutAt(textOf("03-diamond"), "buildPhase of dia-a");
  await feed.write(first);
  await client.until("a build", () => client.builds["dia-a"] === "running");
  const [job] = [...client.client.worlds.get("")!.jobs.values()].filter(({ name }) => name === "dia-a");
  deepStrictEqual(await client.client.log({ job: job!.id }), ["unpackPhase of dia-a"]);
  feed[Symbol.dispose]();
  await client.until("its loss", () => client.builds["dia-a"] === "lost");
  strictEqual(Object.values(client.builds).includes("running"), false);
});

Deno.test("a socket that somebody answers on is refused, one that is left over is taken", async () => {
  await using daemon = await new DaemonProcess().start();
  const { code, err } = await daemon.run("daemon");
  ok(code !== 0);
  match(err, /Cannot listen on .*nix\.sock: Address already in use/);
  await daemon.stop("SIGKILL");
  await daemon.start();
  strictEqual(await daemon.stop(), 0);
  deepStrictEqual([...Deno.readDirSync(`${daemon.folder}/run`)].map(({ name }) => name).sort(), [
    "nix.sock",
    "updates.ring",
  ]);
});

Deno.test({
  name: "on a full disk builds are shown all the same, and what is lost is said (root, a tmpfs)",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using daemon = new DaemonProcess();
    const state = `${daemon.folder}/state`;
    await Deno.mkdir(state);
    const mount = await new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=400k", "tmpfs", state],
    }).output();
    ok(mount.success);
    try {
      await daemon.start();
      await Deno.writeFile(`${state}/filler`, new Uint8Array(390_000)).catch((error) =>
        match(error.message, /No space/)
      );
      {
        await using client = new Follower(daemon.control, daemon.folder);
        {
          using feed = await daemon.connect();
          await feed.write(textOf("05-wide-200-j8"));
        }
        await client.until(
          "200 builds",
          () => Object.values(client.builds).filter((kind) => kind === "succeeded").length === 200,
        );
      }
      strictEqual(await daemon.stop(), 0);
      match(daemon.log, /Cannot keep what was built: .*(No space left on device|database or disk is full)/);
    } finally {
      await new Deno.Command("umount", { args: [state] }).output();
    }
  },
});

Deno.test({
  name: "with --only-user logs of others are refused, and root's and that user's are taken (root, setpriv)",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using daemon = new DaemonProcess();
    await Deno.chmod(daemon.folder, 0o755);
    await daemon.start("--only-user", "daemon");
    await using client = new Follower(daemon.control, daemon.folder);
    // Each tells of another build, and is done with it when its connection ends.
    const write = async (uid: number | undefined, name: string) => {
      const text = textOf("01-single").replaceAll("single-1.0", name).replaceAll(/^@nix /gm, "");
      const words = uid === undefined
        ? []
        : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
      const [program, ...args] = [...words, "/usr/bin/python3", "-c", FEED, daemon.socket];
      const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "null", stderr: "null" })
        .spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text)).catch(() => "It was refused.");
      await writer.close().catch(() => "It was refused.");
      await child.status;
    };
    await write(65_534, "nobodys");
    await write(1, "daemons");
    await write(undefined, "roots");
    await client.until("the last one", () => client.builds.roots === "succeeded");
    deepStrictEqual(Object.keys(client.builds).sort(), ["daemons", "roots"]);
  },
});

/** Copies standard input to a unix socket. */
const FEED = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
`;

Deno.test("what is no plain derivation of a store is not opened, whoever names it", async () => {
  using folder = {
    path: Deno.makeTempDirSync(),
    [Symbol.dispose]: () => Deno.removeSync(folder.path, { recursive: true }),
  };
  const hash = "0".repeat(32);
  const path = (name: string) => `${folder.path}/${hash}-${name}.drv`;
  await Deno.writeTextFile(path("good"), "Derive()");
  await Deno.symlink("/dev/zero", path("endless"));
  await new Deno.Command("mkfifo", { args: [path("pipe")] }).output();
  await Deno.writeTextFile(path("large"), "");
  await Deno.truncate(path("large"), 64 * 2 ** 20);
  strictEqual(await readDerivation(path("good")), "Derive()");
  for (
    const wrong of [path("endless"), path("pipe"), path("large"), "/etc/shadow", `${path("good")}/../x.drv`]
  ) {
    await rejects(readDerivation(wrong), /^(Type|Range)Error: Cannot read derivation/);
  }
  await rejects(readDerivation(path("none")), Deno.errors.NotFound);
  deepStrictEqual([
    await isInStore(path("good")),
    await isInStore("/etc/passwd"),
    await isInStore(path("none")),
  ], [true, false, false]);
  strictEqual(await isRegistered(path("good")), false);
  await Deno.utime(path("good"), 1, 1);
  strictEqual(await isRegistered(path("good")), true);
  strictEqual(await isRegistered("/etc/passwd"), false);
});

Deno.test("a hook is run for each build that is over, and one that fails is told", async () => {
  await using daemon = new DaemonProcess();
  const told = `${daemon.folder}/told`;
  await daemon.start(
    "--hook",
    `echo "$NIX_BTM_NAME $NIX_BTM_OUTCOME $NIX_BTM_FAILURE" >> ${told}; test $NIX_BTM_OUTCOME != failed`,
  );
  {
    using feed = await daemon.connect();
    // What is planned and never begins is nobody's news.
    for (const msg of ["these 4 derivations will be built:", `  /nix/store/${"0".repeat(32)}-never.drv`]) {
      await feed.write(`@nix ${JSON.stringify({ action: "msg", level: 3, msg })}\n`);
    }
    await feed.write(textOf("06-fail-chain"));
  }
  await using client = new Follower(daemon.control, daemon.folder);
  await client.until(
    "the hooks",
    () => existsSync(told) && Deno.readTextFileSync(told).split("\n").length === 5,
  );
  match(Deno.readTextFileSync(told), /^fc-bad failed builder for .* failed with exit code 3$/m);
  match(Deno.readTextFileSync(told), /^fc-top blocked /m, "it was not even begun");
  doesNotMatch(Deno.readTextFileSync(told), /never/);
  await client.until("the warning", () => /The hook of fc-bad has ended with code 1/.test(daemon.log));
});

Deno.test("who connects and says nothing is no command", async () => {
  await using daemon = await new DaemonProcess().start();
  (await daemon.connect())[Symbol.dispose]();
  {
    using feed = await daemon.connect();
    await feed.write(textOf("01-single"));
  }
  await using client = new Follower(daemon.control, daemon.folder);
  await client.until("the build", () => client.builds["single-1.0"] === "succeeded");
  await client.until("that alone", () => client.client.worlds.get("")!.commands.size === 1);
});
