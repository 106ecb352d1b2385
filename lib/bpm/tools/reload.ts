/** `reload`: the configuration, read anew. @module */
import { array, boolean, defineTool, object, optional, string, type Tool } from "../../mcp/mod.ts";
import { orToolError } from "../../services/mod.ts";
import type { Manager } from "../manager.ts";

export const reload = (manager: Manager): Tool =>
  defineTool({
    name: "reload",
    description:
      "Reads .mcp-run anew: new processes are started, removed ones stopped, changed ones replaced, and the " +
      "others run on. With dry_run it only tells what would change.",
    annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    input: object({ dry_run: optional(boolean({ description: "Changes nothing" })) }),
    output: object({
      added: array(string()),
      removed: array(string()),
      changed: array(string()),
      unchanged: array(string()),
      later: array(string({ description: "Settings that hold from the manager's next start on" })),
    }),
    task: { afterMs: 5_000 },
    async run({ dry_run: dryRun = false }, { signal }) {
      const changes = await orToolError(() => manager.reload({ signal, dryRun }));
      const { added, removed, changed, unchanged, later } = changes;
      const parts = Object.entries({ added, removed, changed }).flatMap(([what, names]) =>
        names.length === 0 ? [] : [`${dryRun ? "would be " : ""}${what}: ${names.join(", ")}`]
      );
      if (later.length > 0) parts.push(`from the manager's next start on: ${later.join(", ")}`);
      const text = parts.length === 0 ? "Nothing has changed" : parts.join("\n");
      const structured = {
        added: [...added],
        removed: [...removed],
        changed: [...changed],
        unchanged: [...unchanged],
        later: [...later],
      };
      return { text, structured };
    },
  });
