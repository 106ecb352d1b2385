/** Users and groups by name, as the machine knows them. @module */

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
  const groups = wordsOf("id", ["-G", name]).map(Number);
  return {
    identity: { uid: Number(uid), gid: Number(primary), groups, ...gid },
    env: { USER: name, LOGNAME: name, HOME: home, SHELL: shell },
  };
}

/** Also of users that stand in no file of this machine: nsswitch.conf(5). */
function entryOf(database: "passwd" | "group", name: string): string[] {
  const [line] = outputOf("getent", [database, name]).split("\n");
  if (line !== undefined && line !== "") return line.split(":");
  throw new RangeError(`Cannot run as ${database === "group" ? "group" : "user"} "${name}": there is none`);
}

function wordsOf(program: string, args: readonly string[]): string[] {
  return outputOf(program, args).split(/\s+/).filter((word) => word !== "");
}

function outputOf(program: string, args: readonly string[]): string {
  const { stdout } = new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" })
    .outputSync();
  return new TextDecoder().decode(stdout);
}
