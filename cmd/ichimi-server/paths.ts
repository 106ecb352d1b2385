/** Where the daemon of a user keeps what it has, and is found. @module */
import { stateHome } from "../../lib/cli/mod.ts";

/** Files of one user's daemon, absolute. */
export interface Folders {
  readonly state: string;
  readonly socket: string;
  /** What a daemon in the background says. */
  readonly log: string;
  /** Stands there while a daemon becomes a newer one. */
  readonly upgrading: string;
  /** What is shown to be served on loopback. */
  readonly token: string;
  /** The port on which it is served, while it is. */
  readonly door: string;
}

/** Of this user. @throws {Error} When there is no home. */
export function folders(): Folders {
  const { HOME, XDG_STATE_HOME } = Deno.env.toObject();
  const state = `${stateHome({ HOME, XDG_STATE_HOME, uid: Deno.uid() })}/hostkit/ichimi`;
  return {
    state,
    socket: `${state}/daemon.sock`,
    log: `${state}/daemon.log`,
    upgrading: `${state}/upgrading`,
    token: `${state}/token`,
    door: `${state}/door`,
  };
}
