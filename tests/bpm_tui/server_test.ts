/** What servers answer, and how it is read: texts, JSON-RPC, both kinds of servers. */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { McpClient, parseStatusText, readServices, toneOf, ToolError } from "../../lib/bpm_tui/mod.ts";
import { MAX_ANSWER_BYTES } from "../../lib/bpm_tui/mcp_client.ts";
import { replyOf, SseReader, toolResult } from "../../lib/bpm_tui/reply.ts";
import { ManagerServer } from "../../lib/bpm_tui/server.ts";
import { readUsage } from "../../lib/bpm_tui/service.ts";
import { startOurs } from "./ours.ts";
import { startUpstream } from "./upstream.ts";

const { signal } = new AbortController();

Deno.test("upstream's status text is read by how its lines begin", () => {
  const text = [
    "Mode: Dev",
    "Time until release mode: 2 hours 59 minutes",
    "",
    "Processes:",
    "  web: crashed",
    "    Uptime: 1 hours 2 minutes",
    "    Recent events:",
    "      - Crashed at 2025-10-16 12:00:00 (exit code: Some(1))",
    "      - Started at 2025-10-16 11:00:00",
    "    Crash count: 3",
    "    A line of a later version",
    "  api: v2: running",
    "",
  ].join("\n");
  deepStrictEqual(parseStatusText(text), {
    mode: "Dev",
    modeNote: "Time until release mode: 2 hours 59 minutes",
    services: [
      { name: "api: v2", state: "running", crashes: 0, dependsOn: [], events: [] },
      {
        name: "web",
        state: "crashed",
        crashes: 3,
        dependsOn: [],
        uptimeMs: 3_720_000,
        events: [
          "Crashed at 2025-10-16 12:00:00 (exit code: Some(1))",
          "Started at 2025-10-16 11:00:00",
        ],
      },
    ],
  });
  deepStrictEqual(
    parseStatusText("Mode: Release\r\nCurrently in release mode\r\n\r\nProcesses:\r\n  a: idle\r\n"),
    {
      mode: "Release",
      modeNote: "Currently in release mode",
      services: [{ name: "a", state: "idle", crashes: 0, dependsOn: [], events: [] }],
    },
  );
  deepStrictEqual(parseStatusText("what is this"), { services: [] });
});

Deno.test("a structured list is read field by field, and what is of another type is left out", () => {
  const { mode, services } = readServices({
    mode: "dev",
    services: [
      {
        name: "a",
        state: "running",
        pid: 7,
        ready: true,
        url: "",
        startsInMs: 5,
        swap: { way: "proxy", reason: "it is static", proxied: null },
        dependsOn: ["b", { name: "c" }, 5],
        instances: [1, 2],
      },
      { name: "b", state: 9, pid: "7", uptimeMs: null, exit: "SIGKILL", failures: 2 },
      { state: "nameless" },
      "no object",
    ],
  });
  strictEqual(mode, "Dev");
  deepStrictEqual(services, [
    {
      name: "a",
      state: "running",
      pid: 7,
      ready: true,
      startsInMs: 5,
      swap: { way: "proxy", reason: "it is static" },
      crashes: 0,
      dependsOn: ["b", "c"],
      events: [],
      instances: 2,
    },
    { name: "b", state: "unknown", exit: "SIGKILL", crashes: 2, dependsOn: [], events: [] },
  ]);
  throws(
    () => readServices({ services: "many" }),
    /Cannot read list of services: found \{"services":"many"\}/,
  );
  throws(() => readServices(undefined), TypeError);
});

Deno.test("states have tones: well, between, at rest, in trouble", () => {
  const tones = [
    ["running", undefined, undefined, "good"],
    ["running", false, undefined, "busy"],
    ["building", undefined, undefined, "busy"],
    ["crashed", undefined, undefined, "bad"],
    ["idle", undefined, undefined, "idle"],
    ["finished", undefined, "0", "idle"],
    ["finished", undefined, "3", "bad"],
    ["something new", undefined, undefined, "idle"],
  ] as const;
  for (const [state, ready, exit, tone] of tones) {
    const service = { state, ...ready === undefined ? {} : { ready }, ...exit === undefined ? {} : { exit } };
    strictEqual(toneOf(service), tone, state);
  }
});

Deno.test("usage is found by name in any list of the answer", () => {
  deepStrictEqual(
    readUsage({ services: [{ name: "a", cpuRatio: 0.5, memoryBytes: 10 }, { name: "b", cpuRatio: "x" }] }),
    { byName: new Map([["a", { cpuRatio: 0.5, memoryBytes: 10 }], ["b", {}]]) },
  );
  deepStrictEqual(readUsage({ source: "agent" }), { source: "agent", byName: new Map() });
  deepStrictEqual(readUsage(null), { byName: new Map() });
});

Deno.test("replies are told from notifications, and errors from results", () => {
  deepStrictEqual(replyOf('{"jsonrpc":"2.0","id":3,"result":{"a":1}}', 3), {
    kind: "result",
    result: { a: 1 },
  });
  strictEqual(replyOf('{"jsonrpc":"2.0","method":"notifications/progress"}', 3), undefined);
  strictEqual(replyOf('{"jsonrpc":"2.0","id":4,"result":{}}', 3), undefined);
  deepStrictEqual(replyOf('{"id":3,"error":{"code":-32603,"message":"no"}}', 3), {
    kind: "error",
    code: -32603,
    message: "no",
  });
  deepStrictEqual(replyOf('{"id":null,"error":{"code":-32700}}', 3), {
    kind: "error",
    code: -32700,
    message: "no reason given",
  });
  deepStrictEqual(replyOf('[{"id":2,"result":1},{"id":3,"result":2}]', 3), { kind: "result", result: 2 });
  throws(() => replyOf("<html>", 3), /Cannot read answer: it begins "<html>", expected JSON/);
});

Deno.test("server-sent events are put together however they are cut", () => {
  const stream =
    'event: message\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: comment\n\ndata:two\n\nid: 5\n\ndata: cut';
  for (let size = 1; size < stream.length; size++) {
    const reader = new SseReader();
    const events: string[] = [];
    for (let at = 0; at < stream.length; at += size) events.push(...reader.feed(stream.slice(at, at + size)));
    deepStrictEqual([...events, ...reader.end()], ['{"a":\n1}', "two", "cut"], `pieces of ${size}`);
  }
});

Deno.test("a tool's answer is its text and its structure, or its failure", () => {
  deepStrictEqual(
    toolResult({ content: [{ type: "text", text: "a" }, { type: "image" }, { type: "text", text: "b" }] }),
    {
      text: "a\nb",
    },
  );
  deepStrictEqual(toolResult({ content: [], structuredContent: { x: 1 } }), {
    text: "",
    structured: { x: 1 },
  });
  throws(
    () => toolResult({ isError: true, content: [{ type: "text", text: "no such process" }] }),
    ToolError,
  );
  throws(() => toolResult({ isError: true }), /without a word/);
  deepStrictEqual(toolResult(undefined), { text: "" });
});

Deno.test("an upstream-style server is known by its four tools, and asked with upstream's words", async () => {
  await using upstream = startUpstream();
  const server = new ManagerServer(upstream.url);
  const { identity, abilities } = await server.connect(signal);
  deepStrictEqual(identity, { name: "background-process-manager", version: "0.1.0", protocol: "2024-11-05" });
  deepStrictEqual(Object.values(abilities), [false, false, false, false, false, false, false]);
  deepStrictEqual((await server.overview(signal)).services.map(({ name, state }) => `${name} ${state}`), [
    "api running",
    "web crashed",
    "worker idle",
  ]);
  const api = { service: "api", of: "run", index: -1 } as const;
  deepStrictEqual(await server.log(api, 2, signal), {
    lines: [{ raw: "GET /orders 200", stream: "stdout" }, {
      raw: "WARN slow query: 312 ms",
      stream: "stderr",
    }],
    depth: 2,
  });
  deepStrictEqual(
    await server.log({ ...api, service: "worker", of: "build" }, 9, signal).catch(String),
    "RangeError: Log instance -1 not found (have 0 instances)",
  );
  upstream.play.logs["worker"] = [[]];
  deepStrictEqual((await server.log({ ...api, service: "worker" }, 9, signal)).lines, []);
  await rejects(
    server.log({ ...api, service: "nobody" }, 9, signal),
    /^ToolError: Process 'nobody' not found$/,
  );
  strictEqual(await server.act("restart", "api", signal), "Process 'api' restarted successfully in dev mode");
  deepStrictEqual(upstream.calls.at(-1), { name: "restart", args: { process: "api" } });
});

Deno.test("our server is known by more tools; its answers come as events", async () => {
  await using ours = startOurs();
  const server = new ManagerServer(ours.url);
  const { abilities } = await server.connect(signal);
  deepStrictEqual(abilities, {
    start: true,
    stop: true,
    send: true,
    window: true,
    explain: true,
    structured: true,
    listen: false,
  });
  const { mode, modeNote, services } = await server.overview(signal);
  deepStrictEqual([mode, modeNote], ["Dev", "Time until release mode: 2 hours 14 minutes"]);
  const api = services.find(({ name }) => name === "api");
  deepStrictEqual([api?.pid, api?.cpuRatio, api?.dependsOn, api?.events], [
    41_198,
    1.31,
    ["db"],
    ["Started at 2026-11-21 08:00:00 UTC"],
  ]);
  strictEqual(api?.conditions?.get("db"), "ready");
  strictEqual(await server.act("stop", "api", signal), "Process 'api' stopped");
  await rejects(server.act("start", "nobody", signal), /Process 'nobody' not found/);
  await server.send("api", "hello\n", signal);
  deepStrictEqual(ours.calls.at(-1), { name: "send", args: { process: "api", text: "hello\n" } });
  await server.window("api", 24, 80, signal);
  deepStrictEqual(ours.calls.at(-1)?.args, { process: "api", text: "", window: { rows: 24, columns: 80 } });
  match(await server.explain("mailer", signal), /exit code 101/);
});

Deno.test("a server that cannot tell usage tells the rest", async () => {
  await using ours = startOurs([{ name: "api", state: "idle", pid: null }]);
  const server = new ManagerServer(ours.url);
  await server.connect(signal);
  const [api] = (await server.overview(signal)).services;
  deepStrictEqual([api?.name, api?.cpuRatio], ["api", undefined]);
});

/** A server with one answer for everything. */
function answering(response: () => Response): { url: string } & AsyncDisposable {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    await request.body?.cancel();
    return response();
  });
  return { url: `http://127.0.0.1:${server.addr.port}/mcp`, [Symbol.asyncDispose]: () => server.shutdown() };
}

const STRANGERS: [what: string, response: () => Response, error: RegExp][] = [
  [
    "a page",
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    /it begins "<html>", expected JSON/,
  ],
  ["another JSON", () => Response.json({ id: 1, result: {} }), /what answers there is no MCP server/],
  ["nothing found", () => new Response("", { status: 404 }), /is no MCP address \(status 404\)/],
  [
    "a demand for a token",
    () => new Response("", { status: 401 }),
    /refused with status 401; a token goes into BPM_TOKEN/,
  ],
  ["an error of its own", () => Response.json({ oops: true }, { status: 500 }), /answered with status 500/],
  [
    "a refusal",
    () => Response.json({ id: 1, error: { code: 1, message: "go away" } }, { status: 400 }),
    /^ToolError: go away/,
  ],
  [
    "an event stream without an answer",
    () => new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } }),
    /none to request 1 came/,
  ],
  [
    "a manager without tools",
    () => Response.json({ id: 1, result: { protocolVersion: "2025-06-18" } }),
    /none to request 2 came/,
  ],
];
for (const [what, response, error] of STRANGERS) {
  Deno.test(`connecting to ${what} says what was found`, async () => {
    await using server = answering(response);
    await rejects(new ManagerServer(server.url).connect(signal), error);
  });
}

Deno.test("an answer without end is given up at its limit", async () => {
  const chunk = new Uint8Array(2 ** 20).fill(0x20);
  await using server = answering(() =>
    new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }), {
      headers: { "content-type": "application/json" },
    })
  );
  await rejects(new McpClient(server.url).initialize(signal), new RegExp(`over ${MAX_ANSWER_BYTES} bytes`));
});

Deno.test("token, session and protocol are told with each request", async () => {
  const seen: Headers[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    seen.push(request.headers);
    const { id } = await request.json();
    return Response.json({ id, result: { protocolVersion: "2025-06-18", tools: [] } }, {
      headers: { "mcp-session-id": "s1" },
    });
  });
  const client = new McpClient(`http://127.0.0.1:${server.addr.port}/mcp`, { token: "secret" });
  await client.initialize(signal);
  deepStrictEqual(await client.tools(signal), []);
  await server.shutdown();
  const [first, , last] = seen;
  ok(first!.get("accept")!.includes("text/event-stream") && first!.get("mcp-session-id") === null);
  deepStrictEqual(
    ["authorization", "mcp-session-id", "mcp-protocol-version"].map((name) => last!.get(name)),
    ["Bearer secret", "s1", "2025-06-18"],
  );
});
