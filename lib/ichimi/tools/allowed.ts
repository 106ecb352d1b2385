/** Starting what a person may have to allow first. @module */
import { createHash } from "node:crypto";
import type { ToolContext } from "../../mcp/mod.ts";
import type { Startable } from "../allow_list.ts";
import type { IchimiHost } from "../host.ts";

/**
 * The question to which a person has just said yes; undefined when nobody has to. What they allow for good is remembered.
 * Comes before whatever a tool changes: where the person is asked it is called anew.
 * @throws {NotAllowed} When they do not allow it, or cannot be asked.
 */
export async function permission(
  host: IchimiHost,
  context: Pick<ToolContext, "ask" | "clientCapabilities">,
  process: Startable,
): Promise<string | undefined> {
  const refused = host.allowed.refusal(process);
  if (refused === undefined) return undefined;
  const { question, wanted } = refused;
  if (question === undefined || !("elicitation" in context.clientCapabilities)) throw refused;
  // What was answered of another question is no answer to this one: meanwhile the process may have become another one.
  const key = `allow-${createHash("sha256").update(question).digest("hex")}`;
  const answers = await context.ask({ [key]: form(question) });
  const { action, content } = answers[key] as { action?: unknown; content?: { answer?: unknown } };
  if (action !== "accept" || !["once", "always"].includes(String(content?.answer))) throw refused;
  if (content?.answer === "always") { for (const each of wanted) host.allowed.add(each); }
  return question;
}

function form(message: string) {
  return {
    method: "elicitation/create" as const,
    params: {
      message,
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
