/** Tools of the fixture that only answer: text, images, sounds, resources, errors. */
import {
  type ContentBlock,
  defineTool,
  jsonSchema,
  object,
  string,
  ToolError,
} from "../../../lib/mcp/mod.ts";

/** One red pixel. */
export const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/** A sound without samples. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

const READ_ONLY = { readOnlyHint: true, openWorldHint: false };
const image: ContentBlock = { type: "image", data: PNG, mimeType: "image/png" };

/** An embedded resource. */
export function resource(uri: string, mimeType: string, text: string): ContentBlock {
  return { type: "resource", resource: { uri, mimeType, text } };
}

export const CONTENT_TOOLS = [
  defineTool({
    name: "test_simple_text",
    description: "Answers with text",
    annotations: READ_ONLY,
    run: () => ({ text: "This is a simple text response for testing." }),
  }),
  defineTool({
    name: "test_image_content",
    description: "Answers with an image",
    annotations: READ_ONLY,
    run: () => ({ text: "", content: [image] }),
  }),
  defineTool({
    name: "test_audio_content",
    description: "Answers with a sound",
    annotations: READ_ONLY,
    run: () => ({ text: "", content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] }),
  }),
  defineTool({
    name: "test_embedded_resource",
    description: "Answers with a resource",
    annotations: READ_ONLY,
    run: () => ({
      text: "",
      content: [resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
    }),
  }),
  defineTool({
    name: "test_multiple_content_types",
    description: "Answers with several pieces",
    annotations: READ_ONLY,
    run: () => ({
      text: "Multiple content types test:",
      content: [
        image,
        resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
      ],
    }),
  }),
  defineTool({
    name: "test_error_handling",
    description: "Always fails",
    annotations: READ_ONLY,
    run: () => {
      throw new ToolError("This tool intentionally returns an error for testing");
    },
  }),
  defineTool({
    name: "greet",
    title: "Greet",
    description: "Greets someone",
    annotations: { ...READ_ONLY, idempotentHint: true },
    input: object({ name: string({ description: "Whom to greet" }) }),
    output: object({ greeting: string() }),
    run: ({ name }) => ({ text: `Hello, ${name}!`, structured: { greeting: `Hello, ${name}!` } }),
  }),
  defineTool({
    name: "test_x_mcp_header",
    description: "Has an argument that is mirrored into a header",
    annotations: READ_ONLY,
    input: jsonSchema<{ region: string }>({
      type: "object",
      properties: { region: { type: "string", "x-mcp-header": "Region" } },
      required: ["region"],
    }),
    run: ({ region }) => ({ text: region }),
  }),
];
