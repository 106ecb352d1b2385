/** Commands that ask a manager which runs: each is a call of one of its tools. @module */
import { type Command, command, option, print } from "../../lib/cli/mod.ts";
import { integer, optionalInteger, optionalText, toggle } from "../../lib/config/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { CONFIG_OPTION, openProject } from "./project.ts";

/** The protocol without a handshake: one request, one answer. */
const PROTOCOL = "2026-07-28";
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": PROTOCOL,
  "io.modelcontextprotocol/clientInfo": { name: "bpm", version: VERSION },
  "io.modelcontextprotocol/clientCapabilities": {},
};

const OPTIONS = {
  dir: option(optionalText({ help: "Folder of the project; this one by default.", example: "." }), {
    value: "DIR",
    complete: "directory",
  }),
  config: CONFIG_OPTION,
  json: option(toggle({ help: "Prints the answer as JSON.", fallback: false })),
};

const PROCESS = { name: "PROCESS", help: "name in .mcp-run" };
const COUNT = { min: 0, max: 1_000_000_000 };

const status = command({
  name: "status",
  summary: "tell how the processes are",
  options: OPTIONS,
  examples: [["bpm status", "Mode, states, uptimes, recent events"], ["bpm status --json", "As data"]],
  run: ({ options, signal }) => call(options.json ? "list" : "get_status", {}, { options, signal }),
});

const logs = command({
  name: "logs",
  summary: "search the log of a process",
  positionals: [PROCESS],
  options: {
    ...OPTIONS,
    build: option(toggle({ help: "The log of its builds instead.", fallback: false })),
    pattern: option(optionalText({ help: "Regular expression.", example: "error" }), {
      short: "p",
      value: "REGEX",
    }),
    context: option(integer({ help: "Lines around each match.", fallback: 0, ...COUNT }), {
      short: "C",
      value: "LINES",
    }),
    tail: option(optionalInteger({ help: "Only the last lines.", example: "100", ...COUNT }), {
      short: "n",
      value: "LINES",
    }),
    index: option(
      integer({
        help: "Which instance: -1 is the newest, 0 the oldest.",
        fallback: -1,
        min: -100_000,
        max: 100_000,
      }),
      {
        value: "INDEX",
      },
    ),
  },
  examples: [["bpm logs api -n 50", "The last lines"], [
    "bpm logs api -p 'panic|error' -C 3",
    "What went wrong",
  ]],
  run: ({ args: [process], options, signal }) => {
    const { build, pattern, context, tail, index } = options;
    const query = {
      process,
      index,
      ...(pattern === undefined ? {} : { pattern, context_lines: context }),
      ...(tail === undefined ? {} : { tail }),
    };
    return call(build ? "search_build_log" : "search_logs", query, { options, signal });
  },
});

const send = command({
  name: "send",
  summary: "send a line to the input of a process",
  positionals: [PROCESS, { name: "TEXT", help: "what is sent, with a newline behind it" }],
  options: OPTIONS,
  examples: [["bpm send repl 'reload()'", "A line for a process with stdin or a terminal"]],
  run: ({ args: [process, text], options, signal }) =>
    call("send", { process, text: `${text}\n` }, { options, signal }),
});

export const CLIENT_COMMANDS: readonly Command[] = [
  status,
  logs,
  onProcess("restart", "build a process and replace it once the new one is ready"),
  onProcess("start", "start a process"),
  onProcess("stop", "stop a process"),
  send,
];

function onProcess(name: "restart" | "start" | "stop", summary: string): Command {
  return command({
    name,
    summary,
    positionals: [PROCESS],
    options: OPTIONS,
    examples: [[`bpm ${name} api`, `${name[0]!.toUpperCase()}${name.slice(1)} one process`]],
    run: ({ args: [process], options, signal }) => call(name, { process }, { options, signal }),
  });
}

interface Asking {
  readonly options: {
    readonly dir: string | undefined;
    readonly config: string | undefined;
    readonly json: boolean;
  };
  readonly signal: AbortSignal;
}

/** Calls a tool of the project's manager and prints its answer; 1 when the tool failed. */
async function call(
  tool: string,
  args: Record<string, unknown>,
  { options, signal }: Asking,
): Promise<number> {
  const { config } = await openProject(options.dir ?? ".", options.config);
  const url = `http://${config.host}:${config.mcp_port}/mcp`;
  const token = config.token_file === undefined
    ? undefined
    : (await Deno.readTextFile(config.token_file)).trim();
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        // With less it is bpm's old dialect, which knows no data.
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": PROTOCOL,
        "mcp-method": "tools/call",
        "mcp-name": tool,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: tool, arguments: args, _meta: ENVELOPE },
      }),
      signal,
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`Cannot ask the manager at ${url}: nobody answers there; start it with: bpm serve`, {
      cause,
    });
  }
  if (!response.ok) {
    throw new Error(
      `Cannot ask the manager at ${url}: it answers ${response.status} ${await response.text()}`,
    );
  }
  const { result, error } = await response.json();
  if (error !== undefined) throw new Error(String(error.message));
  if (result.isError === true) throw new Error(textOf(result));
  const answer = options.json
    ? JSON.stringify(result.structuredContent ?? { text: textOf(result) }, null, 2)
    : textOf(result);
  print(`${answer}\n`);
  return 0;
}

function textOf(result: { readonly content: readonly { readonly text?: string }[] }): string {
  return result.content.map(({ text = "" }) => text).join("");
}
