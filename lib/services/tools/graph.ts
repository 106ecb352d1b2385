/** `graph`: which process waits for which. @module */
import { array, defineTool, object, string } from "../../mcp/mod.ts";
import { holds } from "../../supervisor/mod.ts";
import { dependencyText } from "../dependency.ts";
import type { ToolMaker } from "./tool.ts";

export const graph: ToolMaker = (host) =>
  defineTool({
    name: "graph",
    description: "Tells which processes wait for which, by what condition, and whether it holds",
    annotations: { readOnlyHint: true, openWorldHint: false },
    output: object({
      edges: array(object({ from: string(), to: string(), condition: string(), holds: string() })),
    }),
    run() {
      const { services } = host.supervisor;
      const edges = [...services.values()].flatMap(({ spec: { name: from, dependsOn = [] } }) =>
        dependsOn.map((dependency) => {
          const { name: to } = dependency;
          const condition = dependencyText(dependency);
          return { from, to, condition, holds: holds(dependency, services.get(to)!) ? "yes" : "no" };
        })
      );
      const lines = edges.map(({ from, to, condition, holds }) =>
        `${from} needs ${to} ${condition}: ${holds}`
      );
      return { text: lines.join("\n") || "(no process depends on another)", structured: { edges } };
    },
  });
