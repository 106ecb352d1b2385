/** The monitor's tools over stdio, asked by a client that we did not write. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { until } from "../keeper/_log.ts";
import { scenario } from "../nix/_scenarios.ts";
import { DaemonProcess } from "./_daemon.ts";

const [PROGRAM, ...ARGS] = toolCommand("nix-btm");

interface Answer {
  readonly text: string;
  readonly isError: boolean;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

class Asked implements AsyncDisposable {
  readonly #client = new Client({ name: "test", version: "1" });

  static async connect(env: Readonly<Record<string, string>>): Promise<Asked> {
    const asked = new Asked();
    await asked.#client.connect(
      new StdioClientTransport({
        command: PROGRAM,
        args: [...ARGS, "mcp"],
        env: { ...Deno.env.toObject(), ...env },
      }),
    );
    return asked;
  }

  async names(): Promise<string[]> {
    return (await this.#client.listTools()).tools.map(({ name }) => name);
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
    const result = await this.#client.callTool({ name, arguments: args });
    const [first] = result.content as { text: string }[];
    return { text: first!.text, isError: result.isError === true, data: result.structuredContent };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

// The client's own child is its business.
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "an assistant learns what runs, waits, failed and why, what was printed and what it costs",
  options,
  async () => {
    await using daemon = await new DaemonProcess().start();
    const text = (name: string) => new TextDecoder().decode(scenario(name).bytes);
    {
      using feed = await daemon.connect();
      await feed.write(text("06-fail-chain"));
    }
    await using asked = await Asked.connect(daemon.env);
    // Whatever is asked first, the daemon has answered before.
    strictEqual((await asked.call("list_builds")).isError, false);
    deepStrictEqual(await asked.names(), [
      "list_builds",
      "why_waiting",
      "failed_builds",
      "search_log",
      "expected_end",
      "history_statistics",
      "who_uses",
      "why_rebuilt",
    ]);
    using feed = await daemon.connect();
    const diamond = text("03-diamond");
    await feed.write(diamond.slice(0, diamond.lastIndexOf("\n", diamond.indexOf("buildPhase of dia-a")) + 1));
    await until("a build", async () => /running dia-a/.test((await asked.call("list_builds")).text));
    const { data } = await asked.call("list_builds", { over: true });
    deepStrictEqual(data.commands.map(({ state }: { state: string }) => state), ["failed", "running"]);
    const failed = await asked.call("failed_builds", { name: "fc-bad", lines: 2 });
    match(
      failed.text,
      /^fc-bad: builder for .* failed with exit code 3 in buildPhase \(.*\)\n {2}about to fail\n {2}error: kaboom/,
    );
    {
      using feed = await daemon.connect();
      await feed.write('@nix {"action":"msg","level":0,"msg":"error: no attribute \'app\'","raw_msg":"…"}\n');
    }
    await until(
      "the failed command",
      async () =>
        /^ {2}error: no attribute 'app'$/m.test((await asked.call("list_builds", { over: true })).text),
    );
    match(
      (await asked.call("failed_builds")).text,
      /^command #\d+ failed: .*\n {2}no attribute 'app'$/m,
    );
    const found = await asked.call("search_log", { build: "fc-bad", text: "KABOOM", context: 1 });
    ok((await asked.call("failed_builds", { hours: 1e300 })).isError);
    deepStrictEqual(found.data, {
      total: 4,
      lines: [{ number: 3, text: "about to fail" }, { number: 4, text: "error: kaboom in fc-bad" }],
    });
    strictEqual((await asked.call("search_log", { build: "dia-a" })).text, "1: unpackPhase of dia-a");
    match((await asked.call("why_waiting", { build: "dia-d" })).text, /^dia-d: waiting for /);
    const end = await asked.call("expected_end");
    strictEqual(end.data.commands[0].builds_left, 4);
    match(
      (await asked.call("history_statistics")).text,
      /^fc-bad: 1 build, 1 failed, .* in all, none succeeded$/m,
    );
    match((await asked.call("who_uses")).text, / on .*: 1 build runs; /);
    const nothing = await asked.call("why_rebuilt", { build: "dia-a" });
    ok(nothing.isError);
    match(nothing.text, /nothing of the name dia-a was built before; give "before"/);
    match((await asked.call("why_waiting", { build: "nobody" })).text, /no build is known as "nobody"/);
  },
);

Deno.test("without a daemon an assistant is told so, and is served once there is one", options, async () => {
  await using daemon = new DaemonProcess();
  await using asked = await Asked.connect(daemon.env);
  match((await asked.call("list_builds")).text, /^there is no daemon: .*; start one with nix-btm daemon$/);
  await daemon.start();
  await until("the daemon", async () => !(await asked.call("list_builds")).isError);
});

Deno.test("what a client leaves behind that was killed is removed by the next one, of one that lives never", async () => {
  await using daemon = await new DaemonProcess().start();
  const folder = `${daemon.folder}/tmp`;
  Deno.mkdirSync(folder);
  Deno.mkdirSync(`${folder}/hostkit-other-tool`);
  const left = () =>
    [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== "hostkit-other-tool");
  /** One that follows the daemon: it answers as soon as it has a folder. */
  const follow = async () => {
    const child = new Deno.Command(PROGRAM, {
      args: [...ARGS, "mcp"],
      env: { ...daemon.env, TMPDIR: folder },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    const request = { jsonrpc: "2.0", id: 1, method: "ping" };
    await writer.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const reader = child.stdout.getReader();
    await reader.read();
    return {
      kill: () => child.kill("SIGKILL"),
      async end() {
        await writer.close().catch(() => "It was killed.");
        await child.status;
        await reader.cancel();
      },
    };
  };
  const killed = await follow();
  const [first] = left();
  const lives = await follow();
  deepStrictEqual(left().length, 2);
  killed.kill();
  await killed.end();
  ok(left().includes(first!));
  const last = await follow();
  deepStrictEqual([left().length, left().includes(first!)], [2, false]);
  await last.end();
  await lives.end();
  deepStrictEqual(left(), []);
  ok(Deno.statSync(`${folder}/hostkit-other-tool`).isDirectory);
});
