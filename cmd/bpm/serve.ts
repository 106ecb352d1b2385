/** `bpm serve`: runs a project's processes and serves MCP. @module */
import { command, option } from "../../lib/cli/mod.ts";
import { text, toggle } from "../../lib/config/mod.ts";
import { LEVELS, processLog } from "../../lib/log/mod.ts";
import type { Manager } from "../../lib/bpm/mod.ts";
import { ServiceManager } from "../../lib/systemd/mod.ts";
import type { Notice } from "../../lib/supervisor/mod.ts";
import { CONFIG_OPTION, DIR, openProject } from "./project.ts";
import { becomeNewer, listenForUpgrade } from "../../lib/services/mod.ts";
import { openSession, PORT_OPTION } from "./session.ts";

export const serve = command({
  name: "serve",
  summary: "run the processes of a project and serve MCP",
  description:
    "Reads DIR/.mcp-run. A manager that is killed leaves its processes running; the next one goes on " +
    "with them, their logs and their exit codes. One that is asked to end stops them first.",
  positionals: [DIR],
  options: {
    config: CONFIG_OPTION,
    port: PORT_OPTION,
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
    const project = await openProject(dir, options.config);
    const log = processLog({ level: options.logLevel, json: false });
    for (const warning of project.warnings) log.warn(warning);
    using services = new ServiceManager();
    const [socket] = services.listeners;
    await using session = await openSession(project, { port: options.port, socket, signal });
    const { manager, url } = session;
    if (!options.quiet) echo(manager);
    log.info("serving MCP", { url, project: project.folder });
    services.ready("starting the processes");
    signal.addEventListener("abort", () => services.stopping("stopping the processes"), { once: true });
    using upgrade = listenForUpgrade();
    const ended = AbortSignal.any([signal, upgrade.signal]);
    await manager.start(ended);
    if (!ended.aborted) {
      log.info("all processes were started", { mode: manager.mode });
      services.status(`serving MCP on ${url}`);
      await new Promise((resolve) => ended.addEventListener("abort", resolve, { once: true }));
    }
    if (signal.aborted) return 0;
    log.info("becoming a newer manager", { pid: Deno.pid });
    return await becomeNewer(session.manager, session, { signal, services });
  },
});

/** Repeats what processes and builds say, as the original; what they said to a manager before this one it has repeated. */
function echo(manager: Manager): void {
  const { mask } = manager;
  const encoder = new TextEncoder();
  const sinceMs = Date.now();
  manager.supervisor.listen((notice) => {
    const line = notice.kind === "line" && notice.line.timeMs < sinceMs ? undefined : echoed(notice);
    if (line === undefined) return;
    const bytes = encoder.encode(`${mask(line.text)}\n`);
    (line.isError ? Deno.stderr : Deno.stdout).writeSync(bytes);
  });
}

function echoed(notice: Notice): { readonly text: string; readonly isError: boolean } | undefined {
  if (notice.kind !== "line" && notice.kind !== "event") return undefined;
  const label = notice.of === "build" ? "build" : notice.service;
  return notice.kind === "line"
    ? { text: `[${label}] ${notice.line.text}`, isError: notice.line.stream === "stderr" }
    : { text: `[${notice.service}] bpm: ${notice.text}`, isError: true };
}
