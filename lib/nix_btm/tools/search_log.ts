/** `search_log`: lines of a build's log. @module */
import { array, defineTool, integer, object, optional, string, ToolError } from "../../mcp/mod.ts";
import { buildsNamed, LIMIT, LIMIT_DEFAULT, type NixView, type ToolMaker } from "./tool.ts";
import { plainText } from "../../tui/mod.ts";

export const searchLog: ToolMaker = (view) =>
  defineTool({
    name: "search_log",
    description: "Searches the log of a build that runs or is over; without a text its last lines",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({
      build: string({
        description: "Number, derivation or part of the name; or the log's file of failed_builds",
        minLength: 1,
      }),
      text: optional(string({ description: "What lines have to contain, whatever its case" })),
      context: optional(integer({ minimum: 0, maximum: 20, description: "Lines around each" })),
      limit: LIMIT,
    }),
    output: object({ total: integer(), lines: array(object({ number: integer(), text: string() })) }),
    async run({ build, text, context = 0, limit = LIMIT_DEFAULT }, { signal }) {
      const lines = (await linesOf(view, build, signal)).map(plainText);
      const hits = text === undefined ? lines.keys() : matches(lines, text, context);
      const shown = [...hits].slice(-limit).map((at) => ({ number: at + 1, text: lines[at]! }));
      return {
        text: shown.map(({ number, text }) => `${number}: ${text}`).join("\n") || "no line of it",
        structured: { total: lines.length, lines: shown },
      };
    },
  });

/** Of a build that is known, else of one in the history, by name or file. */
async function linesOf(view: NixView, build: string, signal: AbortSignal): Promise<readonly string[]> {
  const [past] = await view.history({ name: build, limit: 1 }, signal);
  try {
    const { world, row } = buildsNamed(view, build).at(-1)!;
    // Numbers and files are those of this host's daemon: of another host's builds only the last lines are here.
    if (world !== view.worlds.get("")) return world.tails.get(row.id) ?? [];
    if (row.endedMs === undefined) return await view.log({ job: row.id }, signal);
    const [ended] = await view.history({ derivation: row.subject, limit: 1 }, signal);
    if (ended?.log !== undefined) return await view.log({ file: ended.log }, signal);
    return world.tails.get(row.id) ?? [];
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const file = /^\d+-\d+-/.test(build) ? build : past?.log;
    if (file === undefined) throw error;
    return await view.log({ file }, signal);
  }
}

function matches(lines: readonly string[], text: string, context: number): Set<number> {
  const wanted = text.toLowerCase();
  const found = new Set<number>();
  lines.forEach((line, at) => {
    if (!line.toLowerCase().includes(wanted)) return;
    for (let near = Math.max(0, at - context); near <= Math.min(lines.length - 1, at + context); near++) {
      found.add(near);
    }
  });
  return found;
}
