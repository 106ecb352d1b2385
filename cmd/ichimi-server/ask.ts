/** Asking the daemon from the command line: one call of a tool, as a client that goes again. @module */
import { type Completion, option, print } from "../../lib/cli/mod.ts";
import { toggle } from "../../lib/config/mod.ts";
import { callTool, type ToolAnswer, type ToolQuestion } from "../../lib/mcp/call_tool.ts";
import type { Connection } from "../../lib/ichimi/connection.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { connect } from "./connection.ts";

export const JSON_OPTION = option(toggle({ help: "Prints the answer as JSON.", fallback: false }));
export const ALLOW_OPTION = option(
  toggle({ help: "Runs it this once, where the project's list is to ask.", fallback: false }),
);

const IDS: Completion = { command: "ichimi-server list --ids" };
export const PROCESS = { name: "ID", help: "id of the process", complete: IDS } as const;

/** A call of the command line. */
export interface Asking {
  readonly signal: AbortSignal;
  /** Told how far it is, of tools that take their time. */
  readonly progress?: ((message: string) => void) | undefined;
  /** Allows what the person would be asked for. */
  readonly allow?: boolean;
}

/** A connection over which tools are called, of all sets. */
export class Asker implements AsyncDisposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async connect(): Promise<Asker> {
    const { TOOLSET_NAMES } = await import("../../lib/ichimi/mod.ts");
    return new Asker(connect({ toolsets: TOOLSET_NAMES }));
  }

  /** @throws {Error} When the tool fails. */
  call(
    name: string,
    args: Record<string, unknown>,
    { signal, progress, allow = false }: Asking,
  ): Promise<ToolAnswer> {
    const canAsk = allow || (Deno.stdin.isTerminal() && Deno.stderr.isTerminal());
    return callTool({
      ...canAsk ? { ask: (questions) => Promise.resolve(answered(questions, allow)) } : {},
      name,
      args,
      client: { name: "ichimi-server", version: VERSION },
      signal,
      progress,
      fetch: (init) => this.#connection.fetch("/mcp", init),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }
}

/** Calls one tool. @throws {Error} When it fails. */
export async function ask(name: string, args: Record<string, unknown>, asking: Asking): Promise<ToolAnswer> {
  await using asker = await Asker.connect();
  return await asker.call(name, args, asking);
}

/** Prints the answer of a tool, and returns the exit code. */
export async function printed(
  name: string,
  args: Record<string, unknown>,
  { json, ...asking }: Asking & { readonly json: boolean },
): Promise<number> {
  const { text, structured } = await ask(name, args, asking);
  print(json ? `${JSON.stringify(structured, null, 2)}\n` : `${text}\n`);
  return 0;
}

/** What the person says to each question: the first choice when they have said so before. */
function answered(
  questions: Readonly<Record<string, ToolQuestion>>,
  allow: boolean,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(questions).map(([name, { params: { message = "", requestedSchema } }]) => {
      const [[key, { enum: words = [], enumNames = words }] = ["", {}]] = Object.entries(
        requestedSchema?.properties ?? {},
      );
      if (allow) return [name, { action: "accept", content: { [key]: words[0] } }];
      const choices = words.map((word, at) => `${word}: ${enumNames[at]}`).join(", ");
      const said = prompt(`${message}\n${choices}?`)?.trim().toLowerCase() ?? "";
      const chosen = words.find((word) => said !== "" && word.startsWith(said));
      return [
        name,
        chosen === undefined ? { action: "decline" } : { action: "accept", content: { [key]: chosen } },
      ];
    }),
  );
}
