/** `ichimi-server allowed`: what may be started where, and what was allowed for good. @module */
import { command, print } from "../../lib/cli/mod.ts";
import type { Allowed, AllowRule } from "../../lib/ichimi/allow.ts";
import { REPEATABLE_HEADER } from "../../lib/ichimi/hello.ts";
import { JSON_OPTION } from "./ask.ts";
import { safeText, tableText } from "./table.ts";

/** As `/api/allowed` tells it. */
interface AllowedList {
  readonly rules: readonly AllowRule[];
  readonly learned: readonly Allowed[];
}

const UNLISTED: Readonly<Record<AllowRule["unlisted"], string>> = {
  allow: "yes",
  ask: "on request",
  refuse: "no",
};

const remove = command({
  name: "remove",
  summary: "take back what was allowed for good",
  description: "It is asked for again from the next start on; what runs goes on.",
  positionals: [
    { name: "FOLDER", help: "of the rule, as the list has it", complete: "file" },
    { name: "LINE", help: "the command with its arguments, as one word" },
  ],
  examples: [["ichimi-server allowed remove ~/shop 'npm run deploy'", "From now on a person is asked"]],
  async run({ args: [folder = "", line = ""], signal }) {
    await askDaemon("DELETE", `/api/allowed?${new URLSearchParams({ folder, line })}`, signal);
    print(`'${safeText(line)}' is asked for again in ${safeText(folder)}\n`);
    return 0;
  },
});

export const allowed = command({
  name: "allowed",
  summary: "list what may be started where",
  description:
    'By [allow.NAME] of the configuration, and because a person has answered a question with "always".',
  options: { json: JSON_OPTION },
  commands: [remove],
  examples: [["ichimi-server allowed", "All rules, and what was allowed for good"]],
  async run({ options, signal }) {
    const response = await askDaemon("GET", "/api/allowed", signal);
    const list: AllowedList = JSON.parse(response);
    print(options.json ? `${JSON.stringify(list, null, 2)}\n` : listText(list));
    return 0;
  },
});

/** A row for each pattern, for each line that was learned, and for all others of each rule. */
function listText({ rules, learned }: AllowedList): string {
  const rows = rules.flatMap(({ folder, commands, unlisted }) => [
    ...commands.map((line) => [folder, "configured", line]),
    ...learned.filter((each) => each.folder === folder).map(({ line }) => [folder, "for good", line]),
    [folder, UNLISTED[unlisted], "(all others)"],
  ]);
  const unused = learned.filter(({ folder }) => rules.every((rule) => rule.folder !== folder))
    .map(({ folder, line }) => [folder, "no rule", line]);
  const all = [...rows, ...unused].map((row) => row.map(safeText));
  const table = all.length === 0 ? "" : tableText(["FOLDER", "ALLOWED", "COMMAND"], all);
  return rules.length > 0 ? table : `Everything may be started: ichimi.toml has no [allow.NAME].\n${table}`;
}

/** @throws {Error} When the daemon refuses. */
async function askDaemon(method: "GET" | "DELETE", path: string, signal: AbortSignal): Promise<string> {
  const { connect } = await import("./connection.ts");
  await using connection = connect();
  const headers: HeadersInit = method === "GET" ? { [REPEATABLE_HEADER]: "1" } : {};
  const response = await connection.fetch(path, { method, headers, signal });
  const text = await response.text();
  if (!response.ok) throw new Error(JSON.parse(text).error);
  return text;
}
