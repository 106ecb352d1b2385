/** `failed_builds`: what failed, in which phase, with its last words. @module */
import { array, defineTool, integer, nullable, number, object, optional, string } from "../../mcp/mod.ts";
import { plainText } from "../../tui/mod.ts";
import { summaries } from "../summary.ts";
import { LIMIT, type NixView, placed, type ToolMaker } from "./tool.ts";

/** A century: longer ago nothing was built. */
const HOURS_MAX = 876_600;
const TAIL_DEFAULT = 20;
const FAILED_DEFAULT = 10;

export const failedBuilds: ToolMaker = (view) =>
  defineTool({
    name: "failed_builds",
    description:
      "Lists builds that failed, the newest first: how, in which phase, and the last lines of their logs; and " +
      "commands that failed for other reasons, as evaluation",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({
      name: optional(string({ description: "Part of the name" })),
      hours: optional(number({ description: "Of the last so many hours", minimum: 0, maximum: HOURS_MAX })),
      lines: optional(integer({ minimum: 0, maximum: 50, description: "Lines of each log; 20 by default" })),
      limit: LIMIT,
    }),
    output: object({
      builds: array(object({
        name: string(),
        derivation: string(),
        failure: string(),
        phase: nullable(string()),
        ended: string({ description: "ISO 8601" }),
        log: nullable(string({ description: "File of the whole log, for search_log" })),
        tail: array(string()),
      })),
      commands: array(object({
        host: string(),
        id: integer(),
        command: string(),
        ended: string({ description: "ISO 8601" }),
        errors: array(string()),
      })),
    }),
    async run({ name, hours, lines = TAIL_DEFAULT, limit = FAILED_DEFAULT }, { signal }) {
      const sinceMs = hours === undefined ? undefined : Math.round(view.now() - hours * 3_600_000);
      const found = await view.history({ name, sinceMs, outcome: "failed", limit }, signal);
      const failed = found.map((build) => ({
        name: build.name,
        derivation: build.derivation,
        failure: build.failure ?? "",
        phase: build.phase ?? null,
        ended: new Date(build.endedMs).toISOString(),
        log: build.log ?? null,
        tail: lines === 0 ? [] : build.tail.slice(-lines).map(plainText),
      }));
      const commands = failedCommands(view, { name, sinceMs, limit });
      const texts = [
        ...failed.map(({ name, failure, phase, ended, tail }) =>
          withLines(`${name}: ${failure}${phase === null ? "" : ` in ${phase}`} (${ended})`, tail)
        ),
        ...commands.map(({ id, command, ended, errors }) =>
          withLines(`command #${id} failed: ${command} (${ended})`, errors)
        ),
      ];
      return { text: texts.join("\n") || "no build has failed", structured: { builds: failed, commands } };
    },
  });

/** Commands that failed and say why beside their builds, the newest first. */
function failedCommands(
  view: NixView,
  { name = "", sinceMs = 0, limit }: {
    readonly name: string | undefined;
    readonly sinceMs: number | undefined;
    readonly limit: number;
  },
) {
  return placed(view, undefined, summaries)
    .map(({ host, world, row: { id, state, command, errors } }) => {
      const endedMs = world.commands.get(id)?.endedMs ?? 0;
      return { host, id, state, command, endedMs, errors: [...errors] };
    })
    .filter(({ state, command, endedMs, errors }) =>
      state === "failed" && errors.length > 0 && endedMs >= sinceMs && command.includes(name)
    )
    .slice(-limit).reverse()
    .map(({ host, id, command, endedMs, errors }) => ({
      host,
      id,
      command,
      ended: new Date(endedMs).toISOString(),
      errors,
    }));
}

function withLines(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join("\n");
}
