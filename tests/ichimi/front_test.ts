/** The front end and the daemon of a user, as programs: assistants that share, die and come back; daemons that do. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { until } from "../keeper/_log.ts";
import { ENVELOPE } from "../mcp/serving.ts";
import { Home } from "./_front.ts";

const POLLS = { extensions: { "io.modelcontextprotocol/tasks": {} } };

/** The client's own child is its business. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

for (const mode of ["auto", "legacy"] as const) {
  test(`the first assistant starts the daemon, and two see the same processes (${mode})`, async () => {
    await using home = new Home();
    const [first, second] = await Promise.all([home.assistant({ mode }), home.assistant({ mode })]);
    await using _both = {
      async [Symbol.asyncDispose]() {
        await first[Symbol.asyncDispose]();
        await second[Symbol.asyncDispose]();
      },
    };
    strictEqual(first.client.getServerVersion()?.name, "ichimi-server");
    await first.run("shared", "echo hello; exec sleep 100");
    await second.call("wait", { process: "shared", pattern: "hello" });
    strictEqual(await second.call("get_process_output", { id: "shared", stream: "Both" }), "hello");
    strictEqual(await second.call("stop_process", { id: "shared" }), "Process 'shared' stopped successfully");
    strictEqual(await first.state("shared"), "Stopped");
  });
}

test("a session's process ends with an assistant that is killed, a project's goes on", async () => {
  await using home = new Home();
  await using other = await home.assistant();
  const dying = await home.assistant();
  await dying.run("mine", "exec sleep 100", { lifetime: "session" });
  await dying.run("ours", "exec sleep 100");
  dying.kill();
  await until("the end of its process", async () => await other.state("mine") === "Stopped");
  strictEqual(await other.state("ours"), "Running");
  await dying[Symbol.asyncDispose]();
});

test("a daemon that is killed is started again by its assistants, and has its processes back", async () => {
  await using home = new Home();
  await using assistant = await home.assistant();
  await assistant.run("kept", "n=0; while :; do echo $((n=n+1)); sleep 0.02; done");
  await assistant.run("mine", "exec sleep 100", { lifetime: "session" });
  await assistant.call("wait", { process: "kept", pattern: "^5$" });
  const before = home.pid;
  await home.end("SIGKILL");
  await until("another daemon", () => ![0, before].includes(home.pid));
  strictEqual(await assistant.state("kept"), "Running");
  strictEqual(await assistant.state("mine"), "Running");
  const numbers = (await assistant.call("get_process_output", { id: "kept", stream: "Both", lines: 100_000 }))
    .split("\n").map(Number);
  deepStrictEqual(numbers, numbers.map((_, at) => at + 1));
});

test("a daemon becomes a newer one in its place, and nobody's call is lost", async () => {
  await using home = new Home();
  await using assistant = await home.assistant();
  await assistant.run("kept", "exec sleep 100");
  const { pid } = home;
  const before = home.log.split("serving assistants").length;
  Deno.kill(pid, "SIGHUP");
  const made = Array.from({ length: 40 }, (_, at) => `made ${at}`);
  const calls = made.map((id) => assistant.call("create_process", { id, command: "true" }));
  const answers = await Promise.all(Array.from({ length: 20 }, () => assistant.state("kept")));
  deepStrictEqual(new Set(answers), new Set(["Running"]));
  deepStrictEqual(await Promise.all(calls), made.map((id) => `Process '${id}' created successfully`));
  await until("the newer one", () => home.log.split("serving assistants").length > before);
  strictEqual(home.pid, pid);
  strictEqual(await assistant.state("kept"), "Running");
});

test("a wait that became a task is known to the daemon that comes after", async () => {
  await using home = new Home();
  await using assistant = await home.assistant();
  await assistant.run("kept", "read line; exit 3", { input: "pipe" });
  const _meta = { ...ENVELOPE, "io.modelcontextprotocol/clientCapabilities": POLLS };
  const say = async (method: string, params: Record<string, unknown>) => {
    const message = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } };
    return (await home.talk([JSON.stringify(message)], [1])).find(({ id }) => id === 1).result;
  };
  const { taskId, status } = await say("tools/call", {
    name: "wait",
    arguments: { process: "kept", exit: true },
  });
  strictEqual(status, "working");
  const { pid } = home;
  await home.end("SIGKILL");
  await until("another daemon", () => ![0, pid].includes(home.pid));
  strictEqual((await say("tasks/get", { taskId })).status, "working");
});

test("sets of tools are those that are asked for, and others are refused by name", async () => {
  await using home = new Home();
  await using assistant = await home.assistant({ args: ["--toolsets", "config"] });
  const { tools } = await assistant.client.listTools();
  deepStrictEqual(tools.map(({ name }) => name), [
    "echo",
    "ping",
    "get_status",
    "update_process",
    "update_process_config",
  ]);
  const { code, err } = await home.run("--toolsets", "processes,nope");
  strictEqual(code, 2);
  match(err, /unknown toolset "nope": there are processes, assist, config, /);
  for (const word of ["install", "print"]) {
    const entered = await home.run("mcp", word, "-c", "claude-project", "--toolsets", "assist,nope");
    deepStrictEqual([entered.code, entered.out], [2, ""]);
    match(entered.err, /unknown toolset "nope"/);
  }
  deepStrictEqual([...Deno.readDirSync(`${home.folder}/project`)], []);
});

test("a daemon without anything to do ends, one with a process does not", async () => {
  await using home = new Home();
  home.configure('[processes]\nidle_exit = "1s"\n');
  {
    await using assistant = await home.assistant();
    await assistant.run("short", "exec sleep 2", { lifetime: "persistent" });
  }
  const { pid } = home;
  await until("its end", () => home.pid === 0);
  ok(pid > 0);
  match(home.log, /nothing to do: ending/);
  await using later = await home.assistant();
  strictEqual(await later.state("short"), "Stopped");
});

test("what a runtime says on a daemon's standard error stands in its log, and ends nobody", async () => {
  await using home = new Home();
  await using assistant = await home.assistant({ args: ["--toolsets", "snapshots"] });
  const { pid } = home;
  await until("its log", () => Deno.readLinkSync(`/proc/${pid}/fd/2`) === `${home.state}/daemon.log`);
  Deno.writeTextFileSync(
    `${home.folder}/project/odd.yaml`,
    'version: "1.0"\nprocesses: !!unknown\n  - {id: web, command: sleep}\n',
  );
  match(await assistant.call("import_yaml", { file_path: "odd.yaml" }), /imported successfully/);
  strictEqual(home.pid, pid);
  match(home.log, /^\S+ INFO +serving assistants [^\n]*\n$/);
});

test("a daemon that cannot start says why, and the assistant hears it", async () => {
  await using home = new Home();
  Deno.mkdirSync(home.state, { recursive: true });
  Deno.writeTextFileSync(`${home.state}/ichimi.sqlite`, "no database");
  await rejects(home.assistant(), /ichimi\.sqlite/);
});
