/** `bpm logs`: what processes have said and say, of one, several or all; also while no manager runs. @module */
import {
  type BpmConfig,
  followLocal,
  type LocalLine,
  localProcesses,
  LogPrinter,
  projectMask,
  readLocal,
} from "../../lib/bpm/mod.ts";
import { compilePattern, InstanceError } from "../../lib/services/mod.ts";
import { Doorbell } from "../../lib/ring/mod.ts";
import { command, option, print, TempFolder } from "../../lib/cli/mod.ts";
import { integer, optionalDuration, optionalInteger, optionalText, toggle } from "../../lib/config/mod.ts";
import { OPTIONS, PROCESS } from "./ask.ts";
import { openProject } from "./project.ts";

const COUNT = { min: 0, max: 1_000_000_000 };
/** Lines of each that are shown before what comes, unless others are asked for. */
const FOLLOW_TAIL = 10;

export const logs = command({
  name: "logs",
  summary: "show, search and follow what processes say",
  description:
    "Without a name, of all processes, in order of time. It reads what lies on disk, so that no manager " +
    "has to run. Values of environment files are masked.",
  positionals: [{ ...PROCESS, optional: true, many: true, help: "names in .mcp-run; all without any" }],
  options: {
    dir: OPTIONS.dir,
    config: OPTIONS.config,
    json: option(toggle({ help: "Prints one JSON object a line.", fallback: false })),
    follow: option(toggle({ help: "Goes on with what comes, also of new instances.", fallback: false }), {
      short: "f",
    }),
    build: option(toggle({ help: "The logs of builds instead.", fallback: false }), { short: "b" }),
    pattern: option(
      optionalText({ help: "Only lines that match this regular expression.", example: "error" }),
      { short: "p", value: "REGEX" },
    ),
    context: option(integer({ help: "Lines around each match.", fallback: 0, ...COUNT }), {
      short: "C",
      value: "LINES",
    }),
    tail: option(optionalInteger({ help: "Only the last lines.", example: "100", ...COUNT }), {
      short: "n",
      value: "LINES",
    }),
    since: option(optionalDuration({ help: "Only what is no older, of all instances.", example: "10m" }), {
      value: "DURATION",
    }),
    index: option(
      optionalInteger({
        help: "Which instance: -1 is the newest (the default), 0 the oldest kept.",
        example: "-1",
        min: -100_000,
        max: 100_000,
      }),
      { short: "i", value: "INDEX" },
    ),
    timestamps: option(toggle({ help: "Says when, in local time.", fallback: false }), { short: "t" }),
  },
  examples: [
    ["bpm logs api -n 50", "The last lines of one"],
    ["bpm logs @backend --since 10m", "What a group has said"],
    ["bpm logs -f", "All processes, as they say it"],
    ["bpm logs api web -p 'panic|error' -C 3", "What went wrong in two of them"],
    ["bpm logs --since 10m --json", "As data"],
  ],
  async run({ args, options, signal }) {
    const { folder, config, state } = await openProject(options.dir ?? ".", options.config);
    const processes = args.flatMap((each) => each === undefined ? [] : servicesOf(each, config, state));
    const query = {
      processes,
      kind: options.build ? "build" as const : "run" as const,
      index: options.index,
      sinceMs: options.since === undefined ? undefined : Date.now() - options.since,
      mask: await projectMask(folder, config),
    };
    const style = {
      form: options.json ? "json" as const : "text" as const,
      colour: Deno.stdout.isTerminal() && Deno.env.get("NO_COLOR") === undefined,
      named: processes.length !== 1,
      timed: options.timestamps,
    };
    const pattern = options.pattern === undefined ? undefined : compilePattern(options.pattern);
    const printer = new LogPrinter(style, { pattern, context: options.context });
    const tell = (line: LocalLine) => write(printer.take(line));
    const begin = (lines: readonly LocalLine[], fallback: number | undefined) => {
      const shown = lines.flatMap((line) => printer.take(line));
      const tail = options.tail ?? (options.since === undefined ? fallback : undefined);
      write(tail === undefined ? shown : shown.slice(Math.max(0, shown.length - tail)));
    };
    try {
      if (options.follow) {
        await follow((doorbell) =>
          followLocal(state, query, { doorbell, signal, tell, begin: (lines) => begin(lines, FOLLOW_TAIL) })
        );
      } else begin(readLocal(state, query), undefined);
    } catch (error) {
      throw error instanceof InstanceError ? new Error(error.message, { cause: error }) : error;
    }
    return 0;
  },
});

/** What a name stands for: a process, all its replicas, or with `@` a group. */
function servicesOf(word: string, { process }: BpmConfig, state: string): string[] {
  const names = word.startsWith("@")
    ? Object.keys(process).filter((name) => process[name]!.groups.includes(word.slice(1)))
    : [word];
  if (names.length === 0) throw new Error(`Group '${word}' not found: no process names it in "groups"`);
  const known = localProcesses(state);
  return names.flatMap((name) => {
    const replicas = known.filter((each) =>
      each.startsWith(`${name}.`) && /^\d+$/.test(each.slice(name.length + 1))
    );
    return known.includes(name) || replicas.length === 0 ? [name] : replicas;
  });
}

/** With a doorbell of its own, so that lines come at once and nothing is polled. */
async function follow(body: (doorbell: Doorbell) => Promise<void>): Promise<void> {
  using folder = TempFolder.create("bpm-logs");
  await using doorbell = Doorbell.create(`${folder.path}/doorbell`);
  await body(doorbell);
}

function write(lines: readonly string[]): void {
  if (lines.length > 0) print(lines.map((line) => `${line}\n`).join(""));
}
