/** Where a project's instances, logs and wishes are kept. @module */
import { stateHome } from "../cli/mod.ts";

/** Digits of the hash that tells projects of one name apart. */
const HASH_CHARS = 8;
/** Sockets lie below: their addresses have at most 107 bytes, of which names and numbers need some 60. */
const NAME_CHARS = 24;

/** `hostkit/bpm/<name>-<hash>` in the home of state. @throws {Error} When there is no such home. */
export async function stateFolder(
  project: string,
  env: Parameters<typeof stateHome>[0],
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(project)));
  const name = project.slice(project.lastIndexOf("/") + 1).replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(
    0,
    NAME_CHARS,
  );
  return `${stateHome(env)}/hostkit/bpm/${name}-${digest.toHex().slice(0, HASH_CHARS)}`;
}
