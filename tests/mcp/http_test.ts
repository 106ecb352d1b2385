/** Both eras over HTTP: what clients see, who is let in, and what happens at the limits. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { once } from "node:events";
import {
  createRegistry,
  defineTool,
  integer,
  mcpRoutes,
  object,
  string,
  type ToolContext,
  ToolError,
} from "../../lib/mcp/mod.ts";
import { connect, ENVELOPE, INFO, plain, serve, stateless, statelessRequest } from "./serving.ts";

const greet = defineTool({
  name: "greet",
  title: "Greet",
  description: "Greets someone",
  annotations: { readOnlyHint: true, idempotentHint: true },
  input: object({ who: string() }),
  output: object({ length: integer() }),
  run: ({ who }) => {
    if (who === "nobody") throw new ToolError("Nobody is here");
    if (who === "bug") throw new RangeError("a bug");
    return {
      text: `Hello, ${who}`,
      structured: { length: who === "liar" ? "long" as unknown as number : who.length },
    };
  },
});

/** A tool that waits for its signal, and a promise of the context it was called with. */
function waiting() {
  const begun = Promise.withResolvers<ToolContext>();
  const ended = Promise.withResolvers<unknown>();
  const tool = defineTool({
    name: "wait",
    description: "Waits for its end",
    annotations: {},
    run: (_, context) => {
      begun.resolve(context);
      return new Promise((_, reject) =>
        context.signal.addEventListener("abort", () => {
          ended.resolve(context.signal.reason);
          reject(context.signal.reason);
        })
      );
    },
  });
  return { tool, begun: begun.promise, ended: ended.promise };
}

for (
  const [mode, version, era] of [["auto", "2026-07-28", "stateless"], [
    "legacy",
    "2025-11-25",
    "session",
  ]] as const
) {
  Deno.test(`${era}: the library's client lists and calls tools`, async () => {
    await using server = await serve([greet], { onError: () => {} });
    await using client = await connect(server.url, mode);
    strictEqual(client.getNegotiatedProtocolVersion(), version);
    deepStrictEqual(client.getServerVersion(), { name: INFO.name, version: INFO.version });
    strictEqual(client.getInstructions(), INFO.instructions);
    const { tools } = await client.listTools();
    deepStrictEqual(tools[0], {
      name: "greet",
      title: "Greet",
      description: "Greets someone",
      annotations: { readOnlyHint: true, idempotentHint: true },
      inputSchema: {
        type: "object",
        properties: { who: { type: "string" } },
        required: ["who"],
        additionalProperties: false,
      },
      outputSchema: {
        type: "object",
        properties: { length: { type: "integer" } },
        required: ["length"],
        additionalProperties: false,
      },
    });
    const greeted = await client.callTool({ name: "greet", arguments: { who: "you" } });
    deepStrictEqual(greeted.content, [{ type: "text", text: "Hello, you" }]);
    deepStrictEqual(greeted.structuredContent, { length: 3 });
    const failed = await client.callTool({ name: "greet", arguments: { who: "nobody" } });
    deepStrictEqual([failed.isError, failed.content], [true, [{ type: "text", text: "Nobody is here" }]]);
    const wrong = await client.callTool({ name: "greet", arguments: { who: 3 } });
    const text = "Invalid arguments for greet: who: expected a string, got a number";
    deepStrictEqual([wrong.isError, wrong.content], [true, [{ type: "text", text }]]);
    await rejects(client.callTool({ name: "nope", arguments: {} }), /Unknown tool: nope/);
    await rejects(client.callTool({ name: "greet", arguments: { who: "bug" } }), /greet failed: a bug/);
    const liar = client.callTool({ name: "greet", arguments: { who: "liar" } });
    await rejects(liar, /the result of greet does not fit its output schema: length: expected an integer/);
  });

  Deno.test(`${era}: a handler knows who calls, and its progress arrives`, async () => {
    const seen = Promise.withResolvers<ToolContext>();
    const tool = defineTool({
      name: "steps",
      description: "Goes in steps",
      annotations: {},
      run: (_, context) => {
        seen.resolve(context);
        context.progress(1, 3, "one");
        context.progress(1, 3, "one again");
        context.progress(0, 3, "back");
        context.progress(2.5);
        return { text: "there" };
      },
    });
    await using server = await serve([tool]);
    await using client = await connect(server.url, mode);
    const progress: unknown[] = [];
    await client.callTool({ name: "steps" }, { onprogress: (each) => progress.push(each) });
    deepStrictEqual(progress, [{ progress: 1, total: 3, message: "one" }, { progress: 2.5 }]);
    const context = await seen.promise;
    deepStrictEqual([context.era, context.protocolVersion], [era, version]);
    deepStrictEqual(context.client, { name: "tester", version: "9" });
  });

  Deno.test(`${era}: a client that cancels has its handler's signal fire`, async () => {
    const { tool, begun, ended } = waiting();
    await using server = await serve([tool]);
    await using client = await connect(server.url, mode);
    const controller = new AbortController();
    const call = client.callTool({ name: "wait" }, { signal: controller.signal });
    await begun;
    controller.abort("enough");
    await rejects(call);
    ok(await ended);
  });
}

/** Requests of each dialect as bytes, for a client that hangs up. */
const DIALECTS: Record<string, (session: string) => [headers: string, body: unknown]> = {
  stateless: () => [
    "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n" +
    "Mcp-Method: tools/call\r\nMcp-Name: wait\r\n",
    { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "wait", arguments: {}, _meta: ENVELOPE } },
  ],
  session: (session) => [
    `Accept: application/json, text/event-stream\r\nMcp-Session-Id: ${session}\r\n`,
    { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "wait", arguments: {} } },
  ],
  plain: () => ["", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "wait" } }],
};

async function beginSession(url: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
    }),
  });
  await response.text();
  return response.headers.get("mcp-session-id") ?? `status ${response.status}`;
}

/** A request that is short, and one of which the runtime does not tell that its client has gone. */
for (const padding of [0, 5_000]) {
  for (const [name, request] of Object.entries(DIALECTS)) {
    Deno.test(`${name}: a client that hangs up in mid-call, after ${padding} bytes more, has its handler's signal fire`, async () => {
      const { tool, begun, ended } = waiting();
      await using server = await serve([tool], { limits: { heartbeatMs: 20 } });
      const session = name === "session" ? await beginSession(server.url) : "";
      const [headers, message] = request(session);
      const body = JSON.stringify(message) + " ".repeat(padding);
      const socket = connectTcp({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
      socket.write(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      await begun;
      const closed = once(socket, "close");
      socket.destroy();
      ok(await ended);
      await closed;
    });
  }
}

Deno.test("a client that hangs up within its body is no error of the server", async () => {
  const errors: unknown[] = [];
  await using routes = mcpRoutes(createRegistry({}), { name: "it", version: "1" }, {
    onError: (error) => errors.push(error),
  });
  const send = (error: Error) => {
    const body = new ReadableStream({ pull: (controller) => controller.error(error) });
    return routes.fetch(new Request("http://localhost/mcp", { method: "POST", body }));
  };
  strictEqual((await send(new Deno.errors.BadResource("unavailable"))).status, 400);
  deepStrictEqual(errors, []);
  strictEqual((await send(new Error("of ours"))).status, 500);
  strictEqual(errors.length, 1);
});

Deno.test("an answer that is late is the same answer, after signs of life", async () => {
  const late = defineTool({
    name: "late",
    description: "Takes a while",
    annotations: {},
    run: async () => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      return { text: "at last" };
    },
  });
  await using server = await serve([late], { limits: { heartbeatMs: 10 } });
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "late", arguments: {} } };
  const old = await plain(server.url, call);
  ok(/^\n+\{/.test(old.text), old.text);
  deepStrictEqual(old.body.result, { content: [{ type: "text", text: "at last" }] });
  const response = await fetch(statelessRequest(server.url, "tools/call", call.params));
  strictEqual(response.headers.get("content-type"), "text/event-stream");
  const text = await response.text();
  ok(
    text.startsWith(": waiting\n\n") && text.includes("event: message\ndata: {") && text.endsWith("}\n\n"),
    text,
  );
  await using client = await connect(server.url, "legacy");
  deepStrictEqual((await client.callTool(call.params)).content, [{ type: "text", text: "at last" }]);
  await using modern = await connect(server.url, "auto");
  deepStrictEqual((await modern.callTool(call.params)).content, [{ type: "text", text: "at last" }]);
});

Deno.test("stopping the server cancels its calls and answers them", async () => {
  const { tool, begun, ended } = waiting();
  await using server = await serve([tool]);
  const call = plain(server.url, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "wait" } });
  await begun;
  await server.routes[Symbol.asyncDispose]();
  strictEqual((await call).body.error.message, "Tool execution error: the call was cancelled");
  strictEqual(String(await ended), "AbortError: The server stops");
});

Deno.test("a call that takes too long is stopped and its client told", async () => {
  const { tool, ended } = waiting();
  await using server = await serve([tool], { limits: { callMs: 20 } });
  const { result } = await stateless(server.url, "tools/call", { name: "wait", arguments: {} });
  deepStrictEqual([result.isError, result.content[0].text], [
    true,
    "wait was stopped: it ran for 0.02 s, the limit",
  ]);
  ok(await ended);
});

Deno.test("a handler that does not heed its signal does not keep its client waiting", async () => {
  const deaf = defineTool({
    name: "deaf",
    description: "Never ends",
    annotations: {},
    run: () => new Promise<never>(() => {}),
  });
  await using server = await serve([deaf], { limits: { callMs: 20 } });
  const { result } = await stateless(server.url, "tools/call", { name: "deaf", arguments: {} });
  strictEqual(result.isError, true);
});

Deno.test("500 calls at the same time are all answered, over each dialect", async () => {
  let [running, most] = [0, 0];
  const all = Promise.withResolvers<void>();
  const tool = defineTool({
    name: "together",
    description: "Waits until 500 are here",
    annotations: {},
    input: object({ n: integer() }),
    run: async ({ n }) => {
      most = Math.max(most, ++running);
      if (running === 500) all.resolve();
      await all.promise;
      running--;
      return { text: `${n}` };
    },
  });
  await using server = await serve([tool]);
  await using client = await connect(server.url, "legacy");
  const texts = await Promise.all(
    Array.from({ length: 500 }, async (_, n) => {
      const params = { name: "together", arguments: { n } };
      if (n % 3 === 0) return (await stateless(server.url, "tools/call", params)).result.content[0].text;
      if (n % 3 === 1) {
        return (await plain(server.url, { jsonrpc: "2.0", id: n, method: "tools/call", params })).body.result
          .content[0].text;
      }
      return ((await client.callTool(params)).content[0] as { text: string }).text;
    }),
  );
  deepStrictEqual(texts, Array.from({ length: 500 }, (_, n) => `${n}`));
  strictEqual(most, 500);
});

Deno.test("one call more than the limit is told so at once", async () => {
  const { tool, begun } = waiting();
  await using server = await serve([tool, greet], { limits: { calls: 1 } });
  const first = stateless(server.url, "tools/call", { name: "wait", arguments: {} });
  await begun;
  const { result } = await stateless(server.url, "tools/call", { name: "greet", arguments: { who: "you" } });
  deepStrictEqual([result.isError, result.content[0].text], [
    true,
    "Cannot run greet: 1 calls are running, the limit; try again later",
  ]);
  await server.routes[Symbol.asyncDispose]();
  await first.catch(() => undefined);
});

Deno.test("a request above the limit is refused, told by its length or not", async () => {
  await using server = await serve([greet], { limits: { bodyBytes: 100 } });
  const told = await plain(server.url, "x".repeat(101));
  deepStrictEqual([told.status, told.body.error.message], [
    413,
    "The request is larger than 100 bytes, the limit",
  ]);
  const body = new Blob(["x".repeat(101)]).stream();
  const streamed = await fetch(server.url, { method: "POST", body });
  strictEqual(streamed.status, 413);
  await streamed.body?.cancel();
});

Deno.test("pages of other sites and names that were rebound are refused", async () => {
  await using server = await serve([greet], { hosts: ["bpm.test"] });
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  strictEqual(
    await fetch(server.url, { method: "POST", headers: { origin: "http://evil.test" }, body: "" }).then(
      async (r) => (await r.text(), r.status),
    ),
    403,
  );
  const own = new URL(server.url).origin;
  strictEqual((await plain(server.url, ping, { origin: own })).status, 200);
  const withHost = (host: string) =>
    server.routes.fetch(
      new Request(`http://${host}/mcp`, { method: "POST", headers: { host }, body: JSON.stringify(ping) }),
    );
  strictEqual((await withHost("evil.test")).status, 421);
  strictEqual((await withHost("bpm.test")).status, 200);
});

Deno.test("a server with a token answers only who has it", async () => {
  await using server = await serve([greet], { token: "s3cret" });
  const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
  const status = async (headers: Record<string, string>) => {
    const response = await fetch(server.url, { method: "POST", body: ping, headers });
    await response.body?.cancel();
    return [response.status, response.headers.get("www-authenticate")];
  };
  deepStrictEqual(await status({}), [401, "Bearer"]);
  deepStrictEqual(await status({ authorization: "Bearer s3cre" }), [401, "Bearer"]);
  deepStrictEqual(await status({ authorization: "Bearer s3crets" }), [401, "Bearer"]);
  deepStrictEqual(await status({ authorization: "Bearer s3cret" }), [200, null]);
});

for (const version of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
  Deno.test(`sessions: a client that asks for ${version} gets it, and its batches are answered`, async () => {
    await using server = await serve([greet]);
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const post = async (body: unknown, more: Record<string, string> = {}) => {
      const response = await fetch(server.url, {
        method: "POST",
        headers: { ...headers, ...more },
        body: JSON.stringify(body),
      });
      const data = (await response.text()).split("\n").filter((line) => line.startsWith("data: {"));
      return { response, messages: data.map((line) => JSON.parse(line.slice("data: ".length))) };
    };
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    const begun = await post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    strictEqual(begun.messages[0].result.protocolVersion, version);
    const session = { "mcp-session-id": begun.response.headers.get("mcp-session-id")! };
    const initialized = await post({ jsonrpc: "2.0", method: "notifications/initialized" }, session);
    strictEqual(initialized.response.status, 202);
    const call = { method: "tools/call", params: { name: "greet", arguments: { who: "you" } } };
    const { messages } = await post([
      { jsonrpc: "2.0", id: 2, method: "ping" },
      { jsonrpc: "2.0", id: 3, ...call },
    ], session);
    deepStrictEqual(messages.map(({ id }) => id).sort(), [2, 3]);
  });
}

Deno.test("sessions: unknown, missing and ended ones are told apart", async () => {
  await using server = await serve([greet]);
  const list = { jsonrpc: "2.0", id: 3, method: "tools/list" };
  const accept = "application/json, text/event-stream";
  const unknown = await plain(server.url, list, { accept, "mcp-session-id": "nope" });
  deepStrictEqual([unknown.status, unknown.body], [404, {
    jsonrpc: "2.0",
    id: 3,
    error: { code: -32001, message: "Session not found" },
  }]);
  const missing = await plain(server.url, list, { accept });
  deepStrictEqual([missing.status, missing.body.id], [400, 3]);
  const damaged = await plain(server.url, "{", { accept });
  deepStrictEqual([damaged.status, damaged.body.error.code], [400, -32700]);
  const session = await beginSession(server.url);
  const end = () => fetch(server.url, { method: "DELETE", headers: { "mcp-session-id": session } });
  deepStrictEqual(
    await Promise.all([await end(), await end()].map(async (r) => (await r.text(), r.status))),
    [200, 404],
  );
});

Deno.test("sessions: one above the limit ends the one unused for the longest time", async () => {
  await using server = await serve([greet], { limits: { sessions: 2 } });
  const sessions = [
    await beginSession(server.url),
    await beginSession(server.url),
    await beginSession(server.url),
  ];
  const ping = async (session: string) => {
    const response = await fetch(server.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-session-id": session,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
    });
    await response.text();
    return response.status;
  };
  deepStrictEqual([await ping(sessions[0]!), await ping(sessions[1]!), await ping(sessions[2]!)], [
    404,
    200,
    200,
  ]);
});

Deno.test("sessions: one that nobody uses ends by itself", async () => {
  await using server = await serve([greet], { limits: { sessionIdleMs: 0 } });
  const session = await beginSession(server.url);
  const other = await plain(server.url, { jsonrpc: "2.0", id: 1, method: "ping" }, {
    accept: "application/json, text/event-stream",
    "mcp-session-id": session,
  });
  strictEqual(other.status, 404);
});

Deno.test("a header that contradicts the envelope is told", async () => {
  await using server = await serve([greet]);
  const request = statelessRequest(server.url, "tools/list");
  request.headers.set("mcp-protocol-version", "2025-06-18");
  const response = await fetch(request);
  deepStrictEqual([response.status, (await response.json()).error.code], [400, -32020]);
});

Deno.test("other methods of HTTP and streams without a session are refused", async () => {
  await using server = await serve([greet]);
  const status = async (method: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url, { method, headers });
    await response.body?.cancel();
    return response.status;
  };
  deepStrictEqual(
    [
      await status("PUT"),
      await status("GET"),
      await status("DELETE"),
      await status("GET", { accept: "text/event-stream", "mcp-protocol-version": "2026-07-28" }),
    ],
    [405, 405, 405, 405],
  );
});

Deno.test("a server without tools has none, in every dialect", async () => {
  await using server = await serve(createRegistry({}));
  deepStrictEqual((await plain(server.url, { jsonrpc: "2.0", id: 1, method: "tools/list" })).body.result, {
    tools: [],
  });
  const { error, status } = await stateless(server.url, "tools/list");
  deepStrictEqual([status, error.code], [404, -32601]);
});

Deno.test("bugs are told to whoever runs the server, without a listener on standard error", async () => {
  const told: unknown[] = [];
  await using server = await serve([greet], { onError: (error) => told.push(error) });
  await (await fetch(
    statelessRequest(server.url, "tools/call", { name: "greet", arguments: { who: "bug" } }),
  )).text();
  deepStrictEqual(told.map(String), ["RangeError: a bug"]);
});
