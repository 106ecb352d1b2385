/** Stdio in front of a server that runs: both eras, and servers that go and come back. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  type BridgeOptions,
  bridgeStdio,
  createRegistry,
  defineTool,
  mcpRoutes,
  type Registry,
} from "../../lib/mcp/mod.ts";
import { readEvents } from "../../lib/mcp/sse.ts";
import { listen, type Server } from "../../lib/web/mod.ts";
import { everything, Resources } from "./everything/mod.ts";
import { ENVELOPE, INFO, serve } from "./serving.ts";
import { INITIALIZE, Side } from "./side.ts";

/** A client on the one side of a bridge. */
class Bridged extends Side {
  constructor(url: string, options: BridgeOptions = {}) {
    super((pipes, signal) => bridgeStdio(url, { pipes, signal, ...options }));
  }
}

const call = (id: number, name: string, input = {}, meta = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: input, ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }) },
});

/** A server that can go and come back on its port. */
async function serveOn(port: number, registry: Registry): Promise<AsyncDisposable & { port: number }> {
  const routes = mcpRoutes(registry, INFO);
  const server: Server = await listen(
    { kind: "tcp", host: "127.0.0.1", port },
    (request) => routes.fetch(request),
  );
  ok(server.address.kind === "tcp");
  return {
    port: server.address.port,
    [Symbol.asyncDispose]: async () => {
      await routes[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("bridge: a client of 2026 calls, hears progress and is told of wrong calls", async () => {
  await using server = await serve(everything());
  await using side = new Bridged(server.url);
  await side.send(call(1, "test_tool_with_progress", {}, { ...ENVELOPE, progressToken: "p" }));
  const progress = [await side.receive(), await side.receive(), await side.receive()];
  deepStrictEqual(progress.map(({ params }) => params.progress), [0, 50, 100]);
  deepStrictEqual((await side.receive()).result.content, [{ type: "text", text: "done" }]);
  await side.send(call(2, "nope", {}, ENVELOPE));
  deepStrictEqual((await side.receive()).error, { code: -32602, message: "Unknown tool: nope" });
  await side.send([1]);
  strictEqual((await side.receive()).error.code, -32600);
});

Deno.test("bridge: a client of 2025 has its session, its questions and its notifications", async () => {
  const resources = new Resources();
  await using server = await serve(everything(resources));
  await using side = new Bridged(server.url);
  await side.send({ ...INITIALIZE, params: { ...INITIALIZE.params, capabilities: { sampling: {} } } });
  await side.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  await side.send(call(1, "test_sampling", { prompt: "hm" }));
  strictEqual((await side.receive()).result.protocolVersion, "2025-06-18");
  const question = await side.receive();
  strictEqual(question.method, "sampling/createMessage");
  const content = { type: "text", text: "aha" };
  await side.send({ jsonrpc: "2.0", id: question.id, result: { role: "assistant", content, model: "m" } });
  deepStrictEqual((await side.receive()).result.content, [{ type: "text", text: "LLM response: aha" }]);
  const uri = "test://watched-resource";
  await side.send({ jsonrpc: "2.0", id: 2, method: "resources/subscribe", params: { uri } });
  deepStrictEqual((await side.receive()).result, {});
  // The stream of notifications may be opened a moment later: what changes then is told.
  const timer = setInterval(() => resources.touch({ kind: "updated", uri }), 5);
  const told = await side.receive();
  clearInterval(timer);
  strictEqual(told.params.uri, uri);
});

Deno.test("bridge: a server that was replaced is spoken to in a new session, without the client's help", async () => {
  const first = await serveOn(0, everything());
  const { port } = first;
  await using side = new Bridged(`http://127.0.0.1:${port}/mcp`);
  await side.send(INITIALIZE);
  strictEqual((await side.receive()).id, 0);
  await side.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  await side.send(call(1, "greet", { name: "one" }));
  strictEqual((await side.receive()).result.content[0].text, "Hello, one!");
  await first[Symbol.asyncDispose]();
  // Sent while nobody is there.
  await side.send(call(2, "greet", { name: "two" }));
  await using _ = await serveOn(port, everything());
  strictEqual((await side.receive()).result.content[0].text, "Hello, two!");
});

Deno.test("bridge: a client of 2026 goes on listening to a server that was replaced", async () => {
  const first = await serveOn(0, everything());
  const { port } = first;
  await using side = new Bridged(`http://127.0.0.1:${port}/mcp`);
  const notifications = { resourcesListChanged: true };
  await side.send({
    jsonrpc: "2.0",
    id: 1,
    method: "subscriptions/listen",
    params: { _meta: ENVELOPE, notifications },
  });
  strictEqual((await side.receive()).method, "notifications/subscriptions/acknowledged");
  await first[Symbol.asyncDispose]();
  // A server that ends in order says so; whoever wants to hear more asks again.
  strictEqual((await side.receive()).id, 1);
});

Deno.test("bridge: a server that is not there is told, after a while", async () => {
  const gone = await serveOn(0, everything());
  const url = `http://127.0.0.1:${gone.port}/mcp`;
  await gone[Symbol.asyncDispose]();
  await using side = new Bridged(url, { patienceMs: 0 });
  await side.send(call(1, "greet", { name: "x" }, ENVELOPE));
  const { id, error } = await side.receive();
  deepStrictEqual([id, error.code], [1, -32000]);
  ok(error.message.startsWith(`Cannot ask the server at ${url}: `), error.message);
  ok(/refused/i.test(error.message), error.message);
});

Deno.test("bridge: a server that breaks in mid-answer is told", async () => {
  const server = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, () => {
    const body = ReadableStream.from([new TextEncoder().encode(": nothing\n\n")]);
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  ok(server.address.kind === "tcp");
  await using _ = server;
  await using side = new Bridged(`http://127.0.0.1:${server.address.port}/mcp`);
  await side.send(call(1, "greet", {}, ENVELOPE));
  ok((await side.receive()).error.message.endsWith("the connection ended before the answer"));
});

Deno.test("bridge: the server's token is shown, and a wrong one is told", async () => {
  await using server = await serve(everything(), { token: "right" });
  await using wrong = new Bridged(server.url, { token: "wrong" });
  await wrong.send(call(1, "greet", { name: "x" }, ENVELOPE));
  ok((await wrong.receive()).error.message.endsWith("it answers 401 a token is needed"));
  await using right = new Bridged(server.url, { token: "right" });
  await right.send(call(1, "greet", { name: "x" }, ENVELOPE));
  strictEqual((await right.receive()).result.content[0].text, "Hello, x!");
});

for (const era of ["2025", "2026"] as const) {
  Deno.test(`bridge: a client of ${era} that cancels has the handler's signal fire`, async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const wait = defineTool({
      name: "wait",
      description: "Waits",
      annotations: {},
      run: (_, { signal }) => {
        begun.resolve();
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => {
            ended.resolve();
            reject(signal.reason);
          })
        );
      },
    });
    await using server = await serve([wait], { limits: { heartbeatMs: 20 } });
    await using side = new Bridged(server.url);
    if (era === "2025") {
      await side.send(INITIALIZE);
      await side.receive();
    }
    await side.send(call(1, "wait", {}, era === "2026" ? ENVELOPE : {}));
    await begun.promise;
    await side.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    await ended.promise;
  });
}

Deno.test("bridge: it ends with its client, and when it is stopped", async () => {
  await using server = await serve(createRegistry({}));
  await using side = new Bridged(server.url);
  await side.send({ jsonrpc: "2.0", id: 1, method: "server/discover", params: { _meta: ENVELOPE } });
  await side.end();
  strictEqual((await side.receive()).id, 1);
  await side.ended;
  await using other = new Bridged(server.url);
  other.stop();
  await other.ended;
});

Deno.test("events are read whatever their pieces and line ends are, up to a limit", async () => {
  const text =
    ": hi\n\ndata: one\n\nevent: message\r\ndata:two\r\ndata: more\r\n\r\nid: 3\rdata: three\r\rdata: lost";
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 3, 7, bytes.length]) {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
    const found = await Array.fromAsync(readEvents(ReadableStream.from(pieces), 100));
    deepStrictEqual(found, ["one", "two\nmore", "three"], `pieces of ${size}`);
  }
  const endless = ReadableStream.from([new TextEncoder().encode(`data: ${"x".repeat(200)}`)]);
  await rejects(Array.fromAsync(readEvents(endless, 100)), /an event is larger than 100 bytes, the limit/);
});
