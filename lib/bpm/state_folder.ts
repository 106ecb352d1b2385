/** Where a project's instances, logs and wishes are kept. @module */

/** Digits of the hash that tells projects of one name apart. */
const HASH_CHARS = 8;
/** Sockets lie below: their addresses have at most 107 bytes, of which names and numbers need some 60. */
const NAME_CHARS = 24;

/**
 * `$XDG_STATE_HOME/hostkit/bpm/<name>-<hash>`; under root without a home, `/var/lib/hostkit/bpm/…`.
 * @throws {Error} When there is neither.
 */
export async function stateFolder(
  project: string,
  env: {
    readonly XDG_STATE_HOME?: string | undefined;
    readonly HOME?: string | undefined;
    readonly uid: number | null;
  },
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(project)));
  const name = project.slice(project.lastIndexOf("/") + 1).replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(
    0,
    NAME_CHARS,
  );
  return `${parent(env)}/hostkit/bpm/${name}-${digest.toHex().slice(0, HASH_CHARS)}`;
}

function parent({ XDG_STATE_HOME, HOME, uid }: Parameters<typeof stateFolder>[1]): string {
  if (XDG_STATE_HOME?.startsWith("/") === true) return XDG_STATE_HOME;
  if (HOME?.startsWith("/") === true) return `${HOME}/.local/state`;
  if (uid === 0) return "/var/lib";
  throw new Error("Cannot keep state: neither XDG_STATE_HOME nor HOME is set");
}
