/** Users and groups as this machine knows them, also those that stand in no file of it: nsswitch.conf(5). @module */

/** A line of passwd(5) or group(5) in its fields, by name or number; `undefined` when there is none. */
export function accountEntry(database: "passwd" | "group", name: string | number): string[] | undefined {
  const line = outputOf("getent", [database, String(name)]).split("\n")[0];
  return line === undefined || line === "" ? undefined : line.split(":");
}

/** Numbers of all groups of a user, the primary one first. */
export function groupsOf(user: string): number[] {
  return outputOf("id", ["-G", user]).split(/\s+/).filter((word) => word !== "").map(Number);
}

function outputOf(program: string, args: readonly string[]): string {
  const { stdout } = new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" })
    .outputSync();
  return new TextDecoder().decode(stdout);
}
