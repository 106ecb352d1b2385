/** Texts that assistants hand to each other and to their person, under upstream's names. @module */
import { array, defineTool, object, string } from "../../mcp/mod.ts";
import { HostError, orToolError } from "../../services/mod.ts";
import { CLIP, maybe } from "./schemas.ts";
import { type ToolMaker } from "./tool.ts";

export const setClipboardText: ToolMaker = ({ host: { shelf } }) =>
  defineTool({
    name: "set_clipboard_text",
    description: "Set clipboard content with text",
    annotations: { destructiveHint: false, openWorldHint: false },
    input: object({ content: string(), tags: maybe(array(string())) }),
    output: CLIP,
    run: ({ content, tags }) =>
      orToolError(() => {
        const clip = shelf.clip(content, { tags: tags ?? [] });
        return { text: JSON.stringify(clip, null, 2), structured: clip };
      }),
  });

export const getClipboard: ToolMaker = ({ host: { shelf } }) =>
  defineTool({
    name: "get_clipboard",
    description: "Get the latest clipboard content",
    annotations: { readOnlyHint: true, openWorldHint: false },
    output: CLIP,
    run: () =>
      orToolError(() => {
        const clip = shelf.newestClip;
        if (clip === undefined) throw new HostError("No clipboard item found");
        return { text: JSON.stringify(clip, null, 2), structured: clip };
      }),
  });
