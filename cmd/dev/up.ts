/** `deno task up`: sets up, starts the stack of this machine under our own supervisor and shows its board. @module */
import { command, option, print, runTool } from "../../lib/cli/mod.ts";
import { text } from "../../lib/config/mod.ts";
import { setUp } from "../../lib/build/setup.ts";
import { Board, stackServices } from "../../lib/stack/mod.ts";
import { Supervisor } from "../../lib/supervisor/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";
import { toolCommand } from "./tool_command.ts";

const up = command({
  name: "up",
  summary: "start agent and viewer on this machine and show where they are",
  options: {
    agent: option(text({ help: "Address of the agent.", fallback: "127.0.0.1:4241" }), { value: "ADDRESS" }),
    view: option(text({ help: "Address of the viewer.", fallback: "127.0.0.1:4242" }), { value: "ADDRESS" }),
  },
  examples: [["deno task up", "Everything on this machine"]],
  async run({ options, signal }) {
    const terminal = Deno.stdout.isTerminal();
    const board = new Board({ terminal, write: print });
    await setUp("up", (line) => board.line(`setup: ${line}`));
    if (Deno.uid() !== 0) {
      board.line("not root: the kernel's events stay closed, /status says what is missing");
    }

    const runDir = await makeRunDir();
    const services = stackServices({
      agentAddress: options.agent,
      viewerAddress: options.view,
      runDir,
      tool: toolCommand,
    });
    try {
      await using supervisor = Supervisor.open(services, `${runDir}/state`);
      const lastLine = new Map<string, string>();
      const show = () =>
        board.show(services.map(({ name, url }) => {
          const { state, restarts, current } = supervisor.services.get(name)!;
          const status = current?.status();
          const pid = status?.kind === "running" ? { pid: status.pid } : {};
          return { name, url, state, restarts, ...pid, lastLine: lastLine.get(name) ?? "" };
        }));
      supervisor.listen((notice) => {
        if (notice.kind !== "state") {
          const text = notice.kind === "line" ? notice.line.text : notice.text;
          lastLine.set(notice.service, text);
          board.line(`[${notice.service}] ${text}`);
        }
        show();
      });
      await supervisor.start(signal);
      if (!signal.aborted) {
        board.line(`hostkit is up: open ${services.at(-1)!.url} (Ctrl-C stops everything)`);
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
    } finally {
      await Deno.remove(runDir, { recursive: true });
    }
    return 0;
  },
});

export function run(args: string[]): Promise<number> {
  return runTool(up, TOOL_INFO, args);
}

/** A folder that only this user can enter. */
async function makeRunDir(): Promise<string> {
  const parent = Deno.env.get("XDG_RUNTIME_DIR") ?? (Deno.uid() === 0 ? "/run" : undefined);
  return await Deno.makeTempDir({ prefix: "hostkit-", ...(parent === undefined ? {} : { dir: parent }) });
}
