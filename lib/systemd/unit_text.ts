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

/** What a service is that keeps processes of a user. */
export interface KeepingService extends UnitParts {
  readonly description: string;
  /** As people type it. */
  readonly tool: string;
  /** What it does when it is asked to end: "stops its processes". */
  readonly atEnd: string;
  /** The folder it works in. */
  readonly folder?: string;
  /** Whether a socket unit of the same name starts it. */
  readonly hasSocket: boolean;
  /** Whether it makes control groups below its own. */
  readonly delegates?: boolean;
  /** Whether programs may do whatever the user may. */
  readonly unconfined?: boolean;
}

/**
 * A service whose processes outlive it: restarted, upgraded in place by `systemctl reload`, and restricted as far as
 * programs in development allow.
 * @throws {SyntaxError} When something of it cannot be said in a unit.
 */
export function keepingService(service: KeepingService): string {
  checkUnit(service);
  const { name, tool, command, path, folder, hasSocket, delegates = false, unconfined = false } = service;
  const only = (isThere: boolean, lines: string) => isThere ? lines : "";
  return `[Unit]
Description=${service.description}
${only(hasSocket, `Requires=${name}.socket\nAfter=${name}.socket\n`)}\
# Three tries within a minute, then it is left alone: ${tool} itself restarts its processes for ever.
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
# It tells when clients are served, what it does, and twice a minute that it is not stuck.
Type=notify
NotifyAccess=main
WatchdogSec=60
ExecStart=${command.map(unitWord).join(" ")}
# It becomes the program that stands there now; its processes go on.
ExecReload=/bin/kill -HUP $MAINPID
${only(folder !== undefined, `WorkingDirectory=${unitSpecifiers(folder ?? "")}\n`)}\
Environment=${unitQuoted(`PATH=${path}`)}
${only(hasSocket, "NonBlocking=yes\n")}\
# Asked to end, ${tool} ${service.atEnd}.
# When it is killed they go on under their keepers, and the next one has them back, with their logs and exit codes:
# systemd must not kill them for it.
KillMode=process
Restart=on-failure
RestartSec=1
TimeoutStopSec=90
# A process that takes too much memory is the one that ends.
OOMPolicy=continue
${only(delegates, "# Limits of processes are control groups below this one.\nDelegate=yes\n")}\
${only(!unconfined, hardening(tool))}
[Install]
WantedBy=default.target
${only(hasSocket, `Also=${name}.socket\n`)}`;
}

/** Seccomp does all of it: no right is needed that a user's manager has not. */
function hardening(tool: string): string {
  return `
# Restricted as far as programs in development allow; "${tool} unit install --unconfined" leaves this out, for projects
# that need sudo or rootless containers (both gain privileges). What is not set would break others:
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
function unitWord(text: string): string {
  const escaped = unitSpecifiers(text).replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_./=:,@%$+-]+$/.test(escaped) ? escaped : unitQuoted(text.replaceAll("$", "$$$$"));
}

/** A text between quotation marks. */
function unitQuoted(text: string): string {
  return `"${unitSpecifiers(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A text in which systemd replaces nothing. */
export function unitSpecifiers(text: string): string {
  return text.replaceAll("%", "%%");
}
