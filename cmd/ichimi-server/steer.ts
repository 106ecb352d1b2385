/** Commands that are one call of a tool each. @module */
import { type Command, command, option, print, UsageError } from "../../lib/cli/mod.ts";
import { duration, optionalText, text, toggle } from "../../lib/config/mod.ts";
import { LIFETIMES } from "../../lib/ichimi/record.ts";
import { JSON_OPTION, PROCESS } from "./ask.ts";

const OPTIONS = { json: JSON_OPTION };

/** Loaded when it is called: whoever wants help does not wait for it. */
const asks = () => import("./ask.ts");

const run = command({
  name: "run",
  summary: "describe a process and start it",
  description: "It has this shell's environment and folder. Ends at once; the process goes on.",
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
    await asker.call("create_process", {
      id,
      command: program,
      args,
      lifetime: options.lifetime,
      restart: options.restart ? "on_failure" : "never",
      auto_start_on_restore: options.autoStart,
    }, { signal });
    const { text, structured } = await asker.call("start_process", { id }, { signal });
    print(options.json ? `${JSON.stringify(structured, null, 2)}\n` : `${text}\n`);
    return 0;
  },
});

const stop = command({
  name: "stop",
  summary: "stop a process and all that it has started",
  positionals: [PROCESS],
  options: {
    ...OPTIONS,
    grace: option(duration({ help: "Until what does not end is killed.", fallback: "5s" }), {
      value: "DURATION",
    }),
  },
  examples: [["ichimi-server stop web", "With SIGTERM, then SIGKILL"]],
  run: async ({ args: [id], options, signal }) =>
    await (await asks()).printed("stop_process", { id, grace_period_ms: options.grace }, {
      ...options,
      signal,
    }),
});

const start = onProcess("start", "start_process", "start a process");
const remove = onProcess("remove", "remove_process", "stop a process, and forget it with its logs");
const status = onProcess("status", "get_process_status", "tell how a process is, and what it uses");
const explain = onProcess(
  "explain",
  "explain",
  "tell why a process does not run, or how it failed last",
  "process",
);

export const STEERING: readonly Command[] = [run, start, stop, remove, status, explain];

function onProcess(name: string, tool: string, summary: string, argument = "id"): Command {
  return command({
    name,
    summary,
    positionals: [PROCESS],
    options: OPTIONS,
    examples: [[`ichimi-server ${name} web`, summary]],
    run: async ({ args: [id], options, signal }) =>
      await (await asks()).printed(tool, { [argument]: id }, { ...options, signal }),
  });
}
