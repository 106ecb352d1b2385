/** `ichimi-server proxy` as a program, and clients that others wrote. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { until } from "../keeper/_log.ts";
import { everything } from "../mcp/everything/mod.ts";
import { denoDir, FIXTURE_COMMAND, runPackage, startFixture } from "../mcp/outside_tools.ts";
import { fragile, INITIALIZE } from "./behind.ts";

const [PROGRAM, ...ARGS] = toolCommand("ichimi-server");
const SERVER = [Deno.execPath(), ...FIXTURE_COMMAND, "stdio"];

/** The text of a result. */
function textOf({ content }: { content?: unknown }): string {
  return (content as { text: string }[])[0]!.text;
}

function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

for (const [mode, version] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]] as const) {
  for (const transport of ["stdio", "HTTP"] as const) {
    // The library's client leaves its timers for a process that does not end.
    const name = `proxy: the official client speaks ${version} to a server over ${transport} that is killed`;
    Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
      await using stack = new AsyncDisposableStack();
      const fixture = transport === "HTTP" ? stack.use(await startFixture()) : undefined;
      const behind = fixture === undefined
        ? ["--", ...SERVER]
        : ["--url", `http://127.0.0.1:${fixture.port}/mcp`];
      const client = new Client({ name: "tester", version: "9" }, { versionNegotiation: { mode } });
      stack.defer(() => client.close());
      const args = [...ARGS, "proxy", "--tools", ...behind];
      await client.connect(new StdioClientTransport({ command: PROGRAM, args, stderr: "ignore" }));
      strictEqual(client.getNegotiatedProtocolVersion(), version);
      const own = ["proxy_status", "proxy_restart", "proxy_logs"];
      deepStrictEqual(
        (await client.listTools()).tools.map(({ name }) => name),
        [...everything().tools.map(({ name }) => name), ...own],
      );
      strictEqual(
        textOf(await client.callTool({ name: "greet", arguments: { name: "you" } })),
        "Hello, you!",
      );
      if (transport === "stdio") {
        const status = textOf(await client.callTool({ name: "proxy_status", arguments: {} }));
        Deno.kill(Number(/pid (\d+)/.exec(status)?.[1]), "SIGUSR1");
      } else await client.callTool({ name: "proxy_restart", arguments: {} });
      const slow = client.callTool({ name: "slow_compute", arguments: { seconds: 0.1, label: "pi" } });
      strictEqual(textOf(await slow), "computed pi");
      strictEqual((await client.listResources()).resources.length, 3);
      strictEqual((await client.getPrompt({ name: "test_simple_prompt" })).messages.length, 1);
    });
  }
}

Deno.test("proxy: the Inspector lists and calls tools through it", async () => {
  // The Inspector takes no words behind "--", and has a --config of its own: a name stands for them.
  const folder = await Deno.makeTempDir({ prefix: "mcp-proxy-" });
  await Deno.mkdir(`${folder}/hostkit`);
  await Deno.writeTextFile(
    `${folder}/hostkit/ichimi.toml`,
    `[proxy.fixture]\ncommand = ${JSON.stringify(SERVER)}\n`,
  );
  const inspect = async (...args: string[]) => {
    const env = ["-e", `DENO_DIR=${denoDir()}`, "-e", `XDG_CONFIG_HOME=${folder}`];
    const target = [PROGRAM, ...ARGS, "proxy", "fixture", ...env];
    const { stdout, stderr } = await runPackage("inspector", ["--cli", ...target, ...args]);
    return stdout + stderr;
  };
  const list = await inspect("--method", "tools/list");
  ok(list.includes('"tools"'), list);
  const { tools }: { tools: { name: string }[] } = JSON.parse(list.slice(list.indexOf("{")));
  deepStrictEqual(tools.map(({ name }) => name), everything().tools.map(({ name }) => name));
  const greeting = await inspect(
    ...["--method", "tools/call", "--tool-name", "greet", "--tool-arg", "name=you"],
  );
  ok(greeting.includes("Hello, you!"), greeting);
  await Deno.remove(folder, { recursive: true });
});

const WRONG: [words: string[], told: RegExp][] = [
  [[], /say what to stand in front of: COMMAND, --url or NAME/],
  [["--url", "ftp://example.org/"], /"ftp:\/\/example\.org\/" is no HTTP address/],
  [["other", "--config", "FILE"], /the configuration has no table \[proxy\.other\]: there is mine/],
  [["mine", "--config", "FILE"], /say what to stand in front of/],
];

Deno.test("proxy: a command line that names no server is told", async () => {
  const file = await Deno.makeTempFile({ suffix: ".toml" });
  await Deno.writeTextFile(file, "[proxy.mine]\ntools = true\n");
  for (const [words, told] of WRONG) {
    const args = [...ARGS, "proxy", ...words.map((word) => word === "FILE" ? file : word)];
    const { code, stderr } = await new Deno.Command(PROGRAM, { args, stdin: "null" }).output();
    strictEqual(code, 2);
    match(new TextDecoder().decode(stderr), told);
  }
  await Deno.remove(file);
});

/** The proxy as a process with pipes, in front of what a configuration names. */
async function startNamed(folder: string): Promise<Deno.ChildProcess> {
  const [program, ...args] = fragile();
  // It starts another one that leaves its session, as servers do that start browsers.
  const words = [
    "/bin/sh",
    "-c",
    'setsid sleep 1000 & echo "helper $!" >&2; exec "$@"',
    "sh",
    program,
    ...args,
  ];
  const file = `${folder}/ichimi.toml`;
  const table = `[proxy.mine]\ncommand = ${
    JSON.stringify(words)
  }\nenv = { MINE = "1" }\nfolder = "${folder}"\n`;
  await Deno.writeTextFile(file, table);
  return new Deno.Command(PROGRAM, {
    args: [...ARGS, "proxy", "mine", "--config", file],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What a stream says until it matches; nothing is read behind that. */
async function readUntil(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const [reader, decoder] = [stream.getReader(), new TextDecoder()];
  let text = "";
  while (!pattern.test(text)) {
    const { value, done } = await reader.read();
    ok(!done, `the stream ended after ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return text;
}

for (const end of ["SIGKILL", "SIGTERM", "the client's end"] as const) {
  Deno.test(`proxy: nothing of a server is left after ${end}, what has left its session included`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "mcp-proxy-" });
    const child = await startNamed(folder);
    const writer = child.stdin.getWriter();
    const say = (message: unknown) => writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
    await say(INITIALIZE);
    await say({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "lines", arguments: {} } });
    const said = await readUntil(child.stdout, /"id":1/);
    const pid = Number(/\\"pid\\":(\d+)/.exec(said)?.[1]);
    const errors = await readUntil(child.stderr, /helper \d+\n/);
    const helper = Number(/helper (\d+)/.exec(errors)?.[1]);
    ok(lives(pid) && lives(helper), said + errors);
    match(Deno.readTextFileSync(`/proc/${pid}/environ`), /(^|\0)MINE=1\0/);
    strictEqual(Deno.readLinkSync(`/proc/${pid}/cwd`), folder);
    if (end === "the client's end") await writer.close();
    else child.kill(end);
    await child.status;
    await child.stdout.cancel();
    await child.stderr.cancel();
    await until("the end of all", () => !lives(pid) && !lives(helper));
    await writer.abort().catch(() => "It is closed.");
    await Deno.remove(folder, { recursive: true });
  });
}
