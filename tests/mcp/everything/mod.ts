/** The registry that the official conformance suite expects of a server: its names, its texts. */
import {
  createRegistry,
  type Prompt,
  type ResourceChange,
  type ResourceProvider,
} from "../../../lib/mcp/mod.ts";
import { ASKING_PROMPT, ASKING_TOOLS } from "./asking.ts";
import { CONTENT_TOOLS, PNG, resource } from "./content.ts";
import { WORKING_TOOLS } from "./working.ts";

const PROMPTS: readonly Prompt[] = [
  {
    name: "test_simple_prompt",
    description: "A prompt without holes",
    messages:
      () => [{ role: "user", content: { type: "text", text: "This is a simple prompt for testing." } }],
  },
  {
    name: "test_prompt_with_arguments",
    description: "A prompt with two holes",
    arguments: [
      { name: "arg1", description: "First test argument", required: true },
      { name: "arg2", description: "Second test argument", required: true },
    ],
    messages: ({ arg1, arg2 }) => [
      {
        role: "user",
        content: { type: "text", text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` },
      },
    ],
    complete: (_, typed) => ["paris", "park", "party"].filter((word) => word.startsWith(typed)),
  },
  {
    name: "test_prompt_with_embedded_resource",
    description: "A prompt with a resource inside",
    arguments: [{ name: "resourceUri", description: "URI of the resource to embed", required: true }],
    messages: ({ resourceUri }) => [
      {
        role: "user",
        content: resource(resourceUri!, "text/plain", "Embedded resource content for testing."),
      },
      { role: "user", content: { type: "text", text: "Please process the embedded resource above." } },
    ],
  },
  {
    name: "test_prompt_with_image",
    description: "A prompt with an image inside",
    messages: () => [
      { role: "user", content: { type: "image", data: PNG, mimeType: "image/png" } },
      { role: "user", content: { type: "text", text: "Please analyze the image above." } },
    ],
  },
  ASKING_PROMPT,
];

/** Resources of the fixture; `touch` says that one has changed. */
export class Resources implements ResourceProvider {
  readonly templates = [{
    uriTemplate: "test://template/{id}/data",
    name: "template",
    description: "Data by id",
    mimeType: "application/json",
  }];
  readonly #watchers = new Set<(change: ResourceChange) => void>();

  list() {
    return [
      { uri: "test://static-text", name: "static-text", description: "Some text", mimeType: "text/plain" },
      { uri: "test://static-binary", name: "static-binary", description: "An image", mimeType: "image/png" },
      {
        uri: "test://watched-resource",
        name: "watched-resource",
        description: "It changes",
        mimeType: "text/plain",
      },
    ];
  }

  read(uri: string) {
    const text = "This is the content of the static text resource.";
    if (uri === "test://static-text") return [{ uri, mimeType: "text/plain", text }];
    if (uri === "test://static-binary") {
      return [{ uri, mimeType: "image/png", bytes: Uint8Array.fromBase64(PNG) }];
    }
    if (uri === "test://watched-resource") return [{ uri, mimeType: "text/plain", text: "watched" }];
    const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
    if (id === undefined) return undefined;
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return [{ uri, mimeType: "application/json", text: JSON.stringify(data) }];
  }

  watch(changed: (change: ResourceChange) => void) {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  touch(change: ResourceChange): void {
    for (const changed of this.#watchers) changed(change);
  }

  get watchers(): number {
    return this.#watchers.size;
  }
}

/** Who the fixture says it is. */
export const INFO = {
  name: "everything",
  version: "1.0.0",
  title: "Everything",
  instructions: "Call anything.",
};

/** All of it. */
export function everything(resources = new Resources()) {
  const tools = [...CONTENT_TOOLS, ...ASKING_TOOLS, ...WORKING_TOOLS];
  return createRegistry({ tools, prompts: PROMPTS, resources: [resources] });
}
