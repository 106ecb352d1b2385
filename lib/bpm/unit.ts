/** Units of systemd for a project: its manager as a service of a user, and the socket of its MCP. Pure. @module */

/** What a unit is made for. */
export interface UnitOptions {
  /** Of the units, without suffix. */
  readonly name: string;
  /** The project's, absolute. */
  readonly folder: string;
  /** Program and arguments; the program is absolute. */
  readonly command: readonly [string, ...string[]];
  /** Folders of programs: a service has not those of a shell. */
  readonly path: string;
  /** Where MCP is served, when systemd is to hold the socket: `127.0.0.1:3001`. */
  readonly socket?: string | undefined;
  /** Whether programs may do whatever the user may. */
  readonly unconfined?: boolean;
}

/** First words of units that may be replaced and removed; behind them the project's folder. */
const MARK = "# Written by bpm unit for";

/** Seccomp does all of it: no right is needed that a user's manager has not. */
const HARDENING = `
# Restricted as far as programs in development allow; "bpm unit --unconfined" leaves this out, for projects that need
# sudo or rootless containers (both gain privileges). What is not set would break others:
# - a file system, users or a network of its own: they work on your files and ports, and with your docker
# - MemoryDenyWriteExecute: compilers at run time, of Node, Deno, Java
# - RestrictNamespaces, @mount and @privileged: sandboxes of browsers and of builds
# - LockPersonality and @debug: debuggers and profilers
# - @resources: limits and priorities that bpm sets
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

/** The service. */
export function serviceUnit(options: UnitOptions): string {
  const { name, folder, command, path, socket, unconfined = false } = options;
  check(options);
  return `${MARK} ${folder}
[Unit]
Description=bpm: processes of ${specifiers(folder)}
${
    socket === undefined
      ? ""
      : `Requires=${name}.socket\nAfter=${name}.socket\n`
  }# Three tries within a minute, then it is left alone: bpm itself restarts its processes for ever.
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
# It tells when MCP is served, what it does, and twice a minute that it is not stuck.
Type=notify
NotifyAccess=main
WatchdogSec=60
ExecStart=${command.map(word).join(" ")}
# It becomes the program that stands there now; its processes go on.
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory=${specifiers(folder)}
Environment=${quoted(`PATH=${path}`)}
${
    socket === undefined
      ? ""
      : "NonBlocking=yes\n"
  }# Asked to end, bpm stops its processes in their order. When it is killed they go on under their keepers, and the
# next bpm has them back, with their logs and exit codes: systemd must not kill them for it.
KillMode=process
Restart=on-failure
RestartSec=1
TimeoutStopSec=90
# A process of the project that takes too much memory is the one that ends.
OOMPolicy=continue
# Limits of processes are control groups below this one.
Delegate=yes
${unconfined ? "" : HARDENING}
[Install]
WantedBy=default.target
${socket === undefined ? "" : `Also=${name}.socket\n`}`;
}

/** The socket: a client that connects starts the service. */
export function socketUnit(options: UnitOptions & { readonly socket: string }): string {
  const { folder, socket } = options;
  check(options);
  return `${MARK} ${folder}
[Unit]
Description=MCP of bpm: processes of ${specifiers(folder)}

[Socket]
ListenStream=${specifiers(socket)}
FileDescriptorName=mcp
# What waits while bpm restarts is answered afterwards.
Backlog=128

[Install]
WantedBy=sockets.target
`;
}

/** The project that a unit was written for; `undefined` when somebody else wrote it. */
export function unitFolder(text: string): string | undefined {
  const [first = ""] = text.split("\n", 1);
  return first.startsWith(`${MARK} `) ? first.slice(MARK.length + 1) : undefined;
}

/** A name for the units of a folder. */
export function unitName(folder: string): string {
  const last = folder.slice(folder.lastIndexOf("/") + 1).replaceAll(/[^A-Za-z0-9:_.-]+/g, "-").replace(
    /^[.-]+/,
    "",
  );
  return `bpm-${last === "" ? "root" : last}`;
}

function check({ name, folder, command, path }: UnitOptions): void {
  const fail = (what: string): never => {
    throw new SyntaxError(`Cannot write a unit for ${JSON.stringify(folder)}: ${what}`);
  };
  if (!/^[A-Za-z0-9:_.-]{1,200}$/.test(name)) {
    fail(`its name "${name}" is not of letters, digits, : _ . and -`);
  }
  if (!folder.startsWith("/")) fail("the folder is not absolute");
  if (!command[0].startsWith("/")) fail(`the program ${command[0]} is not absolute`);
  // deno-lint-ignore no-control-regex -- lines of a unit have no way to say them
  if ([folder, path, ...command].some((each) => /[\x00-\x1f\x7f]/.test(each))) {
    fail("control characters have no way into it");
  }
}

/** A word of a command line: systemd would replace `%` and `$`. */
function word(text: string): string {
  const escaped = specifiers(text).replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_./=:,@%$+-]+$/.test(escaped) ? escaped : quoted(text.replaceAll("$", "$$$$"));
}

function quoted(text: string): string {
  return `"${specifiers(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function specifiers(text: string): string {
  return text.replaceAll("%", "%%");
}
