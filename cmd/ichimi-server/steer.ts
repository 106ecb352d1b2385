/** Commands that are one call of a tool each. @module */
import { type Command, command, option, print, UsageError } from "../../lib/cli/mod.ts";
import { duration, optionalText, text, toggle } from "../../lib/config/mod.ts";
import { LIFETIMES } from "../../lib/ichimi/record.ts";
import { ALLOW_OPTION, type Asker, JSON_OPTION, PROCESS } from "./ask.ts";

const OPTIONS = { json: JSON_OPTION };

/** Loaded when it is called: whoever wants help does not wait for it. */
const asks = () => import("./ask.ts");

const run = command({
  name: "run",
  summary: "describe a process and start it",
  description:
    "It has this shell's environment and folder, also when it is started again, until the machine is. One of that id " +
    "that does not run is described anew. Ends at once; the process goes on.",
  rest: "COMMAND",
  options: {
    ...OPTIONS,
    id: option(optionalText({ help: "Its id; the command's name by default.", example: "web" }), {
      value: "ID",
    }),
    lifetime: option(
      text({
        help: "With whom it ends.",
        fallback: "persistent",
        oneOf: LIFETIMES.filter((each) => each !== "session"),
      }),
      { value: "LIFETIME", complete: LIFETIMES.filter((each) => each !== "session") },
    ),
    restart: option(toggle({ help: "Starts it again when it fails.", fallback: false })),
    allow: ALLOW_OPTION,
    autoStart: option(toggle({ help: "Starts it with the daemon, too.", fallback: false })),
  },
  examples: [
    ["ichimi-server run --id web -- npm run dev", "A server that assistants see"],
    ["ichimi-server run --id db --restart --auto-start -- postgres -D data", "One that is always there"],
  ],
  async run({ rest: [program, ...args], options, signal }) {
    if (program === undefined) throw new UsageError("say what to run: ichimi-server run -- COMMAND");
    const id = options.id ?? program.slice(program.lastIndexOf("/") + 1);
    const { Asker } = await asks();
    await using asker = await Asker.connect();
    const described = {
      id,
      command: program,
      args,
      lifetime: options.lifetime,
      restart: options.restart ? "on_failure" : "never",
      auto_start_on_restore: options.autoStart,
    };
    const before = await known(asker, id, signal);
    if (before?.state?.Running !== undefined) {
      throw new Error(
        `Cannot run '${id}': it runs already (PID ${before.state.Running.pid}); ` +
          `stop it with "ichimi-server stop ${id}", or choose another --id`,
      );
    }
    await asker.call(before === undefined ? "create_process" : "update_process", described, { signal });
    const started = { signal, allow: options.allow };
    const { text, structured } = await asker.call("start_process", { id }, started).catch(async (error) => {
      // It can be tried again in another way.
      if (before !== undefined) throw error;
      await asker.call("remove_process", { id }, { signal });
      // There is nothing any more that "start" could start.
      throw new Error(error.message.replace(`ichimi-server start ${id}`, "ichimi-server run"), {
        cause: error,
      });
    });
    print(options.json ? `${JSON.stringify(structured, null, 2)}\n` : `${text}\n`);
    return 0;
  },
});

/** A process as a list shows it, as far as it matters here. */
interface Known {
  readonly id: string;
  readonly state?: { readonly Running?: { readonly pid: number } };
}

async function known(asker: Asker, id: string, signal: AbortSignal): Promise<Known | undefined> {
  const filter = { name_pattern: id.replaceAll(/[*?]/g, "?") };
  const { structured } = await asker.call("list_processes", { filter }, { signal });
  return (structured as { readonly processes: readonly Known[] }).processes.find((each) => each.id === id);
}

const GRACE_OPTION = option(duration({ help: "Until what does not end is killed.", fallback: "5s" }), {
  value: "DURATION",
});

const stop = command({
  name: "stop",
  summary: "stop a process and all that it has started",
  positionals: [PROCESS],
  options: { ...OPTIONS, grace: GRACE_OPTION },
  examples: [["ichimi-server stop web", "With SIGTERM, then SIGKILL"]],
  run: async ({ args: [id], options, signal }) =>
    await (await asks()).printed("stop_process", { id, grace_period_ms: options.grace }, {
      ...options,
      signal,
    }),
});

const start = command({
  name: "start",
  summary: "start a process",
  positionals: [PROCESS],
  options: { ...OPTIONS, allow: ALLOW_OPTION },
  examples: [["ichimi-server start web", "Asks on a terminal where the project's list is to ask"]],
  run: async ({ args: [id], options, signal }) =>
    await (await asks()).printed("start_process", { id }, { ...options, signal }),
});

const restart = command({
  name: "restart",
  summary: "stop a process if it runs, and start it",
  positionals: [PROCESS],
  options: { ...OPTIONS, grace: GRACE_OPTION, allow: ALLOW_OPTION },
  examples: [["ichimi-server restart web", "It goes on running where it may not be started"]],
  run: async ({ args: [id], options, signal }) =>
    await (await asks()).printed("restart_process", { id, grace_period_ms: options.grace }, {
      ...options,
      signal,
    }),
});

const remove = onProcess("remove", "remove_process", "stop a process, and forget it with its logs");
const status = onProcess("status", "get_process_status", "tell how a process is, and what it uses");
const explain = onProcess(
  "explain",
  "explain",
  "tell why a process does not run, or how it failed last",
  "process",
);

export const STEERING: readonly Command[] = [run, start, stop, restart, remove, status, explain];

function onProcess(name: string, tool: string, summary: string, argument = "id"): Command {
  return command({
    name,
    summary,
    positionals: [PROCESS],
    options: OPTIONS,
    examples: [[`ichimi-server ${name} web`, `${summary[0]!.toUpperCase()}${summary.slice(1)}`]],
    run: async ({ args: [id], options, signal }) =>
      await (await asks()).printed(tool, { [argument]: id }, { ...options, signal }),
  });
}
