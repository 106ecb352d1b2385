/** All that one server offers. Plain data: the same registry serves any number of transports at once. @module */
import type { Prompt } from "./prompt.ts";
import type { ResourceProvider } from "./resource.ts";
import type { Tool } from "./tool.ts";

/** What a server offers, in the order in which it is listed. */
export interface Registry {
  readonly tools: readonly Tool[];
  readonly resources: readonly ResourceProvider[];
  readonly prompts: readonly Prompt[];
}

/** How a server introduces itself. */
export interface McpServerInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  /** What a model should know before it uses the tools. */
  readonly instructions?: string;
}

/**
 * Makes a registry.
 * @throws {TypeError} When two tools or two prompts have one name.
 */
export function createRegistry(
  entries: {
    readonly tools?: readonly Tool[];
    readonly resources?: readonly ResourceProvider[];
    readonly prompts?: readonly Prompt[];
  },
): Registry {
  const registry = { tools: [], resources: [], prompts: [], ...entries };
  for (const list of [registry.tools, registry.prompts]) {
    const seen = new Set<string>();
    for (const { name } of list) {
      if (seen.has(name)) throw new TypeError(`Cannot make a registry: "${name}" is there twice`);
      seen.add(name);
    }
  }
  return registry;
}
