/** Users and groups by name, as the machine knows them. @module */
import { accountEntry, groupsOf } from "../accounts/mod.ts";

/** What a keeper takes: numbers. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
}

/** Whom a process is to run as, and the variables that tell it so. @throws {RangeError} When there is no such user or group. */
export function identityOf(
  { user, group }: { readonly user: string | undefined; readonly group: string | undefined },
): { readonly identity: Identity; readonly env: Readonly<Record<string, string>> } {
  const gid = group === undefined ? {} : { gid: Number(entryOf("group", group)[2]) };
  if (user === undefined) return { identity: gid, env: {} };
  const [name = "", , uid, primary, , home = "/", shell = "/bin/sh"] = entryOf("passwd", user);
  const groups = groupsOf(name);
  return {
    identity: { uid: Number(uid), gid: Number(primary), groups, ...gid },
    env: { USER: name, LOGNAME: name, HOME: home, SHELL: shell },
  };
}

function entryOf(database: "passwd" | "group", name: string): string[] {
  const entry = accountEntry(database, name);
  if (entry !== undefined) return entry;
  throw new RangeError(`Cannot run as ${database === "group" ? "group" : "user"} "${name}": there is none`);
}
