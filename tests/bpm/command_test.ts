/** `bpm` as it is called: serving, asking, upgrading in place, over stdio, and ending. */
import { more } from "../more.ts";
import { match, ok, strictEqual } from "node:assert/strict";
import { findHierarchies } from "../../lib/supervisor/cgroups.ts";
import { ENVELOPE } from "../mcp/serving.ts";
import { Served } from "./_served.ts";

/** One whose manager somebody else starts. */
class Project extends Served {
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.run("down");
    await super[Symbol.asyncDispose]();
  }
}

const SLEEPER = '[process.api]\ncommand = ["sh", "-c", "echo pid $$; exec sleep 1000"]\n';

Deno.test("a manager is asked by commands, upgraded in place, and ended from elsewhere", async () => {
  await using project = new Project(
    `${SLEEPER}[process.once]\ncommand = ["echo", "said once"]\nrestart = "never"\n`,
  );
  const manager = project.command(["serve", project.folder]).spawn();
  const echoed = new Response(manager.stdout).text();
  const reader = manager.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const log = async (pattern: RegExp) => {
    for (let text = ""; !pattern.test(text);) {
      const { value, done } = await reader.read();
      ok(!done, `the manager ended: ${text}`);
      text += value;
    }
  };
  await log(/all processes were started/);
  match((await project.run("status")).out, /^Mode: Release\n[^]* {2}api: running/);
  const pid = /pid (\d+)/.exec((await project.run("logs", "api")).out)?.[1];
  ok(pid !== undefined);
  strictEqual((await project.run("wait", "once", "--exit")).code, 0);

  manager.kill("SIGHUP");
  await log(/becoming a newer manager[^]*all processes were started/);
  match((await project.run("logs", "api")).out, new RegExp(`^pid ${pid}$`, "m"));
  const [service] = JSON.parse((await project.run("status", "--json")).out).services;
  strictEqual(service.pid, Number(pid), "the process went on");

  strictEqual(
    (await project.run("restart", "api")).out,
    "Process 'api' restarted successfully in dev mode\n",
  );
  strictEqual(
    (await project.run("stop", "api", "api")).out,
    "Process 'api' stopped\n".repeat(2),
    "several are taken in their order",
  );
  strictEqual((await project.run("start", "api")).code, 0);
  const refused = await project.run("restart", "web");
  strictEqual(refused.code, 1);
  match(refused.err, /^bpm: Process 'web' not found/);
  strictEqual((await project.run("down")).code, 0);
  await reader.cancel();
  strictEqual((await manager.status).code, 0);
  strictEqual((await echoed).split("[once] said once\n").length - 1, 1, "not again after the upgrade");
  const nobody = await project.run("status");
  match(nobody.err, /nobody answers there; start it with: bpm serve/);
});

Deno.test("a mistyped command is told, and a folder without a file how it gets one", async () => {
  await using project = new Project(SLEEPER);
  const mistyped = await project.run("lits");
  match(mistyped.err, /^bpm: unknown command "lits"; did you mean "list"\?/);
  strictEqual(mistyped.code, 2);
  match((await project.run("projects")).err, /^bpm: Cannot open project projects: there is no such folder/);
  Deno.mkdirSync(`${project.folder}/lits`);
  match(
    (await project.run("lits")).err,
    /^bpm: Cannot open project .*\/lits: it has no \.mcp-run; bpm init writes/,
  );
});

Deno.test("over stdio a client has the project's manager, which is started for it and stays", async () => {
  await using project = new Project(SLEEPER);
  const client = project.command(["mcp"], { stdin: "piped" }).spawn();
  const lines = client.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = client.stdin.getWriter();
  const ask = async (method: string, params: unknown): Promise<string> => {
    await writer.write(
      new TextEncoder().encode(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })}\n`),
    );
    let text = "";
    while (!text.includes("\n")) text += await more(lines);
    return text;
  };
  const hello = {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  };
  match(await ask("initialize", hello), /"serverInfo":\{"name":"background-process-manager"/);
  await writer.write(new TextEncoder().encode('{"jsonrpc":"2.0","method":"notifications/initialized"}\n'));
  match(
    await ask("tools/call", { name: "wait", arguments: { process: "api", state: "running" } }),
    /is running/,
  );
  await writer.close();
  await lines.cancel();
  await client.stderr.cancel();
  strictEqual((await client.status).code, 0);
  match((await project.run("status")).out, /api: running/);
});

const CAN_LIMIT = Deno.uid() === 0 &&
  findHierarchies().some(({ controllers }) => controllers.includes("pids"));

Deno.test("with exactly its own permissions it tells what is used and who has a port, and sets limits", async () => {
  using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using project = new Project(
    `${SLEEPER}[process.web]\ncommand = ["sleep", "1000"]\nlisten = "127.0.0.1:${busy.addr.port}"
[process.watched]\ncommand = ["sleep", "1000"]\nport = 0\nwatch = { paths = ["*.none"] }
${CAN_LIMIT ? "limits = { processes = 20 }\nuser = 'nobody'\ncwd = '/'\n" : ""}`,
  );
  const client = project.command(["mcp"], { stdin: "piped" }).spawn();
  const lines = client.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = client.stdin.getWriter();
  const call = async (name: string, args: unknown): Promise<string> => {
    const message = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name, arguments: args, _meta: ENVELOPE },
    };
    await writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
    let text = "";
    while (!text.includes("\n")) text += await more(lines);
    return text;
  };
  match(await call("wait", { process: "api", state: "running" }), /is running/);
  match(await call("wait", { process: "watched", state: "running", timeout_seconds: 20 }), /is running/);
  if (CAN_LIMIT) {
    const pid = /"name":"watched".*?"pid":(\d+)/.exec(await call("list", {}))?.[1];
    match(await Deno.readTextFile(`/proc/${pid}/cgroup`), /\/hostkit\/.*\/watched\.run-1$/m);
  }
  match(await call("usage", {}), /api: .* CPU, .* MiB, 1 process\b/);
  match(await call("explain", { process: "web" }), new RegExp(`held by pid ${Deno.pid}, deno`));
  await writer.close();
  await lines.cancel();
  await client.stderr.cancel();
  await client.status;
});
