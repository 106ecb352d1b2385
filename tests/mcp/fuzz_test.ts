/** Mutated messages: each is answered, whichever way it comes, and the server serves on. */
import { ok, strictEqual } from "node:assert/strict";
import {
  createRegistry,
  defineTool,
  mcpRoutes,
  object,
  optional,
  serveStdio,
  string,
} from "../../lib/mcp/mod.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { ENVELOPE, INFO } from "./serving.ts";

const COUNT = fuzzCount(20_000);

const registry = createRegistry({
  tools: [defineTool({
    name: "echo",
    description: "Says it again",
    annotations: {},
    input: object({ text: string(), times: optional(object({ n: string() })) }),
    task: { afterMs: 0 },
    run: ({ text }) => ({ text }),
  })],
  resources: [{ list: () => [], read: () => undefined, watch: () => () => {} }],
  prompts: [{ name: "p", messages: () => [] }],
});

/** Messages to begin from. */
const MESSAGES = [
  {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "a", version: "1" } },
  },
  { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: ENVELOPE } },
  {
    jsonrpc: "2.0",
    id: "a",
    method: "tools/call",
    params: { name: "echo", arguments: { text: "x" }, _meta: ENVELOPE },
  },
  {
    jsonrpc: "2.0",
    id: 2,
    method: "tools/call",
    params: { name: "echo", arguments: { text: "x", times: { n: "1" } } },
  },
  {
    jsonrpc: "2.0",
    id: 3,
    method: "tasks/update",
    params: { taskId: "x", inputResponses: { a: { action: "accept" } }, _meta: ENVELOPE },
  },
  { jsonrpc: "2.0", id: 4, method: "resources/read", params: { uri: "a://b", _meta: ENVELOPE } },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
  [{ jsonrpc: "2.0", id: 5, method: "ping" }, { jsonrpc: "2.0", id: 6, method: "prompts/list" }],
].map((message) => new TextEncoder().encode(JSON.stringify(message)));

/** Headers of the dialects; the fitting ones are as likely as those that do not fit. */
const HEADERS: Record<string, string>[] = [
  {},
  { accept: "application/json, text/event-stream" },
  {
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/list",
  },
  {
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "echo",
  },
  { accept: "application/json, text/event-stream", "mcp-session-id": "none" },
];

const PING = '{"jsonrpc":"2.0","id":"alive","method":"ping"}';

Deno.test(`${COUNT} mutated messages over HTTP are all answered`, async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  await using routes = mcpRoutes(registry, INFO, { onError: () => {}, limits: { tasks: 10, sessions: 10 } });
  const post = (body: BodyInit, headers: Record<string, string>) =>
    routes.fetch(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      }),
    );
  for (let index = 0; index < COUNT; index++) {
    const bytes = mutate(MESSAGES[random.below(MESSAGES.length)]!, random);
    const response = await post(bytes, HEADERS[random.below(HEADERS.length)]!);
    ok(response.status < 500, `seed ${seed}, message ${index}: ${new TextDecoder().decode(bytes)}`);
    await response.body?.cancel();
  }
  strictEqual((await (await post(PING, {})).json()).id, "alive", `seed ${seed}`);
});

Deno.test(`${COUNT} mutated lines over stdio do not end the connection`, async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const output = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>();
  const ended = serveStdio(registry, INFO, {
    input: input.readable,
    output: output.writable,
    onError: () => {},
    limits: { tasks: 10 },
  });
  const alive = (async () => {
    let text = "";
    for await (const piece of output.readable.pipeThrough(new TextDecoderStream())) {
      text = (text + piece).slice(-10_000);
      if (text.includes('"id":"alive"')) return true;
    }
    return false;
  })();
  const writer = input.writable.getWriter();
  for (let index = 0; index < COUNT; index++) {
    const bytes = mutate(MESSAGES[random.below(MESSAGES.length)]!, random);
    await writer.write(Uint8Array.from([...bytes, 10]));
  }
  // Whichever era the lines have chosen, it is answered: with a result or, where there is no ping, with an error.
  await writer.write(new TextEncoder().encode(`${PING}\n`));
  ok(await alive, `seed ${seed}`);
  await writer.close();
  await ended;
});
