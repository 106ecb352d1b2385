/** `why_waiting`: why a build has not begun. @module */
import { array, defineTool, object, string } from "../../mcp/mod.ts";
import { isOver, nameOf } from "../../nix/mod.ts";
import { waitingText, whyWaiting } from "../waiting.ts";
import { buildsNamed, type ToolMaker } from "./tool.ts";

export const whyWaitingTool: ToolMaker = (view) =>
  defineTool({
    name: "why_waiting",
    description:
      "Tells why builds have not begun: what they need, which lock, user or machine, or no free slot",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({ build: string({ description: "Number, derivation or part of the name", minLength: 1 }) }),
    output: object({
      builds: array(object({ name: string(), state: string(), why: string(), needs: array(string()) })),
    }),
    run({ build }) {
      const found = buildsNamed(view, build).map(({ world, row }) => {
        const waiting = whyWaiting(world, row);
        const needs = waiting !== undefined && "jobs" in waiting ? waiting.jobs.map(({ name }) => name) : [];
        const why = waiting !== undefined
          ? waitingText(waiting)
          : isOver(row)
          ? `it is over: ${row.state.kind}`
          : "it does not wait: it runs";
        return { name: nameOf(row.subject), state: row.state.kind, why, needs };
      });
      return {
        text: found.map(({ name, why, needs }) =>
          `${name}: ${why}${needs.length > 1 ? `: ${needs.join(", ")}` : ""}`
        ).join("\n"),
        structured: { builds: found },
      };
    },
  });
