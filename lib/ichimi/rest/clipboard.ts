/** Texts that assistants and their person hand to each other, under upstream's routes. @module */
import { array, integer, object, optional, string, withDefault } from "../../mcp/mod.ts";
import { HostError } from "../../services/mod.ts";
import type { Clips } from "../shelf.ts";
import { CLIP, maybe } from "../tools/schemas.ts";
import { type RestContext, type Route, route } from "./route.ts";

const tag = "clipboard";
const LIST = object({
  items: array(CLIP),
  total_count: integer({ description: "Also of those beyond the limit" }),
});
const LIMIT = integer({ minimum: 0, maximum: 1_000 });

export function clipboardRoutes({ host: { shelf } }: RestContext): Route[] {
  return [
    route({
      method: "get",
      path: "/clipboard",
      id: "getClipboard",
      tag,
      summary: "The newest text",
      answer: { status: 200, description: "The text", schema: CLIP },
      failures: [404],
      run() {
        const clip = shelf.newestClip;
        if (clip === undefined) throw new HostError("No clipboard item found", { problem: "missing" });
        return clip;
      },
    }),
    route({
      method: "delete",
      path: "/clipboard",
      id: "clearClipboard",
      tag,
      summary: "Forgets all texts",
      answer: { status: 204, description: "There is none any more" },
      run: () => shelf.clearClips(),
    }),
    route({
      method: "get",
      path: "/clipboard/history",
      id: "getClipboardHistory",
      tag,
      summary: "The last texts",
      query: object({ limit: withDefault(LIMIT, 100) }),
      answer: { status: 200, description: "Newest first", schema: LIST },
      run: ({ query: { limit } }) => list(shelf.clips(limit)),
    }),
    route({
      method: "post",
      path: "/clipboard/text",
      id: "setClipboardText",
      tag,
      summary: "Puts a text there",
      body: object({ content: string(), tags: maybe(array(string())) }),
      answer: { status: 200, description: "It is there", schema: CLIP },
      run: ({ body: { content, tags } }) => shelf.clip(content, { tags: tags ?? [] }),
    }),
    route({
      method: "post",
      path: "/clipboard/file",
      id: "setClipboardFile",
      tag,
      summary: "Puts the text of a file there, with the file's name",
      body: object({ filename: string(), content: string(), tags: maybe(array(string())) }),
      answer: { status: 200, description: "It is there", schema: CLIP },
      run: ({ body: { filename, content, tags } }) =>
        shelf.clip(content, { filename, tags: tags ?? [], type: "file" }),
    }),
    route({
      method: "get",
      path: "/clipboard/search",
      id: "searchClipboard",
      tag,
      summary: "Texts that have a word in them, in their names or in their tags",
      query: object({
        query: string(),
        limit: withDefault(LIMIT, 50),
        tags: optional(string({ description: "Only those that have all of these, parted by commas" })),
      }),
      answer: { status: 200, description: "Newest first", schema: LIST },
      run: ({ query: { query, limit, tags = "" } }) =>
        list(
          shelf.searchClips(query, {
            most: limit,
            tags: tags.split(",").map((tag) => tag.trim()).filter((tag) => tag !== ""),
          }),
        ),
    }),
  ];
}

function list({ items, total }: Clips) {
  return { items, total_count: total };
}
