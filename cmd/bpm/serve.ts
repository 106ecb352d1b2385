/** `bpm serve`: runs a project's processes and serves MCP. @module */
import { bpmTools, Manager } from "../../lib/bpm/mod.ts";
import { command, option } from "../../lib/cli/mod.ts";
import { text, toggle } from "../../lib/config/mod.ts";
import { LEVELS, processLog } from "../../lib/log/mod.ts";
import { createRegistry, mcpRoutes } from "../../lib/mcp/mod.ts";
import type { Notice } from "../../lib/supervisor/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { formatAddress, isLoopbackName, listen } from "../../lib/web/mod.ts";
import { CONFIG_OPTION, openProject } from "./project.ts";

/** Names of upstream's server, by which its clients know it. */
const UPSTREAM = { name: "background-process-manager", version: "0.1.0" };
const INSTRUCTIONS = "Runs this project's processes. Look with get_status, read output with search_logs " +
  "and search_build_log, and after a change of the code call restart: it builds, and replaces the process once the " +
  "new one is ready.";

export const serve = command({
  name: "serve",
  summary: "run the processes of a project and serve MCP",
  description:
    "Reads DIR/.mcp-run. A manager that is killed leaves its processes running; the next one goes on " +
    "with them, their logs and their exit codes. One that is asked to end stops them first.",
  positionals: [{
    name: "DIR",
    help: "the project; this folder by default",
    optional: true,
    complete: "directory",
  }],
  options: {
    config: CONFIG_OPTION,
    quiet: option(toggle({ help: "Does not repeat what the processes say.", fallback: false }), {
      short: "q",
    }),
    logLevel: option(
      text({ help: "Least important level that is logged.", fallback: "info", oneOf: LEVELS }),
      { value: "LEVEL", complete: LEVELS },
    ),
  },
  examples: [
    ["bpm serve", "The project of this folder"],
    ["bpm ~/project", "As the original is called"],
  ],
  async run({ args: [dir = "."], options, signal }) {
    const { folder, config, warnings, state } = await openProject(dir, options.config);
    const log = processLog({ level: options.logLevel, json: false });
    for (const warning of warnings) log.warn(warning);
    const token = config.token_file === undefined
      ? undefined
      : (await Deno.readTextFile(config.token_file)).trim();
    if (!isLoopbackName(config.host) && token === undefined) {
      throw new Error(`Cannot listen on ${config.host}: other hosts reach it, and no "token_file" is set`);
    }
    await using stack = new AsyncDisposableStack();
    const manager = stack.use(Manager.open({ folder, config, stateFolder: state }));
    if (!options.quiet) echo(manager);
    const info = { name: UPSTREAM.name, version: VERSION, title: "bpm", instructions: INSTRUCTIONS };
    const routes = stack.use(mcpRoutes(createRegistry({ tools: bpmTools(manager) }), info, {
      plainInfo: UPSTREAM,
      ...(token === undefined ? {} : { token }),
    }));
    const address = { kind: "tcp", host: config.host, port: config.mcp_port } as const;
    const server = stack.use(await listen(address, (request) => routes.fetch(request), { signal }));
    log.info("serving MCP", { url: `${formatAddress(server.address)}/mcp`, project: folder });
    await manager.start(signal);
    if (!signal.aborted) log.info("all processes were started", { mode: manager.mode });
    await server.finished;
    return 0;
  },
});

/** Repeats what processes and builds say, as the original. */
function echo(manager: Manager): void {
  const { mask } = manager;
  const encoder = new TextEncoder();
  manager.supervisor.listen((notice) => {
    const line = echoed(notice);
    if (line === undefined) return;
    const bytes = encoder.encode(`${mask(line.text)}\n`);
    (line.isError ? Deno.stderr : Deno.stdout).writeSync(bytes);
  });
}

function echoed(notice: Notice): { readonly text: string; readonly isError: boolean } | undefined {
  if (notice.kind === "state") return undefined;
  const label = notice.of === "build" ? "build" : notice.service;
  return notice.kind === "line"
    ? { text: `[${label}] ${notice.line.text}`, isError: notice.line.stream === "stderr" }
    : { text: `[${notice.service}] bpm: ${notice.text}`, isError: true };
}
