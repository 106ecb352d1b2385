/** Resources of all providers as the protocol wants them. @module */
import type { Engine } from "./_engine.ts";

/** The list of all providers, one after the other. */
export async function listResources(engine: Engine): Promise<{ uri: string; name: string }[]> {
  const lists = await Promise.all(
    engine.registry.resources.map((provider) => engine.run(() => provider.list())),
  );
  return lists.flat().map(({ sizeBytes, ...resource }) => ({
    ...resource,
    ...(sizeBytes === undefined ? {} : { size: sizeBytes }),
  }));
}

/** Families of resources. */
export function listTemplates(engine: Engine): { uriTemplate: string; name: string }[] {
  return engine.registry.resources.flatMap(({ templates }) => (templates ?? []).map((each) => ({ ...each })));
}

/** What the first provider that knows the URI has; `undefined` when none does. */
export async function readResource(
  engine: Engine,
  uri: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>[] | undefined> {
  for (const provider of engine.registry.resources) {
    const contents = await engine.run(() => provider.read(uri, signal));
    if (contents !== undefined) {
      return contents.map(({ bytes, ...content }) => ({
        ...content,
        ...(bytes === undefined ? {} : { blob: bytes.toBase64() }),
      }));
    }
  }
  return undefined;
}
