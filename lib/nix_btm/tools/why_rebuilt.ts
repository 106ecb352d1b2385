/** `why_rebuilt`: what differs between a derivation and the one of the same name before it. @module */
import { array, defineTool, nullable, object, optional, string, ToolError } from "../../mcp/mod.ts";
import { nameOf, whyRebuilt } from "../../nix/mod.ts";
import { buildsNamed, type NixView, type ToolMaker } from "./tool.ts";

const SHOWN_CHARS = 300;
const LOOKED_AT = 50;

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
      const differences = whyRebuilt(one!, other!).map(({ what, name, before, after }) => ({
        what,
        name,
        before: shown(before),
        after: shown(after),
      }));
      const lines = differences.map(({ what, name, before, after }) =>
        `${what} ${name}: ${before ?? "none"} → ${after ?? "none"}`
      );
      return {
        text: [`${after} instead of ${earlier}`, ...lines].join("\n"),
        structured: { before: earlier, after, differences },
      };
    },
  });

/** The last one of this name that was built and is another one. */
async function earlierOf(view: NixView, derivation: string, signal: AbortSignal): Promise<string> {
  const name = nameOf(derivation);
  const past = await view.history({ name, limit: LOOKED_AT }, signal);
  const found = past.find((each) => each.name === name && each.derivation !== derivation);
  if (found !== undefined) return found.derivation;
  throw new ToolError(`nothing of the name ${name} was built before; give "before"`);
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

function shown(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}… (${text.length} characters)` : text;
}
