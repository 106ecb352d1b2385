/** How other hosts are named. Pure. @module */

/** Where a host's daemon is. */
export type RemoteAddress =
  /** The words that print its messages, one a line. */
  | { readonly kind: "command"; readonly words: readonly [string, ...string[]] }
  | { readonly kind: "http"; readonly url: string; readonly token: string | undefined };

/**
 * Reads `NAME=ADDRESS` or an address that is its own name: `ssh:[USER@]HOST`, `http://HOST:PORT`, `https://HOST[:PORT]`.
 * @throws {SyntaxError} When it is none of these.
 */
export function parseRemote(
  text: string,
  token?: string,
): { readonly name: string; readonly address: RemoteAddress } {
  const [, named, rest = text] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
  const ssh = /^ssh:(?:\/\/)?([^\s/-][^\s/]*)$/.exec(rest)?.[1];
  if (ssh !== undefined) {
    const words = [
      "ssh",
      "-o",
      "BatchMode=yes",
      "-o",
      "ServerAliveInterval=15",
      ssh,
      "nix-btm",
      "stream",
    ] as const;
    return { name: named ?? ssh.replace(/^.*@/, ""), address: { kind: "command", words } };
  }
  const url = URL.parse(rest);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new SyntaxError(
      `Cannot read host "${text}": expected [NAME=]ssh:[USER@]HOST or [NAME=]https://HOST:PORT`,
    );
  }
  return { name: named ?? url.hostname, address: { kind: "http", url: url.origin, token } };
}
