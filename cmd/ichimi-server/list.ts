/** `ichimi-server list`: the processes of this user. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { text, toggle } from "../../lib/config/mod.ts";
import { JSON_OPTION } from "./ask.ts";
import { safeText, tableText } from "./table.ts";

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
    else print(tableText(HEAD, processes.map(rowOf)));
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

function shown(text: string): string {
  const safe = safeText(text);
  return safe.length > CELL_CHARS ? `${safe.slice(0, CELL_CHARS - 1)}…` : safe;
}
