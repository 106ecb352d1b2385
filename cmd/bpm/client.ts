/** Commands that are one call of a tool each. @module */
import { type Command, command, option } from "../../lib/cli/mod.ts";
import { toggle } from "../../lib/config/mod.ts";
import { call, OPTIONS, PROCESS } from "./ask.ts";

const PROCESSES = { ...PROCESS, help: "name in .mcp-run, of all its replicas, or with @ of a group" };

const status = command({
  name: "status",
  summary: "tell how the processes are",
  options: OPTIONS,
  examples: [["bpm status", "Mode, states, uptimes, recent events"], ["bpm status --json", "As data"]],
  run: ({ options, signal }) => call(options.json ? "list" : "get_status", {}, { options, signal }),
});

const usage = command({
  name: "usage",
  summary: "tell what CPU and memory the processes use",
  description: "CPU is of one core, since somebody asked before; bpm list measures it for a moment.",
  options: OPTIONS,
  examples: [["bpm usage", "Each process with all that it has started"]],
  run: ({ options, signal }) => call("usage", {}, { options, signal }),
});

const explain = command({
  name: "explain",
  summary: "tell why a process does not run, or how it failed last",
  positionals: [PROCESS],
  options: OPTIONS,
  examples: [["bpm explain api", "Its last failure: exit, last words, build"]],
  run: ({ args: [process], options, signal }) => call("explain", { process }, { options, signal }),
});

const reload = command({
  name: "reload",
  summary: "make the processes what .mcp-run says now",
  description: "New ones are started, removed ones stopped, changed ones replaced; the others run on.",
  options: {
    ...OPTIONS,
    dryRun: option(toggle({ help: "Only tells what would change.", fallback: false }), { short: "n" }),
  },
  examples: [["bpm reload", "After a change of .mcp-run"], ["bpm reload -n", "What it would do"]],
  run: ({ options, signal }) => call("reload", { dry_run: options.dryRun }, { options, signal }),
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
  onProcess("restart", "build a process and replace it once the new one is ready"),
  onProcess("start", "start a process"),
  onProcess("stop", "stop a process"),
  reload,
  send,
  explain,
  usage,
];

/** A call that takes its time tells how far it is: people on a terminal, and whoever asks for it. */
function onProcess(name: "restart" | "start" | "stop", summary: string): Command {
  const does = `${name[0]!.toUpperCase()}${name.slice(1)}`;
  return command({
    name,
    summary,
    description: "Several are taken one after the other; the first that fails ends it.",
    positionals: [{ ...PROCESSES, many: true }],
    options: {
      ...OPTIONS,
      verbose: option(
        toggle({ help: "Tells how far it is on standard error, as on a terminal.", fallback: false }),
        { short: "v" },
      ),
    },
    examples: [
      [`bpm ${name} api`, `${does} one process`],
      [`bpm ${name} api worker`, `${does} two`],
      [`bpm ${name} @web`, `${does} a group`],
    ],
    run: async ({ args, options, signal }) => {
      const isTold = options.verbose || (Deno.stderr.isTerminal() && !options.json);
      const progress = isTold ? (message: string) => console.error(message) : undefined;
      for (const process of args) await call(name, { process }, { options, signal, progress });
      return 0;
    },
  });
}
