/** `bpm up`: a project in a terminal, with a board of what runs where. `bpm down`: ends it from elsewhere. @module */
import { Pidfd } from "../../ffi/sys/mod.ts";
import { deadline, waitForExit } from "../../lib/async/mod.ts";
import { Board } from "../../lib/bpm/mod.ts";
import { command, print } from "../../lib/cli/mod.ts";
import { CONFIG_OPTION, DIR, openProject } from "./project.ts";
import { becomeNewer, listenForUpgrade } from "../../lib/services/mod.ts";
import { openSession, PORT_OPTION } from "./session.ts";
import { managerOf } from "../../lib/supervisor/mod.ts";

/** Longer than the processes' own grace periods. */
const DOWN_MS = 60_000;

export const up = command({
  name: "up",
  summary: "run the processes of a project and show how they are",
  description: "As serve, with a board below what the processes say. Ctrl-C stops everything.",
  positionals: [DIR],
  options: { config: CONFIG_OPTION, port: PORT_OPTION },
  examples: [["bpm up", "The project of this folder"]],
  async run({ args: [dir = "."], options, signal }) {
    const terminal = Deno.stdout.isTerminal();
    const columns = terminal ? { columns: () => Deno.consoleSize().columns } : {};
    const board = new Board({ terminal, write: print, ...columns });
    const project = await openProject(dir, options.config);
    for (const warning of project.warnings) board.line(warning);
    await using session = await openSession(project, { port: options.port, signal });
    const { manager, url } = session;
    const { services } = manager.supervisor;
    const lastLines = new Map<string, string>();
    const show = () =>
      board.show([...services.values()].map(({ spec: { name }, state, restarts, current }) => {
        const status = current?.status();
        const pid = status?.kind === "running" ? { pid: status.pid } : {};
        return {
          name,
          url: manager.urlOf(name) ?? "",
          state,
          restarts,
          ...pid,
          lastLine: lastLines.get(name) ?? "",
        };
      }));
    const sinceMs = Date.now();
    manager.supervisor.listen((notice) => {
      if (notice.kind === "part") return;
      if (notice.kind === "line" || notice.kind === "event") {
        const text = manager.mask(notice.kind === "line" ? notice.line.text : notice.text);
        lastLines.set(notice.service, text);
        // What was said to a manager before this one has been shown.
        const isOld = notice.kind === "line" && notice.line.timeMs < sinceMs;
        if (!isOld) board.line(`[${notice.of === "build" ? "build" : notice.service}] ${text}`);
      }
      show();
    });
    board.line(`MCP on ${url}`);
    using upgrade = listenForUpgrade();
    const ended = AbortSignal.any([signal, upgrade.signal]);
    await manager.start(ended);
    if (!ended.aborted) {
      const last = [...services.keys()].map((name) => manager.urlOf(name)).findLast((each) =>
        each !== undefined
      );
      board.line(`all is up${last === undefined ? "" : `: open ${last}`} (Ctrl-C stops everything)`);
      await new Promise((resolve) => ended.addEventListener("abort", resolve, { once: true }));
    }
    return signal.aborted ? 0 : await becomeNewer(session.manager, session, { signal });
  },
});

export const down = command({
  name: "down",
  summary: "end the manager of a project and its processes",
  positionals: [DIR],
  options: { config: CONFIG_OPTION },
  examples: [["bpm down", "End what serves this folder's project"]],
  async run({ args: [dir = "."], options, signal }) {
    const { folder, state } = await openProject(dir, options.config);
    const pid = managerOf(state);
    if (pid === undefined) throw new Error(`Cannot end the manager of ${folder}: none runs`);
    using process = Pidfd.open(pid);
    using limit = deadline(DOWN_MS, signal);
    Deno.kill(pid, "SIGTERM");
    try {
      await waitForExit(process, { signal: limit.signal });
    } catch (cause) {
      signal.throwIfAborted();
      if (!limit.signal.aborted) throw cause;
      const found = `process ${pid} still runs after ${DOWN_MS / 1000} s`;
      throw new Error(`Cannot end the manager of ${folder}: ${found}`, { cause });
    }
    return 0;
  },
});
