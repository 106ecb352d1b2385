/**
 * A server that offers what ours does beyond upstream's: structured lists, start, stop, input, answers as server-sent
 * events. It plays; the real one is another test's.
 */
import { aPlay, type Play, startUpstream, type Upstream } from "./upstream.ts";

/** A service of the play. */
export interface PlayedService {
  readonly name: string;
  state: string;
  readonly [key: string]: unknown;
}

/** The server, and what it plays. */
export interface Ours extends AsyncDisposable {
  readonly url: string;
  readonly play: Play;
  readonly services: PlayedService[];
  readonly calls: Upstream["calls"];
}

/** A shop with services of every state. */
export function aShop(): PlayedService[] {
  return [
    {
      name: "web",
      state: "running",
      ready: true,
      pid: 41_207,
      uptimeMs: 7_530_000,
      restarts: 0,
      failures: 0,
      exit: null,
      url: "http://127.0.0.1:8080",
      cpuRatio: 0.42,
      memoryBytes: 187_000_000,
      dependsOn: [{ name: "api", condition: "ready" }, { name: "cache", condition: "started" }],
      instances: 3,
      builds: 2,
    },
    {
      name: "api",
      state: "running",
      ready: true,
      pid: 41_198,
      uptimeMs: 7_541_000,
      restarts: 1,
      failures: 0,
      exit: null,
      cpuRatio: 1.31,
      memoryBytes: 512_000_000,
      dependsOn: [{ name: "db", condition: "ready" }],
      instances: 2,
      builds: 2,
    },
    {
      name: "cache",
      state: "running",
      ready: false,
      pid: 41_200,
      uptimeMs: 4_000,
      restarts: 0,
      dependsOn: [],
      instances: 1,
      builds: 0,
      cpuRatio: 0.02,
      memoryBytes: 9_000_000,
    },
    {
      name: "db",
      state: "running",
      ready: true,
      pid: 40_981,
      uptimeMs: 90_000_000,
      restarts: 0,
      dependsOn: [],
      instances: 1,
      builds: 0,
      cpuRatio: 0.08,
      memoryBytes: 1_300_000_000,
    },
    {
      name: "migrate",
      state: "finished",
      ready: false,
      pid: null,
      uptimeMs: null,
      restarts: 0,
      exit: "0",
      dependsOn: [{ name: "db", condition: "ready" }],
      instances: 1,
      builds: 1,
    },
    {
      name: "mailer",
      state: "backoff",
      ready: false,
      pid: null,
      uptimeMs: null,
      restarts: 7,
      failures: 7,
      exit: "101",
      dependsOn: [{ name: "db", condition: "ready" }],
      instances: 8,
      builds: 1,
    },
    {
      name: "worker-with-a-rather-long-name",
      state: "idle",
      ready: false,
      pid: null,
      uptimeMs: null,
      restarts: 0,
      dependsOn: [{ name: "db", condition: "ready" }, { name: "queue", condition: "started" }],
      instances: 0,
      builds: 0,
    },
  ];
}

/** Lines as a colourful server writes them. */
export function chatter(count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const time = `\x1b[2m12:${String(10 + Math.floor(at / 60) % 50)}:${
      String(at % 60).padStart(2, "0")
    }\x1b[0m`;
    if (at % 17 === 5) {
      return `[stderr] ${time} \x1b[33mWARN\x1b[0m slow query took ${200 + at} ms, table orders`;
    }
    if (at % 41 === 7) {
      return `[stderr] ${time} \x1b[31mERROR\x1b[0m upstream closed the connection 接続エラー 🦀`;
    }
    return `${time} \x1b[32mINFO\x1b[0m GET \x1b[36m/orders/${1000 + at}\x1b[0m 200 in ${(at * 7) % 90} ms`;
  });
}

const PROCESS = { type: "object", properties: { process: { type: "string" } } };
const MORE_TOOLS = [
  { name: "list", inputSchema: { type: "object", properties: {} } },
  { name: "start", inputSchema: PROCESS },
  { name: "stop", inputSchema: PROCESS },
  { name: "send", inputSchema: { type: "object", properties: { process: {}, text: {}, window: {} } } },
  { name: "explain", inputSchema: PROCESS },
  { name: "usage", inputSchema: { type: "object", properties: {} } },
];

/** Starts a server that hands upstream's tools on to the other play, and answers all as server-sent events. */
export function startOurs(services = aShop()): Ours {
  const play = aPlay();
  for (const { name } of services) {
    play.logs[name] = [chatter(30), chatter(400)];
    play.builds[name] = [["   Compiling shop v0.1.0", "    Finished dev profile in 2.1s"]];
  }
  play.processes = services.map(({ name, state }) => ({
    name,
    state: state === "running" ? "running" : "idle",
    more: ["    Recent events:", "      - Started at 2026-11-21 08:00:00 UTC"],
  }));
  const upstream = startUpstream(play);
  const calls: { name: string; args: Record<string, unknown> }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (request.method !== "POST") return new Response("", { status: 405 });
    const body = await request.json();
    if (body.id === undefined) return new Response(null, { status: 202 });
    const { name, arguments: args = {} } = body.params ?? {};
    if (body.method === "tools/call") calls.push({ name, args });
    const own = ownAnswer(body.method, name, args, services);
    if (own !== undefined) return events({ jsonrpc: "2.0", id: body.id, result: own });
    const answer = await (await fetch(upstream.url, { method: "POST", body: JSON.stringify(body) })).json();
    if (body.method === "tools/list") answer.result.tools.push(...MORE_TOOLS);
    if (body.method === "initialize") answer.result.serverInfo = { name: "bpm", version: "0.1.0" };
    return events(answer);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    play,
    services,
    calls,
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}

/** A notification before the answer: clients have to tell them apart. */
function events(answer: unknown): Response {
  const progress = { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } };
  const text = [progress, answer].map((each) => `event: message\r\ndata: ${JSON.stringify(each)}\r\n\r\n`)
    .join("");
  return new Response(text, { headers: { "content-type": "text/event-stream", "mcp-session-id": "played" } });
}

function ownAnswer(
  method: string,
  name: string,
  args: Record<string, unknown>,
  services: PlayedService[],
): unknown {
  if (method !== "tools/call") return undefined;
  const service = services.find((each) => each.name === args["process"]);
  const text = (said: string) => ({ content: [{ type: "text", text: said }] });
  switch (name) {
    case "list":
      return {
        ...text("see structured content"),
        structuredContent: { mode: "dev", services: services.map(told) },
      };
    case "usage": {
      const used = services.filter(({ pid }) => typeof pid === "number")
        .map((each) => ({ name: each.name, cpuRatio: each["cpuRatio"], memoryBytes: each["memoryBytes"] }));
      return used.length === 0
        ? { ...text("usage failed: /proc is closed"), isError: true }
        : { ...text("see structured content"), structuredContent: { services: used } };
    }
    case "start":
    case "stop":
      if (service === undefined) return { ...text(`Process '${args["process"]}' not found`), isError: true };
      service.state = name === "start" ? "running" : "idle";
      return text(`Process '${service.name}' ${name === "start" ? "started" : "stopped"}`);
    case "send":
      return text("Sent");
    case "explain":
      return text(
        `${service?.name} ended with exit code 101.\n\nIts last lines:\n  thread 'main' panicked at src/main.rs:7`,
      );
    default:
      return undefined;
  }
}

/** `list` tells nothing of usage: that is a tool of its own. */
function told({ cpuRatio: _cpu, memoryBytes: _memory, ...service }: PlayedService): unknown {
  return service;
}
