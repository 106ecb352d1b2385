/** Logs of builds, by `nix-btm log` and by `search_log`: of this host's builds, of another's, and of none. */
import { deepStrictEqual, doesNotMatch, match, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import type { ToolContext } from "../../lib/mcp/mod.ts";
import { emptyWorld, type JobRow, nixTools, type NixView } from "../../lib/nix_btm/mod.ts";
import { freePort } from "../free_port.ts";
import { scenario } from "../nix/_scenarios.ts";
import { DaemonProcess, Follower } from "./_daemon.ts";

/** All lines of a scenario up to the first one that a builder has printed. */
function untilItPrints(name: string): string {
  const lines = new TextDecoder().decode(scenario(name).bytes).split("\n");
  const first = lines.findIndex((line) => line.includes('"action":"result"') && line.includes('"type":101'));
  return `${lines.slice(0, first + 1).join("\n")}\n`;
}

Deno.test("nix-btm log: what a running build has printed, here and on another host; else why there is nothing", async () => {
  const port = freePort();
  await using far = await new DaemonProcess().start("--http", `127.0.0.1:${port}`);
  await using near = new DaemonProcess();
  const none = await near.run("log", "single");
  match(
    none.err,
    /^nix-btm: Cannot find a log of "single": the daemon at .*control\.sock: there is no such socket/,
  );
  strictEqual(none.code, 1);
  await near.start("--host", `far=http://127.0.0.1:${port}`);
  match((await near.run("log", "single")).err, /the daemon has seen no build of it/);
  await using client = new Follower(near.control, near.folder);
  using feed = await far.connect();
  await feed.write(untilItPrints("01-single"));
  await client.until("its line", () => client.client.worlds.get("far")?.tails.size === 1);
  const here = await far.run("log", "single");
  strictEqual(here.out.split("\n").length, 2);
  strictEqual((await near.run("log", "single")).out, here.out);
});

Deno.test("nix-btm log: a pipe gets what the build has printed, a terminal its colours and nothing else", async () => {
  await using daemon = await new DaemonProcess().start();
  const line = "\x1b[31mred\x1b[2J\x1b]52;c;eA==\x07 \x9b2Jend";
  {
    using feed = await daemon.connect();
    const text = untilItPrints("01-single").trimEnd().split("\n");
    await feed.write([...text.slice(0, -1), withLine(text.at(-1)!, line), ""].join("\n"));
  }
  await using client = new Follower(daemon.control, daemon.folder);
  await client.until("the build", () => Object.keys(client.builds).length === 1);
  strictEqual((await daemon.run("log", "single")).out, `${line}\n`);

  const words = [...toolCommand("nix-btm"), "log", "single"].map((word) => `'${word}'`).join(" ");
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", words, "/dev/null"],
    env: daemon.env,
    stdin: "null",
  }).output();
  strictEqual(new TextDecoder().decode(stdout), "\x1b[31mred 2Jend\x1b[0m\r\n");
});

Deno.test("nix-btm log: on a terminal a log that Nix keeps loses the same, and its exit code stays", async () => {
  await using daemon = new DaemonProcess();
  Deno.writeTextFileSync(
    `${daemon.folder}/nix-store`,
    `#!/bin/sh\nprintf 'a\\033[31mb\\033[2J\\033]0;t\\007\\n%s' "$2"\nexit 3\n`,
    { mode: 0o755 },
  );
  const path = "/nix/store/2dgjm3r4incpk99lwvgylmjm89lh5ilw-single.drv";
  const words = [...toolCommand("nix-btm"), "log", path].map((word) => `'${word}'`).join(" ");
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", words, "/dev/null"],
    env: { ...daemon.env, PATH: `${daemon.folder}:${Deno.env.get("PATH")}` },
    stdin: "null",
  }).output();
  strictEqual(new TextDecoder().decode(stdout), `a\x1b[31mb\x1b[0m\r\n${path}\r\n`);
  strictEqual(code, 3);
});

Deno.test("nix-btm stream: what comes is JSON that no terminal obeys", async () => {
  await using daemon = await new DaemonProcess().start();
  using feed = await daemon.connect();
  const text = untilItPrints("01-single").trimEnd().split("\n");
  await feed.write([...text.slice(0, -1), withLine(text.at(-1)!, "\x9b2J"), ""].join("\n"));
  await using client = new Follower(daemon.control, daemon.folder);
  await client.until("its line", () => client.client.worlds.get("")?.tails.size === 1);
  const [program, ...words] = toolCommand("nix-btm");
  const child = new Deno.Command(program, {
    args: [...words, "stream"],
    env: daemon.env,
    stdout: "piped",
  }).spawn();
  let told = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    if ((told += part).includes("\n")) break;
  }
  child.kill("SIGTERM");
  await child.status;
  const line = told.slice(0, told.indexOf("\n"));
  doesNotMatch(line, /\p{Cc}/u);
  deepStrictEqual(JSON.parse(line).update.lines[0].lines, ["\x9b2J"]);
});

/** The record of a line of a build's log, with another line. */
function withLine(record: string, line: string): string {
  const { fields: _, ...rest } = JSON.parse(record.slice("@nix ".length));
  const { action, ...others } = { ...rest, fields: [line] };
  return `@nix ${JSON.stringify({ action, ...others })}`;
}

Deno.test("search_log: a number of another host's build is no number of this host's daemon", async () => {
  const world = emptyWorld();
  const job: JobRow = {
    id: 7,
    command: 1,
    kind: "build",
    subject: "/nix/store/2dgjm3r4incpk99lwvgylmjm89lh5ilw-single.drv",
    name: "single",
    host: "",
    to: "",
    state: { kind: "running" },
    startedMs: 0,
    endedMs: undefined,
    doneBytes: 0,
    expectedBytes: 0,
    phases: [],
    lineCount: 1,
  };
  world.jobs.set(7, job);
  world.tails.set(7, ["a line over there"]);
  const view: NixView = {
    worlds: new Map([["", emptyWorld()], ["far", world]]),
    hostname: "here",
    now: () => 0,
    history: () => Promise.resolve([]),
    statistics: () => Promise.resolve([]),
    log: () => Promise.resolve(["a line of another build"]),
    derivation: () => Promise.reject(new Error("there is none")),
  };
  const tool = nixTools(view).find(({ name }) => name === "search_log")!;
  const { signal } = new AbortController();
  const { text } = await tool.run({ build: "single" }, { signal } as ToolContext) as { text: string };
  strictEqual(text, "1: a line over there");
});
