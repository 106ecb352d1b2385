/** Starting what a person may have to allow first. @module */
import type { ToolContext } from "../../mcp/mod.ts";
import type { Startable } from "../allow_list.ts";
import type { IchimiHost } from "../host.ts";

const KEY = "allow";

/**
 * True when a person has just allowed it, false when nobody has to. What they allow for good is remembered. Comes before
 * whatever a tool changes: where the person is asked it is called anew.
 * @throws {NotAllowed} When they do not allow it, or cannot be asked.
 */
export async function permission(
  host: IchimiHost,
  context: Pick<ToolContext, "ask" | "clientCapabilities">,
  process: Startable,
): Promise<boolean> {
  const refused = host.allowed.refusal(process);
  if (refused === undefined) return false;
  if (!refused.mayAsk || !("elicitation" in context.clientCapabilities)) throw refused;
  const { folder, line } = refused.wanted;
  const answers = await context.ask({ [KEY]: question(folder, line) });
  const { action, content } = answers[KEY] as { action?: unknown; content?: { answer?: unknown } };
  if (action !== "accept" || !["once", "always"].includes(String(content?.answer))) throw refused;
  if (content?.answer === "always") host.allowed.add({ folder, line });
  return true;
}

function question(folder: string, line: string) {
  return {
    method: "elicitation/create" as const,
    params: {
      message: `An assistant wants to run in ${folder}: ${line}`,
      requestedSchema: {
        type: "object",
        properties: {
          answer: {
            type: "string",
            title: "Allow it?",
            enum: ["once", "always", "no"],
            enumNames: ["This time", "Always in this project", "No"],
          },
        },
        required: ["answer"],
      },
    },
  };
}
