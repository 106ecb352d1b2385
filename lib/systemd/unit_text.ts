/** What units are made of, whatever they are for. Pure. @module */

/** What goes into a unit. */
export interface UnitParts {
  /** Of the unit, without suffix. */
  readonly name: string;
  /** Program and arguments; the program is absolute. */
  readonly command: readonly [string, ...string[]];
  /** Folders of programs: a service has not those of a shell. */
  readonly path: string;
  /** Absolute. */
  readonly folders?: readonly string[];
}

/** @throws {SyntaxError} When something of it cannot be said in a unit. */
export function checkUnit({ name, command, path, folders = [] }: UnitParts): void {
  const fail = (what: string): never => {
    throw new SyntaxError(`Cannot write a unit for ${JSON.stringify(folders[0] ?? name)}: ${what}`);
  };
  if (!/^[A-Za-z0-9:_.-]{1,200}$/.test(name)) {
    fail(`its name "${name}" is not of letters, digits, : _ . and -`);
  }
  if (folders.some((folder) => !folder.startsWith("/"))) fail("the folder is not absolute");
  if (!command[0].startsWith("/")) fail(`the program ${command[0]} is not absolute`);
  // deno-lint-ignore no-control-regex -- lines of a unit have no way to say them
  if ([...folders, path, ...command].some((each) => /[\x00-\x1f\x7f]/.test(each))) {
    fail("control characters have no way into it");
  }
}

/** Seccomp does all of it: no right is needed that a user's manager has not. */
export function hardening(tool: string): string {
  return `
# Restricted as far as programs in development allow; "${tool} unit --unconfined" leaves this out, for projects that need
# sudo or rootless containers (both gain privileges). What is not set would break others:
# - a file system, users or a network of its own: they work on your files and ports, and with your docker
# - MemoryDenyWriteExecute: compilers at run time, of Node, Deno, Java
# - RestrictNamespaces, @mount and @privileged: sandboxes of browsers and of builds
# - LockPersonality and @debug: debuggers and profilers
# - @resources: limits and priorities that ${tool} sets
# - UMask: what they write is yours to share
# Capabilities and devices are not a user's manager to take away, and it has none to give.
NoNewPrivileges=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
KeyringMode=private
`;
}

/** A word of a command line: systemd would replace `%` and `$`. */
export function unitWord(text: string): string {
  const escaped = unitSpecifiers(text).replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_./=:,@%$+-]+$/.test(escaped) ? escaped : unitQuoted(text.replaceAll("$", "$$$$"));
}

/** A text between quotation marks. */
export function unitQuoted(text: string): string {
  return `"${unitSpecifiers(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A text in which systemd replaces nothing. */
export function unitSpecifiers(text: string): string {
  return text.replaceAll("%", "%%");
}
