/** What clients of the protocol see beside tools: resources of processes, their changes, and waits as tasks. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
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
  await world.assistant().call("send", { process: "web", text: "\n" });
  await world.until("the end of the wait", async () => (await get(waits)).status === "completed");
  deepStrictEqual((await get(waits)).result.structuredContent, {
    met: true,
    found: "Process 'web' is finished",
    state: "finished",
  });
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
