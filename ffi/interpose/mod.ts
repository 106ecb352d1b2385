/**
 * Binding of the preload object: the environment with which a program is started, so that what it binds to a declared
 * port becomes a socket that its keeper holds (see `interpose.h`).
 * @module
 */
import { assetPath } from "../assets.ts";

/** Which port becomes which socket, for one program. */
export interface Interposed {
  /** The keeper's folder, absolute. */
  readonly folder: string;
  /** Names of the keeper's listeners by the port that the program asks for. */
  readonly ports: Readonly<Record<number, string>>;
  /** `LD_PRELOAD` as the program would have it otherwise. */
  readonly preload?: string;
}

/** The variables. @throws {RangeError} When a path or a name cannot be told in them. */
export function interposerEnvironment({ folder, ports, preload = "" }: Interposed): Record<string, string> {
  const object = assetPath("lib/interpose.so");
  // The loader parts its list at both, and knows no quotes.
  if (/[ :]/.test(object)) {
    throw new RangeError(`Cannot preload "${object}": a space or colon stands in its path`);
  }
  const pairs = Object.entries(ports);
  const wrong = pairs.find(([, name]) => name === "" || name.includes(":"));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot interpose port ${wrong[0]}: a socket is named "${wrong[1]}"`);
  }
  return {
    LD_PRELOAD: preload === "" ? object : `${object}:${preload}`,
    HOSTKIT_BIND: [...pairs.map(([port, name]) => `${port}=${name}`), folder].join(":"),
  };
}
