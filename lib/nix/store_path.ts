/** Names in a Nix store, whatever its root. Pure. @module */

/** A store path in parts: `/nix/store` `/` 32 characters of base 32 `-` name. */
export interface StorePath {
  readonly store: string;
  readonly hash: string;
  /** With `.drv` where it is a derivation. */
  readonly name: string;
}

/** Nix' base 32 leaves out e, o, t and u. */
const STORE_PATH = /^(.*)\/([0-9a-df-np-sv-z]{32})-([^/]+)/;

/** The parts of a store path, or of a path below one; `undefined` when it is none. */
export function parseStorePath(path: string): StorePath | undefined {
  const [, store, hash, name] = STORE_PATH.exec(path) ?? [];
  return name === undefined ? undefined : { store: store!, hash: hash!, name };
}

/** `hello-2.12` of a derivation or an output; what is no store path stays as it is. */
export function nameOf(path: string): string {
  return (parseStorePath(path)?.name ?? path).replace(/\.drv$/, "");
}

/**
 * The name without its version, as `builtins.parseDrvName` finds it: up to the first dash that no letter follows.
 * @example
 * ```ts
 * import { packageOf } from "./store_path.ts";
 * packageOf("python3.12-requests-2.32.3"); // "python3.12-requests"
 * ```
 */
export function packageOf(name: string): string {
  return /^(.+?)-(?![a-zA-Z])./.exec(name)?.[1] ?? name;
}
