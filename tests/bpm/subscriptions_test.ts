/** Processes as resources, changes that are told, progress of calls, and builds as tasks: over HTTP on real processes. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { serviceResources } from "../../lib/services/mod.ts";
import { connect, Events, stateless, statelessRequest } from "../mcp/serving.ts";
import { Project, shell } from "./_project.ts";

const UPDATED = "notifications/resources/updated";
/** Ends when it is told to. */
const MORTAL = shell("api", "echo up; read line; echo bye; exit 3", "stdin = true");

Deno.test("a process is three resources: what is known of it, its log, and that of its build", async () => {
  await using project = await Project.served(
    MORTAL + shell("lint", "exec sleep 60", "build = ['sh', '-c', 'echo compiling']"),
  );
  await using client = await connect(project.url, "auto");
  const { resources } = await client.listResources();
  deepStrictEqual(resources.map(({ uri, mimeType }) => `${uri} ${mimeType}`), [
    "bpm://process/api application/json",
    "bpm://process/api/log text/plain",
    "bpm://process/api/build-log text/plain",
    "bpm://process/lint application/json",
    "bpm://process/lint/log text/plain",
    "bpm://process/lint/build-log text/plain",
  ]);
  const { resourceTemplates } = await client.listResourceTemplates();
  deepStrictEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), [
    "bpm://process/{name}",
    "bpm://process/{name}/log",
    "bpm://process/{name}/build-log",
  ]);
  const read = async (uri: string) => {
    const [content] = (await client.readResource({ uri })).contents;
    ok(content !== undefined && "text" in content);
    return content.text;
  };
  const facts = JSON.parse(await read("bpm://process/api"));
  const { pid, uptimeMs, ...others } = facts;
  ok(pid > 1 && uptimeMs >= 0);
  deepStrictEqual(others, {
    mode: "release",
    name: "api",
    state: "running",
    ready: true,
    startsInMs: null,
    restarts: 0,
    failures: 0,
    url: null,
    swap: null,
    tty: false,
    exit: null,
    dependsOn: [],
    instances: 1,
    builds: 0,
  });
  strictEqual(await read("bpm://process/api/build-log"), "");
  strictEqual(await read("bpm://process/lint/build-log"), "compiling");
  for (const uri of ["bpm://process/no", "bpm://process/api/nothing", "bpm://process/%E0", "bpm://x"]) {
    await rejects(client.readResource({ uri }), /not found/i);
  }
});

Deno.test("2026 over HTTP: the acknowledgement comes first, then what a crash changes, until the client hangs up", async () => {
  await using project = await Project.served(MORTAL + shell("other", "echo other; exec sleep 60"));
  const [state, log] = ["bpm://process/api", "bpm://process/api/log"];
  const notifications = { resourceSubscriptions: [state, log] };
  {
    await using events = new Events(
      await fetch(statelessRequest(project.url, "subscriptions/listen", { notifications })),
    );
    const first = await events.next();
    strictEqual(first.method, "notifications/subscriptions/acknowledged");
    deepStrictEqual(first.params?.notifications, notifications);
    await stateless(project.url, "tools/call", { name: "send", arguments: { process: "api", text: "\n" } });
    const heard = new Set<unknown>();
    // It goes through states, and what is told last is how it is.
    for (let facts = ""; heard.size < 2 || !/"state": "backoff"[^]*"exit": "3"/.test(facts);) {
      const { method, params } = await events.next();
      strictEqual(method, UPDATED);
      heard.add(params?.uri);
      const { result } = await stateless(project.url, "resources/read", { uri: state });
      facts = result.contents[0].text;
    }
    deepStrictEqual(heard, new Set([state, log]));
  }
  // Whoever has hung up costs nothing more: the test's own sanitizers look for what is left.
  await stateless(project.url, "tools/call", { name: "restart", arguments: { process: "api" } });
});

Deno.test("2026 by the official client: it listens, hears of a restart, and ends the stream", async () => {
  await using project = await Project.served(MORTAL);
  await using client = await connect(project.url, "auto");
  const heard = Promise.withResolvers<string>();
  client.setNotificationHandler(UPDATED, ({ params }) => heard.resolve(params.uri));
  const subscription = await client.listen({ resourceSubscriptions: ["bpm://process/api"] });
  deepStrictEqual(subscription.honoredFilter, { resourceSubscriptions: ["bpm://process/api"] });
  await client.callTool({ name: "restart", arguments: { process: "api" } });
  strictEqual(await heard.promise, "bpm://process/api");
  await subscription.close();
  strictEqual(await subscription.closed, "local");
});

Deno.test("2025: a session subscribes to a log, and hears of a new line until it unsubscribes", async () => {
  await using project = await Project.served(shell("cat", "exec cat", "stdin = true"));
  await using client = await connect(project.url, "legacy");
  const uri = "bpm://process/cat/log";
  let heard = Promise.withResolvers<string>();
  client.setNotificationHandler(UPDATED, ({ params }) => heard.resolve(params.uri));
  await client.subscribeResource({ uri });
  await client.callTool({ name: "send", arguments: { process: "cat", text: "hello\n" } });
  strictEqual(await heard.promise, uri);
  const [content] = (await client.readResource({ uri })).contents;
  strictEqual(content !== undefined && "text" in content && content.text, "hello");
  await client.unsubscribeResource({ uri });
  heard = Promise.withResolvers();
  await client.callTool({ name: "send", arguments: { process: "cat", text: "again\n" } });
  await client.callTool({ name: "wait", arguments: { process: "cat", pattern: "again" } });
  strictEqual(await Promise.race([heard.promise, Promise.resolve("nothing")]), "nothing");
});

Deno.test("a log that pours is told a few times, not once a line", async () => {
  await using project = await Project.served(
    shell("chatty", "read x; seq 20000; echo done; exec sleep 60", "stdin = true"),
    { limits: { changeMs: 50 } },
  );
  const uri = "bpm://process/chatty/log";
  const changes: string[] = [];
  const stop = serviceResources(project.manager).watch!((change) => changes.push(JSON.stringify(change)));
  await using events = new Events(
    await fetch(
      statelessRequest(project.url, "subscriptions/listen", {
        notifications: { resourceSubscriptions: [uri] },
      }),
    ),
  );
  await events.next();
  const startedMs = performance.now();
  await stateless(project.url, "tools/call", { name: "send", arguments: { process: "chatty", text: "\n" } });
  let told = 0;
  for (;;) {
    await events.next();
    told++;
    const { result } = await stateless(project.url, "resources/read", { uri });
    const lines = result.contents[0].text.split("\n");
    ok(lines.length <= 1_000);
    if (lines.at(-1) === "done") break;
  }
  stop();
  ok(changes.length > 20_000, `${changes.length} changes`);
  const most = 2 + (performance.now() - startedMs) / 50;
  ok(told <= most, `told ${told} times, at most ${most}`);
});

Deno.test("processes that come and go with a new configuration change the list", async () => {
  await using project = await Project.served(shell("api", "exec sleep 60"));
  await using events = new Events(
    await fetch(
      statelessRequest(project.url, "subscriptions/listen", {
        notifications: { resourcesListChanged: true },
      }),
    ),
  );
  await events.next();
  const uris = async () => {
    const { result } = await stateless(project.url, "resources/list");
    return result.resources.map(({ uri }: { uri: string }) => uri).filter((uri: string) =>
      !uri.endsWith("log")
    );
  };
  const reload = async (processes: string) => {
    await Deno.writeTextFile(`${project.folder}/.mcp-run`, `mcp_port = 0\n${processes}`);
    await stateless(project.url, "tools/call", { name: "reload", arguments: {} });
    strictEqual((await events.next()).method, "notifications/resources/list_changed");
  };
  await reload(shell("api", "exec sleep 60") + shell("web", "exec sleep 60"));
  deepStrictEqual(await uris(), ["bpm://process/api", "bpm://process/web"]);
  await reload(shell("web", "exec sleep 60"));
  deepStrictEqual(await uris(), ["bpm://process/web"]);
});

Deno.test("progress of a restart tells its build's lines and its phases, and grows", async () => {
  await using project = await Project.served(
    shell(
      "api",
      "exec sleep 60",
      "build = ['sh', '-c', 'echo compiling; exit $(cat broken 2>/dev/null || echo 0)']",
    ),
  );
  // Only what is ready serves on while its next one is built.
  await stateless(project.url, "tools/call", { name: "wait", arguments: { process: "api" } });
  const call = { name: "restart", arguments: { process: "api" }, _meta: { progressToken: "p" } };
  const progress = async () => {
    await using events = new Events(await fetch(statelessRequest(project.url, "tools/call", call)));
    const told: [number, string][] = [];
    for (;;) {
      const { method, params, result } = await events.next();
      if (result !== undefined) return { told, result };
      strictEqual(method, "notifications/progress");
      strictEqual(params?.progressToken, "p");
      told.push([Number(params?.progress), String(params?.message)]);
    }
  };
  const { told, result } = await progress();
  deepStrictEqual(told.map(([step]) => step), told.map((_, at) => at + 1));
  const messages = told.map(([, message]) => message).join("\n");
  match(messages, /building, the one before still serves[^]*\[build\] compiling[^]*api: running/);
  match(
    JSON.stringify(result.structuredContent),
    /^{"process":"api","state":"running","pid":\d+,"mode":"dev"}$/,
  );
});

Deno.test("a client that cancels a wait is rid of it, and the server too", async () => {
  await using project = await Project.served(shell("api", "exec sleep 60"));
  await using client = await connect(project.url, "auto");
  const cancel = new AbortController();
  const started = Promise.withResolvers<void>();
  const waiting = client.callTool(
    { name: "wait", arguments: { process: "api", exit: true, timeout_seconds: 600 } },
    { signal: cancel.signal, onprogress: () => started.resolve() },
  );
  await client.callTool({ name: "restart", arguments: { process: "api" } });
  await started.promise;
  cancel.abort();
  await rejects(waiting);
  match(JSON.stringify(await client.callTool({ name: "get_status", arguments: {} })), /api: running/);
});

Deno.test("a build that takes long becomes a task, tells how far it is, and ends with the tool's own answer", async () => {
  await using project = await Project.served(
    shell(
      "api",
      "exec sleep 60",
      "build = ['sh', '-c', 'echo compiling; while [ ! -e built ]; do sleep 0.05; done']\nautostart = false",
    ),
  );
  const polls = { extensions: { "io.modelcontextprotocol/tasks": {} } };
  const ask = (method: string, params: Record<string, unknown>) =>
    stateless(project.url, method, params, polls);
  const { result: begun } = await ask("tools/call", { name: "restart", arguments: { process: "api" } });
  strictEqual(begun.resultType, "task");
  const { taskId } = begun;
  let { result } = await ask("tasks/get", { taskId });
  strictEqual(result.status, "working");
  match(result.statusMessage, /\[build\] compiling/);
  await Deno.writeTextFile(`${project.folder}/built`, "");
  while (result.status === "working") ({ result } = await ask("tasks/get", { taskId }));
  strictEqual(result.status, "completed");
  strictEqual(result.result.content[0].text, "Process 'api' restarted successfully in dev mode");
});
