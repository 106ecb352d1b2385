/** `list_builds`: what Nix builds now, and has built. @module */
import {
  array,
  boolean,
  defineTool,
  integer,
  nullable,
  number,
  object,
  optional,
  string,
} from "../../mcp/mod.ts";
import { isOver } from "../../nix/mod.ts";
import { countsText, summaries } from "../summary.ts";
import {
  buildOf,
  BUILDS,
  builds,
  buildText,
  HOST,
  LIMIT,
  LIMIT_DEFAULT,
  placed,
  type ToolMaker,
} from "./tool.ts";

export const listBuilds: ToolMaker = (view) =>
  defineTool({
    name: "list_builds",
    description:
      "Lists Nix commands and their builds: those that run or wait, and on request those that are over",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({
      host: HOST,
      name: optional(string({ description: "Part of the name" })),
      over: optional(boolean({ description: "Also builds that are over" })),
      limit: LIMIT,
    }),
    output: object({
      commands: array(object({
        host: string(),
        id: integer(),
        state: string(),
        command: string(),
        running: integer(),
        done: integer(),
        failed: integer(),
        blocked: integer({ description: "Not begun, since something that they need has failed" }),
        left: integer(),
        copied: integer({ description: "Store paths that were copied" }),
        copies: integer({ description: "Of so many that are or were to be" }),
        errors: array(string({ description: "What went wrong beside builds that failed" })),
        seconds_left: nullable(number({ description: "Until the end, by history; null when nobody knows" })),
      })),
      builds: BUILDS,
      more: integer({ description: "Builds that are not listed" }),
    }),
    run({ host, name = "", over = false, limit = LIMIT_DEFAULT }) {
      const commands = placed(view, host, summaries)
        .filter(({ row }, at, all) => row.state === "running" || (over && at >= all.length - limit))
        .map(({ host, row: { medianMs, ...row } }) => ({
          host,
          ...row,
          errors: [...row.errors],
          seconds_left: medianMs === undefined ? null : medianMs / 1_000,
        }));
      const found = builds(view, host).filter(({ row }) => (over || !isOver(row)) && row.name.includes(name));
      const shown = found.slice(-limit).map((each) => buildOf(each, view.now()));
      const more = found.length - shown.length;
      const lines = [
        ...commands.flatMap(({ errors, ...summary }) => [
          `command #${summary.id} ${summary.state}: ${countsText(summary)}  ${summary.command}`,
          ...errors.map((text) => `  error: ${text}`),
        ]),
        ...shown.map(buildText),
        ...(more === 0 ? [] : [`and ${more} more`]),
      ];
      return { text: lines.join("\n") || "Nix does nothing", structured: { commands, builds: shown, more } };
    },
  });
