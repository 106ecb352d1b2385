/** `ichimi-server list`: the processes of this user, and `logs`: what they say. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { integer, text, toggle } from "../../lib/config/mod.ts";
import { sleep } from "../../lib/async/time.ts";
import { JSON_OPTION, PROCESS } from "./ask.ts";

/** As `list_processes` tells it. */
interface Info {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly state:
    | string
    | Readonly<Record<string, { readonly pid?: number; readonly exit_code?: number | null }>>;
  readonly outcome: string | null;
  readonly lifetime: string;
  readonly project?: string;
}

/** How it ended last; the last one stands for all that is not clean. */
const OUTCOMES = ["any", "clean", "failed", "killed", "spawn_error", "unknown", "not_clean"] as const;
const STATES = ["Running", "Stopped", "Failed", "All"] as const;
const asks = () => import("./ask.ts");

export const list = command({
  name: "list",
  summary: "list the processes",
  positionals: [{
    name: "PATTERN",
    help: "part of an id or a command, or a pattern with * and ?",
    optional: true,
  }],
  options: {
    json: JSON_OPTION,
    ids: option(toggle({ help: "Only the ids.", fallback: false })),
    state: option(text({ help: "Only those in this state.", fallback: "All", oneOf: STATES }), {
      value: "STATE",
      complete: STATES,
    }),
    outcome: option(text({ help: "Only those that ended so.", fallback: "any", oneOf: OUTCOMES }), {
      value: "OUTCOME",
      complete: OUTCOMES,
    }),
  },
  examples: [
    ["ichimi-server list", "All"],
    ["ichimi-server list --state Running 'web*'", "Some"],
    ["ichimi-server list --outcome not_clean", "What failed, was killed or could not be started"],
  ],
  async run({ args: [pattern], options, signal }) {
    const { ask } = await asks();
    const filter = {
      state: options.state,
      ...options.outcome === "any" ? {} : { outcome: options.outcome },
      ...pattern === undefined ? {} : { name_pattern: pattern },
    };
    const { structured } = await ask("list_processes", { filter }, { signal });
    const { processes } = structured as { readonly processes: readonly Info[] };
    if (options.json) print(`${JSON.stringify(processes, null, 2)}\n`);
    else if (options.ids) print(processes.map(({ id }) => `${id}\n`).join(""));
    else print(tableText(processes.map(rowOf)));
    return 0;
  },
});

const HEAD = ["ID", "STATE", "PID", "LIFETIME", "PROJECT", "COMMAND"];

function rowOf({ id, command, args, state, outcome, lifetime, project = "-" }: Info): string[] {
  const [kind, fields] = typeof state === "string" ? [state, {}] : Object.entries(state)[0]!;
  const how = outcome === null || outcome === "clean" ? "" : ` (${outcome.replace("_", " ")})`;
  const pid = fields.pid === undefined ? "-" : `${fields.pid}`;
  return [
    id,
    `${kind === "NotStarted" ? "not started" : kind.toLowerCase()}${how}`,
    pid,
    lifetime,
    project,
    [
      command,
      ...args,
    ].join(" "),
  ].map(shown);
}

const CELL_CHARS = 60;

/** Control characters, and those that turn the order of letters around. */
const STEERING = /[\p{Cc}\p{Bidi_Control}]/gu;

/** What others have chosen must not steer a terminal. */
function shown(text: string): string {
  const safe = text.replaceAll(STEERING, "�");
  return safe.length > CELL_CHARS ? `${safe.slice(0, CELL_CHARS - 1)}…` : safe;
}

function tableText(rows: readonly string[][]): string {
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, at) => Math.max(...all.map((row) => row[at]!.length)));
  return all.map((row) => `${row.map((cell, at) => cell.padEnd(widths[at]!)).join("  ").trimEnd()}\n`).join(
    "",
  );
}

const STREAMS = ["both", "stdout", "stderr"] as const;
const FOLLOW_MS = 200;
const FOLLOW_TOKENS = 100_000;

export const logs = command({
  name: "logs",
  summary: "show what a process has said, and follow it",
  positionals: [PROCESS],
  options: {
    lines: option(integer({ help: "The last so many.", fallback: 100, min: 0, max: 100_000 }), {
      short: "n",
      value: "LINES",
    }),
    follow: option(toggle({ help: "Goes on with what comes.", fallback: false }), { short: "f" }),
    stream: option(text({ help: "Only one of them.", fallback: "both", oneOf: STREAMS }), {
      value: "STREAM",
      complete: STREAMS,
    }),
    json: JSON_OPTION,
  },
  examples: [["ichimi-server logs web -n 20", "The last lines"], [
    "ichimi-server logs -f web",
    "And what comes",
  ]],
  async run({ args: [id], options, signal }) {
    const { Asker } = await asks();
    await using asker = await Asker.connect();
    const stream = options.stream[0]!.toUpperCase() + options.stream.slice(1);
    // Where following begins is asked for first, so that nothing is missed between.
    const begin = options.follow
      ? await asker.call("read_logs", { processes: [id], max_tokens: 50 }, { signal })
      : undefined;
    const { structured } = await asker.call("get_process_output", { id, stream, lines: options.lines }, {
      signal,
    });
    const { lines: last } = structured as { readonly lines: readonly Line[] };
    tell(last, options.json);
    let toldMs = last.at(-1)?.timeMs ?? 0;
    let cursor = (begin?.structured as { readonly cursor: string } | undefined)?.cursor;
    while (cursor !== undefined && !signal.aborted) {
      await sleep(FOLLOW_MS, { signal }).catch(() => "It is to end.");
      if (signal.aborted) break;
      const asked = { processes: [id], cursor, max_tokens: FOLLOW_TOKENS };
      const answer = (await asker.call("read_logs", asked, { signal })).structured as {
        readonly cursor: string;
        readonly lines: readonly (Line & { readonly repeated: number })[];
        readonly omitted: number;
      };
      const isMeant = ({ timeMs, stream }: Line) =>
        timeMs > toldMs && (options.stream === "both" || stream === options.stream);
      if (answer.omitted > 0) {
        console.error(`ichimi-server: ${answer.omitted} lines came too fast to be shown`);
      }
      // What came several times in a row is told once, with how often.
      const lines = answer.lines.filter(isMeant).flatMap(({ repeated, timeMs, stream, text }) =>
        Array.from({ length: repeated }, () => ({ timeMs, stream, text }))
      );
      tell(lines, options.json);
      cursor = answer.cursor;
      toldMs = 0;
    }
    return 0;
  },
});

interface Line {
  readonly timeMs: number;
  readonly stream: string;
  readonly text: string;
}

function tell(lines: readonly Line[], json: boolean): void {
  print(lines.map((line) => json ? `${JSON.stringify(line)}\n` : `${line.text}\n`).join(""));
}
