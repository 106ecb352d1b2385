/** Where the daemon of a user keeps what it has, and is found. @module */
import { stateHome } from "../../lib/cli/mod.ts";

/** Of this user. @throws {Error} When there is no home. */
export function folders(): { readonly state: string; readonly socket: string; readonly log: string } {
  const { HOME, XDG_STATE_HOME } = Deno.env.toObject();
  const state = `${stateHome({ HOME, XDG_STATE_HOME, uid: Deno.uid() })}/hostkit/ichimi`;
  return { state, socket: `${state}/daemon.sock`, log: `${state}/daemon.log` };
}
