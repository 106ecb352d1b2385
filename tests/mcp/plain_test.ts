/** The dialect of bpm's old clients. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { defineTool, number, object, string, ToolError, withDefault } from "../../lib/mcp/mod.ts";
import { plain, serve, statelessRequest } from "./serving.ts";

const TOOLS = [
  defineTool({
    name: "restart",
    title: "Restart",
    description: "Restarts a process",
    annotations: { destructiveHint: true },
    input: object({ process: string(), index: withDefault(number(), -1) }),
    output: object({ index: number() }),
    run: ({ process, index }) => {
      if (process === "none") throw new ToolError("Process 'none' not found");
      if (process === "bug") throw new TypeError("undefined is not a function");
      return { text: `Process '${process}' restarted successfully in dev mode`, structured: { index } };
    },
  }),
  defineTool({
    name: "asks",
    description: "Asks",
    annotations: {},
    run: async (_, { ask, era, protocolVersion }) => ({
      text: `${era} ${protocolVersion}${await ask({ a: { method: "roots/list" } })}`,
    }),
  }),
  defineTool({
    name: "era",
    description: "Says how it was called",
    annotations: {},
    run: (_, { era, protocolVersion, client, progress, log }) => {
      progress(1);
      log("info", "nobody hears this");
      return { text: `${era} ${protocolVersion} ${client?.name}` };
    },
  }),
  defineTool({
    name: "builds",
    description: "Needs tasks",
    annotations: {},
    task: { afterMs: 0, required: true },
    run: () => ({ text: "" }),
  }),
];

const call = (name: string, input: unknown) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name, arguments: input },
});

const failed = (message: string) => ({
  jsonrpc: "2.0",
  id: 1,
  error: { code: -32603, message: `Tool execution error: ${message}` },
});

/** What is sent and what comes back, whole. */
const CASES: [name: string, sent: unknown, answered: unknown][] = [
  [
    "initialize is answered as 2024-11-05 with tools and nothing else",
    { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-06-18" } },
    {
      jsonrpc: "2.0",
      id: 1,
      result: {
        protocolVersion: "2024-11-05",
        capabilities: { tools: {} },
        serverInfo: { name: "old-name", version: "0.1.0" },
      },
    },
  ],
  [
    "a tool's text comes back bare",
    call("restart", { process: "web" }),
    {
      jsonrpc: "2.0",
      id: 1,
      result: { content: [{ type: "text", text: "Process 'web' restarted successfully in dev mode" }] },
    },
  ],
  [
    "a tool that fails is an error of the protocol",
    call("restart", { process: "none" }),
    failed("Process 'none' not found"),
  ],
  [
    "a tool with a bug too",
    call("restart", { process: "bug" }),
    failed("restart failed: undefined is not a function"),
  ],
  [
    "an argument that is missing is named",
    call("restart", {}),
    failed("Invalid arguments for restart: process: required but missing"),
  ],
  [
    "an argument that may be absent may be null, as upstream has it",
    call("restart", { process: "web", index: null }),
    {
      jsonrpc: "2.0",
      id: 1,
      result: { content: [{ type: "text", text: "Process 'web' restarted successfully in dev mode" }] },
    },
  ],
  [
    "one that has to be there may not",
    call("restart", { process: null }),
    failed("Invalid arguments for restart: process: expected a string, got null"),
  ],
  [
    "an argument that is not known is named",
    call("restart", { process: "a", proces: "b" }),
    failed("Invalid arguments for restart: proces: unknown; known: process, index"),
  ],
  ["a tool that is not known is named", call("nope", {}), failed("Unknown tool: nope")],
  [
    "a tool that needs tasks cannot be called",
    call("builds", {}),
    failed("builds needs a client that knows tasks"),
  ],
  [
    "a tool cannot ask an old client",
    call("asks", {}),
    failed("This needs an answer, and your client cannot be asked"),
  ],
  [
    "a tool sees that the client is an old one",
    call("era", undefined),
    { jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "plain 2024-11-05 undefined" }] } },
  ],
  ["ping is answered", { jsonrpc: "2.0", id: "p", method: "ping" }, { jsonrpc: "2.0", id: "p", result: {} }],
  [
    "an unknown method is told",
    { jsonrpc: "2.0", id: 2, method: "resources/list" },
    { jsonrpc: "2.0", id: 2, error: { code: -32601, message: "Method not found: resources/list" } },
  ],
  [
    "text that is not JSON is a parse error",
    "{",
    { jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error: the body is not JSON" } },
  ],
  [
    "a message of another version is refused",
    { id: 3, method: "ping" },
    { jsonrpc: "2.0", id: 3, error: { code: -32600, message: 'Invalid request: "jsonrpc" is not "2.0"' } },
  ],
  [
    "a message without a method is refused",
    { jsonrpc: "2.0", id: 3 },
    { jsonrpc: "2.0", id: 3, error: { code: -32600, message: 'Invalid request: "method" is not a string' } },
  ],
  [
    "a message that is no object is refused",
    "3",
    { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid request: expected an object" } },
  ],
  [
    "parameters by position are refused",
    { jsonrpc: "2.0", id: 3, method: "ping", params: [1] },
    { jsonrpc: "2.0", id: 3, error: { code: -32602, message: 'Invalid params: "params" is not an object' } },
  ],
  ["an empty batch is refused", [], {
    jsonrpc: "2.0",
    id: null,
    error: { code: -32600, message: "Invalid request: the batch is empty" },
  }],
  [
    "a batch is answered in order, without its notifications",
    [
      { jsonrpc: "2.0", id: 1, method: "ping" },
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", id: 5, result: {} },
      1,
    ],
    [
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid request: expected an object" } },
    ],
  ],
];

for (const [name, sent, answered] of CASES) {
  Deno.test(`old dialect: ${name}`, async () => {
    await using server = await serve(TOOLS, {
      plainInfo: { name: "old-name", version: "0.1.0" },
      onError: () => {},
    });
    const { status, body } = await plain(server.url, sent);
    strictEqual(status, 200);
    deepStrictEqual(body, answered);
  });
}

Deno.test("old dialect: tools are listed with name, description and schema only", async () => {
  await using server = await serve(TOOLS);
  const { body } = await plain(server.url, { jsonrpc: "2.0", id: 1, method: "tools/list" });
  deepStrictEqual(body.result.tools[0], {
    name: "restart",
    description: "Restarts a process",
    inputSchema: {
      type: "object",
      properties: { process: { type: "string" }, index: { type: "number", default: -1 } },
      required: ["process"],
      additionalProperties: false,
    },
  });
});

Deno.test("old dialect: the server's own name is told when there is no other", async () => {
  await using server = await serve(TOOLS);
  const { body } = await plain(server.url, { jsonrpc: "2.0", id: 1, method: "initialize" });
  deepStrictEqual(body.result.serverInfo, { name: "tested", version: "1.2.3" });
});

Deno.test("every dialect: an answer that is not late tells its length", async () => {
  await using server = await serve(TOOLS);
  const old = await fetch(server.url, {
    method: "POST",
    body: JSON.stringify(call("restart", { process: "a" })),
  });
  strictEqual(old.headers.get("content-length"), String((await old.text()).length));
  const params = { name: "restart", arguments: { process: "a" } };
  const now = await fetch(statelessRequest(server.url, "tools/call", params));
  strictEqual(now.headers.get("content-length"), String((await now.text()).length));
});

Deno.test("old dialect: notifications are not answered", async () => {
  await using server = await serve(TOOLS);
  const one = await plain(server.url, { jsonrpc: "2.0", method: "notifications/initialized" });
  deepStrictEqual([one.status, one.text], [202, ""]);
  const many = await plain(server.url, [{ jsonrpc: "2.0", method: "a" }, { jsonrpc: "2.0", method: "b" }]);
  deepStrictEqual([many.status, many.text], [202, ""]);
});

Deno.test("old dialect: a batch above the limit is refused", async () => {
  await using server = await serve(TOOLS, { limits: { batch: 2 } });
  const { body } = await plain(server.url, [1, 2, 3]);
  strictEqual(body.error.message, "Invalid request: a batch has at most 2 messages");
});

Deno.test("old dialect: GET opens a stream that says it is connected, as many as the limit allows", async () => {
  await using server = await serve(TOOLS, { limits: { subscriptions: 1 } });
  const headers = { accept: "text/event-stream" };
  const stream = await fetch(server.url, { headers });
  strictEqual(stream.headers.get("content-type"), "text/event-stream");
  const reader = stream.body!.getReader();
  strictEqual(new TextDecoder().decode((await reader.read()).value), ": connected\n\n");
  const refused = await fetch(server.url, { headers });
  deepStrictEqual([refused.status, await refused.text()], [503, "1 streams are open, the limit\n"]);
  await server.routes[Symbol.asyncDispose]();
  ok((await reader.read()).done);
});

Deno.test("old dialect: a stream whose reader goes makes room for another", async () => {
  await using server = await serve(TOOLS, { limits: { subscriptions: 1 } });
  const request = () => new Request(server.url, { headers: { accept: "text/event-stream" } });
  const first = await server.routes.fetch(request());
  await first.body!.cancel();
  const second = await server.routes.fetch(request());
  strictEqual(second.status, 200);
  await second.body!.cancel();
});
