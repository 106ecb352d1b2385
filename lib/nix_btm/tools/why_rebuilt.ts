/** `why_rebuilt`: what differs between a derivation and the one of the same name before it. @module */
import { array, defineTool, nullable, object, optional, string, ToolError } from "../../mcp/mod.ts";
import { nameOf, whyRebuilt } from "../../nix/mod.ts";
import { differenceText, earlierDerivation, shortDifference } from "../why_rebuilt.ts";
import { buildsNamed, type NixView, type ToolMaker } from "./tool.ts";

export const whyRebuiltTool: ToolMaker = (view) =>
  defineTool({
    name: "why_rebuilt",
    description:
      "Tells why something is built anew: inputs, variables and arguments that differ from the build before",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({
      build: string({ description: "Number, derivation or part of the name", minLength: 1 }),
      before: optional(
        string({ description: "Derivation to compare with; the one built before when it is left out" }),
      ),
    }),
    output: object({
      before: string(),
      after: string(),
      differences: array(
        object({ what: string(), name: string(), before: nullable(string()), after: nullable(string()) }),
      ),
    }),
    async run({ build, before }, { signal }) {
      const after = build.endsWith(".drv") && build.startsWith("/")
        ? build
        : buildsNamed(view, build).at(-1)!.row.subject;
      const earlier = before ?? await earlierOf(view, after, signal);
      const [one, other] = await Promise.all([earlier, after].map((path) => read(view, path)));
      const differences = whyRebuilt(one!, other!).map(shortDifference);
      return {
        text: [`${after} instead of ${earlier}`, ...differences.map(differenceText)].join("\n"),
        structured: {
          before: earlier,
          after,
          differences: differences.map(({ what, name, before, after }) => ({
            what,
            name,
            before: before ?? null,
            after: after ?? null,
          })),
        },
      };
    },
  });

async function earlierOf(view: NixView, derivation: string, signal: AbortSignal): Promise<string> {
  const found = await earlierDerivation(derivation, (query) => view.history(query, signal));
  if (found !== undefined) return found;
  throw new ToolError(`nothing of the name ${nameOf(derivation)} was built before; give "before"`);
}

async function read(view: NixView, path: string) {
  try {
    return await view.derivation(path);
  } catch (error) {
    throw new ToolError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}
