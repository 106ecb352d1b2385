/** Units of systemd for a project: its manager as a service of a user, and the socket of its MCP. Pure. @module */
import { checkUnit, keepingService, unitSpecifiers } from "../systemd/mod.ts";

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

/** The service. */
export function serviceUnit(options: UnitOptions): string {
  const { folder, socket } = options;
  const service = keepingService({
    ...options,
    folders: [folder],
    description: `bpm: processes of ${unitSpecifiers(folder)}`,
    tool: "bpm",
    atEnd: "stops its processes in their order",
    hasSocket: socket !== undefined,
    delegates: true,
  });
  return `${MARK} ${folder}\n${service}`;
}

/** The socket: a client that connects starts the service. */
export function socketUnit(options: UnitOptions & { readonly socket: string }): string {
  const { folder, socket } = options;
  checkUnit({ ...options, folders: [options.folder] });
  return `${MARK} ${folder}
[Unit]
Description=MCP of bpm: processes of ${unitSpecifiers(folder)}

[Socket]
ListenStream=${unitSpecifiers(socket)}
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
