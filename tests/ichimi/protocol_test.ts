/** What clients of the protocol see beside tools: resources of processes, their changes, and waits as tasks. */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { ichimiRoutes } from "../../lib/ichimi/mod.ts";
import { listen } from "../../lib/web/mod.ts";
import { connect, stateless } from "../mcp/serving.ts";
import { World } from "./_world.ts";

const POLLS = { extensions: { "io.modelcontextprotocol/tasks": {} } };

/** A world's routes, over HTTP. */
async function served(world: World) {
  const { host, doorway, ci } = world;
  const info = { name: "ichimi-server", version: "1.2.3" };
  const routes = ichimiRoutes({ host, agent: undefined, doorway, ci, info }, world.client());
  const server = await listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (request) => routes.fetch(request),
  );
  if (server.address.kind !== "tcp") throw new TypeError("a port was asked for");
  return {
    url: `http://127.0.0.1:${server.address.port}/mcp`,
    [Symbol.asyncDispose]: async () => {
      await routes[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a wait that takes long is a task for clients that know them, and can be cancelled", async () => {
  await using world = new World();
  await using server = await served(world);
  await world.assistant().run("web", "read line; exit 3", { input: "pipe" });
  const call = (args: object) =>
    stateless(server.url, "tools/call", { name: "wait", arguments: { process: "web", ...args } }, POLLS);
  const [waits, dropped] = await Promise.all([call({ exit: true }), call({ pattern: "never" })]);
  deepStrictEqual([waits.result.resultType, dropped.result.resultType], ["task", "task"]);
  const get = async ({ result: { taskId } }: typeof waits) =>
    (await stateless(server.url, "tasks/get", { taskId }, POLLS)).result;
  strictEqual((await get(waits)).status, "working");
  await stateless(server.url, "tasks/cancel", { taskId: dropped.result.taskId }, POLLS);
  strictEqual((await get(dropped)).status, "cancelled");
  const sent = await world.assistant().call("send", { process: "web", text: "\n" });
  strictEqual(sent, "Sent 1 character to 'web'");
  await world.until("the end of the wait", async () => (await get(waits)).status === "completed");
  deepStrictEqual((await get(waits)).result.structuredContent, {
    met: true,
    found: "Process 'web' is finished",
    state: "finished",
  });
});

Deno.test("a wait that is a task goes on at the next server, as a stop does not, which is told", async () => {
  await using world = new World();
  await world.assistant().run("web", "trap '' TERM; read line; exit 3", { input: "pipe" });
  const call = (url: string, name: string, args: object) =>
    stateless(url, "tools/call", { name, arguments: args }, POLLS);
  const get = (url: string, taskId: string) => stateless(url, "tasks/get", { taskId }, POLLS);
  const [waits, ends, stops] = await (async () => {
    await using first = await served(world);
    return await Promise.all([
      call(first.url, "wait", { process: "web", exit: true, timeout_seconds: 600 }),
      call(first.url, "wait", { process: "web", pattern: "never", timeout_seconds: 2 }),
      call(first.url, "stop_process", { id: "web", grace_period_ms: 600_000 }),
    ]);
  })();
  await using second = await served(world);
  const { taskId, createdAt } = waits.result;
  const { result } = await get(second.url, taskId);
  deepStrictEqual([result.taskId, result.status, result.createdAt], [taskId, "working", createdAt]);
  match(
    (await get(second.url, stops.result.taskId)).error.message,
    /server that began it was replaced .* call again$/,
  );
  // Whatever somebody makes up is no task, and calls nothing that changes anything.
  for (
    const made of [
      "x",
      taskId.replace(/[^.]*$/, "e30"),
      `${taskId.slice(0, 45)}.${btoa('{"tool":"stop_process"}')}`,
    ]
  ) {
    match((await get(second.url, made)).error.message, /^Unknown task: /);
  }
  // What was left of its time is over.
  await world.until("the end of the short one", async () => {
    return (await get(second.url, ends.result.taskId)).result.status === "completed";
  });
  strictEqual((await get(second.url, ends.result.taskId)).result.result.structuredContent.met, false);
  await world.assistant().call("send", { process: "web", text: "\n" });
  await world.until("the end", async () => (await get(second.url, taskId)).result.status === "completed");
  strictEqual((await get(second.url, taskId)).result.result.structuredContent.met, true);
});

Deno.test("a process is two resources, since none is built", async () => {
  await using world = new World();
  await using server = await served(world);
  await world.assistant().call("create_process", { id: "日本 a/b", command: "true" });
  await using client = await connect(server.url, "auto");
  const root = "ichimi://process/%E6%97%A5%E6%9C%AC%20a%2Fb";
  const { resources } = await client.listResources();
  deepStrictEqual(resources.map(({ uri }) => uri), [root, `${root}/log`]);
  const { resourceTemplates } = await client.listResourceTemplates();
  deepStrictEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), [
    "ichimi://process/{name}",
    "ichimi://process/{name}/log",
  ]);
  await rejects(client.readResource({ uri: `${root}/build-log` }), /not found/i);
});
