/** Asking the manager of a project: one call of a tool, and its answer printed. @module */
import { type Completion, option, print } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { callTool, type ToolAnswer } from "../../lib/mcp/mod.ts";
import { CONFIG_OPTION, openProject, urlOf } from "./project.ts";

/** Which project is meant, and how its answer is printed. */
export const OPTIONS = {
  dir: option(optionalText({ help: "Folder of the project; this one by default.", example: "." }), {
    value: "DIR",
    complete: "directory",
  }),
  config: CONFIG_OPTION,
  json: option(toggle({ help: "Prints the answer as JSON.", fallback: false })),
};

/** Names of this folder's project. */
const NAMES: Completion = { command: "bpm list --names" };
export const PROCESS = { name: "PROCESS", help: "name in .mcp-run", complete: NAMES } as const;

/** What of a command line says which manager is asked. */
export interface Asking {
  readonly options: {
    readonly dir: string | undefined;
    readonly config: string | undefined;
    readonly json: boolean;
  };
  readonly signal: AbortSignal;
  /** Told how far it is, of tools that take their time. */
  readonly progress?: ((message: string) => void) | undefined;
}

/** Calls a tool of the project's manager and prints its answer. */
export async function call(tool: string, args: Record<string, unknown>, asking: Asking): Promise<number> {
  const { text, structured } = await ask(tool, args, asking);
  print(asking.options.json ? jsonText(structured) : `${text}\n`);
  return 0;
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Calls a tool of the project's manager. @throws {Error} When nobody answers, or the tool fails. */
export async function ask(
  tool: string,
  args: Record<string, unknown>,
  { options, signal, progress }: Asking,
): Promise<ToolAnswer> {
  const { config } = await openProject(options.dir ?? ".", options.config);
  const url = urlOf(config);
  const token = config.token_file === undefined
    ? undefined
    : (await Deno.readTextFile(config.token_file)).trim();
  return await callTool({
    name: tool,
    args,
    client: { name: "bpm", version: VERSION },
    signal,
    progress,
    fetch: async (init) => {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      try {
        return await fetch(url, { ...init, headers });
      } catch (cause) {
        signal.throwIfAborted();
        const remedy = "nobody answers there; start it with: bpm serve";
        throw new Error(`Cannot ask the manager at ${url}: ${remedy}`, { cause });
      }
    },
  });
}
