/** `get_suggestions`: what is usually started next. @module */
import { array, defineTool, number, object, string } from "../../mcp/mod.ts";
import { suggestionsText } from "../habits.ts";
import { maybe } from "./schemas.ts";
import { type ToolMaker } from "./tool.ts";

export const getSuggestions: ToolMaker = ({ host, client }) =>
  defineTool({
    name: "get_suggestions",
    description: "Get smart suggestions for next actions based on learning",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({
      current_process: maybe(string({ description: "What was started last, when left out" })),
    }),
    output: object({
      suggestions: array(object({
        process: string(),
        message: string(),
        action: string(),
        confidence: number(),
        reason: string(),
      })),
    }),
    run({ current_process: current }) {
      const isWanted = (id: string) => host.supervisor.services.get(id)?.is("idle", "finished") === true;
      const suggestions = host.memory.suggestions({
        current: current ?? undefined,
        project: client?.folder ?? "",
        isWanted,
      });
      return { text: suggestionsText(suggestions), structured: { suggestions } };
    },
  });
