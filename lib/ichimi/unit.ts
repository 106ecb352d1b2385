/** Units of systemd for the daemon of a user: the service, and the socket on which assistants find it. Pure. @module */
import { checkUnit, keepingService, type UnitParts, unitSpecifiers } from "../systemd/mod.ts";

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
  const service = keepingService({
    ...options,
    folders: [options.socket],
    description: "ichimi-server: processes of this user's assistants",
    tool: "ichimi-server",
    atEnd: "stops processes that are not persistent",
    hasSocket: true,
  });
  return `${MARK}\n${service}`;
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
