/** Units of systemd for the daemon of a user: the service, and the socket on which assistants find it. Pure. @module */
import {
  checkUnit,
  hardening,
  type UnitParts,
  unitQuoted,
  unitSpecifiers,
  unitWord,
} from "../systemd/mod.ts";

/** What the units are made for. */
export interface IchimiUnitOptions extends Omit<UnitParts, "folders"> {
  /** Of the socket, absolute. */
  readonly socket: string;
  /** Whether programs may do whatever the user may. */
  readonly unconfined?: boolean;
}

/** First words of units that may be replaced and removed. */
const MARK = "# Written by ichimi-server unit";

/** The service; its socket starts it. */
export function ichimiService(options: IchimiUnitOptions): string {
  const { name, command, path, unconfined = false } = options;
  checkUnit({ ...options, folders: [options.socket] });
  return `${MARK}
[Unit]
Description=ichimi-server: processes of this user's assistants
Requires=${name}.socket
After=${name}.socket
# Three tries within a minute, then it is left alone: the daemon itself restarts its processes.
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
# It tells when assistants are served, what it does, and twice a minute that it is not stuck.
Type=notify
NotifyAccess=main
WatchdogSec=60
ExecStart=${command.map(unitWord).join(" ")}
# It becomes the program that stands there now; its processes go on.
ExecReload=/bin/kill -HUP $MAINPID
Environment=${unitQuoted(`PATH=${path}`)}
NonBlocking=yes
# Asked to end, it stops processes that are not persistent. When it is killed they go on under their keepers, and the
# next one has them back, with their logs and exit codes: systemd must not kill them for it.
KillMode=process
Restart=on-failure
RestartSec=1
TimeoutStopSec=90
# A process that takes too much memory is the one that ends.
OOMPolicy=continue
${unconfined ? "" : hardening("ichimi-server")}
[Install]
WantedBy=default.target
Also=${name}.socket
`;
}

/** The socket: the first assistant starts the service. */
export function ichimiSocket(options: IchimiUnitOptions): string {
  checkUnit({ ...options, folders: [options.socket] });
  return `${MARK}
[Unit]
Description=Socket of ichimi-server

[Socket]
ListenStream=${unitSpecifiers(options.socket)}
SocketMode=0600
DirectoryMode=0700
FileDescriptorName=assistants
# What waits while the daemon restarts is answered afterwards.
Backlog=128

[Install]
WantedBy=sockets.target
`;
}

/** Whether units are ours to change. */
export function isIchimiUnit(text: string): boolean {
  return text.startsWith(`${MARK}\n`);
}
