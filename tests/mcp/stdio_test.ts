/** Stdio: one client, either era, and nothing but the protocol on standard output. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { createRegistry, defineTool, type McpLimits, type Registry, serveStdio } from "../../lib/mcp/mod.ts";
import { Lines } from "../../lib/mcp/lines.ts";
import { everything, Resources } from "./everything/mod.ts";
import { FIXTURE_COMMAND } from "./outside_tools.ts";
import { ENVELOPE, INFO } from "./serving.ts";
import { INITIALIZE, Side } from "./side.ts";

/** A connection to a server inside this process. */
class Pipe extends Side {
  readonly resources: Resources;

  constructor(registry?: Registry, limits: Partial<McpLimits> = {}) {
    const resources = new Resources();
    const options = { limits, onError: () => {} };
    super((pipes, signal) =>
      serveStdio(registry ?? everything(resources), INFO, { ...pipes, ...options, signal })
    );
    this.resources = resources;
  }
}

for (const [mode, version] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]] as const) {
  // The library's client leaves its timers for a process that does not end.
  const name = `stdio: a client that speaks ${version} lists and calls tools of a real process`;
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
    const client = new Client({ name: "tester", version: "9" }, { versionNegotiation: { mode } });
    await client.connect(
      new StdioClientTransport({ command: Deno.execPath(), args: [...FIXTURE_COMMAND, "stdio"] }),
    );
    try {
      strictEqual(client.getNegotiatedProtocolVersion(), version);
      deepStrictEqual((await client.listTools()).tools.length, everything().tools.length);
      const { content } = await client.callTool({ name: "greet", arguments: { name: "you" } });
      deepStrictEqual(content, [{ type: "text", text: "Hello, you!" }]);
    } finally {
      await client.close();
    }
  });
}

Deno.test("stdio: requests that were sent before the client closed its end are answered", async () => {
  await using pipe = new Pipe();
  await pipe.send(INITIALIZE);
  await pipe.send({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "test_tool_with_progress" },
  });
  await pipe.end();
  strictEqual((await pipe.receive()).result.serverInfo.name, INFO.name);
  deepStrictEqual((await pipe.receive()).result.content, [{ type: "text", text: "done" }]);
  strictEqual(await pipe.receive(), undefined);
  await pipe.ended;
});

Deno.test("stdio: when the server is stopped its calls are cancelled and the connection ends", async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  const wait = defineTool({
    name: "wait",
    description: "Waits",
    annotations: {},
    run: (_, { signal }) => {
      begun.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  await using pipe = new Pipe(createRegistry({ tools: [wait] }));
  await pipe.send(INITIALIZE);
  await pipe.receive();
  await pipe.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "wait" } });
  const signal = await begun.promise;
  pipe.stop();
  await pipe.ended;
  ok(signal.aborted);
});

Deno.test("stdio: a server that is stopped before it begins ends at once", async () => {
  const pipe = new Pipe();
  pipe.stop();
  await using _ = pipe;
  await pipe.ended;
  await rejects(pipe.send(INITIALIZE));
});

/** Lines that are no messages, and what comes back. */
const REFUSED: [line: string, id: unknown, code: number, message: RegExp][] = [
  ["{", null, -32700, /Parse error: /],
  ["[]", null, -32600, /no JSON-RPC 2\.0 message/],
  ['{"id":5}', 5, -32600, /no JSON-RPC 2\.0 message/],
  ['{"jsonrpc":"2.0","id":"x","method":3}', "x", -32600, /no JSON-RPC 2\.0 message/],
  [`"${"x".repeat(2000)}"`, null, -32600, /the line is too long/],
];

Deno.test("stdio: what is no message is answered, and the connection goes on", async () => {
  await using pipe = new Pipe(undefined, { bodyBytes: 1000 });
  for (const [line, id, code, message] of REFUSED) {
    await pipe.send(line);
    const answer = await pipe.receive();
    deepStrictEqual([answer.id, answer.error.code], [id, code], line);
    ok(message.test(answer.error.message), answer.error.message);
  }
  await pipe.send("   ");
  await pipe.send(INITIALIZE);
  strictEqual((await pipe.receive()).id, 0);
});

Deno.test("stdio: a client of 2025 is told of the resources that it subscribed to, and no others", async () => {
  await using pipe = new Pipe();
  await pipe.send(INITIALIZE);
  deepStrictEqual((await pipe.receive()).result.capabilities.resources, {
    subscribe: true,
    listChanged: true,
  });
  const uri = "test://watched-resource";
  await pipe.send({ jsonrpc: "2.0", id: 1, method: "resources/subscribe", params: { uri } });
  deepStrictEqual((await pipe.receive()).result, {});
  pipe.resources.touch({ kind: "updated", uri: "test://static-text" });
  pipe.resources.touch({ kind: "updated", uri });
  deepStrictEqual(await pipe.receive(), {
    jsonrpc: "2.0",
    method: "notifications/resources/updated",
    params: { uri },
  });
  pipe.resources.touch({ kind: "list" });
  strictEqual((await pipe.receive()).method, "notifications/resources/list_changed");
  await pipe.send({ jsonrpc: "2.0", id: 2, method: "resources/unsubscribe", params: { uri } });
  deepStrictEqual((await pipe.receive()).result, {});
  pipe.resources.touch({ kind: "updated", uri });
  await pipe.send({ jsonrpc: "2.0", id: 3, method: "ping" });
  strictEqual((await pipe.receive()).id, 3);
});

Deno.test("stdio: a client of 2026 listens, and hears what it asked for", async () => {
  await using pipe = new Pipe();
  const uri = "test://watched-resource";
  const params = { _meta: ENVELOPE, notifications: { resourceSubscriptions: [uri] } };
  await pipe.send({ jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params });
  strictEqual((await pipe.receive()).method, "notifications/subscriptions/acknowledged");
  pipe.resources.touch({ kind: "list" });
  pipe.resources.touch({ kind: "updated", uri: "test://static-text" });
  pipe.resources.touch({ kind: "updated", uri });
  const told = await pipe.receive();
  deepStrictEqual([told.method, told.params.uri], ["notifications/resources/updated", uri]);
  strictEqual(pipe.resources.watchers, 1);
  pipe.stop();
  await pipe.ended;
  strictEqual(pipe.resources.watchers, 0);
});

Deno.test("stdio: a client that does not read is cut off before it fills the memory", async () => {
  const flood = defineTool({
    name: "flood",
    description: "Says much",
    annotations: {},
    run: (_, { log }) => {
      for (let index = 0; index < 100; index++) log("error", "x".repeat(1000));
      return { text: "said" };
    },
  });
  await using pipe = new Pipe(createRegistry({ tools: [flood] }), { unreadBytes: 10_000 });
  await pipe.send(INITIALIZE);
  strictEqual((await pipe.receive()).id, 0);
  await pipe.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "flood" } });
  await pipe.ended;
});

Deno.test("stdio: a server that is stopped does not wait for a client that does not read", async () => {
  await using pipe = new Pipe();
  await pipe.send(INITIALIZE);
  strictEqual((await pipe.receive()).id, 0);
  for (let id = 1; id < 10; id++) await pipe.send({ jsonrpc: "2.0", id, method: "tools/list" });
  pipe.stop();
  await pipe.ended;
});

Deno.test("lines are cut wherever the bytes are, and long ones are dropped", () => {
  const text = "one\n\u00e4\u{1f600}\n\nlong long\nlast";
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new Lines(8);
    const found: (string | undefined)[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...lines.push(bytes.subarray(at, at + size)));
    deepStrictEqual(
      [...found, ...lines.rest()],
      ["one", "\u00e4\u{1f600}", "", undefined, "last"],
      `pieces of ${size}`,
    );
  }
  deepStrictEqual(new Lines(8).rest(), []);
  const long = new Lines(2);
  long.push(new TextEncoder().encode("abc"));
  deepStrictEqual(long.rest(), [undefined]);
});
