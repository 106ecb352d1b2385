/**
 * A server that answers as upstream's does (facts: its texts, its protocol of 2024-11-05, its way of saying no), for
 * tests. What it is asked is kept.
 */

/** What the server plays; tests change it while it runs. */
export interface Play {
  mode: string;
  modeNote: string;
  /** Each with what stands below its name in `get_status`. */
  processes: { name: string; state: string; more: string[] }[];
  /** Log instances, oldest first, by process; and of builds. */
  logs: Record<string, string[][]>;
  builds: Record<string, string[][]>;
  /** What is waited for before a tool of this name answers. */
  hold: Record<string, Promise<void>>;
  /** Tools of this name fail so. */
  fail: Record<string, string>;
}

/** A project as one would see it in the middle of a day. */
export function aPlay(): Play {
  return {
    mode: "Dev",
    modeNote: "Time until release mode: 2 hours 14 minutes",
    processes: [
      {
        name: "api",
        state: "running",
        more: [
          "    Uptime: 1 hours 2 minutes",
          "    Recent events:",
          "      - Started at 2026-11-21 08:00:00",
        ],
      },
      {
        name: "web",
        state: "crashed",
        more: [
          "    Uptime: 0 hours 3 minutes",
          "    Recent events:",
          "      - Crashed at 2026-11-21 09:00:00 (exit code: Some(101))",
          "      - Started at 2026-11-21 08:57:00",
          "    Crash count: 2",
        ],
      },
      { name: "worker", state: "idle", more: ["    Uptime: 0 hours 0 minutes"] },
    ],
    logs: {
      api: [["first instance"], [
        "listening on 127.0.0.1:8080",
        "GET /orders 200",
        "[stderr] WARN slow query: 312 ms",
      ]],
      web: [["building", "[stderr] thread 'main' panicked at src/main.rs:7"]],
      worker: [],
    },
    builds: { api: [["   Compiling api v0.1.0", "    Finished dev profile in 2.1s"]], web: [], worker: [] },
    hold: {},
    fail: {},
  };
}

/** A server that listens on a port of its own. */
export interface Upstream extends AsyncDisposable {
  readonly url: string;
  readonly play: Play;
  /** Names of tools that were called, with their arguments. */
  readonly calls: { readonly name: string; readonly args: Record<string, unknown> }[];
}

/** Starts a server. `port` is one that was free before. */
export function startUpstream(play: Play = aPlay(), port = 0): Upstream {
  const calls: { name: string; args: Record<string, unknown> }[] = [];
  const closing = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    if (request.method !== "POST") return new Response("", { status: 405 });
    const { id = null, method, params } = await request.json();
    const reply = await answer(play, method, params ?? {}, calls, closing.promise);
    return Response.json({ jsonrpc: "2.0", id, ...reply });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    play,
    calls,
    [Symbol.asyncDispose]: () => {
      closing.resolve();
      return server.shutdown();
    },
  };
}

async function answer(
  play: Play,
  method: string,
  params: { name?: string; arguments?: Record<string, unknown> },
  calls: Upstream["calls"],
  closing: Promise<void>,
): Promise<Record<string, unknown>> {
  switch (method) {
    case "initialize":
      return {
        result: {
          protocolVersion: "2024-11-05",
          capabilities: { tools: {} },
          serverInfo: { name: "background-process-manager", version: "0.1.0" },
        },
      };
    case "tools/list":
      return { result: { tools: TOOLS } };
    case "tools/call": {
      const { name = "", arguments: args = {} } = params;
      calls.push({ name, args });
      await Promise.race([play.hold[name], closing]);
      const failure = play.fail[name];
      const text = failure === undefined ? call(play, name, args) : undefined;
      return text === undefined || text instanceof Error
        ? { error: { code: -32603, message: `Tool execution error: ${failure ?? (text as Error).message}` } }
        : { result: { content: [{ type: "text", text }] } };
    }
    default:
      return { error: { code: -32601, message: `Method not found: ${method}` } };
  }
}

const PROCESS = { process: { type: "string" } };
const SEARCH = {
  type: "object",
  properties: {
    ...PROCESS,
    pattern: { type: "string" },
    context_lines: { type: "number" },
    head: { type: "number" },
    tail: { type: "number" },
    index: { type: "number" },
  },
  required: ["process"],
};
const TOOLS = [
  { name: "search_logs", description: "Search logs", inputSchema: SEARCH },
  { name: "search_build_log", description: "Search build logs", inputSchema: SEARCH },
  { name: "restart", description: "Restart", inputSchema: { type: "object", properties: PROCESS } },
  { name: "get_status", description: "Status", inputSchema: { type: "object", properties: {} } },
];

function call(play: Play, name: string, args: Record<string, unknown>): string | Error {
  const process = String(args["process"] ?? "");
  switch (name) {
    case "get_status":
      return statusText(play);
    case "search_logs":
      return logText(play.logs[process], process, args);
    case "search_build_log":
      return logText(play.builds[process], process, args);
    case "restart":
      return `Process '${process}' restarted successfully in dev mode`;
    default:
      return new Error(`Unknown tool: ${name}`);
  }
}

function statusText({ mode, modeNote, processes }: Play): string {
  const lines = processes.flatMap(({ name, state, more }) => [`  ${name}: ${state}`, ...more]);
  return [`Mode: ${mode}`, modeNote, "", "Processes:", ...lines, ""].join("\n");
}

function logText(
  instances: string[][] | undefined,
  process: string,
  args: Record<string, unknown>,
): string | Error {
  if (instances === undefined) return new Error(`Process '${process}' not found`);
  const index = Number(args["index"] ?? -1);
  const lines = instances.at(index);
  if (lines === undefined || index >= instances.length) {
    return `Log instance ${index} not found (have ${instances.length} instances)`;
  }
  if (lines.length === 0) return "(empty)";
  return lines.slice(-Number(args["tail"] ?? lines.length)).join("\n");
}
