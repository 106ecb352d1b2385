/** `open_web_console`: where a person looks at the processes. @module */
import { boolean, defineTool, integer, object, string } from "../../mcp/mod.ts";
import { maybe } from "./schemas.ts";
import { type ToolMaker } from "./tool.ts";

export const openWebConsole: ToolMaker = ({ doorway }) =>
  defineTool({
    name: "open_web_console",
    description: "Open the web console, and tell its address",
    annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: object({
      port: maybe(
        integer({
          description: "Tried first, where it is not open yet; the configuration says it otherwise",
          minimum: 0,
          maximum: 65_435,
        }),
      ),
      auto_open: maybe(boolean({ description: "Kept for old clients: the person opens the address" })),
    }),
    output: object({ url: string() }),
    async run({ port }) {
      const { url, token } = await doorway.open(port ?? undefined);
      return { text: `Web console: ${url}/?token=${token}`, structured: { url } };
    },
  });
