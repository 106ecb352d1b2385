/** Servers at an address: both eras, servers that go and come back, programs that serve there. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createRegistry, defineTool, mcpRoutes, type Registry } from "../../lib/mcp/mod.ts";
import { listen } from "../../lib/web/mod.ts";
import { freePort } from "../free_port.ts";
import { until } from "../keeper/_log.ts";
import { everything, Resources } from "../mcp/everything/mod.ts";
import { FIXTURE_COMMAND } from "../mcp/outside_tools.ts";
import { ENVELOPE, INFO } from "../mcp/serving.ts";
import { Behind } from "./behind.ts";

/** A server that can go and come back on its port. */
async function serveOn(
  port: number,
  registry: Registry,
  token?: string,
): Promise<AsyncDisposable & { port: number; url: string }> {
  const routes = mcpRoutes(registry, INFO, token === undefined ? {} : { token });
  const server = await listen({ kind: "tcp", host: "127.0.0.1", port }, (request) => routes.fetch(request));
  ok(server.address.kind === "tcp");
  return {
    port: server.address.port,
    url: `http://127.0.0.1:${server.address.port}/mcp`,
    [Symbol.asyncDispose]: async () => {
      await routes[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const named = (name: string) =>
  createRegistry({
    tools: [
      defineTool({
        name,
        description: name,
        annotations: { readOnlyHint: true },
        run: () => ({ text: name }),
      }),
    ],
  });

Deno.test("proxy, HTTP: a client of 2025 has its session, questions and notifications; a new server is told of it", async () => {
  const resources = new Resources();
  const first = await serveOn(0, everything(resources));
  await using client = new Behind({}, { kind: "http", url: first.url });
  const capabilities = { sampling: {} };
  await client.send({
    jsonrpc: "2.0",
    id: "hello",
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities, clientInfo: { name: "raw", version: "1" } },
  });
  strictEqual((await client.receive()).result.capabilities.tools.listChanged, true);
  await client.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const id = await client.call("test_sampling", { prompt: "hm" });
  const question = await client.receive();
  strictEqual(question.method, "sampling/createMessage");
  const content = { type: "text", text: "aha" };
  await client.send({
    jsonrpc: "2.0",
    id: question.id,
    result: { role: "assistant", content, model: "m" },
  });
  const answer = await client.receive();
  deepStrictEqual([answer.id, answer.result.content[0].text], [id, "LLM response: aha"]);
  const uri = "test://watched-resource";
  await client.ask("resources/subscribe", { uri });
  deepStrictEqual((await client.receive()).result, {});
  await first[Symbol.asyncDispose]();
  // Sent while nobody is there.
  const late = await client.call("greet", { name: "you" });
  const again = new Resources();
  await using _ = await serveOn(first.port, everything(again));
  // Over HTTP they come in any order: the answer, and that what is watched may be another one.
  const messages = [await client.receive(), await client.receive()];
  const greeted = messages.find((message) => message.id === late);
  strictEqual(greeted?.result.content[0].text, "Hello, you!", JSON.stringify(messages));
  strictEqual(messages.find((message) => message.method !== undefined)?.params.uri, uri);
  await until("the watcher", () => again.watchers > 0);
  const timer = setInterval(() => again.touch({ kind: "updated", uri }), 5);
  strictEqual((await client.receive()).params.uri, uri);
  clearInterval(timer);
});

Deno.test("proxy, HTTP: a client of 2026 calls, listens on through a restart, and is told of other tools", async () => {
  const first = await serveOn(0, named("before"));
  await using client = new Behind({}, { kind: "http", url: first.url });
  await client.ask("tools/list", { _meta: ENVELOPE });
  strictEqual((await client.receive()).result.tools[0].name, "before");
  const notifications = { toolsListChanged: true };
  const id = await client.ask("subscriptions/listen", { _meta: ENVELOPE, notifications });
  deepStrictEqual((await client.receive()).params.notifications, notifications);
  await first[Symbol.asyncDispose]();
  await using _ = await serveOn(first.port, named("after"));
  // The old server has ended the stream in order; the client is not told.
  const told = await client.receive();
  deepStrictEqual(
    [told.method, told.params._meta["io.modelcontextprotocol/subscriptionId"]],
    ["notifications/tools/list_changed", id],
  );
  strictEqual(await client.text("after", {}, ENVELOPE), "after");
});

Deno.test("proxy, HTTP: arguments that stand in headers are sent there, and a token is shown", async () => {
  await using server = await serveOn(0, everything(), "s3cret");
  await using client = new Behind({}, { kind: "http", url: server.url, token: "s3cret" });
  await client.ask("tools/list", { _meta: ENVELOPE });
  await client.receive();
  for (const region of ["north", "Übersee ✓"]) {
    strictEqual(await client.text("test_x_mcp_header", { region }, ENVELOPE), region);
  }
  await using wrong = new Behind({}, { kind: "http", url: server.url, token: "wrong" });
  await wrong.ask("tools/list", { _meta: ENVELOPE });
  strictEqual((await wrong.receive()).error.message, "the server answers HTTP 401: a token is needed");
});

Deno.test("proxy, HTTP: a server that nobody runs is told after the wait", async () => {
  const url = `http://127.0.0.1:${freePort()}/mcp`;
  await using client = new Behind({ limits: { waitMs: 300 } }, { kind: "http", url });
  await client.ask("tools/list", { _meta: ENVELOPE });
  match(
    (await client.receive()).error.message,
    /^tools\/list waited [\d.]+ s for the server at .*, which is not there: it does not listen \(.*refused/,
  );
});

Deno.test("proxy, HTTP: a program that serves is started, and again when it is killed", async () => {
  const port = freePort();
  const argv = [Deno.execPath(), ...FIXTURE_COMMAND, "http", `${port}`] as const;
  const url = `http://127.0.0.1:${port}/mcp`;
  await using client = new Behind({ ownTools: true }, { kind: "http", url, command: { argv: [...argv] } });
  await client.begin();
  strictEqual(await client.text("greet", { name: "you" }), "Hello, you!");
  const pid = Number(/pid (\d+)/.exec(await client.text("proxy_status"))?.[1]);
  // The guard kills what it guards.
  Deno.kill(pid, "SIGUSR1");
  strictEqual(await client.text("greet", { name: "again" }), "Hello, again!");
  await client.text("proxy_restart");
  strictEqual(await client.text("greet", { name: "new" }), "Hello, new!");
});

Deno.test("proxy, HTTP: what a dying program breaks is asked again when it has ended, and answered by the next", async () => {
  const folder = await Deno.makeTempDir({ prefix: "hostkit-proxy-" });
  const port = freePort();
  const flags = [
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--allow-net",
    `--allow-read=${folder}`,
  ];
  const program = new URL("dying.ts", import.meta.url).pathname;
  const args = [...flags, `--allow-write=${folder}`, program, `${port}`, `${folder}/died`];
  const command = { argv: [Deno.execPath(), "run", ...args] as [string, ...string[]] };
  await using client = new Behind({}, { kind: "http", url: `http://127.0.0.1:${port}/mcp`, command });
  await client.ask("tools/list", { _meta: ENVELOPE });
  await client.receive();
  strictEqual(await client.text("look", {}, ENVELOPE), "well");
  // Not a second time while it was dying.
  strictEqual(client.said.join("").split("breaks").length - 1, 1);
  ok(client.told.some((text) => text.endsWith("exited with code 3")), client.told.join("\n"));
  await Deno.remove(folder, { recursive: true });
});

/** A server that breaks off before it answers, in the way that is asked for, until it has done so `times` times. */
async function serveBroken(how: "stream" | "status" | "socket", times: number) {
  const asked: string[] = [];
  const server = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, async (request) => {
    const { id, method, params } = await request.json();
    asked.push(params?.name ?? method);
    const result = { resultType: "complete", content: [{ type: "text", text: "at last" }], tools: [] };
    if (params?.name === undefined || times-- <= 0) return Response.json({ jsonrpc: "2.0", id, result });
    if (how === "status") return new Response("busy\n", { status: 503 });
    const body = how === "stream"
      ? ReadableStream.from([new TextEncoder().encode(": nothing\n\n")])
      : new ReadableStream({ pull: (controller) => controller.error(new Error("on purpose")) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  ok(server.address.kind === "tcp");
  const url = `http://127.0.0.1:${server.address.port}/mcp`;
  const breaks = (more: number) => void (times = more);
  return { url, asked, breaks, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

Deno.test("proxy, HTTP: an answer that is too long is told as that, and not asked for again", async () => {
  const asked: string[] = [];
  await using server = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, async (request) => {
    const { id, params } = await request.json();
    const name = params?.name;
    if (name === undefined) return Response.json({ jsonrpc: "2.0", id, result: { tools: [] } });
    asked.push(name);
    const answer = JSON.stringify({
      jsonrpc: "2.0",
      id,
      result: { content: [], filler: "x".repeat(200_000) },
    });
    const [type, body] = name === "stream"
      ? ["text/event-stream", `data: ${answer}\n\n`]
      : ["application/json", answer];
    return new Response(body, { headers: { "content-type": type } });
  });
  ok(server.address.kind === "tcp");
  const url = `http://127.0.0.1:${server.address.port}/mcp`;
  await using client = new Behind({ limits: { messageBytes: 100_000 } }, { kind: "http", url });
  for (const name of ["json", "stream"]) {
    await client.ask("prompts/get", { name, _meta: ENVELOPE });
    match((await client.receive()).error.message, /the answer of .* has more than 100000 bytes, the limit/);
  }
  deepStrictEqual(asked, ["json", "stream"]);
});

const BROKEN: ["stream" | "status" | "socket", RegExp][] = [
  ["stream", /when that closed the connection before it answered; it may have been done or not/],
  ["status", /when that answered with HTTP 503; it may have been done or not/],
  ["socket", /when that broke the connection \(.*\); it may have been done or not/],
];

for (const [how, told] of BROKEN) {
  Deno.test(`proxy, HTTP: a request whose ${how} breaks is told; what does no harm is asked again`, async () => {
    await using server = await serveBroken(how, 1);
    await using client = new Behind({}, { kind: "http", url: server.url });
    await client.call("unknown", {}, ENVELOPE);
    match((await client.receive()).error.message, told);
    server.breaks(2);
    await client.ask("prompts/get", { name: "safe", _meta: ENVELOPE });
    strictEqual((await client.receive()).result.content[0].text, "at last");
    strictEqual(server.asked.filter((name) => name === "safe").length, 3);
  });
}
