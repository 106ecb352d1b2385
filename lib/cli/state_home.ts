/** Where a user's state is kept. @module */

/**
 * `$XDG_STATE_HOME`, or `.local/state` of the home; under root without a home, `/var/lib`.
 * @throws {Error} When there is neither.
 */
export function stateHome(
  { XDG_STATE_HOME, HOME, uid }: {
    readonly XDG_STATE_HOME?: string | undefined;
    readonly HOME?: string | undefined;
    readonly uid: number | null;
  },
): string {
  if (XDG_STATE_HOME?.startsWith("/") === true) return XDG_STATE_HOME;
  if (HOME?.startsWith("/") === true) return `${HOME}/.local/state`;
  if (uid === 0) return "/var/lib";
  throw new Error("Cannot keep state: neither XDG_STATE_HOME nor HOME is set");
}
